import pickle
import subprocess
import sys

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.errors import (
    ConfigError,
    CoordinateError,
    InputError,
    SchemaError,
    UnknownNameError,
)
from genointerp.genome.interval import GenomicInterval
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.store import FeatureStore
from genointerp.store.feature.writer import FeatureWriter
from tests.stores import (
    CONTIGS,
    PROVENANCE,
    csr_of,
    dense_features,
    feature_header,
    windows_of,
    write_features,
)


@pytest.fixture
def dense():
    return dense_features()


@pytest.fixture
def store(tmp_path, dense):
    return write_features(tmp_path / "f.h5", dense)


def naive(dense):
    """Every activation as a plain dictionary."""
    return {
        (strand, int(row), int(feature)): float(dense[strand][row, feature])
        for strand in "+-"
        for row, feature in np.argwhere(dense[strand] > 0)
    }


@given(
    seed=st.integers(0, 1000),
    density=st.sampled_from([0.0, 0.02, 0.5, 1.0]),
    tile_rows=st.sampled_from([1, 7, 100, 65536]),
    order=st.randoms(use_true_random=False),
)
def test_both_indexes_tell_the_values_of_a_plain_dictionary(
    tmp_path_factory, seed, density, tile_rows, order
):
    dense = dense_features(seed=seed, density=density)
    windows = list(windows_of())
    order.shuffle(windows)
    path = tmp_path_factory.mktemp("features") / "f.h5"
    store = write_features(path, dense, windows=windows, tile_rows=tile_rows)
    assert FeatureStore(path).version == 2
    by_base, by_feature = {}, {}
    for strand in store.strands:
        rows = store.rows(0, store.n_rows, strand)
        row = np.repeat(np.arange(store.n_rows), np.diff(rows.indptr))
        for key in zip(row.tolist(), rows.feature.tolist(), rows.value.tolist(), strict=True):
            by_base[strand, key[0], key[1]] = key[2]
        for feature in range(store.n_features):
            track = store.feature(feature, strand)
            assert (np.diff(track.row) > 0).all()
            for place, value in zip(track.row.tolist(), track.value.tolist(), strict=True):
                by_feature[strand, place, feature] = value
    assert by_base == by_feature == naive(dense)


@given(st.data())
def test_region_is_what_brute_force_finds(shared_store, data):
    store, dense = shared_store
    contig, offset = data.draw(st.sampled_from([(CONTIGS[0], 0), (CONTIGS[1], 120)]))
    start = data.draw(st.integers(0, contig.length))
    end = data.draw(st.integers(start, contig.length))
    strand = data.draw(st.sampled_from("+-"))
    hits = store.region(GenomicInterval(contig.seqid, start, end), strand)
    part = dense[strand][offset + start : offset + end]
    row, feature = np.nonzero(part)
    np.testing.assert_array_equal(hits.row, row + offset + start)
    np.testing.assert_array_equal(hits.feature, feature)
    np.testing.assert_array_equal(hits.value, part[row, feature])
    with store.opened(strand) as reader:
        peaks = reader.peaks(offset + start, offset + end)
    np.testing.assert_array_equal(peaks.highest, part.max(axis=0, initial=0))
    np.testing.assert_array_equal(peaks.n_bases, (part > 0).sum(axis=0))


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory):
    dense = dense_features()
    return write_features(tmp_path_factory.mktemp("shared") / "f.h5", dense), dense


def test_first_and_last_base_of_a_contig_are_in_regions(store, dense):
    hits = store.region(GenomicInterval("chrA", 119, 120), "+")
    assert hits.feature.tolist() == np.flatnonzero(dense["+"][119]).tolist()
    assert len(store.region(GenomicInterval("chrB", 0, 0), "+").row) == 0


def test_a_track_that_is_asked_for_again_is_the_same_and_cannot_be_written_to(store, dense):
    asked = [(1, "+"), (1, "-"), (1, "+"), (2, "+"), (1, "-"), (2, "+"), (3, "-"), (1, "+")]
    for feature, strand in asked:
        track = store.feature(feature, strand)
        row = np.flatnonzero(dense[strand][:, feature])
        np.testing.assert_array_equal(track.row, row)
        np.testing.assert_array_equal(track.value, dense[strand][row, feature])
        with pytest.raises(ValueError, match="read-only"):
            track.value[:] = 0
    part = store.feature(1, "+", GenomicInterval("chrB", 0, 30))
    assert part.row.min(initial=120) >= 120


