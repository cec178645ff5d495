import json
import logging
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from genointerp.cli.main import app
from genointerp.command.ask.query import query
from genointerp.core.errors import CoordinateError, InputError, UnknownNameError
from genointerp.core.provenance import Provenance
from genointerp.feature.query import base_activations, best_concepts, query_region
from genointerp.genome.interval import GenomicInterval
from genointerp.store.table.schema.association import ASSOCIATIONS, N_COVERED
from genointerp.store.table.schema.feature import QUERY
from genointerp.store.table.table import read_table, write_table
from tests.stores import CONTIGS, dense_features, write_features
from tests.table_header import header_of

MAIN = "from genointerp.cli.main import main; main()"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    dense = dense_features(density=0.1)
    return write_features(tmp_path_factory.mktemp("query") / "f.h5", dense), dense


@pytest.fixture
def worked(tmp_path):
    """Feature 2 at bases 10-12 of + with 1, 4, 1; feature 0 at base 11 of - with 2."""
    dense = {strand: np.zeros((160, 3), np.float32) for strand in "+-"}
    dense["+"][10:13, 2] = [1, 4, 1]
    dense["-"][11, 0] = 2
    return write_features(tmp_path / "f.h5", dense)


def associations():
    values = {column.name: [0.0, 0.0, 0.0] for column in ASSOCIATIONS.columns}
    for column in ASSOCIATIONS.columns:
        if column.kind == "int64":
            values[column.name] = [0, 0, 0]
    values.update(
        feature=[2, 2, 1],
        concept=["CDS", "tRNA", "rRNA"],
        orientation=["sense", "antisense", "sense"],
        f1_fit=[0.5, 0.75, 0.5],
        f1=[0.9, 0.75, np.nan],
    )
    table = pd.DataFrame(values)
    table.attrs[N_COVERED] = 320
    return table


def test_worked_region(worked):
    table = query_region(worked, "chrA:10-14")
    assert table.to_dict(orient="list") == {
        "feature": [2, 0],
        "strand": ["+", "-"],
        "max_activation": [4.0, 2.0],
        "mean_activation": [2.0, 2.0],
        "covered_share": [0.6, 0.2],
        "start": [10, 11],
        "end": [13, 12],
    }


@given(data=st.data())
def test_rows_are_what_brute_force_finds(shared, data):
    store, dense = shared
    contig, offset = data.draw(st.sampled_from([(CONTIGS[0], 0), (CONTIGS[1], 120)]))
    start = data.draw(st.integers(0, contig.length - 1))
    end = data.draw(st.integers(start, contig.length))
    expected = []
    for strand in "+-":
        part = dense[strand][offset + start : offset + end]
        for feature in range(part.shape[1]):
            (fires,) = np.nonzero(part[:, feature])
            if len(fires):
                loud = part[fires, feature].astype(float)
                share = len(fires) / (end - start)
                span = (start + fires[0], start + fires[-1] + 1)
                expected.append((feature, strand, loud.max(), loud.mean(), share, *span))
    expected.sort(key=lambda row: (-row[2], -row[4], row[0], row[1]))
    table = query_region(store, GenomicInterval(contig.seqid, start, end), top=None)
    assert [row[:2] for row in table.itertuples(index=False)] == [row[:2] for row in expected]
    for found, row in zip(table.itertuples(index=False), expected, strict=True):
        np.testing.assert_allclose(found[2:], row[2:])


def test_top_feature_and_strand_choose_rows(worked):
    assert query_region(worked, "chrA", top=1)["feature"].tolist() == [2]
    assert query_region(worked, "chrA", feature=0)["strand"].tolist() == ["-"]
    assert query_region(worked, "chrA", strand="-")["feature"].tolist() == [0]
    assert query_region(worked, "chrA", feature=1).empty


@pytest.mark.parametrize("region", ["chrA:1-1", "chrA:120", "chrB", "chrB:40-40"])
def test_silent_region_is_an_empty_table(worked, region):
    table = query_region(worked, region, associations=associations())
    assert table.empty
    assert list(table) == QUERY.names[3:-3]


def test_associations_add_the_concept_with_the_highest_f1(worked):
    table = query_region(worked, "chrA", associations=associations())
    assert table["best_concept"].tolist() == ["tRNA", ""]
    assert table["orientation"].tolist() == ["antisense", ""]
    assert table["best_f1"].tolist()[0] == 0.75
    assert np.isnan(table["best_f1"][1])
    assert best_concepts(associations())["feature"].tolist() == [2]


