"""How well the letters around a base predict where a feature fires, without a model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int16, Int64, UInt8

from genointerp.association.count.tracks import RowTrack
from genointerp.core.metric import auroc_of_counts
from genointerp.genome.genome import Genome
from genointerp.genome.letters import UNKNOWN, base_codes, reverse_complement
from genointerp.store.feature.store import STRANDS, FeatureStore, ReadStrand

K = 6
UNKNOWN_KMER = 4**K
"""Code of a 6-mer that holds another letter than A, C, G, T or reaches beyond its contig."""
OFFSETS = (-11, -8, -5, -2)
"""Position of the 6-mer's first base relative to the base, along the reading direction.

The 6-mer at -5 ends with the base itself.
"""
BLOCK = 16_384
"""Length of a block in bases; even blocks are fit, odd ones test."""


@dataclass(frozen=True, eq=False)
class KmerBackdrop:
    """The 6-mers of one genome, and how often each of them was read.

    Parameters
    ----------
    code
        For each reading strand and row, the 6-mer that begins at this base in reading direction.
    covered
        Number of covered (base, strand) pairs by offset, half (fit, test) and 6-mer at that offset.
    """

    code: dict[ReadStrand, Int16[np.ndarray, " row"]]
    covered: Int64[np.ndarray, "offset half kmer"]


def make_kmer_backdrop(store: FeatureStore, genome: Genome) -> KmerBackdrop:
    """Return the 6-mers of a genome, and their counts at the bases that were read."""
    letters = [genome[seqid].sequence for seqid in store.offsets]
    code: dict[ReadStrand, Int16[np.ndarray, " row"]] = {
        "+": np.concatenate([kmer_codes(sequence) for sequence in letters]),
        "-": np.concatenate([_backward_codes(sequence) for sequence in letters]),
    }
    covered = np.zeros((len(OFFSETS), 2, UNKNOWN_KMER + 1), dtype=np.int64)
    backdrop = KmerBackdrop(code, covered)
    for strand in STRANDS:
        for interval in store.coverage(strand):
            row = np.arange(*store.row_range(interval))
            for index in range(len(OFFSETS)):
                _add(covered[index], backdrop, strand, row, index, None)
    return backdrop


def kmer_codes(sequence: UInt8[np.ndarray, " bp"]) -> Int16[np.ndarray, " bp"]:
    """Return for each base the code of the 6-mer that begins there, in the order A < C < G < T."""
    digits = np.pad(base_codes(sequence), (0, K - 1), constant_values=UNKNOWN)
    code = np.zeros(len(sequence), dtype=np.int16)
    known = np.ones(len(sequence), dtype=np.bool_)
    for place in range(K):
        letter = digits[place : place + len(sequence)]
        code, known = code * 4 + letter, known & (letter < UNKNOWN)
    return np.where(known, code, np.int16(UNKNOWN_KMER)).astype(np.int16)


def kmer_auroc(tracks: Sequence[RowTrack], backdrops: Sequence[KmerBackdrop]) -> float:
    """Return how well 6-mers learnt on one half of the blocks predict firing on the other half.

    Notes
    -----
    The score of a base is the mean activation over the covered bases of fit with the same 6-mer,
    counting silent ones as 0. The 6-mer is taken at the offset with the highest AUROC on fit. The
    result is the AUROC with which the score predicts firing on the covered bases of test. NaN if
    one half has no firing base or no silent base.
    """
    covered = np.sum([backdrop.covered for backdrop in backdrops], axis=0)
    best, found = -1.0, float("nan")
    for index in range(len(OFFSETS)):
        fires = np.zeros((2, UNKNOWN_KMER + 1), dtype=np.int64)
        total = np.zeros((2, UNKNOWN_KMER + 1))
        for track in tracks:
            backdrop = backdrops[track.genome]
            _add(fires, backdrop, track.strand, track.row, index, None)
            _add(total, backdrop, track.strand, track.row, index, track.value)
        score = total[0] / np.maximum(covered[index, 0], 1)
        on_fit, on_test = (
            auroc_of_counts(fires[half], covered[index, half] - fires[half], score=score)
            for half in (0, 1)
        )
        if on_fit > best:
            best, found = on_fit, on_test
    return found


def _add(
    counts: np.ndarray,
    backdrop: KmerBackdrop,
    strand: ReadStrand,
    row: Int64[np.ndarray, " hit"],
    index: int,
    weights: np.ndarray | None,
) -> None:
    code, shift = backdrop.code[strand], OFFSETS[index] if strand == "+" else -OFFSETS[index]
    place = row + shift
    inside: Bool[np.ndarray, " hit"] = (place >= 0) & (place < len(code))
    kmer = np.where(inside, code[np.where(inside, place, 0)], UNKNOWN_KMER).astype(np.int64)
    key = (row // BLOCK % 2) * (UNKNOWN_KMER + 1) + kmer
    added = np.bincount(key, weights=weights, minlength=2 * (UNKNOWN_KMER + 1))
    counts += added.reshape(2, UNKNOWN_KMER + 1).astype(counts.dtype)


def _backward_codes(sequence: UInt8[np.ndarray, " bp"]) -> Int16[np.ndarray, " bp"]:
    return kmer_codes(reverse_complement(sequence))[::-1]
