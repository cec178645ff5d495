import json
import pickle
import shutil

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.errors import CoordinateError, InputError, MismatchError, SchemaError
from genointerp.genome.interval import GenomicInterval
from genointerp.store.activation.shards import ActivationShards
from genointerp.store.activation.store import ActivationStore, decode_values, encode_values
from tests.stores import (
    PROVENANCE,
    activation_header,
    windows_of,
    word_lengths,
    write_activations,
    write_words,
)


def rows_of(d_in=4, seed=0):
    return np.random.default_rng(seed).normal(size=(320, d_in)).astype(np.float32)


@pytest.fixture
def store(tmp_path):
    return write_activations(tmp_path / "a.h5", rows_of(), shard_tokens=60)


def contents(path):
    with h5py.File(path) as file:
        found = {}
        file.visititems(
            lambda name, item: (
                found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
            )
        )
        return found


def test_windows_come_back_in_the_order_in_which_they_were_read(store):
    x = rows_of()
    assert store.windows == windows_of()
    assert (store.n_windows, store.n_tokens, store.d_in) == (14, 320, 4)
    np.testing.assert_allclose(store.window(1), x[25:50], atol=2e-3)
    assert store.window(13).shape == (15, 4)


def test_store_can_be_pickled(store):
    again = pickle.loads(pickle.dumps(store))
    np.testing.assert_array_equal(again.rows(3, 9), store.rows(3, 9))


def test_shards_are_gone_when_the_file_is_there(store):
    assert [path.name for path in store.path.parent.iterdir()] == ["a.h5"]


def test_writer_that_was_stopped_leaves_the_same_data_as_one_that_was_not(tmp_path, store):
    x, path = rows_of(), tmp_path / "b" / "a.h5"
    offsets = store.window_offset
    for stops_after in (0, 1, 3, 100):
        shards = ActivationShards(path, store.header, windows_of(), PROVENANCE, shard_tokens=60)
        for shard in reversed(shards.pending()[-stops_after:] if stops_after else []):
            numbers = shards.shard_windows(shard)
            shards.write_shard(shard, x[offsets[numbers.start] : offsets[numbers.stop]])
    shards.finish()
    first, second = contents(store.path), contents(path)
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_half_written_shard_is_pending_again(tmp_path):
    shards = ActivationShards(
        tmp_path / "a.h5", activation_header(), windows_of(), PROVENANCE, shard_tokens=60
    )
    n = shards.n_shards
    shards.write_shard(0, rows_of()[:50])
    assert shards.pending() == list(range(1, n))
    half = shards.folder / "shard-000000.bin"
    half.write_bytes(half.read_bytes()[:-1])
    assert shards.pending() == list(range(n))
    with pytest.raises(InputError, match=r"expected \d+ shards, found 0 missing"):
        shards.finish()


def test_a_base_is_where_its_row_says(store):
    assert not store.has_words
    assert store.n_bases == 320
    for number, window in enumerate(store.windows):
        first, last = store.window_offset[number : number + 2].tolist()
        bases = store.token_bases(first, last)
        forward = list(range(window.start, window.end))
        assert bases.start.tolist() == (forward[::-1] if window.strand == "-" else forward)
        assert (bases.end - bases.start == 1).all()
    middle, whole = store.token_bases(40, 130), store.token_bases(0, 320)
    np.testing.assert_array_equal(middle.start, whole.start[40:130])


@pytest.mark.parametrize("shard_tokens", [1, 60, 1000], ids="shards-of-{}".format)
def test_the_bases_of_words_come_back_in_the_order_in_which_they_were_read(tmp_path, shard_tokens):
    store = write_words(tmp_path / "a.h5", shard_tokens=shard_tokens)
    assert store.has_words
    assert store.n_bases == 320
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]
    for number, window in enumerate(store.windows):
        first, last = store.window_offset[number : number + 2].tolist()
        lengths = word_lengths(window.length)
        assert last - first == len(lengths)
        assert store.window(number)[:, 0].tolist() == list(range(first, last))
        ends = np.cumsum(lengths)
        bases = store.token_bases(first, last)
        if window.strand == "-":
            assert bases.end.tolist() == (window.end - ends + lengths).tolist()
            assert bases.start.tolist() == (window.end - ends).tolist()
        else:
            assert bases.start.tolist() == (window.start + ends - lengths).tolist()
            assert bases.end.tolist() == (window.start + ends).tolist()


