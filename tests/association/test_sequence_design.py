import numpy as np
import pytest

from genointerp.association.baseline import sequence_design
from genointerp.association.baseline.sequence_design import (
    N_KMERS,
    OPEN_CODONS,
    REACH,
    SCALE,
    K,
    describe,
    sequence_blocks,
)
from genointerp.association.count.universe import make_universe
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.letters import reverse_complement
from genointerp.store.contigs import ContigInfo
from tests.plant import make_store, silence

N_NEAR = 4 * (2 * REACH + 1)
GC, PERIODS, OPEN, LONGEST = N_NEAR, N_NEAR + 2, N_NEAR + 14, N_NEAR + 20
PAIR = {"A": "T", "C": "G", "G": "C", "T": "A", "N": "N"}


def contig_of(text, *, circular=False):
    return Contig("x", np.frombuffer(text.encode(), np.uint8), circular)


def random_text(n, seed=0, letters="ACGT"):
    return "".join(np.random.default_rng(seed).choice(list(letters), n))


def naive(text, i, *, circular):
    """All columns of base i but for 6-mers, by looking at letters."""
    n = len(text)

    def at(j):
        if circular:
            return text[j % n]
        return text[j] if 0 <= j < n else "N"

    near = [float(at(i + d) == b) for d in range(-REACH, REACH + 1) for b in "ACGT"]
    gc = []
    for window in (101, 1001):
        around = [at(j) for j in range(i - window // 2, i + window // 2 + 1)]
        known = [b for b in around if b in "ACGT"]
        gc.append(sum(b in "CG" for b in known) / len(known))
    periods = [
        sum(at(i + shift + 3 * m) == b for m in range(-16, 17)) / 33
        for b in "ACGT"
        for shift in (-1, 0, 1)
    ]
    lengths = []
    for stops in (("TAA", "TAG", "TGA"), ("TTA", "CTA", "TCA")):
        for frame in range(3):

            def is_open(p, stops=stops):
                codon = at(p) + at(p + 1) + at(p + 2)
                return "N" not in codon and codon not in stops

            here = i - frame
            length = int(is_open(here))
            for step in (3, -3):
                p = here + step
                while length and is_open(p) and abs(p - here) <= 3 * OPEN_CODONS:
                    length, p = length + 1, p + step
            lengths.append(length)
    longest = [float(max(lengths) > 0 and k == int(np.argmax(lengths))) for k in range(6)]
    return near + gc + periods + [float(np.log2(1 + length)) for length in lengths] + longest


@pytest.mark.parametrize("circular", [False, True], ids=["linear", "circular"])
@pytest.mark.parametrize("letters", ["ACGT", "ACGTN", "ACG"], ids=["plain", "unknown", "open"])
def test_columns_are_those_of_a_naive_reader(circular, letters):
    text = random_text(1300, letters=letters)
    found = describe(contig_of(text, circular=circular), 0, 1300, "+").columns
    for i in (0, 1, 2, 650, 777, 1298, 1299):
        np.testing.assert_allclose(found[i], naive(text, i, circular=circular), rtol=1e-5)


def test_the_other_strand_is_the_reverse_complement_in_its_reading_order():
    text = random_text(400, seed=1)
    back = describe(contig_of(text), 100, 180, "-")
    turned = "".join(PAIR[b] for b in reversed(text))
    ahead = describe(contig_of(turned), 220, 300, "+")
    np.testing.assert_array_equal(back.columns, ahead.columns)
    np.testing.assert_array_equal(back.kmer, ahead.kmer)


def test_a_part_is_described_as_the_whole_is():
    contig = contig_of(random_text(5000, seed=2, letters="ACG"))
    whole, part = describe(contig, 0, 5000, "+"), describe(contig, 2000, 2100, "+")
    np.testing.assert_array_equal(whole.columns[2000:2100], part.columns)
    np.testing.assert_array_equal(whole.kmer[2000:2105], part.kmer)


def test_open_codons_have_an_end():
    contig = contig_of("C" * 6000)
    columns = describe(contig, 3000, 3001, "+").columns[0]
    assert columns[OPEN : OPEN + 6] == pytest.approx(np.log2(2 + 2 * OPEN_CODONS))
    # of equals the first
    assert columns[LONGEST : LONGEST + 6].tolist() == [1, 0, 0, 0, 0, 0]


def test_frames_are_told_apart_by_hand():
    # ATG CCC TAA: the middle codon is open in its frame, the last is a stop
    text = "TAA" + "ATGCCC" + "TAA"
    columns = describe(contig_of(text), 0, 12, "+").columns
    # base 6 begins a codon of two that are open; base 7 is the second base of that codon
    assert columns[6, OPEN] == pytest.approx(np.log2(3))
    assert columns[7, OPEN + 1] == pytest.approx(np.log2(3))
    assert columns[9, OPEN] == 0


def test_counts_of_6mers_are_those_that_cover_the_base():
    text = "ACGTNACGTACGT"
    rows = describe(contig_of(text), 0, len(text), "+")
    found = rows.counts(np.arange(len(text))).toarray() / SCALE
    for i in range(len(text)):
        wanted = np.zeros(N_KMERS)
        for first in range(i - K + 1, i + 1):
            word = text[max(first, 0) : first + K]
            if first >= 0 and len(word) == K and "N" not in word:
                wanted[int("".join(str("ACGT".index(b)) for b in word), 4)] += 1
        np.testing.assert_allclose(found[i], wanted, rtol=1e-6)


def test_weighted_counts_are_the_product_with_the_counts():
    rows = describe(contig_of(random_text(60, letters="ACGTN")), 5, 55, "+")
    weight = np.random.default_rng(0).normal(size=(N_KMERS, 2)).astype(np.float32)
    product = rows.counts(np.arange(50)) @ weight
    np.testing.assert_allclose(rows.count_values(weight), product, rtol=1e-4, atol=1e-4)


def test_every_cell_of_a_side_is_described_once_and_by_its_own_base(tmp_path, monkeypatch):
    monkeypatch.setattr(sequence_design, "CHUNK", 37)
    texts = [random_text(90, seed=3), random_text(70, seed=4)]
    genome = Genome(
        Contig(name, np.frombuffer(text.encode(), np.uint8))
        for name, text in zip("ab", texts, strict=True)
    )
    store = make_store(tmp_path / "f.h5", silence(160, 1), ContigInfo.of(genome))
    # one segment of rows goes over both contigs
    sides = [(GenomicInterval("a", 10, 90), GenomicInterval("b", 0, 70))]
    universe = make_universe(zip([store], sides, strict=True))
    assert universe.covered[0]["+"].start.tolist() == [10]
    seen = np.full(universe.n_cells, -1)
    for cell, rows in sequence_blocks([genome], universe):
        assert (seen[cell] == -1).all()
        own = rows.columns[:, 4 * REACH : 4 * REACH + 4]
        seen[cell] = own.argmax(axis=1)
        assert (own.sum(axis=1) == 1).all()
    bases = np.frombuffer("".join(texts).encode(), np.uint8)[10:]
    table = {letter: number for number, letter in enumerate(b"ACGT")}
    paired = reverse_complement(bases)[::-1]
    assert seen[:150].tolist() == [table[b] for b in bases.tolist()]
    assert seen[150:].tolist() == [table[b] for b in paired.tolist()]
