"""The table of ``docs/similar.md``: ``scripts.similarity_tables measure FOLDER``, ``fill``.

Measuring reads 160 kb of *B. subtilis* with the shipped models and with their random-weight twins,
keeps the activations in FOLDER, and writes a table for each pair to ``scripts/similarities``; what
is there already is not measured again. Filling writes them into the page.
"""

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from genointerp.annotation.catalogue import shipped
from genointerp.command.build.harvest import harvest
from genointerp.command.compare.similar import similar
from genointerp.comparison.similarity.similar import MEASURES
from genointerp.model.registry import load_model

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "scripts" / "similarities"
PAGE = ROOT / "docs" / "similar.md"
GENOME, REGION = "bsubtilis_168", "NC_000964.3:1-160,000"
EVERY = 50
"""Distance of the bases that are compared, in bp: the stretch is short."""

_SEED = 0
_SHOWN = {
    "found": "found",
    "rotation": "rotation",
    "rotation_3": "30 to 300 bases further",
    "residual": "without last bases and phase",
    "twin_of_b": "first with twin of second",
    "twins": "both twins",
}


@dataclass(frozen=True)
class Reading:
    """A model at a site; with random weights if ``is_twin``."""

    model: str
    site: str
    is_twin: bool = False

    @property
    def twin(self) -> "Reading":
        """The same network and site with random weights."""
        return Reading(self.model, self.site, is_twin=True)

    @property
    def file(self) -> str:
        """Name of the file of activations."""
        return f"{'random_' * self.is_twin}{self.model}_{self.site}.h5"


PAIRS: Mapping[str, tuple[Reading, Reading]] = {
    "nano at blocks.5 and blocks.3": (Reading("nano", "blocks.5"), Reading("nano", "blocks.3")),
    "nano at blocks.5 and small at blocks.7": (
        Reading("nano", "blocks.5"),
        Reading("small", "blocks.7"),
    ),
}


def main() -> None:
    """Parse the arguments, and measure or fill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "fill"))
    parser.add_argument("folder", nargs="?", type=Path, help="where activations are kept")
    arguments = parser.parse_args()
    if arguments.what == "fill":
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    if arguments.folder is None:
        parser.error("measure needs a folder")
    KEPT.mkdir(exist_ok=True)
    for name, pair in PAIRS.items():
        path = _path(name)
        if not path.is_file():
            table = measure(*pair, arguments.folder)
            table.to_csv(path, sep="\t", index=False, float_format="%.4f")


def measure(a: Reading, b: Reading, folder: Path) -> pd.DataFrame:
    """Compare two readings, next to their twins."""
    files = shipped(GENOME)
    return similar(
        read(a, folder),
        read(b, folder),
        genome=files.sequence,
        annotations=files.annotation,
        twin_a=read(a.twin, folder),
        twin_b=read(b.twin, folder),
        every=EVERY,
    )


def read(reading: Reading, folder: Path) -> Path:
    """Return the activations of a reading, which are made if they are not there."""
    path = folder / reading.file
    if not path.exists():
        harvest(
            shipped(GENOME).sequence,
            path,
            load_model(reading.model, random_weights=_SEED if reading.is_twin else None),
            site=reading.site,
            region=REGION,
        )
    return path


def filled(page: str) -> str:
    """Return the page with its table filled from the files."""
    pattern = re.compile(r"(<!-- table similarity -->\n).*?(<!-- end -->)", re.DOTALL)
    return pattern.sub(lambda match: match[1] + _table() + match[2], page)


def _table() -> str:
    head = ["pair", "compared with", "CKA", "SVCCA", "neighbours", "R² of second", "R² of first"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name in PAIRS:
        known = pd.read_csv(_path(name), sep="\t")
        for comparison, words in _SHOWN.items():
            own = known[known["comparison"] == comparison].set_index("measure")
            cells = [_cell(own.loc[measure]) for measure in MEASURES if measure in own.index]
            lines.append("| " + " | ".join([name, words, *cells]) + " |")
    return "\n".join(lines) + "\n"


def _cell(row: "pd.Series[float]") -> str:
    return f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"


def _path(name: str) -> Path:
    return KEPT / f"{re.sub(r'[^a-z0-9]+', '_', name.lower())}.tsv"


if __name__ == "__main__":
    main()
