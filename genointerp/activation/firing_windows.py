"""Where a feature is put to the test: windows around the bases on which it is strongest."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int64

from genointerp.genome.interval import GenomicInterval
from genointerp.store.features import STRANDS, FeatureStore, ReadStrand


def strongest_intervals(
    store: FeatureStore,
    feature: int,
    n: int,
    *,
    length: int,
    regions: Sequence[GenomicInterval] = (),
) -> list[GenomicInterval]:
    """Return up to ``n`` intervals of ``length`` bases around a feature's strongest bases.

    Strongest first, over both strands; of equals the first on ``+``. Two intervals of one strand
    have different peaks outside of one another. They end with their contig.

    Parameters
    ----------
    regions
        Only peaks in these; anywhere where empty.
    """
    peaks = {strand: _Peaks(store, feature, strand, regions) for strand in STRANDS}
    found: list[GenomicInterval] = []
    while len(found) < n:
        strand = max(STRANDS, key=lambda name: peaks[name].highest)
        if peaks[strand].highest <= 0:
            break
        found.append(peaks[strand].take(length))
    return found


class _Peaks:
    """What is left of the track of one feature on one strand."""

    def __init__(
        self,
        store: FeatureStore,
        feature: int,
        strand: ReadStrand,
        regions: Sequence[GenomicInterval],
    ) -> None:
        track = store.feature(feature, strand)
        inside = _inside(track.row, [store.row_range(region) for region in regions])
        self._row, self._value = track.row[inside], track.value[inside].copy()
        self._store, self._strand = store, strand

    @property
    def highest(self) -> float:
        """The largest activation that is left; 0 where none is."""
        return float(self._value.max(initial=0))

    def take(self, length: int) -> GenomicInterval:
        """Return the interval around the strongest base, whose bases are no longer left."""
        row = int(self._row[np.argmax(self._value)])
        offsets = self._store.offsets
        # of contigs without bases, which share an offset, the last is the one that has them
        seqid = [name for name, offset in offsets.items() if offset <= row][-1]
        bases, first = self._store.lengths[seqid], offsets[seqid]
        start = max(0, min(row - first - length // 2, bases - length))
        end = min(start + length, bases)
        self._value[(self._row >= first + start) & (self._row < first + end)] = 0
        return GenomicInterval(seqid, start, end, self._strand)


def _inside(
    row: Int64[np.ndarray, " hit"], ranges: Sequence[tuple[int, int]]
) -> Bool[np.ndarray, " hit"]:
    inside = np.full(len(row), not ranges)
    for start, stop in ranges:
        inside |= (row >= start) & (row < stop)
    return inside