def test_features_are_the_transpose_of_rows(store):
    part = store.features(2, 5, "-")
    tracks = [store.feature(feature, "-") for feature in (2, 3, 4)]
    np.testing.assert_array_equal(part.feature, np.concatenate([t.row for t in tracks]))
    np.testing.assert_array_equal(store.n_firing("-")[2:5], np.diff(part.indptr))


def test_coverage_is_what_was_read_merged(tmp_path, dense):
    windows = [
        GenomicInterval("chrA", 30, 40, "+"),
        GenomicInterval("chrA", 10, 30, "+"),
        GenomicInterval("chrA", 119, 120, "+"),
        GenomicInterval("chrB", 0, 5, "+"),
        GenomicInterval("chrB", 0, 0, "-"),
    ]
    store = write_features(tmp_path / "f.h5", dense, windows=windows)
    assert store.coverage("+") == (
        GenomicInterval("chrA", 10, 40, "+"),
        GenomicInterval("chrA", 119, 120, "+"),
        GenomicInterval("chrB", 0, 5, "+"),
    )
    assert store.coverage("-") == ()
    assert len(store.region(GenomicInterval("chrA", 40, 119), "+").row) == 0


def test_overlapping_windows_are_refused_and_nothing_is_written(tmp_path, dense):
    windows = [GenomicInterval("chrA", 0, 20, "+"), GenomicInterval("chrA", 19, 30, "+")]
    with pytest.raises(InputError, match=r"chrA:20-30 \(\+\): expected windows that do not"):
        write_features(tmp_path / "f.h5", dense, windows=windows)
    assert list(tmp_path.iterdir()) == []


def test_error_in_the_block_keeps_what_was_there(tmp_path, dense, store):
    before = store.path.read_bytes()

    def write_and_fail():
        with FeatureWriter(store.path, feature_header(), PROVENANCE) as writer:
            writer.add_window(windows_of()[0], *csr_of(dense["+"][:25]))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert store.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["f.h5"]


def test_tiny_activation_stays_above_zero(tmp_path):
    dense = {strand: np.zeros((160, 3), np.float32) for strand in "+-"}
    dense["+"][5, 1] = 1e-12
    store = write_features(tmp_path / "f.h5", dense)
    assert store.feature(1, "+").value.tolist() == [2.0**-24]


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf, 1e6])
def test_value_that_is_no_activation_is_refused(tmp_path, bad):
    kept = GenomicInterval("chrA", 0, 1, "+")
    with (
        pytest.raises(InputError, match=r"chrA:1-1 \(\+\): expected activations > 0"),
        FeatureWriter(tmp_path / "f.h5", feature_header(), PROVENANCE) as writer,
    ):
        writer.add_window(kept, np.array([0, 1]), np.array([2]), np.array([bad], dtype=np.float32))


@pytest.mark.parametrize(
    ("indptr", "feature", "message"),
    [
        pytest.param([0, 2], [1], "expected 1 rows with 1 hits", id="hits-missing"),
        pytest.param([0, 0, 1], [1], "found 2 rows", id="too-many-rows"),
        pytest.param([0, 1], [7], "expected features from 0 to 6, found 7", id="unknown-feature"),
        pytest.param([0, 2], [3, 3], "features in rising order", id="twice-at-a-base"),
        pytest.param([0, 2], [3, 1], "features in rising order", id="falling"),
    ],
)
def test_malformed_window_is_refused(tmp_path, indptr, feature, message):
    kept = GenomicInterval("chrA", 0, 1, "+")
    value = np.ones(len(feature), np.float32)
    with (
        pytest.raises(InputError, match=message),
        FeatureWriter(tmp_path / "f.h5", feature_header(), PROVENANCE) as writer,
    ):
        writer.add_window(kept, np.array(indptr), np.array(feature), value)


def test_window_without_a_strand_is_refused(tmp_path):
    with (
        pytest.raises(InputError, match="expected a window read on"),
        FeatureWriter(tmp_path / "f.h5", feature_header(), PROVENANCE) as writer,
    ):
        writer.add_window(GenomicInterval("chrA", 0, 25), *csr_of(dense_features()["+"][:25]))


def test_the_last_feature_of_a_wide_dictionary_is_found(tmp_path):
    for n_features in (65535, 65536, 65537):
        path = tmp_path / f"{n_features}.h5"
        with FeatureWriter(path, feature_header(n_features), PROVENANCE) as writer:
            writer.add_window(
                GenomicInterval("chrB", 3, 4, "-"),
                np.array([0, 1]),
                np.array([n_features - 1]),
                np.ones(1, np.float32),
            )
        assert FeatureStore(path).feature(n_features - 1, "-").row.tolist() == [123]


