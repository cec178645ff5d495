"""Tables as text: what stands in the two files, and who can read them."""

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genointerp.core.errors import SchemaError, StorageError
from genointerp.core.files import check_writable, replacing
from genointerp.core.provenance import Provenance
from genointerp.store.table.schema.column import Column, TableSchema
from genointerp.store.table.schema.feature import LOCI
from genointerp.store.table.table import is_table_of, read_table, write_table

SCHEMA = TableSchema(
    "genointerp::genes",
    1,
    (
        Column("gene", "string", "REQUIRED", "name of the gene"),
        Column("n", "int64", "REQUIRED", "number of bases"),
        Column("x", "float64", "OPTIONAL", "activation"),
        Column("y", "float64", "OPTIONAL", "share"),
    ),
)
GENES = pd.DataFrame({"gene": ["dnaA", "b, c"], "n": [1, 2**60], "x": [1 / 3, np.nan]})
RECORD = Provenance({"k": 1}, {"features": "f" * 64})
OTHER = Provenance({"k": 2}, {"features": "f" * 64})
TEXT = {
    "genes.tsv": "gene\tn\tx\ndnaA\t1\t0.3333333333333333\nb, c\t1152921504606846976\t\n",
    "genes.csv": 'gene,n,x\ndnaA,1,0.3333333333333333\n"b, c",1152921504606846976,\n',
}


def write(path, frame=GENES, record=RECORD):
    write_table(frame, path, SCHEMA, record)
    return path, path.with_name(f"{path.name}-metadata.json")


@pytest.mark.parametrize("name", TEXT)
def test_a_table_begins_with_its_names_and_its_metadata_stand_next_to_it(tmp_path, name):
    path, metadata = write(tmp_path / name)
    assert path.read_text() == TEXT[name]
    record = json.loads(metadata.read_text())
    assert record["@context"] == "http://www.w3.org/ns/csvw"
    assert record["url"] == name
    assert record["dialect"] == {"delimiter": {"tsv": "\t", "csv": ","}[name[-3:]], "trim": False}
    described = record["tableSchema"]["columns"]
    assert [it["titles"] for it in described] == [it["name"] for it in described] == list(GENES)
    assert [it["datatype"] for it in described] == ["string", "long", "double"]
    assert [it.get("required", False) for it in described] == [False, True, False]
    assert [it["dc:description"] for it in described] == [
        *("name of the gene", "number of bases", "activation")
    ]
    assert record["genointerp:header"] == {
        "sha256": hashlib.sha256(TEXT[name].encode()).hexdigest(),
        "format": "genointerp::genes",
        "format-version": 1,
        "provenance": json.loads(RECORD.as_json()),
    }
    assert sorted(it.name for it in tmp_path.iterdir()) == [name, metadata.name]


def test_members_of_the_metadata_are_those_of_csvw_or_have_a_name_with_a_prefix(tmp_path):
    _, metadata = write(tmp_path / "my genes.tsv")
    record = json.loads(metadata.read_text())
    known = {"@context", "url", "dialect", "tableSchema"}
    assert all(name in known or ":" in name for name in record)
    assert record["url"] == "my%20genes.tsv"


def test_a_table_without_its_metadata_names_the_missing_file(tmp_path):
    path, metadata = write(tmp_path / "genes.tsv")
    metadata.unlink()
    with pytest.raises(SchemaError) as raised:
        read_table(path, SCHEMA)
    assert str(raised.value) == (
        f"{metadata}: expected the metadata of genes.tsv, next to it, found no file"
    )
    assert not is_table_of(path, SCHEMA, RECORD)


@pytest.mark.parametrize("suffix", ["tsv", "csv"])
def test_a_table_that_was_edited_is_refused(tmp_path, suffix):
    path, metadata = write(tmp_path / f"genes.{suffix}")
    assert is_table_of(path, SCHEMA, RECORD)
    path.write_text(path.read_text().replace("dnaA", "dnaB"))
    message = rf"^\S+/genes\.{suffix}: expected the bytes that {metadata.name} describes \(sha256 "
    with pytest.raises(SchemaError, match=message):
        read_table(path, SCHEMA)
    assert not is_table_of(path, SCHEMA, RECORD)