def test_words_written_in_pieces_of_any_size_are_the_same(tmp_path):
    whole = write_words(tmp_path / "a.h5")
    windows, x = windows_of(), whole.rows(0, whole.n_tokens)
    lengths = np.array([n for it in windows for n in word_lengths(it.length)], np.int64)
    shards = ActivationShards(
        tmp_path / "b.h5", whole.header, windows, PROVENANCE, shard_tokens=100, words=True
    )
    done = 0
    for shard in range(shards.n_shards):
        n_rows = sum(len(word_lengths(windows[i].length)) for i in shards.shard_windows(shard))
        with shards.open_shard(shard) as writer:
            for size in (1, 0, 4, n_rows - 5):
                writer.add(x[done : done + size], lengths[done : done + size])
                done += size
    first, second = contents(whole.path), contents(shards.finish().path)
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_a_shard_whose_rows_were_named_and_whose_words_are_gone_is_pending_again(tmp_path):
    shards = ActivationShards(
        tmp_path / "a.h5", activation_header(), windows_of()[:1], PROVENANCE, words=True
    )
    lengths = np.array(word_lengths(25), np.int64)
    assert shards.pending() == [0]
    shards.write_shard(0, rows_of()[:9], lengths)
    assert shards.pending() == []
    (shards.folder / "shard-000000.words").unlink()
    assert shards.pending() == [0]


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        pytest.param([20, 7, 23], "of which one ends where the window ends", id="edge"),
        pytest.param([25, 0, 25], "of which one ends where the window ends", id="none"),
        pytest.param([20, 5, 24], "rows of 50 bases, 4 wide, found rows of 49 bases", id="short"),
        pytest.param([25, 25, 1], "rows of 50 bases, 4 wide, found rows of 51 bases", id="long"),
        pytest.param(None, "shard 0: expected the bases of each row, found none", id="absent"),
    ],
)
def test_words_that_do_not_tile_their_windows_are_refused(tmp_path, lengths, message):
    windows = windows_of()[:2]
    shards = ActivationShards(
        tmp_path / "a.h5", activation_header(), windows, PROVENANCE, words=True
    )
    given = None if lengths is None else np.array(lengths, np.int64)
    with pytest.raises(InputError, match=message):
        shards.write_shard(0, rows_of()[:3], given)
    assert shards.pending() == [0]


@pytest.mark.parametrize(
    ("n_rows", "width", "message"),
    [
        pytest.param(24, 4, "expected rows of 25 bases, 4 wide, found rows of 24", id="short"),
        pytest.param(25, 5, r"rows of 4 values of float16, found shape \(25, 5\)", id="wide"),
    ],
)
def test_rows_that_are_not_those_of_a_shard_are_refused(tmp_path, n_rows, width, message):
    shards = ActivationShards(tmp_path / "a.h5", activation_header(), windows_of()[:1], PROVENANCE)
    with pytest.raises(InputError, match=message):
        shards.write_shard(0, rows_of(width)[:n_rows])
    lengths = np.ones(25, np.int64)
    with pytest.raises(InputError, match="expected a row for each base, found words"):
        shards.write_shard(0, rows_of()[:25], lengths)
    assert shards.pending() == [0]
    assert [path.name for path in shards.folder.iterdir()] == ["manifest.json"]


def test_a_window_longer_than_a_shard_is_merged_in_pieces(tmp_path):
    windows = [GenomicInterval("chrA", 0, 120, "+"), GenomicInterval("chrA", 0, 7, "-")]
    x = rows_of()[:127]
    store = write_activations(tmp_path / "a.h5", x, windows=windows, shard_tokens=10)
    np.testing.assert_array_equal(store.rows(0, 127), x.astype(np.float16).astype(np.float32))


def test_damaged_words_are_refused(tmp_path):
    store = write_words(tmp_path / "a.h5")
    with h5py.File(store.path, "a") as file:
        file["tokens/end"][7] = file["tokens/start"][7]
    with pytest.raises(SchemaError, match="tokens: row 7: expected start < end, found another"):
        ActivationStore(store.path).token_bases(0, 9)
    with h5py.File(store.path, "a") as file:
        del file["tokens/end"]
        file["tokens/end"] = np.zeros(3, np.int64)
    with pytest.raises(SchemaError, match=r"tokens/end: expected shape \(\d+,\), found \(3,\)"):
        ActivationStore(store.path)
    with h5py.File(store.path, "a") as file:
        file["index/window_offset"][1] = 26
    with pytest.raises(SchemaError, match="window_offset: expected 1 row or more for each window"):
        ActivationStore(store.path)
    with h5py.File(store.path, "a") as file:
        del file["tokens"]
    with pytest.raises(SchemaError, match="window_offset: expected running sum"):
        ActivationStore(store.path)


