"""The README says what is so: its lines run, its commands exist."""

import re
from pathlib import Path

import pytest
import typer

from genointerp.cli.main import app

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = dict(re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)[::-1])


@pytest.mark.slow
def test_the_lines_of_library_use_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(BLOCKS["python"], "README.md", "exec"), names)
    table = names["table"]
    assert 0 < len(table) <= 5
    assert table["max_activation"].is_monotonic_decreasing


def test_the_lines_of_library_use_are_about_ten():
    lines = [line for line in BLOCKS["python"].splitlines() if line and "import" not in line]
    assert len(lines) <= 10


def test_the_table_of_commands_is_that_of_the_program():
    rows = re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE)
    assert sorted(rows) == sorted(typer.main.get_command(app).commands)


def test_exactly_two_commands_set_everything_up():
    assert BLOCKS[""].split("\n")[:2] == [
        line for line in BLOCKS[""].split("\n") if line.startswith("make ")
    ]


def test_every_file_that_it_links_to_exists():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (Path(__file__).parents[1] / target).exists(), target
