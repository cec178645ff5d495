"""Tables with a written schema, as Parquet, TSV or JSON.

Specified in ``docs/schema/tables.md``. The three forms hold the same rows and the same header:
format, version and provenance (Parquet: key ``genointerp`` of the file's metadata; TSV: a first
line ``# {json}``; JSON: beside ``rows``).
"""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from genointerp.core.errors import InputError, SchemaError
from genointerp.core.files import atomic_path, check_writable
from genointerp.core.provenance import Provenance
from genointerp.store.hdf5 import writing

Kind = Literal["string", "int64", "float64"]
Status = Literal["REQUIRED", "OPTIONAL"]
TextFormat = Literal["table", "tsv", "json"]

F = TypeVar("F")

_METADATA = b"genointerp"


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name, kind, status
        What the file must hold. An undefined float is NaN, an undefined string is empty; an
        integer is never undefined.
    meaning
        With unit and range.
    """

    name: str
    kind: Kind
    status: Status
    meaning: str


@dataclass(frozen=True)
class TableSchema:
    """Format name, version and columns of a table, in order."""

    format: str
    version: int
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Names of all columns, in order."""
        return [column.name for column in self.columns]


def _required(name: str, kind: Kind, meaning: str) -> Column:
    return Column(name, kind, "REQUIRED", meaning)


def _optional(name: str, kind: Kind, meaning: str) -> Column:
    return Column(name, kind, "OPTIONAL", meaning)


ELEMENTS = TableSchema(
    "genointerp::elements",
    1,
    (
        _required("concept", "string", "name of the concept"),
        _required("seqid", "string", "contig"),
        _required("start", "int64", "of a part of an element; 0-based, forward strand"),
        _required("end", "int64", "half-open"),
        _required("strand", "string", "+, - or ."),
        _required("element", "int64", "number within the concept, shared by the parts"),
        _required("id", "string", "of the element in its annotation"),
        _required("part", "int64", "number of the part, from 0 at the 5' end"),
        _required("frame", "int64", "-1, or first of every third base, from the 5' end"),
    ),
)

ASSOCIATIONS = TableSchema(
    "genointerp::associations",
    1,
    (
        _required("feature", "int64", "index in the dictionary"),
        _required("concept", "string", "name of the concept"),
        _required("orientation", "string", "sense, antisense or both"),
        _required("threshold", "float64", "detects where it is > 0 and at least this; from fit"),
        _required("f1_fit", "float64", "F1 over bases on fit, at the threshold"),
        _required("precision", "float64", "share of detected bases inside the concept; test"),
        _required("recall", "float64", "share of the concept's bases that are detected; test"),
        _required("recall_element", "float64", "share of elements with a detected base; test"),
        _required("f1", "float64", "harmonic mean of precision and recall; test"),
        _required("f1_element", "float64", "of precision and recall_element; test"),
        _required("auroc", "float64", "area under the ROC curve over bases; test"),
        _required("log2_enrichment", "float64", "log2 of observed over expected n_both_bp; test"),
        _required("n_feature_bp", "int64", "bases that the feature detects; test"),
        _required("n_concept_bp", "int64", "bases of the concept; test"),
        _required("n_both_bp", "int64", "bases in both; test"),
        _required("n_elements", "int64", "elements of the concept; test"),
        _required("null_f1", "float64", "95th percentile of F1 over circular shifts; test"),
        _required("p_value", "float64", "share of shifts with an F1 as high, with one added"),
        _required("q_value", "float64", "Benjamini-Hochberg over the tested pairs"),
    ),
)

BEST_PER_CONCEPT = TableSchema(
    "genointerp::best-per-concept",
    1,
    (
        *ASSOCIATIONS.columns,
        _required("f1_always_on", "float64", "F1 of the detector that always fires; test"),
    ),
)