def test_a_table_next_to_the_metadata_of_another_is_refused(tmp_path):
    path, _ = write(tmp_path / "genes.tsv")
    other, _ = write(tmp_path / "other.tsv", GENES.assign(n=3))
    path.write_bytes(other.read_bytes())
    with pytest.raises(SchemaError, match="found another or an edited file"):
        read_table(path, SCHEMA)


def test_a_table_keeps_its_metadata_under_another_name(tmp_path):
    path, metadata = write(tmp_path / "genes.tsv")
    path.rename(tmp_path / "a.tsv")
    metadata.rename(tmp_path / "a.tsv-metadata.json")
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.tsv", SCHEMA), GENES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "genes.tsv-metadata.json: genointerp:header: expected an object with a format"),
        ("[]", "genes.tsv-metadata.json: expected a JSON object"),
        ("{", "genes.tsv-metadata.json: expected JSON"),
        ('{"genointerp:header": {}}', r"genes.tsv: expected the bytes .* \(sha256 None\)"),
    ],
)
def test_metadata_of_others_are_refused(tmp_path, content, message):
    path, metadata = write(tmp_path / "genes.tsv")
    metadata.write_text(content)
    with pytest.raises(SchemaError, match=message):
        read_table(path, SCHEMA)


def test_a_newer_table_takes_the_place_of_an_older_one_with_its_metadata(tmp_path):
    write(tmp_path / "genes.tsv")
    path, _ = write(tmp_path / "genes.tsv", GENES.assign(n=7), OTHER)
    assert read_table(path, SCHEMA)["n"].tolist() == [7, 7]
    assert is_table_of(path, SCHEMA, OTHER)


def test_a_newer_table_takes_the_place_of_one_with_the_header_in_line_1(tmp_path):
    path = tmp_path / "genes.tsv"
    path.write_text('# {"format": "genointerp::genes", "format-version": 1}\ngene\tn\nold\t1\n')
    assert read_table(path, SCHEMA)["gene"].tolist() == ["old"]
    write(path)
    assert path.read_text() == TEXT["genes.tsv"]


HEADER = '# {"format": "genointerp::genes", "format-version": 1}\n'


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("gene\tn\na\t1\nb\n", r"genes\.tsv: line 4: expected 2 fields, found 1"),
        ("gene\tn\na\t1\t7\nb\t2\t8\n", r"genes\.tsv: line 3: expected 2 fields, found 3"),
        ("gene\tn\n\na\t1\t\n", r"genes\.tsv: line 4: expected 2 fields, found 3"),
    ],
    ids=["too-few", "too-many-in-all", "one-too-many"],
)
def test_a_row_of_another_length_below_a_header_in_line_1_is_refused(tmp_path, rows, message):
    path = tmp_path / "genes.tsv"
    path.write_text(HEADER + rows)
    with pytest.raises(SchemaError, match=message):
        read_table(path, SCHEMA)


def test_a_mark_of_the_byte_order_before_a_header_in_line_1_is_passed_over(tmp_path):
    path = tmp_path / "genes.tsv"
    path.write_text(f"{HEADER}gene\tn\ndnaA\t1\n", encoding="utf-8-sig")
    assert read_table(path, SCHEMA).to_dict("records") == [{"gene": "dnaA", "n": 1}]


def test_a_table_that_was_edited_is_replaced_by_force_alone(tmp_path):
    path, metadata = write(tmp_path / "genes.tsv")
    edited = path.read_text() + "mine\t5\t\n"
    path.write_text(edited)
    before = metadata.read_text()
    with pytest.raises(StorageError, match=r"genes\.tsv: expected nothing, or the same result"):
        write(path, record=OTHER)
    assert (path.read_text(), metadata.read_text()) == (edited, before)
    with replacing():
        write(path, record=OTHER)
    assert is_table_of(path, SCHEMA, OTHER)


