"""The table of ``docs/across.md``: ``python -m scripts.across_tables measure RUN``, ``fill``.

RUN is the demo's run. Measuring matches its features in *E. coli* with those in *B. subtilis*, over
orthologous genes, and writes the shares to ``scripts/acrosses``. Filling writes them into the page.
"""

import argparse
import re
from pathlib import Path

import pandas as pd

from genointerp.command.compare.across import across

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "scripts" / "acrosses" / "demo.tsv"
PAGE = ROOT / "docs" / "across.md"


def main() -> None:
    """Parse the arguments, and measure or fill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "fill"))
    parser.add_argument("run", nargs="?", type=Path, help="run of the demo")
    arguments = parser.parse_args()
    if arguments.what == "fill":
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    if arguments.run is None:
        parser.error("measure needs a run")
    found = across(arguments.run, arguments.run, genome_a="ecoli", genome_b="bsubtilis")
    KEPT.parent.mkdir(exist_ok=True)
    found.summary.to_csv(KEPT, sep="\t", index=False, float_format="%.4f")


def filled(page: str) -> str:
    """Return the page with its table filled from the file."""
    pattern = re.compile(r"(<!-- table across -->\n).*?(<!-- end -->)", re.DOTALL)
    return pattern.sub(lambda match: match[1] + _table() + match[2], page)


def _table() -> str:
    names = {"a": "E. coli in B. subtilis", "b": "B. subtilis in E. coli"}
    head = ["features of", "compared", "features", "orthologues", "share"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in pd.read_csv(KEPT, sep="\t").to_dict(orient="records"):
        share = f"{row['share']:.3f}"
        if pd.notna(row["share_low"]):
            share += f" ({row['share_low']:.3f} to {row['share_high']:.3f})"
        counts = f"{row['n_features']} | {row['n_genes']}"
        lines.append(f"| {names[row['side']]} | {row['comparison']} | {counts} | {share} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
