"""Edits of ten features of ``nano``: ``python -m scripts.edit_tables measure`` and ``fill``.

Measuring writes a file for each feature and method to ``scripts/edits``; what is there already is
not measured again. Filling writes them as a table into ``docs/editing.md``.
"""

import argparse
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.command.intervene.edit import edit
from genointerp.intervention.editing.config import Method

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "scripts" / "edits"
PAGE = ROOT / "docs" / "editing.md"
BEST = ROOT / "docs" / "demo" / "best_per_concept.tsv"
N_FEATURES = 10
METHODS: tuple[Method, ...] = ("closed-form", "distil")
_READ = {"n_fit": 65_536, "n_written": 0}
SETTINGS: dict[Method, dict[str, int]] = {
    "closed-form": {**_READ, "n_matched": 1, "n_random": 1},
    "distil": {**_READ, "n_matched": 0, "n_random": 1, "rank": 16, "batch": 2, "steps": 600},
}
"""What differs from the defaults, so that an edit takes a few minutes on one core."""
COLUMNS = {
    "r2": "held-out R2",
    "strength": "s",
    "bake": "bake",
    "kl_fires": "KL, fires",
    "kl_silent": "KL, silent",
    "silent_from": "silent from",
    "n_silent": "tokens",
    "bake_matched": "bake, other feature",
    "bake_random": "bake, random direction",
    "verdict": "verdict",
}
_SMALL = {"kl_fires", "kl_silent"}


def main() -> None:
    """Parse the arguments, and measure or fill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "fill"))
    parser.add_argument("--feature", type=int, action="append", help="only this one; repeatable")
    parser.add_argument("--method", choices=METHODS, action="append", help="only this one")
    arguments = parser.parse_args()
    if arguments.what == "fill":
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    for feature in arguments.feature or features():
        for method in arguments.method or METHODS:
            measure(feature, method)


def features() -> dict[int, str]:
    """Return ten features by the rule of the page, with the concept that each tells best.

    Of the best feature of each concept by F1 on *E. coli*, on which the edits are fitted, those
    with the highest F1, each feature once. Where a concept has a strand, its own is meant.
    """
    table = pd.read_csv(BEST, sep="\t")
    has_strand = table["concept"].isin(table[table["orientation"] == "sense"]["concept"])
    own = table[table["orientation"] == has_strand.map({True: "sense", False: "both"})]
    best = own.sort_values("f1_fit", ascending=False).drop_duplicates("feature").head(N_FEATURES)
    return dict(zip(best["feature"].tolist(), best["concept"].tolist(), strict=True))


def measure(feature: int, method: Method) -> None:
    """Edit a feature and keep the summary, unless it is there."""
    path = KEPT / f"{feature}_{method}.json"
    if path.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "edited"
        edit(out, "nano", feature=feature, method=method, anyway=True, config=SETTINGS[method])
        path.parent.mkdir(exist_ok=True)
        path.write_text((out / "summary.json").read_text(encoding="utf-8"), encoding="utf-8")


def filled(page: str) -> str:
    """Return the page with its table filled from the files."""
    pattern = re.compile(r"(<!-- table edits -->\n).*?(<!-- end -->)", re.DOTALL)
    return pattern.sub(lambda match: match[1] + table() + match[2], page)


def table() -> str:
    """Return the rows of all features and methods that were measured."""
    lines = [["feature", "tells", "method", *COLUMNS.values()]]
    for feature, tells in features().items():
        for method in METHODS:
            path = KEPT / f"{feature}_{method}.json"
            if path.exists():
                found = json.loads(path.read_text(encoding="utf-8"))
                cells = [_cell(name, found[name]) for name in COLUMNS]
                lines.append([str(feature), tells, f"`{method}`", *cells])
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(name: str, value: Any) -> str:  # noqa: ANN401 - a value of JSON
    if value is None or isinstance(value, str):
        return value or "-"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.5f}" if name in _SMALL else f"{value:.2f}"


if __name__ == "__main__":
    main()