CANDIDATES = TableSchema(
    "genointerp::candidates",
    1,
    (
        _required("rank", "int64", "1 is the best"),
        _required("feature", "int64", "index in the dictionary"),
        _required("score", "float64", "stated function of the columns beside it"),
        _required("density", "float64", "share of read bases on which the feature fires"),
        _required("n_loci", "int64", "separate loci"),
        _required("best_concept", "string", "concept with the highest F1 on fit; empty where none"),
        _required("best_f1", "float64", "its F1 on test"),
        _required("unexplained", "float64", "1 - the best gain in precision, q <= .05"),
        _optional("loss_effect", "float64", "change of the loss when it is ablated, nats per base"),
        _optional("stability", "float64", "cosine to its match in a dictionary of another seed"),
        _optional("gc_auroc", "float64", "AUROC of local GC content for its firing"),
        _optional("kmer_auroc", "float64", "AUROC of local k-mers for its firing"),
        _optional("periodicity", "float64", "strength of the best period, 2 to 60 bp"),
        _optional("strand_asymmetry", "float64", "(p - m) / (p + m) of its densities on + and -"),
        _optional("window_bias", "float64", "firing in heads of windows over expected"),
        _required("n_genomes", "int64", "genomes in which it fires"),
        _required("flags", "string", "warnings, separated by commas; empty where none"),
        _required("top_region", "string", "its strongest locus, 1-based closed"),
    ),
)

QUERY = TableSchema(
    "genointerp::query",
    2,
    (
        _optional("genome", "string", "name of the genome"),
        _optional("region", "string", "what the region was called in the question"),
        _optional("seqid", "string", "contig"),
        _required("feature", "int64", "index in the dictionary"),
        _required("strand", "string", "strand that was read, + or -"),
        _required("max_activation", "float64", "largest activation in the region"),
        _required("mean_activation", "float64", "mean over the bases of the region that fire"),
        _required("covered_share", "float64", "share of the region's bases that fire"),
        _required("start", "int64", "first firing base in the region, 0-based, forward strand"),
        _required("end", "int64", "one past the last firing base in the region"),
        _optional("best_concept", "string", "concept with the highest F1 on fit; empty where none"),
        _optional("orientation", "string", "sense, antisense or both"),
        _optional("best_f1", "float64", "its F1 on test"),
    ),
)

LOCI = TableSchema(
    "genointerp::loci",
    2,
    (
        _required("seqid", "string", "contig"),
        _required("start", "int64", "0-based, forward strand"),
        _required("end", "int64", "half-open"),
        _required("strand", "string", "strand that was read, + or -"),
        _required("max_activation", "float64", "largest activation in the locus"),
        _required("mean_activation", "float64", "mean over its firing bases"),
        _required("n_firing", "int64", "its firing bases"),
        _optional("peak", "int64", "its first base with the largest activation, 0-based"),
    ),
)

TOP_LOCI = TableSchema(
    "genointerp::top-loci",
    1,
    (
        _required("rank", "int64", "1 has the largest activation"),
        _required("genome", "string", "name of the genome"),
        *LOCI.columns,
        _optional("sequence", "string", "5' to 3' on the strand that was read; flanks lower case"),
        _optional("element", "string", "name of the nearest element; empty where none"),
        _optional("element_type", "string", "its term of the Sequence Ontology"),
        _optional("product", "string", "what the annotation says of it"),
        _optional("distance", "float64", "bp to it: 0 overlaps, < 0 upstream of it; NaN: none"),
        _optional("orientation", "string", "sense, antisense, or both where it has no strand"),
    ),
)

MOTIF = TableSchema(
    "genointerp::motif",
    1,
    (
        _required("offset", "int64", "bp from the anchor, in reading direction"),
        _required("A", "float64", "share of A among the bases of the column"),
        _required("C", "float64", "share of C"),
        _required("G", "float64", "share of G"),
        _required("T", "float64", "share of T"),
        _required("n", "int64", "bases of the column that are A, C, G or T"),
        _required("bits", "float64", "information content against the background, corrected"),
        _required("null_bits", "float64", "what one column in twenty of the background exceeds"),
    ),
)

