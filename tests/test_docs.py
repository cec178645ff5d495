"""The pages say what is so: their commands parse, their figures are those of a results file."""

import json
import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest
import typer

from genointerp.cli.main import app
from genointerp.sae.formats.published import PUBLISHED

ROOT = Path(__file__).parents[1]
EVO2 = (ROOT / "docs" / "evo2.md").read_text()
PERFORMANCE = (ROOT / "docs" / "performance.md").read_text()
QUERY = (ROOT / "docs" / "query.md").read_text()
BACKTEST = (ROOT / "docs" / "backtest.md").read_text()
FIGURES = (ROOT / "docs" / "figures.md").read_text()
CANDIDATES = (ROOT / "docs" / "candidates.md").read_text()
BASELINES = (ROOT / "docs" / "baselines.md").read_text()
EDITING = (ROOT / "docs" / "editing.md").read_text()
CIRCUITS = (ROOT / "docs" / "circuits.md").read_text()
EDGES = (ROOT / "docs" / "edges.md").read_text()
DIFF = (ROOT / "docs" / "diff.md").read_text()
TUNING = (ROOT / "docs" / "tuning.md").read_text()
JOINED = "".join(
    [EVO2, QUERY, FIGURES, CANDIDATES, BASELINES, BACKTEST, EDITING, CIRCUITS, EDGES, DIFF, TUNING]
).replace("\\\n", " ")
LINES = [line for line in JOINED.splitlines() if line.startswith("genointerp ")]
# a cell is of the file that was named last before it
CELLS = [
    (before, *cell)
    for before, after in pairwise(
        re.split(r"\(\.\./(benchmarks/results/[\w./-]+\.json)\)", PERFORMANCE)
    )
    for cell in re.findall(r"^\| `(\w+)` \| `(\w+)` \| ([\d.]+) \|", after, re.MULTILINE)
]


@pytest.mark.parametrize("line", LINES)
def test_commands_of_the_pages_are_accepted_by_the_program(line):
    command, arguments = typer.main.get_command(app), shlex.split(line)[1:]
    # as click does: a group names its command, up to one that takes all that is left
    while hasattr(command, "commands"):
        command, arguments = command.commands[arguments[0]], arguments[1:]
    command.make_context("genointerp", arguments)


def test_the_evo_2_page_names_every_named_feature():
    section = EVO2.split("## Named features")[1].split("\n## ")[0]
    names = PUBLISHED["evo2-layer-26-mixed"].feature_names
    assert set(re.findall(r"`([A-Za-z_0-9]+)`", section)) == {*names}
    assert set(map(int, re.findall(r"(?<![_\d])\d{4,5}\b", section))) == set(names.values())


def test_the_page_of_figures_shows_every_kind():
    kinds = typer.main.get_command(app).commands["plot"].commands
    assert set(re.findall(r"^genointerp plot (\w+)", FIGURES, re.MULTILINE)) == set(kinds)


def test_there_are_commands_and_figures_to_check():
    assert len(LINES) >= 20
    found = re.findall(r"^\| `\w+` \| `\w+` \| [\d.]+ \|", PERFORMANCE, re.MULTILINE)
    assert len(CELLS) == len(found) >= 10


@pytest.mark.parametrize(("file", "benchmark", "figure", "value"), CELLS)
def test_figures_of_the_performance_page_are_those_of_the_results(file, benchmark, figure, value):
    results = json.loads((ROOT / file).read_text())
    assert results["results"][benchmark]["found"][figure] == float(value)


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.stem)
def test_every_file_that_a_page_links_to_exists(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target
