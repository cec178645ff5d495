"""The gallery: its commands are commands, and each has drawn a picture that the page shows."""

from pathlib import Path

import pytest
import typer
from PIL import Image

from genointerp.cli.main import app
from scripts.draw_gallery import WIDTH, gallery_commands

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "figures.md").read_text(encoding="utf-8")
COMMANDS = gallery_commands(PAGE)
PROGRAM = typer.main.get_command(app)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: Path(words[-1]).stem)
def test_a_command_of_the_gallery_is_one_and_its_picture_is_shown(words):
    command, names = PROGRAM, words[1:]
    while hasattr(command, "commands"):
        command, names = command.commands[names[0]], names[1:]
    found = command.make_context(command.name, names).params
    picture = DOCS.parent / found["out"]
    assert f"]({picture.relative_to(DOCS).as_posix()})" in PAGE
    with Image.open(picture) as image:
        assert image.width <= WIDTH


def test_every_kind_of_figure_is_in_the_gallery():
    drawn = {words[2] for words in COMMANDS if words[1] == "plot"}
    assert drawn == set(PROGRAM.commands["plot"].commands)


def test_lines_that_draw_nothing_are_no_commands_of_the_gallery():
    page = (
        "genointerp run a.yaml\n`genointerp plot KIND --out x`\ngenointerp motif a 3 --out b.png\n"
    )
    assert gallery_commands(page) == [["genointerp", "motif", "a", "3", "--out", "b.png"]]
