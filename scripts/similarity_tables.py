"""The table of ``docs/similar.md``: ``scripts.similarity_tables measure FOLDER``, ``fill``.

Measuring reads 160 kb of *B. subtilis* with the shipped models and with their random-weight twins,
keeps the activations in FOLDER, and writes a table for each pair to ``scripts/similarities``; what
is there already is not measured again. Filling writes them into the page.
"""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from genointerp.annotation.catalogue import shipped
from genointerp.command.compare.similar import similar
from genointerp.comparison.similarity.similar import MEASURES
from scripts.readings import GENOME, ROOT, Reading, TableOfPairs, activations

EVERY = 50
"""Distance of the bases that are compared, in bp: the stretch is short."""

_SHOWN = {
    "found": "found",
    "rotation": "rotation",
    "rotation_3": "30 to 300 bases further",
    "residual": "without last bases and phase",
    "twin_of_b": "first with twin of second",
    "twins": "both twins",
}


def measure(a: Reading, b: Reading, folder: Path) -> pd.DataFrame:
    """Compare two readings, next to their twins."""
    files = shipped(GENOME)
    return similar(
        activations(a, folder),
        activations(b, folder),
        genome=files.sequence,
        annotations=files.annotation,
        twin_a=activations(a.twin, folder),
        twin_b=activations(b.twin, folder),
        every=EVERY,
    )


def rows(known: pd.DataFrame) -> Iterator[list[str]]:
    """Yield the cells of a pair: a row for each of what it is compared with."""
    for comparison, words in _SHOWN.items():
        own = known[known["comparison"] == comparison].set_index("measure")
        yield [words, *(_cell(own.loc[measure]) for measure in MEASURES if measure in own.index)]


def _cell(row: "pd.Series[float]") -> str:
    return f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"


NANO = Reading("nano", "blocks.5")
TABLE = TableOfPairs(
    page=ROOT / "docs" / "similar.md",
    mark="similarity",
    kept=ROOT / "scripts" / "similarities",
    pairs={
        "nano at blocks.5 and blocks.3": (NANO, Reading("nano", "blocks.3")),
        "nano at blocks.5 and small at blocks.7": (NANO, Reading("small", "blocks.7")),
    },
    head=["pair", "compared with", "CKA", "SVCCA", "neighbours", "R² of second", "R² of first"],
    rows=rows,
)

if __name__ == "__main__":
    TABLE.measure_or_fill(__doc__, measure)