def test_metadata_of_another_program_are_replaced_by_force_alone(tmp_path):
    path, metadata = tmp_path / "genes.csv", tmp_path / "genes.csv-metadata.json"
    metadata.write_text('{"url": "genes.csv"}')
    with pytest.raises(StorageError, match=r"genes\.csv-metadata\.json: expected nothing"):
        write(path)
    assert not path.exists()


KILL = """
    import os, signal, sys
    from pathlib import Path
    from genointerp.core import files
    from tests.store.test_delimited import GENES, OTHER, write
    real = files._replace
    def replace(temporary, path):
        if path.name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGKILL)
        real(temporary, path)
    files._replace = replace
    write(Path("genes.tsv"), GENES.assign(n=7), OTHER)
    """


@pytest.mark.parametrize("first", [True, False], ids=["first", "again"])
def test_a_kill_between_the_two_files_leaves_nothing_that_is_read_as_a_table(tmp_path, first):
    path, metadata = tmp_path / "genes.tsv", tmp_path / "genes.tsv-metadata.json"
    if not first:
        write(path)
    command = [sys.executable, "-c", textwrap.dedent(KILL), metadata.name]
    # the tests are found from another directory too
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    with pytest.raises(SchemaError, match=metadata.name):
        read_table(path, SCHEMA)
    check_writable(path)
    assert read_table(path, SCHEMA)["n"].tolist() == [7, 7]
    assert is_table_of(path, SCHEMA, OTHER)


def test_texts_that_a_spreadsheet_takes_for_formulas_stay_as_they_are(tmp_path):
    names = ["=1+1", "+", "-", "@x", "-5", 'say "dnaA"', "a;b", " 007 ", "'x"]
    frame = pd.DataFrame({"gene": names, "n": -1, "x": -1e-300})
    for name in TEXT:
        path, _ = write(tmp_path / name, frame)
        found = read_table(path, SCHEMA)
        assert found["gene"].tolist() == names
        with path.open(newline="") as handle:
            rows = list(csv.DictReader(handle, delimiter="\t" if name == "genes.tsv" else ","))
        assert [row["gene"] for row in rows] == names
        assert {(row["n"], row["x"]) for row in rows} == {("-1", "-1e-300")}


def with_pandas(path, delimiter):
    return pd.read_csv(path, sep=delimiter)


def with_polars(path, delimiter):
    return (
        pytest.importorskip("polars").read_csv(path, separator=delimiter).to_dict(as_series=False)
    )


def with_arrow(path, delimiter):
    from pyarrow import csv as arrow

    options = arrow.ParseOptions(delimiter=delimiter)
    return arrow.read_csv(path, parse_options=options).to_pydict()


def with_csv(path, delimiter):
    with path.open(newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter=delimiter))
    return {name: [row[name] for row in rows] for name in rows[0]}


@pytest.mark.parametrize("read", [with_pandas, with_polars, with_arrow, with_csv])
@pytest.mark.parametrize("suffix", ["tsv", "csv"])
def test_a_table_opens_in_other_programs_with_the_same_numbers(tmp_path, suffix, read):
    frame = pd.DataFrame(
        {
            "seqid": ["chr 1", "NC_000913.3", 'the "third"'],
            "start": [0, 5, 2**40],
            "end": [1, 9, 2**40 + 1],
            "strand": ["+", "-", "+"],
            "max_activation": [0.1, 1 / 3, np.nan],
            "mean_activation": [1e-300, 2.0, 5.25],
            "n_firing": [1, 2, 3],
        }
    )
    path = tmp_path / f"loci.{suffix}"
    write_table(frame, path, LOCI, RECORD)
    found = read(path, {"tsv": "\t", "csv": ","}[suffix])
    assert list(found) == list(frame)
    for name in ("seqid", "strand"):
        assert list(found[name]) == frame[name].tolist()
    for name in frame.select_dtypes("number"):
        numbers = [np.nan if it in ("", None) else float(it) for it in found[name]]
        # pandas reads fractions to within one unit of the last digit
        np.testing.assert_array_max_ulp(np.array(numbers), frame[name].to_numpy(float), 1)
        if read is not with_pandas or name in ("start", "end", "n_firing"):
            np.testing.assert_array_equal(numbers, frame[name])
