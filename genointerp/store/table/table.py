"""Read and write tables with a schema, as Parquet, TSV, CSV or JSON.

They are specified in ``docs/schema/tables.md``. All file types hold the same rows and the same
header: format, version and provenance (Parquet: key ``genointerp`` of the metadata of the file;
TSV and CSV: a file next to the table; JSON: keys next to ``rows``).
"""

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from genointerp.core.arguments import StrPath
from genointerp.core.errors import InputError, SchemaError
from genointerp.core.exchange import metadata_path
from genointerp.core.files import (
    atomic_path,
    check_writable,
    kind_of_place,
    read_json_object,
    together,
)
from genointerp.core.parsing import parse_json
from genointerp.core.provenance import Provenance
from genointerp.core.text import clean_field, one_line
from genointerp.store.hdf5 import writing
from genointerp.store.table.arrow import COORDINATES, METADATA, arrow_table
from genointerp.store.table.delimited import (
    DELIMITERS,
    begins_with_header,
    delimited_text,
    provenance_in,
    read_bare,
    read_delimited,
    write_metadata,
    write_rows,
)
from genointerp.store.table.schema.column import Column, Kind, TableSchema
from genointerp.store.table.schema.registry import SCHEMAS

TextFormat = Literal["table", "tsv", "csv", "json"]

F = TypeVar("F")

_MOST = 2.0**63
PLACES = {"start": ("first", 1), "end": ("last", 0), "peak": ("peak", 1)}
"""Name of each column of places in a text for people, and the number that is added to it."""


def write_table(
    frame: pd.DataFrame, path: Path, schema: TableSchema, provenance: Provenance
) -> None:
    """Write a table in the file type of its suffix: ``.parquet``, ``.tsv``, ``.csv`` or ``.json``.

    A TSV or CSV has its metadata in a second file, which is written and replaced together with it.
    Columns are written in the order of the schema. Floats are written so that they read back
    exactly, and texts without control characters that would begin another field or row.

    Raises
    ------
    InputError
        If the suffix is another one.
    SchemaError
        If the table does not fit the schema.
    StorageError
        If the file cannot be written.
    """
    write = _by_suffix(path, _WRITERS)
    table = _clean(conform(frame, schema, where=str(path)))
    header = {
        "format": schema.format,
        "format-version": schema.version,
        "provenance": json.loads(provenance.as_json()),
        **_numbers(table.attrs, schema, schema.version, where=str(path)),
    }
    if "start" in table:
        header["coordinates"] = COORDINATES
    with writing(path), together():
        with atomic_path(path) as temporary:
            write(table, temporary, header)
        if path.suffix in DELIMITERS:
            columns = [column for column in schema.columns if column.name in table]
            dialect = {"delimiter": DELIMITERS[path.suffix]}
            write_metadata(path, temporary, header, columns, dialect)


def check_table_path(path: Path) -> None:
    """Refuse, before hours of work, a path that ``write_table`` would refuse.

    Raises
    ------
    InputError
        If the suffix is not one of a file type.
    StorageError
        If nothing can be written there.
    """
    _by_suffix(path, _WRITERS)
    check_writable(path)


def is_table_of(path: Path, schema: TableSchema, provenance: Provenance) -> bool:
    """Say whether a table with the same inputs and the same settings exists at this path."""
    try:
        return bool(read_provenance(Path(path), schema) == json.loads(provenance.as_json()))
    except InputError:
        return False


def read_table(path: StrPath, schema: TableSchema) -> pd.DataFrame:
    """Read a table that `write_table` wrote.

    Raises
    ------
    SchemaError
        If the file is missing, unreadable, or of another schema or a newer version.
    """
    header, frame = _read(Path(path), schema)
    frame.attrs = _numbers(header, schema, header["format-version"], where=f"{path}: header")
    return conform(frame, schema, where=str(path))


def read_written(path: StrPath, schema: TableSchema) -> pd.DataFrame:
    """Read a table that a person or another program wrote: ``.tsv`` or ``.csv``, without metadata.

    Raises
    ------
    SchemaError
        If the file is missing or unreadable, or does not fit the schema.
    """
    path = Path(path)
    if not path.is_file():
        raise SchemaError(str(path), f"a {schema.format} table", kind_of_place(path))
    try:
        frame = read_bare(path, schema)
    except SchemaError:
        raise
    except ValueError as error:
        raise SchemaError(str(path), f"a {schema.format} table", one_line(error)) from error
    return conform(frame, schema, where=str(path))


def has_metadata(path: StrPath) -> bool:
    """Say whether a table has a header, in itself or in a file next to it."""
    path = Path(path)
    return (
        path.suffix not in DELIMITERS or metadata_path(path).is_file() or begins_with_header(path)
    )


