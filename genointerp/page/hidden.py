"""Where the ranking puts known classes that are hidden from it, as the page shows it."""

from genointerp.page.run import Run
from genointerp.page.table import Links, PageTable, page_table
from genointerp.store.table.schema.candidate import BACKTEST
from genointerp.store.table.table import read_table

SOURCE = "backtest.tsv"


def backtest_tables(run: Run, links: Links) -> list[PageTable]:
    """Return the table of hidden classes, if the run made it."""
    path = run.path / SOURCE
    if not path.is_file():
        return []
    return [
        page_table(
            read_table(path, BACKTEST),
            title="Known classes, hidden one at a time",
            source=SOURCE,
            links=links,
            note="Each class was taken out of the annotation as if never described, and the "
            "features ranked anew: where do those land that tell it? Beside random order, the "
            "rarest first, and the model with random weights.",
        )
    ]
