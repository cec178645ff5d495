"""Draw the pictures of ``docs/figures.md`` by the commands that the page shows."""

import argparse
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from genointerp.figure.file import with_few_colors

PAGE = Path("docs/figures.md")
DEMO = "results/demo"
WIDTH = 1000
"""Pixels of a picture at most, so that all of them together stay small."""


def main() -> None:
    """Run each command of the page on a run of the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="run directory of `genointerp demo`")
    run = parser.parse_args().run
    for command in gallery_commands(PAGE.read_text(encoding="utf-8")):
        draw([part.replace(DEMO, str(run)) for part in command])


def gallery_commands(page: str) -> list[list[str]]:
    """Return the commands of a page that draw a picture, in their order, as lists of words."""
    lines = [line for line in page.splitlines() if line.startswith("genointerp ")]
    return [
        words
        for words in map(shlex.split, lines)
        if "--out" in words and words[words.index("--out") + 1].endswith(".png")
    ]


def draw(command: Sequence[str]) -> None:
    """Run a command and make its picture small: as wide as a page, and of few colours."""
    out = Path(command[command.index("--out") + 1])
    out.parent.mkdir(parents=True, exist_ok=True)
    program = str(Path(sys.executable).with_name(command[0]))
    subprocess.run([program, *command[1:], "--force"], check=True)
    with Image.open(out) as image:
        image.thumbnail((WIDTH, 4 * WIDTH))
        with_few_colors(image).save(out, optimize=True)


if __name__ == "__main__":
    main()