def test_a_feature_that_detects_nothing_on_fit_has_no_best_concept(worked):
    table = query_region(worked, "chrA", associations=associations().assign(f1_fit=0.0))
    assert table["best_concept"].tolist() == ["", ""]
    assert table["best_f1"].isna().all()


@pytest.mark.parametrize(
    ("region", "message"),
    [
        ("chrZ:1-5", r"expected a region of chrA, chrB"),
        ("chrB:30-41", r"expected 1 <= first <= last <= 40 on chrB, found first=30, last=41"),
        ("chrB:9-5", "found first=9, last=5"),
        ("chrA:0-5", "found first=0"),
        ("chrA:100-220", "found first=100, last=220"),
    ],
)
def test_region_that_does_not_exist_is_named(worked, region, message):
    with pytest.raises(CoordinateError, match=message):
        query_region(worked, region)


def test_unknown_feature_and_useless_top_are_refused(worked):
    with pytest.raises(UnknownNameError, match="expected a feature from 0 to 2, found 3"):
        query_region(worked, "chrA", feature=3)
    with pytest.raises(InputError, match="top: expected 1 or more rows, found 0"):
        query_region(worked, "chrA", top=0)


def test_bases_that_were_never_read_are_told(tmp_path, caplog):
    windows = [GenomicInterval("chrA", 0, 50, "+"), GenomicInterval("chrA", 0, 120, "-")]
    store = write_features(tmp_path / "f.h5", dense_features(), windows=windows)
    with caplog.at_level(logging.WARNING):
        query(store, "chrA:41-60")
    assert caplog.messages == ["chrA:41-60: 10 of 20 bases were read on +"]


def test_an_answer_is_written_as_a_table_with_its_provenance(worked, tmp_path):
    known = tmp_path / "a.parquet"
    write_table(associations(), known, ASSOCIATIONS, Provenance(config={}, inputs={}))
    out = tmp_path / "q.tsv"
    table = query(worked.path, "chrA", associations=known, out=out)
    assert table.equals(query(worked, "chrA", associations=known))
    pd.testing.assert_frame_equal(read_table(out, QUERY), table)
    assert table["genome"].tolist() == ["f", "f"]
    header = header_of(out)
    assert header["provenance"]["inputs"].keys() == {"features-f", "associations"}
    assert header["provenance"]["config"]["regions"] == ["chrA"]


def run(*arguments, **options):
    return CliRunner().invoke(app, ["query", *map(str, arguments)], **options)


def test_command_prints_each_format(worked):
    first, head, *rows = run(worked.path, "chrA:10-14", "chrA:11-12").stdout.splitlines()
    assert first == "# first, last: 1-based, closed"
    assert head.split() == [*QUERY.names[:8], "first", "last"]
    # bases 11 to 13, whose indices are 10 to 12
    assert rows[0].split()[-2:] == ["11", "13"]
    assert not any("#" in row for row in rows)
    tsv = run(worked.path, "chrA:10-14", "chrA:11-12", "--format", "tsv").stdout.splitlines()
    assert tsv[1] == "f\tchrA:10-14\tchrA\t2\t+\t4.0\t2.0\t0.6\t10\t13"
    assert [line.split("\t")[1] for line in tsv[3:]] == ["chrA:11-12", "chrA:11-12"]
    comma = run(worked.path, "chrA:10-14", "chrA:11-12", "--format", "csv").stdout.splitlines()
    assert comma == [line.replace("\t", ",") for line in tsv]
    rows = json.loads(run(worked.path, "chrA:10-14", "chrA:12-12", "--format", "json").stdout)
    assert [(row["region"], row["end"]) for row in rows] == [
        ("chrA:10-14", 13),
        ("chrA:10-14", 12),
        ("chrA:12-12", 12),
        ("chrA:12-12", 12),
    ]
    assert json.loads(run(worked.path, "chrA:1-2", "--format", "json").stdout) == []


def test_an_answer_as_bed_has_its_provenance_next_to_it(worked, tmp_path):
    out = tmp_path / "q.bed"
    query(worked.path, ["chrA:10-14", "chrA:11-12"], out=out)
    assert out.read_text() == run(worked.path, "chrA:10-14", "chrA:11-12", "--format", "bed").stdout
    assert header_of(out)["provenance"]["config"]["regions"] == ["chrA:10-14", "chrA:11-12"]