def test_unknown_feature_and_region_are_named(store):
    with pytest.raises(UnknownNameError, match="expected a feature from 0 to 6, found 7"):
        store.feature(7, "+")
    with pytest.raises(CoordinateError, match="chrA: expected end <= 120, found end=121"):
        store.region(GenomicInterval("chrA", 0, 121), "+")
    with pytest.raises(CoordinateError, match="expected one of the contigs chrA, chrB, found chrZ"):
        store.region(GenomicInterval("chrZ", 0, 1), "+")


def test_a_compressor_that_is_not_installed_is_told(tmp_path, dense, monkeypatch):
    pytest.importorskip("hdf5plugin", reason="the extra compression is not installed")
    packed = write_features(tmp_path / "z.h5", dense, compression="zstd")
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    message = (
        r"expected hdf5plugin for zstd \(pip install \"genointerp\[compression\]\"\), found none"
    )
    with pytest.raises(InputError, match=message):
        FeatureStore(tmp_path / "z.h5")
    with pytest.raises(InputError, match=message):
        packed.feature(0, "+")
    with pytest.raises(InputError, match=message):
        write_features(tmp_path / "y.h5", dense, compression="zstd")
    assert [path.name for path in tmp_path.iterdir()] == ["z.h5"]


def test_offsets_that_do_not_rise_are_refused(store):
    with h5py.File(store.path, "a") as file:
        file["plus/tiles/feature_offset"][0, 3] = 9999
    message = "plus/tiles/feature_offset: 0: expected offsets that rise"
    with pytest.raises(SchemaError, match=message):
        store.rows(0, 10, "+")
    with pytest.raises(SchemaError, match=message):
        store.feature(3, "+")


def test_only_tiles_that_were_read_are_stored(tmp_path, dense):
    windows = [GenomicInterval("chrA", 100, 120, "+"), GenomicInterval("chrB", 0, 3, "+")]
    store = write_features(tmp_path / "f.h5", dense, windows=windows, tile_rows=16)
    with h5py.File(store.path) as file:
        assert file["plus/tiles/row"][:].tolist() == [96, 112]
        assert file["minus/tiles/feature_offset"].shape == (0, 8)
    rows = store.rows(90, 160, "+")
    expected = dense["+"][100:123]
    np.testing.assert_array_equal(rows.value, expected[expected > 0])
    assert len(store.feature(0, "-").row) == 0


def test_store_can_be_pickled(store):
    again = pickle.loads(pickle.dumps(store))
    assert again.header == store.header
    assert len(again.feature(0, "+").row) == len(store.feature(0, "+").row)


def test_file_cut_in_half_or_of_another_kind_is_refused(store, tmp_path):
    half = tmp_path / "half.h5"
    half.write_bytes(store.path.read_bytes()[: store.path.stat().st_size // 2])
    with pytest.raises(SchemaError, match="found a truncated HDF5 file"):
        FeatureStore(half)
    with pytest.raises(SchemaError, match="expected a genointerp::activations file, found geno"):
        ActivationStore(store.path)


def test_index_of_the_wrong_length_is_named(store):
    with h5py.File(store.path, "a") as file:
        del file["plus/tiles/feature_offset"]
        file["plus/tiles/feature_offset"] = np.zeros((1, 3), np.uint32)
    with pytest.raises(SchemaError, match=r"plus/tiles/feature_offset: expected shape \(1, 8\)"):
        FeatureStore(store.path)


@pytest.mark.parametrize("tile_rows", [0, 65537])
def test_a_tile_has_bases_and_no_more_than_its_rows_can_count(tmp_path, tile_rows):
    with pytest.raises(ConfigError, match=f"tile_rows: expected 1 to 65536 .*found {tile_rows}"):
        write_features(tmp_path / "f.h5", dense_features(), tile_rows=tile_rows)


def test_a_compression_that_does_not_exist_is_refused():
    # in a program of its own, where annotations are not executed
    code = (
        "from pathlib import Path\n"
        "from genointerp.store.feature.writer import FeatureWriter\n"
        "FeatureWriter(Path('f.h5'), None, None, compression='lz4')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "compression: expected one of 'none', 'zstd', found 'lz4'" in done.stderr
