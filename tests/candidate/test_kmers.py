import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.association.count.tracks import RowTrack
from genointerp.candidate.evidence.kmers import (
    BLOCK,
    OFFSETS,
    UNKNOWN_KMER,
    kmer_auroc,
    kmer_codes,
    make_kmer_backdrop,
)
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.letters import reverse_complement
from genointerp.store.contigs import ContigInfo
from tests.plant import make_store, silence

LENGTH = 4 * BLOCK


@given(st.text("ACGTN", min_size=1, max_size=30))
def test_codes_of_kmers_are_the_numbers_that_they_spell(text):
    found = kmer_codes(np.frombuffer(text.encode(), np.uint8))
    for i in range(len(text)):
        word = text[i : i + 6]
        known = len(word) == 6 and "N" not in word
        expected = sum("ACGTN".index(x) * 4 ** (5 - j) for j, x in enumerate(word))
        assert found[i] == (expected if known else UNKNOWN_KMER)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    sequence = np.random.default_rng(0).choice(np.frombuffer(b"ACGT", np.uint8), LENGTH)
    genome = Genome([Contig("c", sequence)])
    store = make_store(
        tmp_path_factory.mktemp("k") / "f.h5", silence(LENGTH, 1), ContigInfo.of(genome)
    )
    return sequence, make_kmer_backdrop(store, genome)


def tracks_of(plus, minus, value=1.0):
    rows = (np.asarray(plus, np.int64), np.asarray(minus, np.int64))
    return [
        RowTrack(0, strand, row, np.full(len(row), value, np.float32))
        for strand, row in zip("+-", rows, strict=True)
    ]


def ends_of(sequence, word):
    text = sequence.tobytes()
    return [i + len(word) - 1 for i in range(len(text)) if text.startswith(word, i)]


def test_a_detector_of_a_word_is_a_kmer_shortcut_on_both_strands(world):
    sequence, backdrop = world
    plus = ends_of(sequence, b"TATAAT")
    minus = sorted(LENGTH - 1 - i for i in ends_of(reverse_complement(sequence), b"TATAAT"))
    assert plus
    assert minus
    assert kmer_auroc(tracks_of(plus, minus), [backdrop]) == pytest.approx(1.0)


def test_what_fires_regardless_of_letters_is_none(world):
    _, backdrop = world
    draw = np.random.default_rng(1)
    plus, minus = (np.sort(draw.choice(LENGTH, 3000, replace=False)) for _ in range(2))
    assert kmer_auroc(tracks_of(plus, minus), [backdrop]) == pytest.approx(0.5, abs=0.03)


def test_the_auroc_equals_that_of_a_loop_over_bases(world):
    sequence, backdrop = world
    draw = np.random.default_rng(2)
    # fires behind A, mostly
    rows = np.flatnonzero((np.roll(sequence, 3) == ord("A")) & (draw.random(LENGTH) < 0.3))
    value = draw.uniform(0.5, 2, len(rows)).astype(np.float32)
    tracks = [RowTrack(0, "+", rows, value), *tracks_of([], [])[1:]]
    dense = np.zeros((2, LENGTH))
    dense[0, rows] = value
    text = sequence.tobytes()
    back = reverse_complement(sequence).tobytes()
    best = (-1.0, 0.0)
    for offset in OFFSETS:
        kmers = [[], []]
        for i in range(LENGTH):
            for strand, read, place in ((0, text, i), (1, back, LENGTH - 1 - i)):
                first = place + offset
                word = read[first : first + 6] if first >= 0 else b""
                kmers[strand].append(word if len(word) == 6 else b"")
        fit = np.arange(LENGTH) // BLOCK % 2 == 0
        sums, counts = {}, {}
        for strand in (0, 1):
            for i in np.flatnonzero(fit):
                word = kmers[strand][i]
                sums[word] = sums.get(word, 0.0) + dense[strand, i]
                counts[word] = counts.get(word, 0) + 1
        score = np.array(
            [[sums.get(w, 0.0) / counts.get(w, 1) for w in kmers[strand]] for strand in (0, 1)]
        )
        aurocs = []
        for half in (fit, ~fit):
            s, y = score[:, half].ravel(), (dense[:, half] > 0).ravel()
            rank = np.unique(s, return_inverse=True)[1]
            order = np.bincount(rank)
            mean_rank = np.cumsum(order) - (order - 1) / 2
            n = y.sum()
            area = (mean_rank[rank][y].sum() - n * (n + 1) / 2) / (n * (len(y) - n))
            aurocs.append(area)
        best = max(best, tuple(aurocs))
    assert kmer_auroc(tracks, [backdrop]) == pytest.approx(best[1], abs=1e-9)
