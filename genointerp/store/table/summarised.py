"""A table with its summary: two files, of which the second is named after the first."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from genointerp.core.files import check_replaceable, claiming, together
from genointerp.core.provenance import Provenance
from genointerp.store.table.schema.column import TableSchema
from genointerp.store.table.table import is_table_of, write_table


def summary_of(out: Path) -> Path:
    """Return where the summary of a table is written.

    Examples
    --------
    >>> summary_of(Path("matches.tsv")).name
    'matches.summary.tsv'
    """
    return out.with_name(f"{out.stem}.summary{out.suffix}")


class SummarisedTable(NamedTuple):
    """The place of a table and of its summary.

    Parameters
    ----------
    out
        Path of the table; that of the summary is `summary_of` it.
    schema, summary_schema
        Schemas of the two.
    record
        Provenance of both.
    """

    out: Path
    schema: TableSchema
    summary_schema: TableSchema
    record: Provenance

    @contextmanager
    def claiming(self) -> Iterator[None]:
        """Refuse both before the work where something else stands; replace equal ones."""
        summary = summary_of(self.out)
        check_replaceable(summary, same=is_table_of(summary, self.summary_schema, self.record))
        with claiming(self.out, same=is_table_of(self.out, self.schema, self.record)):
            yield

    def write(self, table: pd.DataFrame, summary: pd.DataFrame) -> None:
        """Write both, or neither."""
        with together():
            write_table(table, self.out, self.schema, self.record)
            write_table(summary, summary_of(self.out), self.summary_schema, self.record)