FEATURES = TableSchema(
    "genointerp::feature-statistics",
    1,
    (
        _required("feature", "int64", "index in the dictionary"),
        _required("strand", "string", "strand that was read, + or -"),
        _required("n_firing", "int64", "bases on which it fires"),
        _required("density", "float64", "that over the bases read; NaN where none was read"),
        _required("max_activation", "float64", "largest activation; 0 where it never fires"),
        _required("mean_activation", "float64", "mean over firing bases; NaN where none"),
    ),
)

FEATURE_SUMMARY = TableSchema(
    "genointerp::feature-summary",
    1,
    (
        _required("feature", "int64", "index in the dictionary"),
        _required("density", "float64", "share of read bases on which it fires; all genomes"),
        _required("n_firing", "int64", "bases on which it fires, both strands, all genomes"),
        _required("max_activation", "float64", "largest activation; 0 where it never fires"),
        _required("mean_activation", "float64", "mean over firing bases; NaN where none"),
        _required("strand_asymmetry", "float64", "(p - m) / (p + m) of its densities on + and -"),
        _required("best_concept", "string", "concept with the highest F1 on fit; empty where none"),
        _required("orientation", "string", "sense, antisense or both; empty where none"),
        _required("threshold", "float64", "chosen on fit"),
        _required("precision", "float64", "as in associations; test"),
        _required("recall", "float64", "as in associations; test"),
        _required("f1", "float64", "as in associations; test"),
        _required("auroc", "float64", "as in associations; test"),
        _required("null_f1", "float64", "as in associations; test"),
        _required("f1_always_on", "float64", "F1 of the detector that always fires; test"),
        _required("q_value", "float64", "as in associations; test"),
    ),
)

CURVES = TableSchema(
    "genointerp::precision-recall",
    1,
    (
        _required("feature", "int64", "index in the dictionary"),
        _required("concept", "string", "name of the concept"),
        _required("orientation", "string", "sense, antisense or both"),
        _required("threshold", "float64", "detects where it is > 0 and at least this"),
        _required("chosen", "int64", "1 at the threshold that fit chose, else 0"),
        _required("n_feature_bp", "int64", "bases that the feature detects; test"),
        _required("n_both_bp", "int64", "of these, bases of the concept; test"),
        _required("n_concept_bp", "int64", "bases of the concept; test"),
        _required("precision", "float64", "share of detected bases inside the concept; test"),
        _required("recall", "float64", "share of the concept's bases that are detected; test"),
        _required("base_rate", "float64", "share of the concept among all bases; test"),
    ),
)

METAGENE = TableSchema(
    "genointerp::metagene",
    1,
    (
        _required("feature", "int64", "index in the dictionary"),
        _required("concept", "string", "name of the concept"),
        _required("orientation", "string", "sense, antisense or both"),
        _required("anchor", "string", "start (first base) or end (last base) of the elements"),
        _required("offset", "int64", "bp from the anchor in the direction of the element"),
        _required("n_elements", "int64", "elements whose base at this offset was read"),
        _required("mean_activation", "float64", "mean over them, silent bases are 0; NaN if none"),
        _required("sem", "float64", "standard error of that mean; NaN below two elements"),
        _required("background", "float64", "mean activation over all bases read"),
    ),
)

READ_CONTIGS = TableSchema(
    "genointerp::read-contigs",
    1,
    (
        _required("genome", "string", "its name in the run"),
        _required("seqid", "string", "contig"),
        _required("length", "int64", "in bp"),
        _required("circular", "int64", "1 where the last base is followed by the first, else 0"),
        _required("n_read_plus", "int64", "bases that were read on +"),
        _required("n_read_minus", "int64", "bases that were read on -"),
    ),
)

RUN_FILES = TableSchema(
    "genointerp::run-files",
    1,
    (
        _required("file", "string", "relative to the run directory, where it lies in it"),
        _required("n_bytes", "int64", "its size"),
        _required("sha256", "string", "of its bytes"),
    ),
)

SCHEMAS = {
    schema.format: schema
    for schema in (
        *(ELEMENTS, ASSOCIATIONS, BEST_PER_CONCEPT, CANDIDATES, QUERY, LOCI, FEATURES),
        *(TOP_LOCI, MOTIF),
        *(FEATURE_SUMMARY, CURVES, METAGENE, READ_CONTIGS, RUN_FILES),
    )
}


