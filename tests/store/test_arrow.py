"""Tables to Arrow and polars: values, types and what the metadata say."""

import json
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from genointerp.core.errors import InputError
from genointerp.core.provenance import Provenance
from genointerp.store.table.arrow import METADATA, schema_of, to_arrow, to_polars
from genointerp.store.table.schema.feature import LOCI
from genointerp.store.table.schema.registry import SCHEMAS
from genointerp.store.table.table import conform, empty_table, write_table
from tests.loci import loci

COORDINATES = "start and end are 0-based and half-open, peak is 0-based"


def header_of(table):
    return json.loads(table.schema.metadata[METADATA])


@pytest.mark.parametrize("n", [0, 3])
def test_arrow_holds_the_rows_types_and_undefined_numbers_of_a_table(n):
    frame = conform(loci(n), LOCI, where="x")
    table = to_arrow(frame)
    pd.testing.assert_frame_equal(table.to_pandas(), frame, check_exact=True)
    kinds = ["string", "int64", "int64", "string", "double", "double", "int64"]
    assert [str(kind) for kind in table.schema.types] == kinds
    assert table["max_activation"].null_count == 0


def test_the_metadata_are_those_of_parquet_without_the_provenance(tmp_path):
    write_table(loci(), tmp_path / "t.parquet", LOCI, Provenance({}, {}))
    written = pq.read_table(tmp_path / "t.parquet")
    found = to_arrow(loci())
    assert found.drop(["max_activation"]).equals(written.drop(["max_activation"]))  # it has NaN
    header = header_of(written)
    header.pop("provenance")
    assert header_of(found) == header
    assert header["coordinates"] == COORDINATES


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_a_table_is_known_by_its_columns_however_many_of_the_optional_it_has(schema):
    optional = [column.name for column in schema.columns if column.status == "OPTIONAL"]
    for chosen in ([], optional):
        table = empty_table(schema, chosen)
        assert schema_of(table) is schema
        header = header_of(to_arrow(table))
        assert (header["format"], header["format-version"]) == (schema.format, schema.version)


def test_some_columns_of_a_table_have_no_format():
    header = header_of(to_arrow(loci()[["seqid", "start", "end"]]))
    assert header == {"coordinates": COORDINATES}
    assert header_of(to_arrow(loci()[["seqid"]])) == {}


def test_small_numbers_keep_their_types():
    table = pd.DataFrame({"a": np.array([0.5], np.float32), "b": np.array([True])})
    assert [str(kind) for kind in to_arrow(table).schema.types] == ["float", "bool"]


@pytest.mark.parametrize(
    ("values", "kind", "found"),
    [
        pytest.param(pd.Series([1, 2], dtype=object), "int64", [1, 2], id="numbers"),
        pytest.param([True, None], "bool", [True, None], id="bools"),
        pytest.param(["a", None], "string", ["a", None], id="text"),
        pytest.param(pd.array([1, None], dtype="Int64"), "int64", [1, None], id="Int64"),
        pytest.param([[1], [2, 3]], "list<item: int64>", [[1], [2, 3]], id="lists"),
        pytest.param(pd.Series([], dtype=object), "string", [], id="empty"),
        pytest.param(pd.array([], dtype="Int64"), "int64", [], id="empty-Int64"),
    ],
)
def test_columns_that_are_not_text_have_the_type_that_arrow_finds(values, kind, found):
    table = to_arrow(pd.DataFrame({"x": values}))
    assert (str(table.schema.field("x").type), table["x"].to_pylist()) == (kind, found)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"x": ["a", 1]}), "column 'x': expected values of one type that Arrow has"),
        (pd.DataFrame({"x": [2**70]}), "column 'x': expected values of one type that Arrow has"),
        (pd.DataFrame({0: ["a"]}), "column 0: expected a name that is text, found int"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), "column 'x': expected one column of this"),
    ],
    ids=["types", "too-large", "name", "names"],
)
def test_what_arrow_does_not_have_names_its_column(frame, message):
    with pytest.raises(InputError, match=f"^table: {message}"):
        to_arrow(frame)


def test_polars_holds_the_same_rows():
    polars = pytest.importorskip("polars", reason="the extra polars is not installed")
    found = to_polars(loci())
    assert found.schema["start"] == polars.Int64
    assert found.schema["seqid"] == polars.String
    assert found["max_activation"].is_nan().to_list() == [False, False, True]
    assert found.drop("max_activation").rows() == [
        *loci().drop(columns="max_activation").itertuples(index=False, name=None)
    ]


def test_without_polars_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(
        InputError, match=r'polars: expected .* "genointerp\[polars\]"\), found none'
    ):
        to_polars(loci())
