import json
import shutil

import h5py
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from genointerp.cli.main import app
from genointerp.core.errors import SchemaError
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.store.table.delimited import write_metadata
from genointerp.store.table.schema.feature import LOCI
from genointerp.store.table.table import write_table
from genointerp.store.verify import all_passed, verify
from tests.store.archives import ARCHIVES
from tests.stores import dense_features, write_activations, write_features


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("verify") / "f.h5"
    write_features(path, dense_features(), tile_rows=32)
    return path


@pytest.fixture
def file(whole, tmp_path):
    return shutil.copy(whole, tmp_path / "f.h5")


def failed(path, **options):
    return {check.name: check.found for check in verify(path, **options) if not check.passed}


@pytest.mark.parametrize("name", sorted(path.name for path in ARCHIVES.glob("*.h5")))
def test_every_archive_is_whole(name):
    assert failed(ARCHIVES / name) == {}


def test_a_whole_file_passes_every_check(whole):
    checks = verify(whole)
    assert [check.name for check in checks] == [
        "format",
        "provenance",
        "checksum of the contents",
        "coverage of strand +",
        "checksums and order of hits of strand +",
        "coverage of strand -",
        "checksums and order of hits of strand -",
    ]
    assert all_passed(checks)


def datasets(path):
    found = {}
    with h5py.File(path) as opened:

        def place(name, item):
            if hasattr(item, "dtype") and item.size and item.dtype.kind != "O":
                found[name] = (item.id.get_offset(), item.id.get_storage_size())

        opened.visititems(place)
    return found


def test_one_flipped_bit_of_any_dataset_is_found(whole, tmp_path):
    """Bit rot: whichever byte of whichever dataset it hits, some check fails."""
    random = np.random.default_rng(0)
    content = whole.read_bytes()
    places = datasets(whole)
    assert len(places) == 2 + 2 * 13
    for name, (offset, size) in places.items():
        for _ in range(3):
            rotten = bytearray(content)
            rotten[offset + int(random.integers(size))] ^= 1 << int(random.integers(8))
            path = tmp_path / "rotten.h5"
            path.write_bytes(rotten)
            assert not all_passed(verify(path)), name


def test_a_flipped_bit_of_a_value_names_its_tile(file):
    with h5py.File(file, "a") as opened:
        values = opened["minus/hits/value"]
        start = int(opened["minus/tiles/hit_offset"][2])
        values[start] = values[start] + np.float16(0.5)
    assert failed(file) == {
        "checksums and order of hits of strand -": (
            f"{file}: minus/tile 2 (rows 64 to 96): expected the checksums that were written, "
            "found other ones"
        )
    }


@pytest.mark.parametrize(
    ("dataset", "change", "check", "message"),
    [
        ("hits/row", lambda x: x[::-1], "hits", "expected rows that rise within a feature"),
        ("hits/row", lambda x: x * 0 + 40, "hits", "rows that rise"),
        ("hits/value", lambda x: -x, "hits", "expected finite activations > 0"),
        ("hits/value", lambda x: x * np.inf, "hits", "expected finite activations > 0"),
        ("tiles/feature_offset", lambda x: x + 1, "hits", "expected offsets that rise from 0"),
        ("tiles/row", lambda x: x[::-1], "format", "expected rising multiples of 32"),
        ("tiles/row", lambda x: x + 1, "format", "expected rising multiples of 32"),
        (
            "tiles/hit_offset",
            lambda x: x + 0 * x[-1] + (x < 1),
            "format",
            "offsets that rise from 0",
        ),
        ("feature_hits", lambda x: x + 1, "hits", "feature_hits: 0: expected"),
        ("coverage/contig", lambda x: x * 0, "coverage", "sorted intervals that do not touch"),
    ],
)
def test_what_is_out_of_order_is_told(file, dataset, change, check, message):
    with h5py.File(file, "a") as opened:
        data = opened[f"plus/{dataset}"]
        data[...] = change(data[...])
    found = failed(file)
    (name,) = [name for name in found if check in name and "strand -" not in name]
    assert message in found[name]


