import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.errors import InputError, SchemaError
from genointerp.core.provenance import Provenance
from genointerp.store.table.schema.column import Column, TableSchema
from genointerp.store.table.schema.feature import LOCI, QUERY
from genointerp.store.table.schema.registry import SCHEMAS
from genointerp.store.table.table import (
    conform,
    empty_table,
    read_provenance,
    read_table,
    render_table,
    write_table,
)
from tests.loci import loci

PROVENANCE = Provenance(config={"a": 1}, inputs={"x": "y"})
SUFFIXES = [".parquet", ".tsv", ".csv", ".json"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("n", [0, 3])
def test_table_reads_back_exactly(tmp_path, suffix, n):
    path = tmp_path / f"t{suffix}"
    write_table(loci(n), path, LOCI, PROVENANCE)
    found = read_table(path, LOCI)
    pd.testing.assert_frame_equal(found, conform(loci(n), LOCI, where="x"), check_exact=True)


TEXT = TableSchema(
    "genointerp::text",
    1,
    (Column("name", "string", "REQUIRED", ""), Column("x", "float64", "OPTIONAL", "")),
)


@given(
    rows=st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
            st.floats(allow_infinity=False),
        ),
        max_size=4,
    ),
    suffix=st.sampled_from(SUFFIXES),
)
def test_any_text_and_number_survives(tmp_path_factory, rows, suffix):
    path = tmp_path_factory.mktemp("t") / f"t{suffix}"
    frame = pd.DataFrame({"name": [r[0] for r in rows], "x": [r[1] for r in rows]})
    write_table(frame, path, TEXT, PROVENANCE)
    found = read_table(path, TEXT)
    assert found["name"].tolist() == frame["name"].tolist()
    if rows:
        np.testing.assert_array_equal(found["x"], frame["x"])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_optional_columns_may_be_absent(tmp_path, suffix):
    path = tmp_path / f"q{suffix}"
    write_table(empty_table(QUERY), path, QUERY, PROVENANCE)
    assert "best_concept" not in read_table(path, QUERY)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_table_of_another_schema_is_refused(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    write_table(loci(), path, LOCI, PROVENANCE)
    with pytest.raises(SchemaError, match="expected genointerp::query, found genointerp::loci"):
        read_table(path, QUERY)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_file_that_is_no_table_is_refused_in_one_line(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    for content in (b"", b"{}", b"# {\n", b"PAR1", b"\xff\xfe\x00"):
        path.write_bytes(content)
        with pytest.raises(SchemaError, match=r"t\.[a-z]+") as info:
            read_table(path, LOCI)
        assert "\n" not in str(info.value)
    with pytest.raises(SchemaError, match="found no file"):
        read_table(tmp_path / f"absent{suffix}", LOCI)


def test_newer_version_is_refused(tmp_path):
    path = tmp_path / "t.json"
    write_table(loci(), path, LOCI, PROVENANCE)
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "format-version": 3}))
    with pytest.raises(SchemaError, match="expected genointerp::loci version 1 to 2, found 3"):
        read_table(path, LOCI)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"seqid": [1, 2, 3]}, "column 'seqid': expected text, found 1", id="text"),
        pytest.param({"start": [0.5, 1, 2]}, "column 'start': expected integers", id="fraction"),
        pytest.param({"start": [None, 1, 2]}, "column 'start': expected integers", id="missing"),
        pytest.param({"end": ["a", "b", "c"]}, "column 'end': expected int64", id="words"),
        pytest.param({"extra": [1, 2, 3]}, "found column 'extra'", id="unknown"),
    ],
)
def test_value_of_another_kind_names_its_column(tmp_path, change, message):
    with pytest.raises(SchemaError, match=message):
        write_table(loci().assign(**change), tmp_path / "t.tsv", LOCI, PROVENANCE)
    with pytest.raises(SchemaError, match="expected column 'seqid'"):
        write_table(loci().drop(columns="seqid"), tmp_path / "t.tsv", LOCI, PROVENANCE)
    assert list(tmp_path.iterdir()) == []


def test_other_suffix_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"a name that ends in \.parquet, \.tsv, \.csv, \.json"):
        write_table(loci(), tmp_path / "t.xlsx", LOCI, PROVENANCE)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_provenance_is_written_with_the_table(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    write_table(loci(), path, LOCI, PROVENANCE)
    found = read_provenance(path, LOCI)
    assert (found["config"], found["inputs"]) == (PROVENANCE.config, PROVENANCE.inputs)


def test_text_forms_for_people_and_programs():
    frame = pd.DataFrame({"a": [1], "b": [np.nan]})
    assert render_table(frame, "tsv") == "a\tb\n1\t\n"
    assert render_table(frame, "csv") == "a,b\n1,\n"
    assert json.loads(render_table(frame, "json")) == [{"a": 1, "b": None}]
    assert render_table(frame, "table").split() == ["a", "b", "1", "NaN"]
    assert render_table(frame.iloc[:0], "table") == "a  b\n"


def test_schemas_have_distinct_names_and_columns():
    for name, schema in SCHEMAS.items():
        assert schema.format == name
        assert len(set(schema.names)) == len(schema.names)