def test_bed_is_a_filter_between_two_queries(worked):
    first = run(worked.path, "--feature", "2", "--format", "bed").stdout
    assert first == "chrA\t10\t13\tf/2\t25\t+\t4\t2\tchrA\n"
    again = run(worked.path, "--bed", "-", "--format", "tsv", input=first).stdout.splitlines()
    assert [line.split("\t")[1:5] for line in again[1:]] == [
        ["f/2", "chrA", "2", "+"],
        ["f/2", "chrA", "0", "-"],
    ]


def test_command_says_in_one_line_what_is_wrong(worked):
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "query", str(worked.path), "chrZ"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "genointerp: region: expected a region of chrA, chrB, like 'chrI:1-1,000', "
        "found 'chrZ' (did you mean 'chrA' or 'chrB'?)\n"
    )


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_seen_enough_is_no_failure(worked, unbuffered):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-c", MAIN, "query", str(worked.path), "chrA"],
            stdout=writing,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            text=True,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_another_pipe_that_breaks_is_a_failure(worked):
    code = "import genointerp.command.ask.query as q; q.query_text = lambda *a, **k: open_pipe(); "
    code += MAIN
    broken = "def open_pipe():\n    raise BrokenPipeError(32, 'another pipe')\n"
    done = subprocess.run(
        [sys.executable, "-c", broken + code, "query", str(worked.path), "chrA"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1


@pytest.mark.parametrize("format", ["tsv", "table"])
def test_an_answer_to_no_regions_has_its_names(worked, tmp_path, format):
    bed = tmp_path / "none.bed"
    bed.write_text("# nothing\n")
    names = [*QUERY.names[:8], *(("first", "last") if format == "table" else QUERY.names[8:10])]
    shown = run(worked.path, "--bed", bed, "--format", format).stdout.splitlines()
    assert shown[-1].split() == names
    assert json.loads(run(worked.path, "--bed", bed, "--format", "json").stdout) == []
    assert run(worked.path, "--bed", bed, "--format", "bed").stdout == ""
    known = tmp_path / "a.parquet"
    write_table(associations(), known, ASSOCIATIONS, Provenance(config={}, inputs={}))
    table = query(worked, bed=bed, associations=known)
    assert table.empty
    assert list(table) == QUERY.names[:-3]
    told = run(worked.path, "--bed", bed, "--out", tmp_path / "q.tsv").stdout
    assert told == f"0 rows -> {tmp_path / 'q.tsv'}\n"
    assert list(read_table(tmp_path / "q.tsv", QUERY)) == QUERY.names[:10]


def test_query_never_imports_torch(worked):
    code = "import sys; from genointerp.cli.main import app"
    code += f"; app(['query', {str(worked.path)!r}, 'chrA'], standalone_mode=False)"
    code += "; assert 'pandas' in sys.modules and 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_activations_of_single_bases_of_a_worked_region(worked):
    found = base_activations(worked, "chrA:11-13")
    assert found.columns.tolist() == ["seqid", "base", "strand", "feature", "activation"]
    assert found.to_numpy().tolist() == [
        ["chrA", 10, "+", 2, 1.0],
        ["chrA", 11, "+", 2, 4.0],
        ["chrA", 12, "+", 2, 1.0],
        ["chrA", 11, "-", 0, 2.0],
    ]
    one = base_activations(worked, "chrA:12-12", feature="f/0")
    assert one["activation"].tolist() == [2.0]
    assert base_activations(worked, "chrB").empty


@given(st.integers(0, 119), st.integers(1, 120))
def test_activations_of_single_bases_are_those_of_the_dense_array(shared, start, length):
    """On both sides of the origin too, in the order of the region."""
    store, dense = shared
    bases = [base % 120 for base in range(start, start + length)]
    found = base_activations(store, GenomicInterval("chrA", start, start + length))
    expected = [
        (base, strand, feature, float(dense[strand][base, feature]))
        for strand in "+-"
        for base in bases
        for feature in np.flatnonzero(dense[strand][base])
    ]
    columns = found[["base", "strand", "feature", "activation"]]
    assert list(columns.itertuples(index=False, name=None)) == expected
