"""Columns that describe each base by the sequence alone, for a regression without a model.

They are shortcuts by which a feature may look meaningful. All are on the reading strand, 5' to 3',
and look as far downstream as upstream. A causal model cannot look downstream, so this is a strong
rival.

* the bases at offsets -10 to 10, one column per offset and letter;
* the share of G and C in 101 and in 1,001 bases around the base;
* for each of three codon positions, the share of each letter in 33 codons around the base: the
  periodicity of coding sequence, including GC3;
* for each of three frames of either strand, ``log2(1 + n)``, where n is the number of codons
  without a stop around the base in this frame, at most `OPEN_CODONS` on either side, and whether
  this frame is the most open of the six;
* counts of how often each of the 4,096 6-mers covers the base (six cover it).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8
from numpy.lib.stride_tricks import sliding_window_view
from scipy.sparse import csr_array

from genointerp.association.count.universe import Universe
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.letters import UNKNOWN, base_codes, reverse_complement
from genointerp.store.contigs import ContigInfo, contig_offsets
from genointerp.store.feature.store import STRANDS, ReadStrand

REACH = 10
GC_WINDOWS = (101, 1001)
CODONS = 33
OPEN_CODONS = 500
K = 6
N_KMERS = 4**K
SCALE = np.float32((N_KMERS / K) ** 0.5)
"""Unit of counts of 6-mers, in which their variance is 1 if all are equally frequent."""

CHUNK = 1 << 16
"""Number of bases described at once."""

_MARGIN = 3 * OPEN_CODONS + 9
_STOPS = (b"TAA", b"TAG", b"TGA")
_STOPS_BACKWARD = (b"TTA", b"CTA", b"TCA")


class SequenceRows(NamedTuple):
    """Description of consecutive bases, in reading order.

    Parameters
    ----------
    columns
        All columns of each base except 6-mers.
    kmer
        The 6-mer that begins at each base, starting five bases before the first; `N_KMERS` if it
        holds an unknown base.
    """

    columns: Float32[np.ndarray, "bp column"]
    kmer: Int64[np.ndarray, " bp5"]

    def counts(self, chosen: Int64[np.ndarray, " row"]) -> csr_array:
        """Return the counts of 6-mers that cover the chosen bases, times `SCALE`."""
        covering = sliding_window_view(self.kmer, K)[chosen]
        known = covering < N_KMERS
        row = np.repeat(np.arange(len(chosen)), known.sum(axis=1))
        ones = np.full(len(row), SCALE, dtype=np.float32)
        return csr_array((ones, (row, covering[known])), shape=(len(chosen), N_KMERS))

    def count_values(
        self, weight: Float32[np.ndarray, "kmer label"]
    ) -> Float32[np.ndarray, "bp label"]:
        """Return the weighted sum of the counts at each base."""
        padded = np.vstack([weight * SCALE, np.zeros((1, weight.shape[1]), np.float32)])
        found, n = padded[self.kmer], len(self.columns)
        total = found[:n].copy()
        for shift in range(1, K):
            total += found[shift : shift + n]
        return np.asarray(total, dtype=np.float32)


def sequence_blocks(
    genomes: Sequence[Genome], universe: Universe
) -> Iterator[tuple[Int64[np.ndarray, " bp"], SequenceRows]]:
    """Yield the cells of one side with their description, in chunks within one contig."""
    for number, genome in enumerate(genomes):
        offsets = contig_offsets(ContigInfo.of(genome))
        for strand in STRANDS:
            segments = universe.covered[number][strand]
            for first, last in zip(segments.start.tolist(), segments.end.tolist(), strict=True):
                for contig, start, end in _chunks(genome, offsets, first, last):
                    rows = np.arange(offsets[contig.name] + start, offsets[contig.name] + end)
                    cell = universe.locate(number, strand, rows).cell
                    yield (
                        cell if strand == "+" else cell[::-1],
                        describe(contig, start, end, strand),
                    )


def _chunks(
    genome: Genome, offsets: dict[str, int], first: int, last: int
) -> Iterator[tuple[Contig, int, int]]:
    for name, contig in genome.items():
        low = max(first - offsets[name], 0)
        high = min(last - offsets[name], contig.length)
        for start in range(low, high, CHUNK):
            yield contig, start, min(start + CHUNK, high)


def describe(contig: Contig, start: int, end: int, strand: ReadStrand) -> SequenceRows:
    """Describe the bases ``[start, end)`` by the sequence around them, in reading order.

    Bases beyond the end of a linear contig are unknown; a circular contig continues at its origin.
    """
    letters = _around(contig, start, end, strand)
    code = base_codes(letters)
    inner = slice(_MARGIN, _MARGIN + end - start)
    near = [*_neighbours(code, inner), *_gc(code, inner)]
    columns = np.column_stack([*near, *_periods(code, inner), *_open(letters, inner)])
    return SequenceRows(columns.astype(np.float32), _kmers(code, inner))


def _around(contig: Contig, start: int, end: int, strand: ReadStrand) -> UInt8[np.ndarray, " bp"]:
    place = np.arange(start - _MARGIN, end + _MARGIN)
    letters = contig.sequence[place % contig.length]
    if not contig.circular:
        letters = np.where((place >= 0) & (place < contig.length), letters, np.uint8(ord("N")))
    return reverse_complement(letters) if strand == "-" else letters


def _neighbours(code: UInt8[np.ndarray, " bp"], inner: slice) -> Iterator[np.ndarray]:
    for offset in range(-REACH, REACH + 1):
        near = code[inner.start + offset : inner.stop + offset]
        yield from (near == letter for letter in range(4))


def _gc(code: UInt8[np.ndarray, " bp"], inner: slice) -> Iterator[np.ndarray]:
    strong = np.concatenate([[0], np.cumsum((code == 1) | (code == 2))])
    known = np.concatenate([[0], np.cumsum(code < UNKNOWN)])
    centre = np.arange(inner.start, inner.stop)
    for window in GC_WINDOWS:
        low, high = centre - window // 2, centre + window // 2 + 1
        yield (strong[high] - strong[low]) / np.maximum(known[high] - known[low], 1)


def _periods(code: UInt8[np.ndarray, " bp"], inner: slice) -> Iterator[np.ndarray]:
    """Yield the share of each letter at every third base, in phase with the base and 1 bp off."""
    half = 3 * (CODONS // 2)
    for letter in range(4):
        total = (code == letter).astype(np.int64)
        for residue in range(3):
            total[residue::3] = np.cumsum(total[residue::3])
        for shift in (-1, 0, 1):
            centre = np.arange(inner.start, inner.stop) + shift
            yield (total[centre + half] - total[centre - half - 3]) / CODONS


def _open(letters: UInt8[np.ndarray, " bp"], inner: slice) -> Iterator[np.ndarray]:
    """Yield the openness of the frames with the base at codon position 0, 1, 2, on both strands.

    Those of the reading strand come first. On the other strand, positions are counted in the
    reading direction too.
    """
    lengths = []
    for stops in (_STOPS, _STOPS_BACKWARD):
        run = _open_codons(_is_closed(letters, stops))
        lengths += [run[inner.start - frame : inner.stop - frame] for frame in range(3)]
    longest = np.argmax(lengths, axis=0)
    is_open = np.max(lengths, axis=0) > 0
    yield from (np.log2(1 + length) for length in lengths)
    yield from ((longest == frame) & is_open for frame in range(len(lengths)))


def _is_closed(
    letters: UInt8[np.ndarray, " bp"], stops: Sequence[bytes]
) -> Bool[np.ndarray, " bp"]:
    """Return whether the codon that begins at a base is a stop or unknown; the last two are."""
    codons = sliding_window_view(letters, 3)
    closed = (base_codes(letters)[np.arange(len(codons))[:, None] + np.arange(3)] == UNKNOWN).any(1)
    for stop in stops:
        closed |= (codons == np.frombuffer(stop, np.uint8)).all(axis=1)
    return np.concatenate([closed, [True, True]])


def _open_codons(closed: Bool[np.ndarray, " bp"]) -> Int64[np.ndarray, " bp"]:
    """Return the length of the run of open codons at each, up to `OPEN_CODONS` on either side."""
    run = np.zeros(len(closed), dtype=np.int64)
    for residue in range(3):
        own = closed[residue::3]
        before = np.minimum(_since(own), OPEN_CODONS + 1)
        behind = np.minimum(_since(own[::-1])[::-1], OPEN_CODONS + 1)
        run[residue::3] = np.maximum(before + behind - 1, 0)
    return run


def _since(closed: Bool[np.ndarray, " codon"]) -> Int64[np.ndarray, " codon"]:
    """Return the number of open codons since the last closed one, including this codon."""
    number = np.arange(len(closed))
    return np.asarray(number - np.maximum.accumulate(np.where(closed, number, -1)), dtype=np.int64)


def _kmers(code: UInt8[np.ndarray, " bp"], inner: slice) -> Int64[np.ndarray, " bp5"]:
    first, n = inner.start - (K - 1), inner.stop - inner.start + K - 1
    number = np.zeros(n, dtype=np.int64)
    unknown = np.zeros(n, dtype=np.bool_)
    for place in range(K):
        letter = code[first + place : first + place + n]
        number = 4 * number + letter
        unknown |= letter == UNKNOWN
    return np.where(unknown, N_KMERS, number)
