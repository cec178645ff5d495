"""Tables as those of Arrow and of polars, without a file in between."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from genointerp.core.errors import InputError
from genointerp.core.text import one_line
from genointerp.store.table.schema.column import TableSchema
from genointerp.store.table.schema.registry import SCHEMAS

if TYPE_CHECKING:
    from polars import DataFrame as PolarsFrame

METADATA = b"genointerp"
"""Key of the metadata of an Arrow table, and so of Parquet, that holds the header as JSON."""

COORDINATES = "start and end are 0-based and half-open, peak is 0-based"
"""Note in the header of a table, for programs, on its columns of places."""


def to_arrow(table: pd.DataFrame) -> pa.Table:
    """Return a table of this package as a table of Arrow, as Parquet holds it.

    Parameters
    ----------
    table
        An answer of `query`, `top`, `associate` and so on, or any other table, whose types are
        those that Arrow finds in its values. Its index is left out.

    Returns
    -------
    pyarrow.Table
        An undefined float stays NaN; in a column of objects, what is undefined is null. The
        metadata have, under the key ``genointerp``, the format and version of the table if it has
        all columns of one, and what its coordinates mean. They do not say what the table was made
        from, which only files do.

    Raises
    ------
    InputError
        If the values of a column are of several types or of one that Arrow lacks, or its name is
        not text or not its own.

    Examples
    --------
    >>> table = pd.DataFrame({"seqid": ["c"], "start": [8], "end": [12]})
    >>> to_arrow(table).to_pylist()
    [{'seqid': 'c', 'start': 8, 'end': 12}]
    """
    schema = schema_of(table)
    header: dict[str, Any] = {}
    if schema is not None:
        header = {"format": schema.format, "format-version": schema.version}
        header |= {name: table.attrs[name] for name, _ in schema.header if name in table.attrs}
    if "start" in table:
        header["coordinates"] = COORDINATES
    return arrow_table(table, header)


def to_polars(table: pd.DataFrame) -> "PolarsFrame":
    """Return a table of this package as one of polars.

    Parameters
    ----------
    table
        As for `to_arrow`, of which this is the polars form. An undefined float stays NaN, which
        polars does not count as null.

    Raises
    ------
    InputError
        If polars is not installed.

    Examples
    --------
    >>> import genointerp as gi
    >>> frame = gi.to_polars(gi.query("results/demo", "dnaA"))  # doctest: +SKIP
    """
    try:
        import polars
    except ImportError as error:
        expected = 'the package polars (pip install "genointerp[polars]")'
        raise InputError("polars", expected, "none") from error
    return polars.DataFrame(to_arrow(table))


def arrow_table(frame: pd.DataFrame, header: Mapping[str, Any]) -> pa.Table:
    """Return a table with a header in its metadata; undefined floats stay NaN."""
    columns = {}
    for place, name in enumerate(frame.columns):
        where = f"table: column {name!r}"
        if not isinstance(name, str):
            raise InputError(where, "a name that is text", type(name).__name__)
        if name in columns:
            raise InputError(where, "one column of this name", "several")
        columns[name] = _arrow_column(frame.iloc[:, place], where)
    return pa.table(columns).replace_schema_metadata({METADATA: json.dumps(header)})


def schema_of(frame: pd.DataFrame) -> TableSchema | None:
    """Return the schema whose required columns, and no others but its own, a table has."""
    for schema in SCHEMAS.values():
        needed = {column.name for column in schema.columns if column.status == "REQUIRED"}
        if needed <= set(frame.columns) <= set(schema.names):
            return schema
    return None


def _arrow_column(values: pd.Series, where: str) -> pa.Array | pa.ChunkedArray:
    if isinstance(values.dtype, np.dtype) and values.dtype != object:
        return pa.array(values.tolist(), type=pa.from_numpy_dtype(values.dtype))
    is_text = values.dtype == object and all(isinstance(item, str) for item in values)
    try:
        return pa.array(values, type=pa.string() if is_text else None, from_pandas=True)
    except (pa.ArrowException, OverflowError) as error:
        raise InputError(where, "values of one type that Arrow has", one_line(error)) from error
