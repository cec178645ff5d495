"""Fill the table of ``docs/backtest.md``: ``python -m scripts.backtest_table``.

Its figures come from ``backtest.tsv`` of three runs: that of the demo, and those of
``backtest_chosen.yaml`` and ``backtest_region.yaml`` of ``scripts/configs``, kept in
``scripts/backtests``.
"""

import re
from pathlib import Path

import pandas as pd

from genointerp.store.table_schemas import BACKTEST
from genointerp.store.tables import read_table

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "backtest.md"
KEPT = ROOT / "scripts" / "backtests"
RUNS = {
    "chosen on this": KEPT / "chosen.tsv",
    "demo": ROOT / "docs" / "demo" / "backtest.tsv",
    "other regions of B. subtilis": KEPT / "region.tsv",
}
_COLUMNS = ("class", "n_class_features", "best_f1", "rank_best", "rank_first", "recall_50")
_TABLE = re.compile(r"(<!-- table backtests -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> None:
    """Write the page anew."""
    PAGE.write_text(filled(PAGE.read_text()))


def filled(page: str) -> str:
    """Return the page with its table as the files have it."""
    lines = [
        "| run | features ranked | hidden class | telling | F1 of the best | its rank | first rank"
        " | recall 50 | rarest first: rank of the best | verdict |",
        "| --- | --: | --- | --: | --: | --: | --: | --: | --: | --- |",
    ]
    for words, path in RUNS.items():
        table = read_table(path, BACKTEST)
        lines += [_row(words, row) for _, row in table[table["n_class_features"] > 0].iterrows()]
    return _TABLE.sub(lambda match: match[1] + "\n".join(lines) + "\n" + match[2], page)


def _row(words: str, row: pd.Series) -> str:
    name, n, f1, best, first, recall = (row[column] for column in _COLUMNS)
    cells = [words, f"{row['n_live']}", name, f"{n}", f"{f1:.2f}", f"{best:.0f}", f"{first:.0f}"]
    cells += [f"{recall:.2f}", f"{row['density_rank_best']:.0f}", row["verdict"]]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
