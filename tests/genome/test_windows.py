from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from genointerp.core.errors import ConfigError, CoordinateError, SequenceError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.letters import normalise_sequence
from genointerp.genome.windows import spread_stretches, tile_windows, window_sequence

PAIRED = dict(zip("ACGT", "TGCA", strict=True))
texts = st.text("ACGT", min_size=1, max_size=70)
sizes = st.tuples(st.integers(0, 20), st.integers(1, 30))
halos = st.integers(0, 15)
grids = st.sampled_from([1, 1, 3, 6])


def make(texts, *, circular):
    return Genome(
        Contig(f"c{i}", normalise_sequence(text.encode(), where="test"), circular)
        for i, text in enumerate(texts)
    )


@given(st.lists(texts, min_size=1, max_size=3), sizes, halos, grids, st.booleans())
def test_kept_bases_tile_each_strand_of_a_genome_exactly_once(found, size, halo, grid, circular):
    genome = make(found, circular=circular)
    warmup, step = size
    length = warmup + max(step, grid) + halo
    windows = tile_windows(genome, length=length, warmup=warmup, halo=halo, grid=grid)
    kept = Counter(
        (window.kept.seqid, window.kept.strand, base)
        for window in windows
        for base in range(window.kept.start, window.kept.end)
    )
    every = {
        (f"c{i}", s, b) for i, text in enumerate(found) for s in "+-" for b in range(len(text))
    }
    assert kept == dict.fromkeys(every, 1)


@given(texts, sizes, halos, grids, st.booleans())
def test_a_window_reads_what_lies_around_its_kept_bases_in_reading_order(
    text, size, halo, grid, circular
):
    genome = make([text], circular=circular)
    warmup, step = size
    length = warmup + max(step, grid) + halo
    for window in tile_windows(genome, length=length, warmup=warmup, halo=halo, grid=grid):
        read = window_sequence(genome, window).tobytes().decode()
        kept = window.kept
        assert len(read) == window.warmup + kept.length + window.cooldown == window.length
        assert len(read) <= min(length, len(text))
        assert window.cooldown <= halo
        for j, base in enumerate(read):
            i = j - window.warmup
            forward = kept.end - 1 - i if kept.strand == "-" else kept.start + i
            assert circular or 0 <= forward < len(text)
            letter = text[forward % len(text)]
            assert base == (PAIRED[letter] if kept.strand == "-" else letter)


@given(texts, sizes, halos, grids, st.booleans())
def test_as_much_is_read_around_the_kept_bases_as_the_grid_and_the_contig_allow(
    text, size, halo, grid, circular
):
    genome = make([text], circular=circular)
    warmup, step = size
    length = warmup + max(step, grid) + halo
    for window in tile_windows(genome, length=length, warmup=warmup, halo=halo, grid=grid):
        backward = window.kept.strand == "-"
        upstream = len(text) - window.kept.end if backward else window.kept.start
        downstream = len(text) - window.kept.length - upstream
        if circular:
            room = len(text) - window.kept.length
            if room >= warmup + halo:
                assert warmup - grid < window.warmup <= warmup
                assert window.cooldown > halo - grid
            elif grid == 1:
                assert window.warmup + window.cooldown == room
        else:
            assert min(warmup, upstream) - grid < window.warmup <= min(warmup, upstream)
            assert window.cooldown > min(halo, downstream) - grid


@given(texts, sizes, halos, st.integers(2, 6), st.data())
def test_windows_begin_words_of_a_grid_that_is_one_for_a_contig_and_strand(
    text, size, halo, grid, data
):
    start = data.draw(st.integers(0, len(text) - 1))
    region = GenomicInterval("c0", start, data.draw(st.integers(start + 1, len(text))))
    warmup, step = size
    windows = tile_windows(
        make([text], circular=False),
        length=warmup + max(step, grid) + halo,
        warmup=warmup,
        halo=halo,
        grid=grid,
        regions=[region],
    )
    for window in windows:
        backward = window.kept.strand == "-"
        upstream = len(text) - window.kept.end if backward else window.kept.start
        assert (upstream - window.warmup) % grid == 0
        first = window.kept.end == region.end if backward else window.kept.start == region.start
        assert first or upstream % grid == 0
        if window.cooldown >= grid:
            assert window.length % grid == 0


@given(texts, sizes)
def test_the_windows_of_a_strand_are_those_of_the_reverse_complement(text, size):
    other = "".join(PAIRED[base] for base in reversed(text))
    warmup, step = size
    sizes = {"length": warmup + step, "warmup": warmup}
    one, two = make([text], circular=False), make([other], circular=False)
    backward = tile_windows(one, strands=("-",), **sizes)
    forward = tile_windows(two, strands=("+",), **sizes)
    for a, b in zip(backward, forward, strict=True):
        assert np.array_equal(window_sequence(one, a), window_sequence(two, b))
        assert (a.kept.start, a.kept.end) == (len(text) - b.kept.end, len(text) - b.kept.start)


def test_a_window_longer_than_a_circular_contig_reads_no_base_twice():
    genome = make(["ACGTT"], circular=True)
    (window,) = tile_windows(genome, length=100, warmup=50, strands=("+",))
    assert window.warmup == 0
    assert window_sequence(genome, window).tobytes() == b"ACGTT"


