"""Readings of 160 kb of *B. subtilis*, and the table of a page that compares pairs of them."""

import argparse
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from genointerp.annotation.catalogue import shipped
from genointerp.command.build.harvest import harvest
from genointerp.model.registry import load_model
from scripts.llama_toy import make_llama

ROOT = Path(__file__).parents[1]
GENOME, REGION = "bsubtilis_168", "NC_000964.3:1-160,000"

_SEED = 0


@dataclass(frozen=True)
class Reading:
    """A model at a site; with random weights if ``is_twin``.

    Parameters
    ----------
    seed
        Of the dictionary that is trained on it.
    """

    model: str
    site: str
    seed: int = 0
    is_twin: bool = False

    @property
    def twin(self) -> "Reading":
        """The same network and site with random weights."""
        return replace(self, is_twin=True, seed=0)

    @property
    def file(self) -> str:
        """Name of the file of activations."""
        return f"{'random_' * self.is_twin}{self.model}_{self.site}.h5"


def activations(reading: Reading, folder: Path) -> Path:
    """Return the activations of a reading, which are made if they are not there."""
    path = folder / reading.file
    if not path.exists():
        weights = _SEED if reading.is_twin else None
        # the Llama is a folder, and trained if it is not there
        name = str(make_llama(folder)) if reading.model == "llama" else reading.model
        model = load_model(name, random_weights=weights)
        harvest(shipped(GENOME).sequence, path, model, site=reading.site, region=REGION)
    return path


@dataclass(frozen=True)
class TableOfPairs:
    """The table of a page about pairs of readings, made of a file for each.

    Parameters
    ----------
    page
        The page of the documentation.
    mark
        Name of the table in the page.
    kept
        Folder of the files.
    pairs
        Pairs of readings by what the page says of them.
    head
        Names of the columns.
    rows
        Returns the cells of the rows of a pair, but its name.
    """

    page: Path
    mark: str
    kept: Path
    pairs: Mapping[str, tuple[Reading, Reading]]
    head: Sequence[str]
    rows: Callable[[pd.DataFrame], Iterable[Sequence[str]]]

    def filled(self, page: str) -> str:
        """Return the page with its table filled from the files."""
        pattern = re.compile(rf"(<!-- table {self.mark} -->\n).*?(<!-- end -->)", re.DOTALL)
        return pattern.sub(lambda match: match[1] + self._text() + match[2], page)

    def measure_or_fill(
        self, description: str | None, measure: Callable[[Reading, Reading, Path], pd.DataFrame]
    ) -> None:
        """Parse the arguments, and measure the pairs that have no file, or fill the page."""
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument("what", choices=("measure", "fill"))
        parser.add_argument("folder", nargs="?", type=Path, help="where what takes long is kept")
        arguments = parser.parse_args()
        if arguments.what == "fill":
            page = self.page.read_text(encoding="utf-8")
            self.page.write_text(self.filled(page), encoding="utf-8")
            return
        if arguments.folder is None:
            parser.error("measure needs a folder")
        self.kept.mkdir(exist_ok=True)
        for name, pair in self.pairs.items():
            path = self._path(name)
            if not path.is_file():
                table = measure(*pair, arguments.folder)
                table.to_csv(path, sep="\t", index=False, float_format="%.4f")

    def _text(self) -> str:
        lines = ["| " + " | ".join(self.head) + " |", "|" + "---|" * len(self.head)]
        for name in self.pairs:
            rows = self.rows(pd.read_csv(self._path(name), sep="\t"))
            lines += ["| " + " | ".join([name, *cells]) + " |" for cells in rows]
        return "\n".join(lines) + "\n"

    def _path(self, name: str) -> Path:
        return self.kept / f"{re.sub(r'[^a-z0-9]+', '_', name.lower())}.tsv"