def read_provenance(path: StrPath, schema: TableSchema) -> dict[str, Any]:
    """Return what a table was made from, according to its header: ``config`` and ``inputs``.

    Raises
    ------
    SchemaError
        As from `read_table`, or if the table does not state it.
    """
    header, _ = _read(Path(path), schema)
    return provenance_in(header, Path(path))


def schema_of_table(path: StrPath) -> TableSchema:
    """Return the schema that a table names in its header.

    Raises
    ------
    SchemaError
        If the file is missing or unreadable, or names no schema of tables.
    """
    header, _ = _parse(Path(path), _ANY)
    found = header.get("format", "none") if isinstance(header, dict) else "none"
    if found not in SCHEMAS:
        raise SchemaError(f"{path}: format", "the format of a table", str(found))
    return SCHEMAS[found]


_ANY = TableSchema("genointerp", 0, ())
"""Schema to read a table with whose columns do not matter."""


def _read(path: Path, schema: TableSchema) -> tuple[dict[str, Any], pd.DataFrame]:
    header, frame = _parse(path, schema)
    _check_header(path, header, schema)
    return header, frame


def _parse(path: Path, schema: TableSchema) -> tuple[dict[str, Any], pd.DataFrame]:
    if not path.is_file():
        raise SchemaError(str(path), f"a {schema.format} table", kind_of_place(path))
    read = _by_suffix(path, _READERS)
    try:
        return read(path, schema)
    except InputError:
        raise
    except Exception as error:
        found = one_line(error) or type(error).__name__
        raise SchemaError(str(path), f"a {schema.format} table", found) from error


def conform(frame: pd.DataFrame, schema: TableSchema, *, where: str) -> pd.DataFrame:
    """Return the table with the columns of its schema, in order and with their types.

    Raises
    ------
    SchemaError
        If a required column is missing, a column is unknown, or a value is of another type.
    """
    for name in frame.columns:
        if name not in schema.names:
            expected = f"columns of {schema.format} ({', '.join(schema.names)})"
            raise SchemaError(where, expected, f"column {name!r}")
    columns = {}
    for column in schema.columns:
        if column.name in frame.columns:
            columns[column.name] = _converted(frame[column.name], column, where)
        elif column.status == "REQUIRED":
            raise SchemaError(where, f"column {column.name!r} ({schema.format})", "none")
    table = pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))
    table.attrs = {name: frame.attrs[name] for name, _ in schema.header if name in frame.attrs}
    return table


def empty_table(schema: TableSchema, optional: Collection[str] = ()) -> pd.DataFrame:
    """Return a table without rows, with the required and some optional columns."""
    columns = [c for c in schema.columns if c.status == "REQUIRED" or c.name in optional]
    table = pd.DataFrame({c.name: pd.Series([], dtype=_DTYPES[c.kind]) for c in columns})
    table.attrs = {name: 0 for name, _ in schema.header}
    return table


def render_table(frame: pd.DataFrame, format: TextFormat) -> str:
    """Return a table as text for people (``table``) or programs (``tsv``, ``csv``, ``json``).

    The text for people has 1-based places, from `for_people`, below a line that says so. ``tsv``
    and ``csv`` begin with a line of names; ``json`` is a list of records, in which an undefined
    number is null. They have the columns of the schema, with 0-based and half-open places.
    """
    frame = _clean(frame)
    if format in ("tsv", "csv"):
        return delimited_text(frame, format)
    if format == "json":
        return json.dumps(records(frame), indent=2) + "\n"
    if "start" not in frame:
        return text_for_people(frame)
    names = [new for name, (new, _) in PLACES.items() if name in frame]
    return f"# {', '.join(names)}: 1-based, closed\n{text_for_people(frame)}"


def text_for_people(frame: pd.DataFrame) -> str:
    """Return the table of `for_people` as text, without the line that explains it."""
    shown = for_people(frame)
    if shown.empty:
        return f"{'  '.join(shown.columns)}\n"
    return shown.to_string(index=False, float_format="{:.4g}".format) + "\n"