def test_resumed_run_keeps_the_shard_size_of_the_first(tmp_path):
    def shards(size):
        return ActivationShards(
            tmp_path / "a.h5", activation_header(), windows_of(), PROVENANCE, shard_tokens=size
        )

    assert shards(60).n_shards == shards(1000).n_shards == 7


@pytest.mark.parametrize(
    ("least_windows", "expected"), [(1, [1] * 14), (2, [2] * 7), (3, [3, 3, 3, 3, 2]), (20, [14])]
)
def test_a_shard_holds_the_least_number_of_windows_however_wide_they_are(
    tmp_path, monkeypatch, least_windows, expected
):
    monkeypatch.setattr("genointerp.store.activation.shards.SHARD_BYTES", 2 * 4 * 30)
    windows = [GenomicInterval("chrA", start, start + 20, "+") for start in range(14)]
    x = np.arange(14 * 20 * 4, dtype=np.float32).reshape(-1, 4)
    options = {"windows": windows, "least_windows": least_windows}
    shards = ActivationShards(
        tmp_path / "b.h5", activation_header(), windows, PROVENANCE, least_windows=least_windows
    )
    assert [len(shards.shard_windows(shard)) for shard in shards.pending()] == expected
    # merged in smaller blocks than a shard
    store = write_activations(tmp_path / "a.h5", x, **options)
    np.testing.assert_array_equal(store.rows(0, store.n_tokens), x)


def test_a_shard_of_many_windows_is_no_larger_for_a_least_number(tmp_path):
    def size(least_windows):
        path, header = tmp_path / f"{least_windows}.h5", activation_header(d_in=128)
        shards = ActivationShards(
            path, header, windows_of(), PROVENANCE, least_windows=least_windows
        )
        return shards.shard_tokens

    assert size(1) == size(4) == 2**18


def test_stored_rows_of_another_encoding_are_refused(tmp_path):
    header = activation_header(encoding="bfloat16")
    shards = ActivationShards(tmp_path / "a.h5", header, windows_of()[:1], PROVENANCE)
    raw = np.zeros((25, 4), np.float16)
    with (
        pytest.raises(InputError, match=r"rows of 4 values of uint16, found .* of float16"),
        shards.open_shard(0) as writer,
    ):
        writer.add_stored(raw)
    assert shards.pending() == [0]


def test_shards_of_another_run_are_refused_and_kept(tmp_path):
    path = tmp_path / "a.h5"
    ActivationShards(path, activation_header(), windows_of(), PROVENANCE)
    with pytest.raises(MismatchError, match="--force starts anew"):
        ActivationShards(path, activation_header(site="blocks.2"), windows_of(), PROVENANCE)
    assert (tmp_path / "a.h5.shards" / "manifest.json").exists()


def test_damaged_manifest_is_a_schema_error(tmp_path):
    shards = ActivationShards(tmp_path / "a.h5", activation_header(), windows_of(), PROVENANCE)
    for text, expected in (("{", "JSON"), ("{}", "a manifest of shards"), ("[]", "a JSON object")):
        (shards.folder / "manifest.json").write_text(text)
        with pytest.raises(SchemaError, match=f"expected {expected}"):
            ActivationShards(tmp_path / "a.h5", activation_header(), windows_of(), PROVENANCE)


def test_window_outside_its_contig_is_refused(tmp_path):
    windows = [GenomicInterval("chrB", 30, 41, "+")]
    with pytest.raises(CoordinateError, match=r"chrB: expected end <= 40, found end=41"):
        ActivationShards(tmp_path / "a.h5", activation_header(), windows, PROVENANCE)


def test_store_without_windows_is_empty(tmp_path):
    store = write_activations(tmp_path / "a.h5", np.zeros((0, 4), np.float32), windows=())
    assert (store.n_tokens, store.n_windows) == (0, 0)
    assert store.rows(0, 0).shape == (0, 4)


def test_header_carries_provenance_and_manifest(store):
    with h5py.File(store.path) as file:
        assert json.loads(file.attrs["provenance"])["config"] == {"k": 1}
        assert file.attrs["format"] == "genointerp::activations"
    assert len(store.manifest_sha256) == 64


def test_chunks_are_about_one_mebibyte(tmp_path):
    windows = [GenomicInterval("chrA", 0, 120, "+")]
    x = np.zeros((120, 40_000), np.float32)
    assert write_activations(tmp_path / "a.h5", x, windows=windows).chunk_rows == 13