def test_the_warmup_of_a_circular_contig_wraps_around_the_origin():
    genome = make(["AACCGGTT"], circular=True)
    plus, *_, minus = tile_windows(
        genome, length=6, warmup=2, regions=[GenomicInterval("c0", 0, 4)], strands=("+", "-")
    )
    assert window_sequence(genome, plus).tobytes() == b"TTAACC"
    assert window_sequence(genome, minus).tobytes() == b"CCGGTT"


def test_a_halo_is_read_behind_the_kept_bases_of_either_strand():
    genome = make(["AACCGGTT"], circular=True)
    plus, minus = tile_windows(
        genome, length=8, warmup=2, halo=2, regions=[GenomicInterval("c0", 4, 8)]
    )
    assert window_sequence(genome, plus).tobytes() == b"CCGGTTAA"
    assert window_sequence(genome, minus).tobytes() == b"TTAACCGG"
    linear = make(["AACCGGTT"], circular=False)
    plus, minus = tile_windows(
        linear, length=8, warmup=2, halo=2, regions=[GenomicInterval("c0", 4, 8)]
    )
    assert (plus.warmup, plus.cooldown) == (2, 0)
    assert (minus.warmup, minus.cooldown) == (0, 2)


def test_what_is_free_of_a_small_circular_contig_is_shared_by_warmup_and_halo():
    genome = make(["ACGTACGTAC"], circular=True)
    (window,) = tile_windows(
        genome, length=24, warmup=12, halo=6, strands=("+",), regions=[GenomicInterval("c0", 0, 4)]
    )
    assert (window.warmup, window.cooldown) == (4, 2)


def test_a_region_that_begins_inside_a_word_is_read_from_the_beginning_of_that_word():
    genome = make(["AACCGGTTAACC"], circular=False)
    first, second = tile_windows(
        genome,
        length=6,
        warmup=0,
        grid=3,
        strands=("+",),
        regions=[GenomicInterval("c0", 4, 12)],
    )
    assert (first.kept.start, first.kept.end, first.warmup) == (4, 9, 1)
    assert (second.kept.start, second.kept.end, second.warmup) == (9, 12, 0)


@pytest.mark.parametrize(
    ("regions", "message"),
    [
        ([GenomicInterval("x", 0, 1)], "x: expected one of c0, found x"),
        ([GenomicInterval("c0", 0, 9)], "c0: expected end <= 8, found end=9"),
        (
            [GenomicInterval("c0", 4, 8), GenomicInterval("c0", 0, 5)],
            "do not overlap, found c0:1-5 and c0:5-8",
        ),
    ],
)
def test_regions_must_exist_and_not_overlap(regions, message):
    with pytest.raises(CoordinateError, match=message):
        tile_windows(make(["AACCGGTT"], circular=False), length=4, warmup=1, regions=regions)


def test_a_window_must_be_longer_than_its_warmup():
    with pytest.raises(ConfigError, match="0 <= warmup < length=5, found 5"):
        tile_windows(make(["ACGT"], circular=False), length=5, warmup=5)
    message = "warmup and halo=2 that leave 6 bases or more of length=12, found 5"
    with pytest.raises(ConfigError, match=message):
        tile_windows(make(["ACGT"], circular=False), length=12, warmup=5, halo=2, grid=6)
    with pytest.raises(ConfigError, match="found -1"):
        tile_windows(make(["ACGT"], circular=False), length=5, warmup=-1)


def test_fetch_reads_the_strand_of_the_interval():
    genome = make(["AACCGGTA"], circular=False)
    assert genome.fetch(GenomicInterval("c0", 5, 8, "-")).tobytes() == b"TAC"
    assert genome.fetch(GenomicInterval("c0", 5, 8)).tobytes() == b"GTA"
    with pytest.raises(CoordinateError, match="end <= 8, found end=9"):
        genome.fetch(GenomicInterval("c0", 5, 9))
    with pytest.raises(CoordinateError, match="one of c0, found 'c1'"):
        genome.fetch(GenomicInterval("c1", 0, 1))


def test_a_genome_without_contigs_is_none():
    with pytest.raises(SequenceError, match="at least one sequence, found none"):
        Genome([])


@example(lengths=[1, 1, 1, 43], share=0.984375, length=4)
@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    share=st.floats(0.01, 1.2),
    length=st.integers(1, 30),
)
def test_a_sample_is_spread_evenly_over_all_regions(lengths, share, length):
    """Against the bases of the regions laid end to end."""
    regions = [GenomicInterval(f"c{i}", 3 * i, 3 * i + n) for i, n in enumerate(lengths)]
    laid = [(r.seqid, base) for r in regions for base in range(r.start, r.end)]
    n_bases = max(1, int(share * len(laid)))
    found = spread_stretches(regions, n_bases=n_bases, length=length)
    bases = [(one.seqid, base) for one in found for base in range(one.start, one.end)]
    assert len(set(bases)) == len(bases) == min(n_bases, len(laid))
    assert set(bases) <= set(laid)
    if n_bases < len(laid):
        assert all(one.length <= length for one in found)
        places = sorted(laid.index(base) for base in bases)
        n = -(-n_bases // length)
        # a stretch in each of as many equal shares
        for i in range(n):
            low, high = i * len(laid) // n, -(-(i + 1) * len(laid) // n)
            assert any(low <= place < high for place in places)
