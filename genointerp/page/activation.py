"""Activations of one feature over all genomes, read once for everything that its page shows."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from genointerp.feature.specimen import Specimen
from genointerp.figure.source.elements import StrandValues
from genointerp.genome.interval import GenomicInterval
from genointerp.store.feature.store import STRANDS, FeatureTrack, ReadStrand


class ReadRows(NamedTuple):
    """Rows that were read on one strand, as sorted intervals ``[start, stop)``."""

    start: np.ndarray
    stop: np.ndarray


def read_rows(specimen: Specimen) -> dict[ReadStrand, ReadRows]:
    """Return the rows of a genome that were read, by strand."""
    found = {}
    for strand in STRANDS:
        rows = sorted(map(specimen.features.row_range, specimen.features.coverage(strand)))
        start, stop = np.array(rows, dtype=np.int64).reshape(-1, 2).T
        found[strand] = ReadRows(start, stop)
    return found


class Activations:
    """Activations of one feature.

    Parameters
    ----------
    read
        Rows that were read of each genome, from `read_rows`, by its name.
    """

    def __init__(
        self,
        specimens: Sequence[Specimen],
        feature: int,
        read: Mapping[str, Mapping[ReadStrand, ReadRows]],
    ) -> None:
        self.feature = feature
        self.tracks: dict[tuple[str, ReadStrand], FeatureTrack] = {
            (specimen.name, strand): specimen.features.feature(feature, strand)
            for specimen in specimens
            for strand in STRANDS
        }
        self._read = read

    @property
    def highest(self) -> float:
        """The largest activation; 0 if the feature never fires."""
        return max(float(track.value.max(initial=0)) for track in self.tracks.values())

    def values(self, specimen: Specimen, interval: GenomicInterval) -> StrandValues:
        """Return the activations in an interval within a contig, base by base; NaN if not read."""
        begin, end = specimen.features.row_range(interval)
        return StrandValues(*(self._side(specimen.name, strand, begin, end) for strand in STRANDS))

    def _side(self, genome: str, strand: ReadStrand, begin: int, end: int) -> np.ndarray:
        values = np.full(end - begin, np.nan, np.float32)
        read = self._read[genome][strand]
        first = int(np.searchsorted(read.stop, begin, side="right"))
        last = int(np.searchsorted(read.start, end, side="left"))
        for start, stop in zip(read.start[first:last], read.stop[first:last], strict=True):
            values[max(start - begin, 0) : stop - begin] = 0
        track = self.tracks[genome, strand]
        low, high = np.searchsorted(track.row, (begin, end))
        values[track.row[low:high] - begin] = track.value[low:high]
        return values
