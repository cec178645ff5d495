"""The table of ``docs/match.md``: ``python -m scripts.match_tables measure FOLDER``, ``fill``.

Measuring reads 160 kb of *B. subtilis* with the shipped models, at two sites, and with their
random-weight twins, trains a dictionary of 512 features on each, and matches them; FOLDER keeps
what takes long. A table for each pair goes to ``scripts/matches``; what is there already is not
measured again. Filling writes them into the page.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from genointerp.annotation.catalogue import shipped
from genointerp.command.build.encode import encode
from genointerp.command.build.train import train
from genointerp.command.compare.match import match
from scripts.readings import GENOME, ROOT, Reading, TableOfPairs, activations

SETTINGS = {
    "sae": {"architecture": "batch_topk", "n_features": 512, "k": 16},
    "n_tokens": 2_000_000,
}
NANO, NANO_3 = Reading("nano", "blocks.5"), Reading("nano", "blocks.3")
SMALL = Reading("small", "blocks.7")
LLAMA = Reading("llama", "blocks.2")
OTHER_SEED = replace(NANO, seed=1)


def measure(a: Reading, b: Reading, folder: Path) -> pd.DataFrame:
    """Match two readings, next to their twins and another seed of the first."""
    files = shipped(GENOME)
    found = match(
        features(a, folder),
        features(b, folder),
        genome=files.sequence,
        annotations=files.annotation,
        twin_a=features(a.twin, folder),
        twin_b=features(b.twin, folder) if b.twin != a.twin else features(_second(b), folder),
        ceiling=features(OTHER_SEED, folder) if b != OTHER_SEED else (),
    )
    return found.summary


def _second(reading: Reading) -> Reading:
    """Return the twin with a dictionary of another seed."""
    return replace(reading.twin, seed=1)


def features(reading: Reading, folder: Path) -> Path:
    """Return the features of a reading, which are made if they are not there."""
    path = folder / f"features_{reading.seed}_{reading.file}"
    if not path.exists():
        read = activations(reading, folder)
        sae = path.with_suffix("")
        train(read, sae, config=SETTINGS, seed=reading.seed)
        encode(read, sae, path)
    return path


def rows(known: pd.DataFrame) -> Iterator[list[str]]:
    """Yield the cells of a pair, which has one row."""
    own = known[(known["side"] == "a") & (known["decile"] == 0)].set_index("comparison")
    found, twin = own.loc["found"], own.loc["twin"]
    yield [
        _share(found),
        *(_cell(own, it) for it in ("found_residual", "rotation", "rotation_3", "twin", "twins")),
        f"{twin['excess']:.3f} ({twin['excess_low']:.3f} to {twin['excess_high']:.3f})",
        f"{found['of_ceiling']:.2f}" if pd.notna(found["of_ceiling"]) else "",
    ]


def _cell(own: pd.DataFrame, comparison: str) -> str:
    return _share(own.loc[comparison]) if comparison in own.index else ""


def _share(row: "pd.Series[float]") -> str:
    return f"{row['share']:.3f} ({row['share_low']:.3f} to {row['share_high']:.3f})"


TABLE = TableOfPairs(
    page=ROOT / "docs" / "match.md",
    mark="matches",
    kept=ROOT / "scripts" / "matches",
    pairs={
        "two seeds of the dictionary": (NANO, OTHER_SEED),
        "two sites, blocks.5 and blocks.3": (NANO, NANO_3),
        "two sizes, nano and small": (NANO, SMALL),
        "StripedHyena and a small Llama": (NANO, LLAMA),
    },
    head=[
        "pair",
        "matched",
        "without last bases and phase",
        "rotated",
        "rotated by 3",
        "with the twin",
        "twins",
        "excess over the twin",
        "of the ceiling",
    ],
    rows=rows,
)

if __name__ == "__main__":
    TABLE.measure_or_fill(__doc__, measure)
