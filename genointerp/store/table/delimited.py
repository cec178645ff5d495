"""Tables as text, ``.tsv`` and ``.csv``: rows in one file, their metadata in another next to it.

Both are specified in ``docs/schema/tables.md``. A table begins with its line of names, so that any
program opens it. The metadata are in W3C's vocabulary for tabular data (CSVW), where a reader of
that vocabulary looks for them.
"""

import codecs
import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import numpy as np
import pandas as pd

from genointerp.core.errors import SchemaError
from genointerp.core.exchange import metadata_path
from genointerp.core.files import atomic_path, kind_of_place, read_json_object
from genointerp.core.parsing import parse_json
from genointerp.core.provenance import sha256_file
from genointerp.store.table.schema.column import Column, Kind, TableSchema

DelimitedFormat = Literal["tsv", "csv"]

DELIMITERS = {".tsv": "\t", ".csv": ","}
"""What separates the fields of a row, by the suffix of the file."""

HEADER = "genointerp:header"
"""Member of the metadata with the header of the table; to CSVW a common property, by its URL."""

_DATATYPES: dict[Kind, str] = {"string": "string", "int64": "long", "float64": "double"}


def delimited_text(frame: pd.DataFrame, format: DelimitedFormat) -> str:
    """Return a table as text, the line of its names first.

    A field is quoted if it holds a delimiter or a quotation mark, which is doubled (RFC 4180).
    """
    return frame.to_csv(sep=DELIMITERS[f".{format}"], index=False, lineterminator="\n")


def write_rows(frame: pd.DataFrame, path: Path, header: dict[str, Any]) -> None:
    """Write the text of a table by the suffix of the file; the header belongs in the metadata."""
    with path.open("w", newline="", encoding="utf-8") as handle:
        frame.to_csv(handle, sep=DELIMITERS[path.suffix], index=False, lineterminator="\n")


def write_metadata(
    path: Path,
    written: Path,
    header: Mapping[str, Any],
    columns: Sequence[Column],
    dialect: Mapping[str, Any],
) -> None:
    """Write the metadata of a file of rows next to it, or next to where it is to stand.

    Parameters
    ----------
    written
        File that holds the rows, under the name that it has as yet.
    header
        What the rows are, and what they were made from.
    columns
        The columns of the file, in order.
    dialect
        In what the file differs from a CSV.
    """
    record = {
        "@context": "http://www.w3.org/ns/csvw",
        "url": quote(path.name),
        HEADER: {"sha256": sha256_file(written), **header},
        "dialect": {**dialect, "trim": False},
        "tableSchema": {"columns": [_described(column) for column in columns]},
    }
    with atomic_path(metadata_path(path)) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def read_delimited(path: Path, schema: TableSchema) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return the header and the rows of a table, of which nothing but the text is checked.

    Raises
    ------
    SchemaError
        If there are no metadata, or they are those of other bytes.
    """
    content = path.read_bytes()
    # an editor may have put a mark in front of the header, which no sha256 guards
    text = content.removeprefix(codecs.BOM_UTF8)
    if text.startswith(b"# "):
        line, _, rows = text.partition(b"\n")
        header = parse_json(line[2:].decode(), where=f"{path}: line 1", error=SchemaError)
        _check_fields(path, rows.decode(), first=2)
    else:
        header, rows = header_beside(path, content), content
    return header, _frame(rows, path, schema)


def begins_with_header(path: Path) -> bool:
    """Say whether there is a table whose first line is its header."""
    start = path.read_bytes()[:16] if path.is_file() else b""
    return start.removeprefix(codecs.BOM_UTF8).startswith(b"# ")


def read_bare(path: Path, schema: TableSchema) -> pd.DataFrame:
    """Return the rows of a text that a person wrote, which has no metadata.

    Raises
    ------
    SchemaError
        If a row has more fields than the header.
    ValueError
        If a number is not one.
    """
    content = path.read_bytes()
    _check_fields(path, content.decode(), first=1)
    return _frame(content, path, schema)


def _frame(rows: bytes, path: Path, schema: TableSchema) -> pd.DataFrame:
    kinds = {column.name: column.kind for column in schema.columns}
    frame = pd.read_csv(
        BytesIO(rows),
        sep=DELIMITERS[path.suffix],
        dtype=str,
        keep_default_na=False,
        index_col=False,
    )
    for name in frame.columns:
        if kinds.get(name, "string") != "string":
            numbers = [_number(text) for text in frame[name]]
            frame[name] = np.array(numbers, dtype=np.float64)
    return frame


def header_beside(path: Path, content: bytes) -> dict[str, Any]:
    """Return the header in the metadata next to a file, if they are those of its bytes.

    Raises
    ------
    SchemaError
        If there are none, or they are those of other bytes.
    """
    metadata = metadata_path(path)
    if not metadata.is_file():
        expected = f"the metadata of {path.name}, next to it"
        raise SchemaError(str(metadata), expected, kind_of_place(metadata))
    header = read_json_object(metadata, error=SchemaError).get(HEADER)
    if not isinstance(header, dict):
        where = f"{metadata}: {HEADER}"
        raise SchemaError(where, "an object with a format", type(header).__name__)
    stated, found = str(header.get("sha256")), hashlib.sha256(content).hexdigest()
    if stated != found:
        expected = f"the bytes that {metadata.name} describes (sha256 {stated[:12]})"
        raise SchemaError(str(path), expected, f"another or an edited file ({found[:12]})")
    return header


def provenance_in(header: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return what a file was made from, according to its header: ``config`` and ``inputs``.

    Raises
    ------
    SchemaError
        If the header does not state it.
    """
    found = header.get("provenance")
    if not isinstance(found, dict):
        raise SchemaError(f"{path}: provenance", "an object", type(found).__name__)
    inputs = found.get("inputs") or {}
    if not isinstance(inputs, dict) or not all(isinstance(it, str) for it in inputs.values()):
        raise SchemaError(f"{path}: provenance", "inputs as names with their sha256", "others")
    return found


def _check_fields(path: Path, text: str, *, first: int) -> None:
    """Refuse a row with more or fewer fields than the line of names, of number ``first``."""
    rows = csv.reader(StringIO(text), delimiter=DELIMITERS[path.suffix])
    names = next(rows, [])
    for row in rows:
        if row and len(row) != len(names):
            where = f"{path}: line {rows.line_num + first - 1}"
            raise SchemaError(where, f"{len(names)} fields", str(len(row)))


def _described(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "titles": column.name,
        "datatype": _DATATYPES[column.kind],
        # in CSVW a required column has no empty cell
        **({"required": True} if column.kind == "int64" else {}),
        "dc:description": column.meaning,
    }


def _number(text: str) -> float:
    # float() would also accept the digits of any script, and underscores between digits
    if not text.isascii() or "_" in text:
        raise ValueError(f"expected a number, found {text!r}")
    return float(text) if text else np.nan
