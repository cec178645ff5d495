"""Arrays of one feature, or of all, that a figure shows and that no table holds."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64

from genointerp.plot.circle import Ring
from genointerp.store.features import STRANDS, FeatureStore, FeatureTrack

N_BINS = 400
N_RING_BINS = 1440
HALF_WIDTH = 150
N_LOCI = 50


class BinnedProfile(NamedTuple):
    """Greatest activation of each bin along the stretch of a contig that was read."""

    seqid: str
    start: int
    bin_bp: int
    plus: Float[np.ndarray, " bin"]
    minus: Float[np.ndarray, " bin"]


class AlignedProfile(NamedTuple):
    """Mean activation around the strongest loci, in reading direction."""

    mean: Float[np.ndarray, " offset"]
    offset: Int64[np.ndarray, " offset"]
    n_loci: int


def feature_density(store: FeatureStore) -> Float[np.ndarray, " n_features"]:
    """Return the share of the bases read, on both strands, on which each feature fires."""
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
        profiles.append(BinnedProfile(seqid, start, bin_bp, *tops))
    return profiles


def whole_contig(store: FeatureStore, feature: int, seqid: str, *, label: str = "") -> Ring:
    """Return the greatest activation of a feature in each bin of a whole contig."""
    length, begin = store.lengths[seqid], store.offsets[seqid]
    bin_bp = max(-(-length // N_RING_BINS), 1)
    n_bins = -(-length // bin_bp)
    is_read = np.zeros(n_bins, dtype=np.bool_)
    for strand in STRANDS:
        for interval in store.coverage(strand):
            if interval.seqid == seqid:
                is_read[interval.start // bin_bp : -(-interval.end // bin_bp)] = True
    plus, minus = (
        _bin(store.feature(feature, strand), begin, bin_bp, n_bins) for strand in STRANDS
    )
    return Ring(label, bin_bp, plus, minus, is_read)


def aligned_profile(store: FeatureStore, plus: FeatureTrack, minus: FeatureTrack) -> AlignedProfile:
    """Return the mean activation within 150 bp of a feature's strongest peaks.

    Peaks are taken strongest first, at least 150 bp apart on a strand, 50 at most, and only
    where both flanks are inside the contig.
    """
    peaks = [
        (float(value), strand, int(row))
        for strand, hits in (("+", plus), ("-", minus))
        for row, value in _peaks(hits)
        if _has_flanks(store, row)
    ]
    peaks.sort(key=lambda peak: (-peak[0], peak[1], peak[2]))
    hits_of = {"+": plus, "-": minus}
    total = np.zeros(2 * HALF_WIDTH + 1)
    for _, strand, row in peaks[:N_LOCI]:
        total += _flanks(hits_of[strand], row, strand)
    offset = np.arange(-HALF_WIDTH, HALF_WIDTH + 1)
    n_loci = min(len(peaks), N_LOCI)
    return AlignedProfile(total / max(n_loci, 1), offset, n_loci)


def _bin(hits: FeatureTrack, begin: int, bin_bp: int, n_bins: int) -> np.ndarray:
    top = np.zeros(n_bins)
    index = (hits.row - begin) // bin_bp
    inside = (index >= 0) & (index < n_bins)
    np.maximum.at(top, index[inside], hits.value[inside].astype(float))
    return top


def _peaks(hits: FeatureTrack) -> list[tuple[int, float]]:
    """Return up to 50 peaks, strongest first; each silences what lies within 150 bp of it."""
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


def _has_flanks(store: FeatureStore, row: int) -> bool:
    for contig in store.header.contigs:
        begin = store.offsets[contig.seqid]
        if begin <= row < begin + contig.length:
            return begin + HALF_WIDTH <= row < begin + contig.length - HALF_WIDTH
    return False


def _flanks(hits: FeatureTrack, row: int, strand: str) -> np.ndarray:
    low, high = np.searchsorted(hits.row, (row - HALF_WIDTH, row + HALF_WIDTH + 1))
    values = np.zeros(2 * HALF_WIDTH + 1)
    values[hits.row[low:high] - row + HALF_WIDTH] = hits.value[low:high]
    return values[::-1] if strand == "-" else values
