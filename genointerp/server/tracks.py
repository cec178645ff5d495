"""Activations of features in a part of the genome, as coarse as they are drawn."""

from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np

from genointerp.core.errors import InputError
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval, format_region
from genointerp.page.activation import Activations
from genointerp.page.browser import SIGNS, Resolution, activation_runs
from genointerp.page.measure import Ground
from genointerp.server.kept import Kept
from genointerp.store.feature.store import STRANDS, FeatureTrack, ReadStrand

MAX_BINS = 10_000
"""Most bins in one answer, which are at least as long as that needs."""

MAX_REGION_BP = 50_000
"""Longest region of which it is told what fires there."""

MAX_HITS = 20_000_000
"""Most activations that are kept in memory, at 12 bytes each."""

NEAR_BP = 100_000
"""Longest part of a contig of which a track is read from the file, as far as it is shown.

From further away the whole track is read once, and kept.
"""

N_STRONGEST = 20
"""Number of features that are told of a region."""


class Tracks:
    """Activations of features, from files that stay open as long as the object is there."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._open = ground, ExitStack()
        self._readers = {
            (specimen.name, strand): self._open.enter_context(specimen.features.opened(strand))
            for specimen in ground.specimens
            for strand in STRANDS
        }
        self._kept: Kept[int, Activations] = Kept(self._read, most=MAX_HITS, size=_n_hits)

    def region(
        self, feature: int, specimen: Specimen, place: GenomicInterval, bin_bp: int
    ) -> dict[ReadStrand, dict[str, list[Any]]]:
        """Return the stretches of equal activation of a feature in an interval within a contig.

        Parameters
        ----------
        bin_bp
            Length in bp of the bins that have the greatest activation of their bases; it is
            rounded up to a power of two, and to one that leaves at most `MAX_BINS`.
        """
        size = bin_length(place, bin_bp)
        offset = specimen.features.offsets[place.seqid]
        length = specimen.features.lengths[place.seqid]
        # whole bins, so that an edge of the interval does not lower the greatest of its bin
        first = offset + place.start // size * size
        last = offset + min(-(-place.end // size) * size, length)
        found = {}
        for strand in STRANDS:
            inside = self._part(feature, specimen, strand, first, last)
            runs = activation_runs(specimen, inside, Resolution(size))
            found[strand] = {
                "start": (runs.start - offset).tolist(),
                "end": (runs.stop - offset).tolist(),
                # three digits are what the runs have
                "value": [SIGNS[strand] * float(f"{top:.3g}") for top in runs.top.tolist()],
            }
        return found

    def strongest(self, specimen: Specimen, place: GenomicInterval) -> dict[str, Any]:
        """Return the features that fire in an interval within a contig, the strongest first.

        Raises
        ------
        InputError
            If the interval is longer than `MAX_REGION_BP`.
        """
        if place.length > MAX_REGION_BP:
            where = format_region(place)
            raise InputError(where, f"at most {MAX_REGION_BP} bases", str(place.length))
        sides = [self._side(specimen, place, strand) for strand in STRANDS]
        every = _Side(*(np.concatenate(column) for column in zip(*sides, strict=True)))
        # as in the table of `query`: of equals, the one that fires on more bases comes first
        order = np.lexsort((every.strand, every.feature, -every.n_bases, -every.highest))
        n_read = [max(1, specimen.features.n_read(place, strand)) for strand in STRANDS]
        return {
            "region": format_region(place),
            "n_features": len(np.unique(every.feature)),
            "features": [
                {
                    "feature": int(every.feature[one]),
                    "strand": STRANDS[every.strand[one]],
                    "max_activation": float(every.highest[one]),
                    "covered_share": float(every.n_bases[one] / n_read[every.strand[one]]),
                }
                for one in order[:N_STRONGEST].tolist()
            ],
        }

    def _part(
        self, feature: int, specimen: Specimen, strand: ReadStrand, first: int, last: int
    ) -> FeatureTrack:
        if last - first <= NEAR_BP:
            reader = self._readers[specimen.name, strand]
            _, row, value = reader.features(feature, feature + 1, first, last)
            return FeatureTrack(row, value)
        row, value = self._kept.get(feature).tracks[specimen.name, strand]
        low, high = np.searchsorted(row, (first, last))
        return FeatureTrack(row[low:high], value[low:high])

    def _side(self, specimen: Specimen, place: GenomicInterval, strand: ReadStrand) -> "_Side":
        found = self._readers[specimen.name, strand].peaks(*specimen.features.row_range(place))
        fires = np.flatnonzero(found.n_bases)
        number = np.full(len(fires), STRANDS.index(strand))
        return _Side(fires, number, found.highest[fires], found.n_bases[fires])

    def _read(self, feature: int) -> Activations:
        return Activations(self._ground.specimens, feature, self._ground.read)


def bin_length(place: GenomicInterval, bin_bp: int) -> int:
    """Return the power of two that is at least ``bin_bp`` and leaves at most `MAX_BINS` bins."""
    size = 1
    while size < bin_bp or size * MAX_BINS < place.length:
        size *= 2
    return size


class _Side(NamedTuple):
    """The features that fire in a part of the genome; ``strand`` is an index of `STRANDS`."""

    feature: np.ndarray
    strand: np.ndarray
    highest: np.ndarray
    n_bases: np.ndarray


def _n_hits(activations: Activations) -> int:
    return sum(len(track.row) for track in activations.tracks.values())