def write_table(
    frame: pd.DataFrame, path: Path, schema: TableSchema, provenance: Provenance
) -> None:
    """Write a table as its suffix says: ``.parquet``, ``.tsv`` or ``.json``.

    Columns are written in the order of the schema, floats so that they read back exactly.

    Raises
    ------
    InputError
        If the suffix is another.
    SchemaError
        If the table is not of the schema.
    StorageError
        If it cannot be written.
    """
    write = _by_suffix(path, _WRITERS)
    table = conform(frame, schema, where=str(path))
    header = {
        "format": schema.format,
        "format-version": schema.version,
        "provenance": json.loads(provenance.as_json()),
    }
    with writing(path), atomic_path(path) as temporary:
        write(table, temporary, header)


def check_table_path(path: Path) -> None:
    """Refuse, before hours of work, a place that ``write_table`` would refuse.

    Raises
    ------
    InputError
        If the suffix is of no format.
    StorageError
        If nothing can be written there.
    """
    _by_suffix(path, _WRITERS)
    check_writable(path)


def read_table(path: Path, schema: TableSchema) -> pd.DataFrame:
    """Read a table that ``write_table`` wrote.

    Raises
    ------
    SchemaError
        If the file is absent, unreadable, of another schema or a newer version.
    """
    _, frame = _read(Path(path), schema)
    return conform(frame, schema, where=str(path))


def read_provenance(path: Path, schema: TableSchema) -> dict[str, Any]:
    """Return what a table says that it was made from: ``config`` and ``inputs``.

    Raises
    ------
    SchemaError
        As `read_table`, or if the table does not say.
    """
    header, _ = _read(Path(path), schema)
    found = header.get("provenance")
    if not isinstance(found, dict):
        raise SchemaError(f"{path}: provenance", "an object", type(found).__name__)
    return found


def _read(path: Path, schema: TableSchema) -> tuple[dict[str, Any], pd.DataFrame]:
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no file"
        raise SchemaError(str(path), f"a {schema.format} table", found)
    read = _by_suffix(path, _READERS)
    try:
        header, frame = read(path, schema)
    except (ValueError, KeyError, TypeError, pa.ArrowException, pd.errors.ParserError) as error:
        if isinstance(error, InputError):
            raise
        message = " ".join(str(error).split())
        raise SchemaError(str(path), f"a {schema.format} table", message) from error
    _check_header(path, header, schema)
    return header, frame


def conform(frame: pd.DataFrame, schema: TableSchema, *, where: str) -> pd.DataFrame:
    """Return the table with the columns of its schema, in order and of their types.

    Raises
    ------
    SchemaError
        If a required column is missing, a column is unknown or a value is of another kind.
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
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))


def empty_table(schema: TableSchema, optional: Collection[str] = ()) -> pd.DataFrame:
    """Return a table of no rows with the required and some optional columns."""
    columns = [c for c in schema.columns if c.status == "REQUIRED" or c.name in optional]
    return pd.DataFrame({c.name: pd.Series([], dtype=_DTYPES[c.kind]) for c in columns})


def render_table(frame: pd.DataFrame, format: TextFormat) -> str:
    """Return a table as text for people (``table``) or programs (``tsv``, ``json``).

    ``tsv`` has a line of names and no comment; ``json`` is a list of records, null where a number
    is undefined.
    """
    if format == "tsv":
        return frame.to_csv(sep="\t", index=False, lineterminator="\n")
    if format == "json":
        return json.dumps(records(frame), indent=2) + "\n"
    if frame.empty:
        return "  ".join(frame.columns) + "\n"
    return frame.to_string(index=False, float_format="{:.4g}".format) + "\n"


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
    if not np.isfinite(array).all() or (array != np.floor(array)).any():
        bad_value = array[~(np.isfinite(array) & (array == np.floor(array)))][0]
        raise SchemaError(place, "integers", str(bad_value))
    return pd.Series(values.to_numpy(), dtype=np.int64)


def records(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return the rows as plain values, None where a number is undefined."""
    plain = frame.astype(object).where(frame.notna(), None)
    return plain.to_dict(orient="records")


