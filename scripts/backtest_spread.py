"""Summarise the backtests of several seeds in one table.

``python -m scripts.backtest_spread OUT.md A.tsv B.tsv ...``: each input is the ``backtest.tsv`` of
a dictionary, and the dictionaries differ only in their seed. The table has a row for each class:
the median over the files, with the least and the largest value in brackets, and how often each
verdict was given.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from genointerp.store.table.schema.candidate import BACKTEST
from genointerp.store.table.table import read_table

SPREAD = {
    "n_class_features": "features",
    "best_f1": "F1 of the best",
    "rank_best": "its rank",
    "rank_best_shown": "its rank, nothing hidden",
    "rank_first": "first rank",
    "p_ranks": "p, all features",
    "share_risen": "risen",
    "recall_50": "recall 50",
}


def main() -> None:
    """Parse the arguments and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("tables", type=Path, nargs="+")
    given = parser.parse_args()
    found = spread([read_table(path, BACKTEST) for path in given.tables])
    given.out.write_text(f"{found}\n")


def spread(tables: Sequence[pd.DataFrame]) -> str:
    """Return the table of several backtests; a class that is not in all of them has fewer files."""
    every = pd.concat(tables, ignore_index=True)
    lines = [
        f"| class | use | files | {' | '.join(SPREAD.values())} | verdicts |",
        f"| --- | --- | --: | {'--: | ' * len(SPREAD)}--- |",
    ]
    for name, rows in every.groupby("class", sort=False):
        use = str(rows["use"].iloc[0]) if "use" in rows else ""
        verdicts = Counter(rows["verdict"]).most_common()
        cells = [str(name), use, str(len(rows)), *(_spread(rows, column) for column in SPREAD)]
        cells.append(", ".join(f"{n} {verdict}" for verdict, n in verdicts))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _spread(rows: pd.DataFrame, column: str) -> str:
    known = rows[column].dropna() if column in rows else pd.Series(dtype=float)
    if known.empty:
        return ""
    return f"{known.median():.3g} ({known.min():.3g} to {known.max():.3g})"


if __name__ == "__main__":
    main()
