"""Arrays of one or all features that figures show and no table holds."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int64

from genointerp.panel.circle import Ring
from genointerp.store.feature.store import STRANDS, FeatureStore, FeatureTrack, ReadStrand

N_BINS = 400
N_RING_BINS = 1440
HALF_WIDTH = 150
N_LOCI = 50


class BinnedProfile(NamedTuple):
    """Greatest activation in each bin from the first to the last base read; NaN where not read."""

    seqid: str
    start: int
    bin_bp: int
    plus: Float[np.ndarray, " bin"]
    minus: Float[np.ndarray, " bin"]


class AlignedProfile(NamedTuple):
    """Mean activation around the strongest peaks, in reading direction."""

    mean: Float[np.ndarray, " offset"]
    offset: Int64[np.ndarray, " offset"]
    n_loci: int


def feature_density(store: FeatureStore) -> Float[np.ndarray, " n_features"]:
    """Return for each feature the share of the bases read, on both strands, on which it fires."""
    counts = store.n_firing("+") + store.n_firing("-")
    n_bases = sum(interval.length for strand in STRANDS for interval in store.coverage(strand))
    density: Float[np.ndarray, " n_features"] = counts / max(n_bases, 1)
    return density


def binned_profiles(
    store: FeatureStore, plus: FeatureTrack, minus: FeatureTrack, *, n_contigs: int = 4
) -> list[BinnedProfile]:
    """Return the profile of a feature along each of the longest covered contigs."""
    spans: dict[str, tuple[int, int]] = {}
    for interval in (*store.coverage("+"), *store.coverage("-")):
        start, end = spans.get(interval.seqid, (interval.start, interval.end))
        spans[interval.seqid] = (min(start, interval.start), max(end, interval.end))
    longest = sorted(spans, key=lambda name: spans[name][0] - spans[name][1])[:n_contigs]
    profiles = []
    for seqid in longest:
        start, end = spans[seqid]
        bin_bp = -(-(end - start) // N_BINS)
        n_bins = -(-(end - start) // bin_bp)
        tops = [_bin(hits, store.offsets[seqid] + start, bin_bp, n_bins) for hits in (plus, minus)]
        for strand, top in zip(STRANDS, tops, strict=True):
            top[~_bins_read(store, strand, seqid, start, bin_bp, n_bins)] = np.nan
        profiles.append(BinnedProfile(seqid, start, bin_bp, *tops))
    return profiles


def whole_contig(store: FeatureStore, feature: int, seqid: str, *, label: str = "") -> Ring:
    """Return the greatest activation of a feature in each bin of a whole contig."""
    length, begin = store.lengths[seqid], store.offsets[seqid]
    bin_bp = max(-(-length // N_RING_BINS), 1)
    n_bins = -(-length // bin_bp)
    read = [_bins_read(store, strand, seqid, 0, bin_bp, n_bins) for strand in STRANDS]
    plus, minus = (
        _bin(store.feature(feature, strand), begin, bin_bp, n_bins) for strand in STRANDS
    )
    return Ring(label, bin_bp, plus, minus, *read)


def aligned_profile(store: FeatureStore, plus: FeatureTrack, minus: FeatureTrack) -> AlignedProfile:
    """Return the mean activation within 150 bp of a feature's strongest peaks.

    At most 50 peaks are taken, strongest first, at least 150 bp apart on a strand, and only where
    both flanks were read.
    """
    hits_on: tuple[tuple[ReadStrand, FeatureTrack], ...] = (("+", plus), ("-", minus))
    peaks = [
        (float(value), strand, int(row))
        for strand, hits in hits_on
        for row, value in _peaks(hits)
        if _has_flanks(store, row, strand)
    ]
    peaks.sort(key=lambda peak: (-peak[0], peak[1], peak[2]))
    hits_of = {"+": plus, "-": minus}
    total = np.zeros(2 * HALF_WIDTH + 1)
    for _, strand, row in peaks[:N_LOCI]:
        total += _flanks(hits_of[strand], row, strand)
    offset = np.arange(-HALF_WIDTH, HALF_WIDTH + 1)
    n_loci = min(len(peaks), N_LOCI)
    return AlignedProfile(total / max(n_loci, 1), offset, n_loci)


def _bins_read(
    store: FeatureStore, strand: ReadStrand, seqid: str, start: int, bin_bp: int, n_bins: int
) -> Bool[np.ndarray, " bin"]:
    """Return which bins, counted from a base of a contig, hold a base that was read."""
    is_read = np.zeros(n_bins, dtype=np.bool_)
    for one in store.coverage(strand):
        if one.seqid == seqid:
            first, last = (one.start - start) // bin_bp, -(-(one.end - start) // bin_bp)
            is_read[max(first, 0) : max(last, 0)] = True
    return is_read


def _bin(hits: FeatureTrack, begin: int, bin_bp: int, n_bins: int) -> np.ndarray:
    top = np.zeros(n_bins)
    index = (hits.row - begin) // bin_bp
    inside = (index >= 0) & (index < n_bins)
    np.maximum.at(top, index[inside], hits.value[inside].astype(float))
    return top


def _peaks(hits: FeatureTrack) -> list[tuple[int, float]]:
    """Return up to 50 peaks, strongest first; each excludes others within 150 bp of it."""
    free = np.ones(len(hits.row), dtype=bool)
    peaks: list[tuple[int, float]] = []
    for index in np.argsort(-hits.value, kind="stable").tolist():
        if not free[index]:
            continue
        row = int(hits.row[index])
        peaks.append((row, float(hits.value[index])))
        low, high = np.searchsorted(hits.row, (row - HALF_WIDTH, row + HALF_WIDTH + 1))
        free[low:high] = False
        if len(peaks) == N_LOCI:
            break
    return peaks


def _has_flanks(store: FeatureStore, row: int, strand: ReadStrand) -> bool:
    for read in store.coverage(strand):
        start, stop = store.row_range(read)
        if start <= row < stop:
            return start + HALF_WIDTH <= row < stop - HALF_WIDTH
    return False


def _flanks(hits: FeatureTrack, row: int, strand: str) -> np.ndarray:
    low, high = np.searchsorted(hits.row, (row - HALF_WIDTH, row + HALF_WIDTH + 1))
    values = np.zeros(2 * HALF_WIDTH + 1)
    values[hits.row[low:high] - row + HALF_WIDTH] = hits.value[low:high]
    return values[::-1] if strand == "-" else values
