import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.core.errors import ConfigError, InputError, MismatchError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.windows import tile_windows
from genointerp.sae.config import TrainConfig
from genointerp.sae.data import Position, batches
from genointerp.sae.source import ActivationSource
from genointerp.store.activation import shards as activation_shards
from genointerp.store.activation.blocks import window_blocks
from genointerp.store.activation.reading import ReadingConfig, StoreSource
from genointerp.store.activation.store import ActivationStore
from genointerp.store.contigs import ContigInfo
from tests.stores import (
    activation_header,
    word_lengths,
    write_activations,
    write_words,
)

PLAIN = ReadingConfig(skip_first=0)


def numbered(first):
    return (first + np.arange(320, dtype=np.float32))[:, None] * np.ones((1, 2), np.float32)


@pytest.fixture
def stores(tmp_path):
    found = [
        write_activations(
            tmp_path / f"{first}.h5",
            numbered(first),
            header=activation_header(2, genome_sha256=str(first) * 8),
        )
        for first in (0, 320)
    ]
    for store in found:
        # smaller pieces than the file has chunks, so that the order can be seen
        store.chunk_rows = 16
    return found


def rows_of(source, seed=0, epoch=0, start=0):
    return list(source.chunks(seed, epoch, eval_share=0.1, start=start))


def test_stores_are_a_source_of_activations(stores):
    assert isinstance(StoreSource(stores), ActivationSource)


