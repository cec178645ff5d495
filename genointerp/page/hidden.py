"""Table of the page with the ranks of known classes that were hidden from the ranking."""

from genointerp.page.run import Run
from genointerp.page.table import Links, PageTable, page_table
from genointerp.store.table.schema.candidate import BACKTEST
from genointerp.store.table.table import read_table

SOURCE = "backtest.tsv"


def backtest_tables(run: Run, links: Links) -> list[PageTable]:
    """Return the table of hidden classes; empty if the run did not make it."""
    path = run.path / SOURCE
    if not path.is_file():
        return []
    return [
        page_table(
            read_table(path, BACKTEST),
            title="Known classes, hidden one at a time",
            source=SOURCE,
            links=links,
            schema=BACKTEST,
            note="Each class was taken out of the annotation as if it had never been described, "
            "and the features were ranked again. The table shows where the features that detect "
            "the class land, compared with a random order, with the rarest features first, and "
            "with the model with random weights.",
        )
    ]