@pytest.mark.parametrize("cut", [0.0, 0.1, 0.5, 0.99], ids="cut-at-{}".format)
def test_file_cut_short_is_refused_in_one_line(store, tmp_path, cut):
    data = store.path.read_bytes()
    half = tmp_path / "half.h5"
    half.write_bytes(data[: int(len(data) * cut)])
    with pytest.raises(SchemaError, match=r"half\.h5: expected a genointerp::activations") as info:
        ActivationStore(half)
    assert "\n" not in str(info.value)


def test_files_of_other_kinds_are_named(store, tmp_path):
    other = tmp_path / "other.h5"
    other.write_text(">chrA\nACGT\n" * 200)
    with pytest.raises(SchemaError, match="found no HDF5 file"):
        ActivationStore(other)
    with h5py.File(other, "w") as file:
        file["x"] = 1
    with pytest.raises(SchemaError, match="found an HDF5 file without a format"):
        ActivationStore(other)
    shutil.copy(store.path, other)
    with h5py.File(other, "a") as file:
        file.attrs["format"] = "genointerp::features"
    with pytest.raises(SchemaError, match="found genointerp::features"):
        ActivationStore(other)
    with pytest.raises(SchemaError, match="found no file"):
        ActivationStore(tmp_path / "absent.h5")


def test_a_damaged_value_names_file_and_row(store):
    with h5py.File(store.path, "a") as file:
        file["activations"][7, 2] = np.nan
    with pytest.raises(SchemaError, match=r"\.h5: activations: row 7: expected finite values"):
        ActivationStore(store.path).rows(5, 9)


def test_newer_version_and_missing_parts_are_refused(store):
    with h5py.File(store.path, "a") as file:
        file.attrs["format-version"] = 3
    with pytest.raises(SchemaError, match="expected genointerp::activations version 1 to 2, found"):
        ActivationStore(store.path)
    with h5py.File(store.path, "a") as file:
        file.attrs["format-version"] = 2
        del file["index/window_offset"]
    with pytest.raises(SchemaError, match="window_offset"):
        ActivationStore(store.path)


def test_missing_attribute_is_named(store):
    with h5py.File(store.path, "a") as file:
        del file.attrs["site"]
    with pytest.raises(SchemaError, match="attribute 'site': expected a text, found none"):
        ActivationStore(store.path)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 70000.0])
def test_value_that_float16_cannot_hold_is_refused(bad):
    x = np.zeros((3, 2), np.float32)
    x[2, 1] = bad
    with pytest.raises(InputError, match=r"activations\[2, 1\]: expected finite values"):
        encode_values(x, "float16")


@pytest.mark.parametrize("bad", [np.nan, np.inf, np.float32(3.4e38)])
def test_value_that_bfloat16_cannot_hold_is_refused(bad):
    x = np.full((1, 1), bad, np.float32)
    with pytest.raises(InputError, match="within the range of bfloat16"):
        encode_values(x, "bfloat16")


@pytest.mark.parametrize("bits", [0x7FFFFFFF, 0xFFFFFFFF, 0x7F800001])
@pytest.mark.parametrize("encoding", ["float16", "bfloat16"])
def test_no_nan_is_stored_whatever_its_bits(encoding, bits):
    x = np.array([[0, bits]], np.uint32).view(np.float32)
    with pytest.raises(InputError, match=r"activations\[0, 1\]: expected finite .*, found nan"):
        encode_values(x, encoding)


@given(st.floats(-(2.0**127), 2.0**127, width=32))
def test_bfloat16_is_the_nearest_number_as_torch_rounds_it(value):
    torch = pytest.importorskip("torch")
    x = np.full((1, 1), value, np.float32)
    expected = torch.from_numpy(x).to(torch.bfloat16).to(torch.float32).numpy()
    np.testing.assert_array_equal(decode_values(encode_values(x, "bfloat16"), "bfloat16"), expected)


def test_every_float16_is_decoded_as_numpy_has_it():
    raw = np.arange(1 << 16, dtype=np.uint16).view(np.float16).reshape(-1, 64)
    finite = raw[np.isfinite(raw).all(axis=1)]
    assert finite.size == (1 << 16) - 2 * 1024
    for values in (finite, raw):
        found, expected = decode_values(values, "float16"), values.astype(np.float32)
        np.testing.assert_array_equal(found.view(np.uint32), expected.view(np.uint32))