@pytest.mark.parametrize("buffer_rows", [1, 50, 10_000])
def test_every_row_comes_once_whether_to_train_on_or_held_out(stores, buffer_rows):
    source = StoreSource(stores, ReadingConfig(skip_first=0, buffer_rows=buffer_rows))
    blocks = rows_of(source)
    held_out = np.concatenate(list(source.held_out(0, eval_share=0.1)))
    assert (source.d_in, source.widths, source.n_rows) == (2, (2,), 640)
    fit = np.concatenate(blocks)[:, 0].tolist()
    assert sorted(fit + held_out[:, 0].tolist()) == list(range(640))
    # no more than asked for, but for a piece of the file
    assert max(map(len, blocks)) <= buffer_rows + 15
    assert len(blocks) == -(-len(fit) // buffer_rows) or buffer_rows == 1


def test_held_out_blocks_are_whole_windows_on_both_strands_of_a_place(stores):
    source = StoreSource(stores, PLAIN)
    held_out = set(np.concatenate(list(source.held_out(0, eval_share=0.1)))[:, 0].astype(int))
    places = set()
    for number, store in enumerate(stores):
        for window, first in zip(store.windows, store.window_offset, strict=False):
            rows = set(range(320 * number + first, 320 * number + first + window.length))
            assert rows <= held_out or not rows & held_out
            if rows <= held_out:
                places.add((number, window.seqid, window.start, window.strand))
    assert places == {(*place, strand) for *place, _ in places for strand in "+-"}
    # 14 places in both genomes together
    assert len(places) == 2


def test_a_place_is_held_out_in_every_store_of_one_genome(tmp_path):
    stores = [write_activations(tmp_path / f"{n}.h5", numbered(320 * n)) for n in range(2)]
    source = StoreSource(stores, PLAIN)
    held_out = np.concatenate(list(source.held_out(0, eval_share=0.2)))[:, 0]
    assert sorted(held_out[held_out < 320]) == sorted(held_out[held_out >= 320] - 320)


def bases_of(stores):
    """Genome, contig and base of each row, whatever the strand."""
    return [
        (store.header.genome_sha256, window.seqid, base)
        for store in stores
        for window in store.windows
        for base in (
            range(window.start, window.end)
            if window.strand == "+"
            else reversed(range(window.start, window.end))
        )
    ]


def read_backwards(folder, lengths, step, name="a", **changes):
    """A store of numbered rows, its windows cut as a model reads them: from either strand's end."""
    contigs = [Contig(f"c{n}", np.full(n, ord("A"), np.uint8)) for n in lengths]
    windows = tile_windows(Genome(contigs), length=step, warmup=0)
    infos = tuple(ContigInfo(f"c{n}", n, circular=False) for n in lengths)
    kept = tuple(window.kept for window in windows)
    header = activation_header(2, contigs=infos, **changes)
    x = np.arange(2 * sum(lengths), dtype=np.float32)[:, None] * np.ones((1, 2), np.float32)
    return write_activations(folder / f"{name}.h5", x, windows=kept, header=header)


@settings(max_examples=5)
@given(
    st.lists(st.integers(30, 150), min_size=1, max_size=3, unique=True),
    st.integers(5, 14),
    st.integers(0, 3),
    st.sampled_from([0.05, 0.1, 0.4]),
)
def test_no_base_is_held_out_on_one_strand_and_trained_on_through_the_other(
    tmp_path_factory, lengths, step, seed, share
):
    folder = tmp_path_factory.mktemp("strands")
    stores = [
        read_backwards(folder, lengths, step),
        # the same genome in windows of another length, and another genome
        read_backwards(folder, lengths, step + 3, "b"),
        read_backwards(folder, lengths, step, "c", genome_sha256="h" * 64),
    ]
    source, n_rows = StoreSource(stores, PLAIN), 2 * sum(lengths)
    # rows are numbered in each store by itself; stores are told apart by where their rows begin
    for number, store in enumerate(stores):
        read = store.rows
        store.rows = lambda *a, read=read, first=number * n_rows: read(*a) + np.float32(first)
    bases = bases_of(stores)

    def rows(chunks):
        return {int(row) for chunk in chunks for row in chunk[:, 0]}

    held_out = rows(source.held_out(seed, eval_share=share))
    fit = rows(source.chunks(seed, 0, eval_share=share))
    assert held_out
    assert not {bases[row] for row in held_out} & {bases[row] for row in fit}
    assert rows(source.stretches(seed, eval_share=share)) == fit
    # and nothing else is left out: a window is lost for a base that it shares with a held-out one
    taken, first = {bases[row] for row in held_out}, 0
    for store in stores:
        for window in store.windows:
            own = set(range(first, first := first + window.length))
            assert (own <= fit) == (not {bases[row] for row in own} & taken)


def test_order_depends_on_seed_and_epoch_alone(stores):
    def order(seed, epoch):
        return np.concatenate(rows_of(StoreSource(stores, PLAIN), seed, epoch))[:, 0].tolist()

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert sorted(order(0, 0)) == sorted(order(0, 1))
    assert order(0, 0) != order(1, 0)


def test_blocks_mix_rows_of_both_stores(stores):
    source = StoreSource(stores, ReadingConfig(skip_first=0, buffer_rows=200))
    block = rows_of(source)[0][:, 0]
    assert 0.1 < np.mean(block < 320) < 0.9
    assert np.mean(np.diff(block) == 1) < 0.1


@pytest.mark.parametrize("start", [1, 3, 7])
def test_a_chunk_is_the_same_whether_those_before_it_were_read(stores, start, monkeypatch):
    source = StoreSource(stores, ReadingConfig(skip_first=3, buffer_rows=60))
    whole = rows_of(source)
    n_read, read = [], ActivationStore.rows
    monkeypatch.setattr(ActivationStore, "rows", lambda *a: n_read.append(1) or read(*a))
    rest = rows_of(source, start=start)
    assert len(rest) == len(whole) - start
    for expected, found in zip(whole[start:], rest, strict=True):
        np.testing.assert_array_equal(found, expected)
    # what came before was not read
    assert len(n_read) <= 40 * len(rest) / len(whole) + 1


@settings(max_examples=10)
@given(st.integers(0, 30), st.integers(16, 70), st.integers(0, 3))
def test_the_first_rows_of_windows_are_left_out_and_counted(tmp_path_factory, skip, size, seed):
    path = tmp_path_factory.mktemp("reading") / "a.h5"
    store = write_activations(path, numbered(0))
    store.chunk_rows = size
    naive = {
        first + j
        for first, window in zip(store.window_offset, store.windows, strict=False)
        for j in range(skip, window.length)
    }
    source = StoreSource([store], ReadingConfig(skip_first=skip, buffer_rows=100))
    found = [*rows_of(source, seed), *source.held_out(seed, eval_share=0.1)]
    assert sorted(np.concatenate([*found, np.empty((0, 2))])[:, 0].tolist()) == sorted(naive)
    assert (source.n_rows, source.n_skipped) == (len(naive), 320 - len(naive))


def test_memory_is_three_buffers_whatever_the_size_of_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(activation_shards, "CHUNK_BYTES", 100 * 64 * 2)
    header = activation_header(64, contigs=(ContigInfo("c", 80_000, circular=False),))
    windows = tuple(GenomicInterval("c", at, at + 400, "+") for at in range(0, 80_000, 400))
    x = np.ones((80_000, 64), np.float32)
    store = write_activations(tmp_path / "a.h5", x, windows=windows, header=header)
    assert store.chunk_rows == 100
    source = StoreSource([store], ReadingConfig(buffer_rows=2000))
    del x
    tracemalloc.start()
    stream = batches(source, TrainConfig(n_tokens=128, batch_tokens=128), Position())
    for _ in range(200):
        next(stream)
    stream.close()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    buffer = 2000 * 64 * 4
    assert 2 * buffer < peak < 3.5 * buffer < 80_000 * 64 * 4 / 10


def test_rows_of_words_are_read_as_those_of_bases(tmp_path):
    store = write_words(tmp_path / "words.h5")
    source = StoreSource([store], ReadingConfig(skip_first=2))
    found = [*rows_of(source), *source.held_out(0, eval_share=0.1)]
    lengths = [len(word_lengths(window.length)) for window in store.windows]
    assert sum(map(len, found)) == sum(length - 2 for length in lengths) == source.n_rows


def test_blocks_are_of_the_stated_bases_where_there_are_enough():
    windows = [GenomicInterval("c", at, at + 100, s) for s in "+-" for at in range(0, 10_000, 100)]
    found = window_blocks([("g", windows)], 400)
    assert found.n == 25
    expected = [at // 400 for _ in "+-" for at in range(0, 10_000, 100)]
    assert found.of_windows[0].tolist() == expected
    # 20 blocks at least, where there are so many windows
    assert window_blocks([("g", windows)], 10_000).n == 20


def test_two_contigs_share_no_block():
    windows = [GenomicInterval(name, 0, 100, "+") for name in "ab"]
    assert window_blocks([("g", windows)], 10_000).n == 2
    assert window_blocks([("g", windows[:1]), ("h", windows[:1])], 10_000).n == 2


def test_a_single_window_cannot_be_divided(tmp_path):
    windows = (GenomicInterval("chrA", 0, 30, "+"), GenomicInterval("chrA", 0, 30, "-"))
    store = write_activations(tmp_path / "a.h5", numbered(0)[:60], windows=windows)
    with pytest.raises(InputError, match="activations: expected two blocks at least"):
        rows_of(StoreSource([store]))


def test_stores_of_different_sites_are_refused(tmp_path, stores):
    other = write_activations(
        tmp_path / "other.h5", numbered(0), header=activation_header(2, site="blocks.9")
    )
    with pytest.raises(MismatchError, match=r"other\.h5: expected site blocks\.1 as in .*0\.h5"):
        StoreSource([*stores, other])


def test_stores_of_different_widths_are_refused(tmp_path, stores):
    x = np.ones((320, 3), np.float32)
    other = write_activations(tmp_path / "other.h5", x, header=activation_header(3))
    with pytest.raises(MismatchError, match=r"other\.h5: expected width 2 as in .*0\.h5, found"):
        StoreSource([*stores, other])


def test_no_store_is_refused():
    with pytest.raises(InputError, match="expected at least one store, found none"):
        StoreSource([])


@pytest.mark.parametrize(("name", "value"), [("skip_first", -1), ("block_bp", 0)])
def test_a_setting_out_of_range_is_named(name, value):
    with pytest.raises(ConfigError, match=rf"{name}: expected . or more, found {value}"):
        ReadingConfig(**{name: value})


def test_stretches_are_the_rows_to_train_on_of_each_window_in_order(stores):
    source = StoreSource(stores, ReadingConfig(skip_first=3, buffer_rows=15))
    stretches = [rows[:, 0].tolist() for rows in source.stretches(0, eval_share=0.1)]
    # windows of 25, 20 and 15 bases, the first three left out, cut at 15 rows
    assert {len(rows) for rows in stretches} == {15, 7, 2, 12}
    assert all(np.diff(rows).tolist() == [1] * (len(rows) - 1) for rows in stretches)
    wanted = np.concatenate(rows_of(source))[:, 0].tolist()
    assert sorted(value for rows in stretches for value in rows) == sorted(wanted)
    assert stretches != sorted(stretches)
