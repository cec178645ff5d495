"""Copy the figures of a finished demo into ``docs/demo`` and write its page of numbers."""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.association.baseline.beside import EXPLAINED, NOT_MEASURED, is_measured, read_beside
from genointerp.core.exchange import metadata_path
from genointerp.store.table.schema.association import BEST_PER_CONCEPT
from genointerp.store.table.schema.candidate import BACKTEST, CANDIDATES
from genointerp.store.table.table import read_table
from genointerp.workflow.headline import (
    BACKTEST_COLUMNS,
    BESIDE_COLUMNS,
    CANDIDATE_COLUMNS,
    CONCEPT_COLUMNS,
    N_CANDIDATES,
)

FIGURES = {
    "region_ribosomal_operon.png": "Features over a ribosomal operon of B. subtilis",
    "overlap.png": "F1, precision and recall of the best feature of each concept against every"
    " concept, on B. subtilis",
    "backtest.png": "Recall of the features of each hidden class against rank",
}
CARD = "../../genointerp/model/weights/nano/MODEL_CARD.md"
TABLES = ("best_per_concept.tsv", "baselines.tsv", "backtest.tsv")
FILES = ("summary.json", *TABLES, *(metadata_path(Path(name)).name for name in TABLES))


def main() -> None:
    """Parse the arguments, copy and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="run directory of `genointerp demo`")
    parser.add_argument("--out", type=Path, default=Path("docs/demo"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in FIGURES:
        shutil.copyfile(arguments.run / "figures" / name, arguments.out / name)
    for name in FILES:
        shutil.copyfile(arguments.run / name, arguments.out / name)
    (arguments.out / "README.md").write_text(page(arguments.run))


def page(run: Path) -> str:
    """Return the page of numbers; every one is a cell of a file next to it."""
    summary = json.loads((run / "summary.json").read_text())
    best = read_table(run / "best_per_concept.tsv", BEST_PER_CONCEPT)
    candidates = read_table(run / "candidates.tsv", CANDIDATES).head(N_CANDIDATES)
    backtest = read_table(run / "backtest.tsv", BACKTEST)
    beside, shown = read_beside(best, run), {**BESIDE_COLUMNS, "shows": "what it shows"}
    told = backtest[backtest["n_class_features"] > 0]
    hidden = told[list(BACKTEST_COLUMNS)].rename(columns=BACKTEST_COLUMNS)
    concepts = best[list(CONCEPT_COLUMNS)].rename(columns=CONCEPT_COLUMNS)
    return "\n\n".join(
        [
            "# What the demo finds",
            "Written by `python scripts/publish_demo.py results/demo` from the files of a run of"
            " `make demo`. Everything is chosen on E. coli and measured on B. subtilis, whose"
            " nearest genome among those that trained the model is C. difficile, of another class"
            f" (see the [card]({CARD})).",
            "## What the best feature of each concept shows",
            EXPLAINED if is_measured(beside) else NOT_MEASURED,
            markdown(beside[list(shown)].rename(columns=shown)),
            *(f"![{caption}]({name})" for name, caption in FIGURES.items()),
            "## Headline figures",
            markdown(pd.DataFrame(_facts(summary), columns=["figure", "value"])),
            "## Best feature of each concept and orientation",
            "null F1 is the 95th percentile over circular shifts of the annotation; always-on F1"
            " is that of a detector that fires everywhere.",
            markdown(concepts),
            f"## Top {len(candidates)} candidates",
            markdown(candidates[list(CANDIDATE_COLUMNS)]),
            "## Would the ranking have found what is known?",
            "Each class is hidden from the annotation in turn, and all features are ranked as if"
            " it were unknown ([backtest](../backtest.md)); classes that no feature tells are left"
            f" out. {int(backtest['n_live'].max())} features are ranked.",
            markdown(hidden),
            "",
        ]
    )


def _facts(summary: dict[str, Any]) -> list[tuple[str, object]]:
    training, fidelity = summary["training"], summary["fidelity"]
    rows = f"B. subtilis, all {fidelity['n_tokens']:,} bases read, both strands"
    sample = (
        f"B. subtilis, {fidelity['n_bases']:,} of {fidelity['n_bases_whole']:,} bases in windows "
        "spread evenly"
    )
    return [
        (f"bits per base ({sample})", fidelity["bits_per_base"]),
        (f"FVU ({rows})", fidelity["fvu"]),
        (f"L0 ({rows})", fidelity["l0"]),
        (f"dead share ({rows})", fidelity["dead_share"]),
        (f"loss recovered, against mean ablation ({sample})", fidelity["loss_recovered"]),
        (f"loss recovered, against zero ablation ({sample})", fidelity["loss_recovered_zero"]),
        ("FVU (held-out blocks of E. coli, on which the dictionary was trained)", training["fvu"]),
    ]


def markdown(table: pd.DataFrame) -> str:
    """Return a table in Markdown, numbers with three digits."""
    rows = [list(table.columns), ["---"] * len(table.columns)]
    rows += [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.3g}"
    return str(value)


if __name__ == "__main__":
    main()