def test_hits_on_bases_that_were_not_read_are_told(file):
    with h5py.File(file, "a") as opened:
        opened["plus/coverage/start"][0] = 20
    found = failed(file)
    assert (
        "expected hits on bases that were read" in found["checksums and order of hits of strand +"]
    )
    assert "checksum of the contents" in found


@pytest.mark.parametrize("name", ["model", "sae-sha256", "n-features", "provenance"])
def test_an_attribute_that_was_changed_is_found(file, name):
    with h5py.File(file, "a") as opened:
        opened.attrs[name] = 8 if name == "n-features" else str(opened.attrs[name]) + " "
    assert failed(file)


@pytest.mark.parametrize(
    "record",
    [
        "no JSON",
        "[1]",
        json.dumps({"config": {}}),
        *(
            json.dumps({"generated-by": "x", "config": {}, "inputs": inputs})
            for inputs in ([], None, {"genome": 1}, {"genome": ["a"]})
        ),
    ],
)
@pytest.mark.parametrize("inputs", [(), ("other",)])
def test_a_provenance_that_says_nothing_is_told(file, tmp_path, record, inputs):
    (tmp_path / "other").write_text("x")
    with h5py.File(file, "a") as opened:
        opened.attrs["provenance"] = record
        opened.attrs["generated-by"] = "x"
    found = failed(file, inputs=[tmp_path / name for name in inputs])
    assert "attribute 'provenance'" in found["provenance"]
    assert not any(name.startswith("input") for name in found)


def test_an_input_must_be_named_by_the_provenance(file, tmp_path):
    other = tmp_path / "other"
    other.write_text("x")
    found = failed(file, inputs=[other])
    assert list(found) == [f"input {other}"]
    assert "expected one of the inputs of" in found[f"input {other}"]


def test_indexes_of_version_1_must_agree(tmp_path):
    path = shutil.copy(ARCHIVES / "features-v1.h5", tmp_path / "f.h5")
    with h5py.File(path, "a") as opened:
        opened["plus/by_base/value"][3] = 9
    assert "the same hits by base and by feature" in failed(path)["indexes of strand +"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda plus: negate(plus), "finite activations > 0"),
        (lambda plus: reverse(plus, "by_feature", "row"), "hits in rising order"),
        (lambda plus: reverse(plus, "by_base", "feature"), "rising features on each base"),
        (lambda plus: uncover(plus), "hits on bases that were read"),
    ],
    ids=["value", "rows", "features", "coverage"],
)
def test_hits_of_version_1_are_looked_at(tmp_path, change, message):
    path = shutil.copy(ARCHIVES / "features-v1.h5", tmp_path / "f.h5")
    with h5py.File(path, "a") as opened:
        change(opened["plus"])
    assert message in failed(path)["indexes of strand +"]


def negate(strand):
    for index in ("by_base", "by_feature"):
        strand[f"{index}/value"][...] = -strand[f"{index}/value"][...]


def reverse(strand, index, column):
    keys, values = strand[f"{index}/{column}"], strand[f"{index}/value"]
    edges = strand[f"{index}/indptr"][:].astype(int)
    number = int(np.argmax(np.diff(edges) > 1))
    one = slice(edges[number], edges[number + 1])
    assert one.stop - one.start > 1
    keys[one], values[one] = keys[one][::-1], values[one][::-1]


def uncover(strand):
    strand["coverage/start"][0] = strand["coverage/end"][0] - 1


def test_activations_that_are_not_finite_are_told(tmp_path):
    x = np.random.default_rng(0).normal(size=(320, 4)).astype(np.float32)
    path = write_activations(tmp_path / "a.h5", x).path
    assert failed(path) == {}
    with h5py.File(path, "a") as opened:
        opened["activations"][100, 2] = np.nan
    assert "expected finite values" in failed(path)["rows"]


def test_other_files_are_refused_with_what_can_be_verified(tmp_path):
    (tmp_path / "t.txt").write_text("x")
    places = {"t.txt": "no HDF5 file in one piece", "none": "no file", "": "a folder"}
    for name, found in places.items():
        expected = "expected a features or activations file, a table .*, or a run directory"
        with pytest.raises(SchemaError, match=f"{expected}, found {found}"):
            verify(tmp_path / name)