def for_people(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn the 0-based, half-open places of a table into 1-based, closed ones for people.

    Examples
    --------
    >>> table = for_people(pd.DataFrame({"seqid": ["c"], "start": [9], "end": [20], "peak": [9]}))
    >>> table.to_dict("records")
    [{'seqid': 'c', 'first': 10, 'last': 20, 'peak': 10}]
    """
    if "start" not in frame:
        return frame
    found = {name: new for name, new in PLACES.items() if name in frame}
    shifted = frame.assign(**{name: frame[name] + shift for name, (_, shift) in found.items()})
    return shifted.rename(columns={name: new for name, (new, _) in found.items()})


def _clean(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with texts cleaned, so that each stays within its field."""
    cleaned = frame.copy(deep=False)
    for name in frame:
        if frame[name].dtype == object:
            values = [clean_field(it) if isinstance(it, str) else it for it in frame[name]]
            cleaned[name] = pd.Series(values, frame.index, object)
    return cleaned


_DTYPES: dict[Kind, Any] = {"string": object, "int64": np.int64, "float64": np.float64}


def _converted(values: pd.Series, column: Column, where: str) -> pd.Series:
    place = f"{where}: column {column.name!r}"
    if column.kind == "string":
        bad = [value for value in values if not isinstance(value, str)]
        if bad:
            raise SchemaError(place, "text", repr(bad[0]))
        return pd.Series(values.tolist(), dtype=object)
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        if len(values):
            raise SchemaError(place, column.kind, f"{values.dtype} such as {values.iloc[0]!r}")
        values = values.astype(np.float64)
    array = values.to_numpy(dtype=np.float64, na_value=np.nan)
    if column.kind == "float64":
        return pd.Series(array)
    fine = np.isfinite(array) & (array == np.floor(array)) & (np.abs(array) < _MOST)
    if not fine.all():
        raise SchemaError(place, "integers of 64 bits", str(array[~fine][0]))
    return pd.Series(values.to_numpy(), dtype=np.int64)


def records(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return the rows as plain values, with None for an undefined number."""
    plain = frame.astype(object).where(frame.notna(), None)
    return plain.to_dict(orient="records")


def _write_parquet(frame: pd.DataFrame, path: Path, header: dict[str, Any]) -> None:
    pq.write_table(arrow_table(frame, header), path, write_page_checksum=True)


def _write_json(frame: pd.DataFrame, path: Path, header: dict[str, Any]) -> None:
    text = json.dumps({**header, "rows": records(frame)}, indent=2) + "\n"
    path.write_text(text, encoding="utf-8")


def _read_parquet(path: Path, schema: TableSchema) -> tuple[dict[str, Any], pd.DataFrame]:
    table = pq.read_table(path, page_checksum_verification=True)
    text = (table.schema.metadata or {}).get(METADATA, b"{}").decode()
    header = parse_json(text, where=f"{path}: metadata 'genointerp'", error=SchemaError)
    return header, pd.DataFrame({name: table[name].to_numpy() for name in table.column_names})


def _read_json(path: Path, schema: TableSchema) -> tuple[dict[str, Any], pd.DataFrame]:
    record = read_json_object(path, error=SchemaError)
    rows = record["rows"]
    names = list(rows[0]) if rows else [c.name for c in schema.columns if c.status == "REQUIRED"]
    floats = {c.name for c in schema.columns if c.kind == "float64"}
    columns: dict[str, pd.Series] = {}
    for name in names:
        values = [row[name] for row in rows]
        columns[name] = pd.Series(values, dtype=np.float64 if name in floats else None)
    return record, pd.DataFrame(columns)


def _check_header(path: Path, header: object, schema: TableSchema) -> None:
    if not isinstance(header, dict):
        raise SchemaError(f"{path}: header", "an object with a format", type(header).__name__)
    found = header.get("format", "none")
    if found != schema.format:
        raise SchemaError(f"{path}: format", schema.format, str(found))
    version = header.get("format-version")
    if type(version) is not int or not 1 <= version <= schema.version:
        expected = f"{schema.format} version 1 to {schema.version}"
        raise SchemaError(f"{path}: format-version", expected, str(version))


def _numbers(
    holder: Mapping[Any, Any], schema: TableSchema, version: int, *, where: str
) -> dict[Any, Any]:
    """Return the numbers in the header of a table of a version."""
    found = {name: holder.get(name) for name, since in schema.header if version >= since}
    for name, number in found.items():
        if type(number) is not int or number < 0:
            raise SchemaError(f"{where}: {name}", "a whole number, 0 or more", repr(number))
    return found


def _by_suffix(path: Path, functions: dict[str, F]) -> F:
    suffix = Path(path).suffix
    if suffix not in functions:
        raise InputError(str(path), f"a name that ends in {', '.join(functions)}", repr(suffix))
    return functions[suffix]


_Writer = Callable[[pd.DataFrame, Path, dict[str, Any]], None]
_Reader = Callable[[Path, TableSchema], tuple[dict[str, Any], pd.DataFrame]]
_WRITERS: dict[str, _Writer] = {
    ".parquet": _write_parquet,
    ".tsv": write_rows,
    ".csv": write_rows,
    ".json": _write_json,
}
_READERS: dict[str, _Reader] = {
    ".parquet": _read_parquet,
    ".tsv": read_delimited,
    ".csv": read_delimited,
    ".json": _read_json,
}
TABLE_SUFFIXES = tuple(_WRITERS)
"""Suffixes of the file types of tables."""
