"""What one comparison of a run says, of a feature and of all of them."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from genointerp.page.section import Compared
from genointerp.page.table import Links, PageTable, page_table
from genointerp.store.table.schema.column import TableSchema

MAX_ROWS = 4000
"""Most rows of a table of features, at about 1 kB each."""


class FeatureName(NamedTuple):
    """What a feature is said to be, and its best concept; empty if not known."""

    label: str
    best_concept: str


class Group(NamedTuple):
    """A comparison on the page *Compared*.

    Parameters
    ----------
    heading
        What was compared.
    said
        What can be concluded of all features, and what cannot, in sentences.
    tables
        Lists of features.
    divergence
        Name of the divergence that the browser of the genome shows; empty if there is none.
    """

    heading: str
    said: tuple[str, ...]
    tables: tuple[PageTable, ...]
    divergence: str = ""


class Source(NamedTuple):
    """A table of a comparison: its file within the run, and what its columns are."""

    path: str
    schema: TableSchema

    def listed(self, rows: pd.DataFrame, title: str, links: Links, note: str) -> PageTable:
        """Return rows as a table of the page *Compared*."""
        return page_table(
            rows,
            title=title,
            source=self.path,
            links=links,
            schema=self.schema,
            limit=MAX_ROWS,
            note=note,
        )

    def compared(self, row: pd.DataFrame, title: str, said: list[str]) -> Compared:
        """Return what one row says of its feature."""
        links = Links(None)
        table = page_table(row, title=title, source=self.path, links=links, schema=self.schema)
        facts = tuple(zip(table.columns, table.rows[0], strict=True))
        return Compared(title, tuple(said), facts, self.path)


def with_names(rows: pd.DataFrame, names: Mapping[int, FeatureName]) -> pd.DataFrame:
    """Return rows with what their features are called behind the first column, as far as known."""
    known = [names.get(int(feature), FeatureName("", "")) for feature in rows["feature"]]
    columns = {
        name: [getattr(one, name) for one in known]
        for name in FeatureName._fields
        if any(getattr(one, name) for one in known)
    }
    first, *others = rows
    return rows.assign(**columns)[[first, *columns, *others]]