def _write_parquet(frame: pd.DataFrame, path: Path, header: dict[str, Any]) -> None:
    columns = {
        name: pa.array(frame[name].tolist(), type=_arrow_type(frame[name])) for name in frame
    }
    table = pa.table(columns)
    pq.write_table(table.replace_schema_metadata({_METADATA: json.dumps(header)}), path)


def _arrow_type(values: pd.Series) -> pa.DataType:
    if values.dtype == np.int64:
        return pa.int64()
    return pa.float64() if values.dtype == np.float64 else pa.string()


def _write_tsv(frame: pd.DataFrame, path: Path, header: dict[str, Any]) -> None:
    with path.open("w", newline="") as handle:
        handle.write(f"# {json.dumps(header, sort_keys=True)}\n")
        frame.to_csv(handle, sep="\t", index=False, lineterminator="\n")


def _write_json(frame: pd.DataFrame, path: Path, header: dict[str, Any]) -> None:
    path.write_text(json.dumps({**header, "rows": records(frame)}, indent=2) + "\n")


def _read_parquet(path: Path, schema: TableSchema) -> tuple[dict[str, Any], pd.DataFrame]:
    table = pq.read_table(path)
    header = json.loads((table.schema.metadata or {}).get(_METADATA, b"{}"))
    return header, pd.DataFrame({name: table[name].to_numpy() for name in table.column_names})


def _read_tsv(path: Path, schema: TableSchema) -> tuple[dict[str, Any], pd.DataFrame]:
    kinds = {column.name: column.kind for column in schema.columns}
    with path.open(newline="", encoding="utf-8") as handle:
        line = handle.readline()
        if not line.startswith("# "):
            raise SchemaError(f"{path}: line 1", "a comment '# {...}'", repr(line[:40]))
        header = json.loads(line[2:])
        frame = pd.read_csv(handle, sep="\t", dtype=str, keep_default_na=False)
    for name in frame.columns:
        if kinds.get(name, "string") != "string":
            numbers = [float(text) if text else np.nan for text in frame[name]]
            frame[name] = np.array(numbers, dtype=np.float64)
    return header, frame


def _read_json(path: Path, schema: TableSchema) -> tuple[dict[str, Any], pd.DataFrame]:
    record = json.loads(path.read_text())
    rows = record["rows"]
    names = list(rows[0]) if rows else [c.name for c in schema.columns if c.status == "REQUIRED"]
    floats = {c.name for c in schema.columns if c.kind == "float64"}
    columns: dict[str, pd.Series] = {}
    for name in names:
        values = [row[name] for row in rows]
        columns[name] = pd.Series(values, dtype=np.float64 if name in floats else None)
    return record, pd.DataFrame(columns)


def _check_header(path: Path, header: dict[str, Any], schema: TableSchema) -> None:
    found = header.get("format", "none")
    if found != schema.format:
        raise SchemaError(f"{path}: format", schema.format, str(found))
    version = header.get("format-version")
    if not isinstance(version, int) or not 1 <= version <= schema.version:
        expected = f"{schema.format} version 1 to {schema.version}"
        raise SchemaError(f"{path}: format-version", expected, str(version))


def _by_suffix(path: Path, functions: dict[str, F]) -> F:
    suffix = Path(path).suffix
    if suffix not in functions:
        raise InputError(str(path), f"a name that ends in {', '.join(functions)}", repr(suffix))
    return functions[suffix]


_Writer = Callable[[pd.DataFrame, Path, dict[str, Any]], None]
_Reader = Callable[[Path, TableSchema], tuple[dict[str, Any], pd.DataFrame]]
_WRITERS: dict[str, _Writer] = {
    ".parquet": _write_parquet,
    ".tsv": _write_tsv,
    ".json": _write_json,
}
_READERS: dict[str, _Reader] = {".parquet": _read_parquet, ".tsv": _read_tsv, ".json": _read_json}