@pytest.fixture
def bed(whole, tmp_path):
    path = tmp_path / "loci.bed"
    path.write_text("c\t1\t9\tf\t0\t+\n")
    record = Provenance({}, {"features": sha256_file(whole)})
    write_metadata(path, path, {"provenance": json.loads(record.as_json())}, (), {})
    return path


def test_a_file_with_its_metadata_next_to_it_is_checked_by_its_bytes(bed, whole):
    assert [check.name for check in verify(bed)] == ["bytes", "provenance"]
    assert all_passed(verify(bed, inputs=[whole]))
    assert "expected one of the inputs of" in failed(bed, inputs=[bed])[f"input {bed}"]
    bed.write_text("c\t1\t8\tf\t0\t+\n")
    assert "loci.bed: expected the bytes that loci.bed-metadata.json" in failed(bed)["bytes"]


def test_the_command_ends_with_status_1_where_a_check_fails(file):
    done = CliRunner().invoke(app, ["verify", str(file)])
    assert done.exit_code == 0
    assert done.stdout.startswith("ok\tformat\nok\tprovenance\n")
    with h5py.File(file, "a") as opened:
        opened["plus/hits/value"][0] = 1234
    done = CliRunner().invoke(app, ["verify", str(file)])
    assert done.exit_code == 1
    assert "FAILED\tchecksums and order of hits of strand +\t" in done.stdout


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_a_compressed_file_tells_the_same(tmp_path, compression):
    if compression != "none":
        pytest.importorskip("hdf5plugin", reason="the extra compression is not installed")
    dense = dense_features()
    path = tmp_path / "f.h5"
    store = write_features(path, dense, tile_rows=32, compression=compression)
    assert failed(path) == {}
    rows = store.rows(10, 150, "+")
    np.testing.assert_array_equal(rows.value, dense["+"][10:150][dense["+"][10:150] > 0])
    for feature in range(7):
        track = store.feature(feature, "-")
        np.testing.assert_array_equal(track.row, np.flatnonzero(dense["-"][:, feature]))
    with h5py.File(path) as opened:
        assert (opened["plus/hits/row"].chunks is not None) == (compression == "zstd")


LOCUS = pd.DataFrame(
    {
        "seqid": ["chrA"],
        "start": [1],
        "end": [10],
        "strand": ["+"],
        "max_activation": [1.5],
        "mean_activation": [1.0],
        "n_firing": [9],
    }
)


@pytest.fixture(params=[".tsv", ".csv", ".parquet", ".json"])
def table(request, whole, tmp_path):
    path = tmp_path / f"loci{request.param}"
    write_table(LOCUS, path, LOCI, Provenance({}, {"features": sha256_file(whole)}))
    return path


def test_a_table_is_checked_with_its_header_values_and_inputs(table, whole):
    checks = verify(table, inputs=[whole])
    names = ["format", "provenance", f"input {whole}", "columns and values"]
    assert [check.name for check in checks] == names
    assert all_passed(checks)
    assert "expected one of the inputs of" in failed(table, inputs=[table])[f"input {table}"]


def test_a_table_with_another_value_is_not_whole(table):
    content = table.read_bytes()
    place = content.index(b"chrA")
    table.write_bytes(content[:place] + b"chrB" + content[place + 4 :])
    # JSON has no checksum
    assert bool(failed(table)) == (table.suffix != ".json")


def test_a_table_of_no_known_format_or_no_table_is_not_whole(tmp_path):
    (tmp_path / "summary.json").write_text('{"format": "mine", "rows": []}')
    found = failed(tmp_path / "summary.json")["format"]
    assert found == f"{tmp_path}/summary.json: format: expected the format of a table, found mine"
    (tmp_path / "mine.csv").write_text("a,b\n")
    found = failed(tmp_path / "mine.csv")["format"]
    assert "mine.csv-metadata.json: expected the metadata of mine.csv, next to it" in found
    with pytest.raises(SchemaError, match=r"none\.tsv: expected a table, found no file"):
        verify(tmp_path / "none.tsv")
