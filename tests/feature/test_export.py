import subprocess
import sys

import numpy as np
import pyBigWig
import pytest
from typer.testing import CliRunner

from genointerp.cli.main import app
from genointerp.core.errors import InputError, UnknownNameError
from genointerp.feature.export import export_feature, feature_runs
from tests.stores import CONTIGS, ContigInfo, dense_features, write_features


@pytest.fixture
def dense():
    return dense_features(3, density=0.3)


@pytest.fixture
def store(tmp_path, dense):
    return write_features(tmp_path / "f.h5", dense)


def expected_of(dense, strand):
    return np.maximum(dense["+"], dense["-"]) if strand is None else dense[strand]


@pytest.mark.parametrize("strand", ["+", "-", None])
def test_bigwig_reads_back_exactly(store, dense, tmp_path, strand):
    out = tmp_path / "t.bw"
    assert export_feature(store, 1, out, strand=strand) > 0
    with pyBigWig.open(str(out)) as file:
        assert file.chroms() == {"chrA": 120, "chrB": 40}
        found = [file.values(contig.seqid, 0, contig.length) for contig in CONTIGS]
    values = np.nan_to_num(np.concatenate(found))
    np.testing.assert_array_equal(values, expected_of(dense, strand)[:, 1])


@pytest.mark.parametrize("strand", ["+", "-", None])
def test_bedgraph_reads_back_exactly(store, dense, tmp_path, strand):
    out = tmp_path / "t.bedgraph"
    n = export_feature(store, 1, out, strand=strand)
    lines = [line for line in out.read_text().splitlines() if not line.startswith("#")]
    assert len(lines) == n
    values = np.zeros(160)
    for line in lines:
        seqid, start, end, value = line.split("\t")
        offset = store.offsets[seqid]
        values[offset + int(start) : offset + int(end)] = float(value)
    np.testing.assert_array_equal(values, expected_of(dense, strand)[:, 1])


def test_gff3_reads_back_as_one_based_closed_loci(store, dense, tmp_path):
    out = tmp_path / "t.gff3"
    n = export_feature(store, 1, out)
    lines = out.read_text().splitlines()
    assert lines[:3] == [
        "##gff-version 3",
        "##sequence-region chrA 1 120",
        "##sequence-region chrB 1 40",
    ]
    fires = {strand: np.zeros(160, bool) for strand in "+-"}
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert len(rows) == n
    assert len({row[8] for row in rows}) == n
    for seqid, source, kind, first, last, score, strand, _, _ in rows:
        assert (source, kind) == ("genointerp", "sequence_feature")
        offset = store.offsets[seqid]
        here = slice(offset + int(first) - 1, offset + int(last))
        fires[strand][here] = True
        assert float(score) == dense[strand][here, 1].max()
    for strand in "+-":
        np.testing.assert_array_equal(fires[strand], dense[strand][:, 1] > 0)


def test_runs_join_equal_neighbours_and_stop_at_contigs(tmp_path):
    dense = {strand: np.zeros((160, 1), np.float32) for strand in "+-"}
    dense["+"][117:123, 0] = [1, 2, 2, 2, 2, 3]
    runs = feature_runs(write_features(tmp_path / "f.h5", dense), 0, "+")
    found = [(r.seqid, r.start.tolist(), r.end.tolist(), r.value.tolist()) for r in runs]
    assert found == [("chrA", [117, 118], [118, 120], [1, 2]), ("chrB", [0, 2], [2, 3], [2, 3])]


def test_names_that_gff3_reserves_are_escaped(tmp_path):
    contigs = (ContigInfo("a b=1", 120, circular=False), CONTIGS[1])
    store = write_features(tmp_path / "f.h5", dense_features(3), contigs=contigs)
    export_feature(store, 0, tmp_path / "t.gff3")
    assert "##sequence-region a%20b%3D1 1 120" in (tmp_path / "t.gff3").read_text()


def test_silent_feature_is_an_empty_track_but_no_bigwig(tmp_path):
    dense = {strand: np.zeros((160, 2), np.float32) for strand in "+-"}
    store = write_features(tmp_path / "f.h5", dense)
    assert export_feature(store, 0, tmp_path / "t.bedgraph") == 0
    assert export_feature(store, 0, tmp_path / "t.gff3") == 0
    with pytest.raises(InputError, match="feature 0: expected a feature that fires on either"):
        export_feature(store, 0, tmp_path / "t.bw")
    assert not (tmp_path / "t.bw").exists()


@pytest.mark.parametrize("size", [0, 700], ids=["none-fits", "the-end-does-not-fit"])
def test_a_full_disk_leaves_no_bigwig_and_what_stood_there(store, tmp_path, size):
    out = tmp_path / "t.bw"
    out.write_text("precious")
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from genointerp.core.errors import StorageError\n"
        "from genointerp.feature.export import export_feature\n"
        "from genointerp.store.features import FeatureStore\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "store, size = FeatureStore(Path(sys.argv[1])), int(sys.argv[3])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))\n"
        "try:\n"
        "    export_feature(store, 0, Path(sys.argv[2]))\n"
        "except StorageError as error:\n"
        "    sys.exit(0 if 't.bw: expected to write the file' in str(error) else str(error))\n"
        "sys.exit('no error')\n"
    )
    arguments = [sys.executable, "-c", code, str(store.path), str(out), str(size)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert out.read_text() == "precious"


def test_unknown_suffix_and_feature_are_refused(store, tmp_path):
    with pytest.raises(InputError, match=r"expected a name that ends in \.bw, .*found \.txt"):
        export_feature(store, 0, tmp_path / "t.txt")
    with pytest.raises(UnknownNameError, match="expected a feature from 0 to 2"):
        export_feature(store, 3, tmp_path / "t.bw")


def test_command_writes_the_track(store, tmp_path):
    out = tmp_path / "t.bg"
    options = ["export", str(store.path), "--feature", "1", "--out", str(out), "--strand", "-"]
    done = CliRunner().invoke(app, options)
    assert done.exit_code == 0
    assert done.stdout.endswith(f"intervals -> {out}\n")
