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

from genointerp.command.intervene.edit import edit
from genointerp.intervention.editing.config import Method

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "scripts" / "edits"
PAGE = ROOT / "docs" / "editing.md"
FEATURES = {
    82: "codon position 2",
    86: "codon position 1",
    127: "codon position 0",
    123: "codon position 1, antisense",
    3: "CDS",
    50: "rRNA",
    114: "rRNA, either strand",
    145: "tRNA",
    313: "tRNA, antisense",
    203: "stop codon",
}
"""Features of the shipped dictionary by the concept that they tell best, as the demo has it."""
METHODS: tuple[Method, ...] = ("closed-form", "distil")
COLUMNS = {
    "r2": "held-out R2",
    "strength": "s",
    "bake": "bake",
    "kl_fires": "KL, fires",
    "kl_silent": "KL, silent",
    "bake_matched": "bake, other features",
    "bake_random": "bake, random directions",
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
    for feature in arguments.feature or FEATURES:
        for method in arguments.method or METHODS:
            measure(feature, method)


def measure(feature: int, method: Method) -> None:
    """Edit a feature and keep the summary, unless it is there."""
    path = KEPT / f"{feature}_{method}.json"
    if path.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "edited"
        edit(out, "nano", feature=feature, method=method, anyway=True)
        path.parent.mkdir(exist_ok=True)
        path.write_text((out / "summary.json").read_text(encoding="utf-8"), encoding="utf-8")


def filled(page: str) -> str:
    """Return the page with its table filled from the files."""
    pattern = re.compile(r"(<!-- table edits -->\n).*?(<!-- end -->)", re.DOTALL)
    return pattern.sub(lambda match: match[1] + table() + match[2], page)


def table() -> str:
    """Return the rows of all features and methods that were measured."""
    lines = [["feature", "tells", "method", *COLUMNS.values()]]
    for feature, tells in FEATURES.items():
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
    return f"{value:.5f}" if name in _SMALL else f"{value:.2f}"


if __name__ == "__main__":
    main()
