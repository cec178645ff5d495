"""How far the firing of a feature belongs to something longer than a word: by its own firing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Float64, Int64

from genointerp.association.counts import RowTrack
from genointerp.core.seed import rng
from genointerp.store.features import STRANDS, FeatureStore, ReadStrand

NEAREST, REACH = 18, 99
"""Distances that are looked at, in bp: farther than a feature of single words fires by itself."""
STEP = 3
"""Every third distance: a reading frame is kept, and elements without one lose nothing."""
N_LOUD, N_SILENT = 2048, 8192
"""Bases that are drawn of each feature, and of each dictionary."""
_LOWER = 1.645

Track = tuple[int, ReadStrand]


@dataclass(eq=False)
class Surroundings:
    """Bases drawn from what was read, for features to be silent at, and room to lay them out.

    Parameters
    ----------
    drawn
        Global rows on each strand of each genome.
    borders
        First row of each contig of each genome, then the number of rows.
    """

    drawn: Mapping[Track, Int64[np.ndarray, " _base"]]
    borders: Sequence[Int64[np.ndarray, " _contig"]]
    _room: dict[int, Float32[np.ndarray, " _row"]] = field(default_factory=dict)

    def auroc(
        self, tracks: Sequence[RowTrack], draw: np.random.Generator, *, at_least: float
    ) -> float:
        """Chance that a loud base has more of the feature about it than a silent one, ties half.

        Parameters
        ----------
        at_least
            Activation of a loud base, as `genointerp.candidate.evidence.find_loci` has it.

        Notes
        -----
        What a base has about it is the sum of the feature's activations `NEAREST` to `REACH` bases
        before and after it, on the strand that was read and within its contig. NaN where no drawn
        base is loud or none is silent.
        """
        loud = [track.row[track.value >= at_least] for track in tracks]
        share = min(1.0, N_LOUD / max(sum(map(len, loud)), 1))
        positive, negative = [np.zeros(0)], [np.zeros(0)]
        for track, rows in zip(tracks, loud, strict=True):
            activation = self._lay(track)
            base = draw.choice(rows, round(share * len(rows)), replace=False)
            positive.append(self._about(activation, base, track.genome))
            other = self.drawn[track.genome, track.strand]
            negative.append(self._about(activation, other[activation[other] == 0], track.genome))
            activation[track.row] = 0
        return auroc(np.concatenate(positive), np.concatenate(negative))

    def _lay(self, track: RowTrack) -> Float32[np.ndarray, " row"]:
        n_rows = int(self.borders[track.genome][-1])
        room = self._room.setdefault(track.genome, np.zeros(n_rows, dtype=np.float32))
        room[track.row] = track.value
        return room

    def _about(
        self,
        activation: Float32[np.ndarray, " row"],
        base: Int64[np.ndarray, " base"],
        genome: int,
    ) -> Float64[np.ndarray, " base"]:
        contig = np.searchsorted(self.borders[genome], base, side="right") - 1
        low, high = self.borders[genome][contig], self.borders[genome][contig + 1]
        distance = np.arange(NEAREST, REACH + 1, STEP)
        place = base[:, None] + np.concatenate([-distance, distance])
        inside = (place >= low[:, None]) & (place < high[:, None])
        return np.asarray(
            np.where(inside, activation[np.where(inside, place, 0)], 0).sum(
                axis=1, dtype=np.float64
            )
        )


def draw_surroundings(stores: Sequence[FeatureStore], seed: int) -> Surroundings:
    """Draw `N_SILENT` of the (base, strand) pairs that were read, at random."""
    covered = {
        (genome, strand): np.concatenate(
            [np.arange(*store.row_range(one)) for one in store.coverage(strand)]
            or [np.zeros(0, dtype=np.int64)]
        )
        for genome, store in enumerate(stores)
        for strand in STRANDS
    }
    share = min(1.0, N_SILENT / max(sum(map(len, covered.values())), 1))
    draw = rng(seed, "coherence/silent")
    drawn = {
        track: draw.choice(rows, round(share * len(rows)), replace=False)
        for track, rows in covered.items()
    }
    borders = [np.array([*store.offsets.values(), store.n_rows], np.int64) for store in stores]
    return Surroundings(drawn, borders)


def auroc(positive: Float64[np.ndarray, " p"], negative: Float64[np.ndarray, " n"]) -> float:
    """Chance that a positive is larger than a negative, ties half; NaN where either is empty."""
    if not len(positive) or not len(negative):
        return float("nan")
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left")
    not_above = np.searchsorted(ordered, positive, side="right")
    return float((below + not_above).mean() / (2 * len(negative)))


def coherent_share(
    auroc: Float64[np.ndarray, " feature"], n_loci: Float64[np.ndarray, " feature"]
) -> Float64[np.ndarray, " feature"]:
    """Return ``2 A - 1`` of the lower 95 % bound of an AUROC A, not below 0; NaN counts as 0.

    Notes
    -----
    The standard error is that of Hanley and McNeil (1982) for ``n_loci`` positives, since the
    bases of one locus are one observation, and any number of negatives:
    ``sqrt((2 A^2 / (1 + A) - A^2) / n_loci)``.
    """
    known = np.where(np.isnan(auroc), 0.5, auroc)
    error = np.sqrt((2 * known**2 / (1 + known) - known**2) / np.maximum(n_loci, 1))
    return np.asarray(np.maximum(0.0, 2 * (known - _LOWER * error) - 1))
