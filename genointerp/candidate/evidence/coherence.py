"""Whether the firing of a feature belongs to something longer than a word: coherence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Float64, Int64

from genointerp.association.count.tracks import RowTrack
from genointerp.core.metric import auroc_of_values
from genointerp.core.seed import rng
from genointerp.store.feature.store import STRANDS, FeatureStore, ReadStrand

NEAREST, REACH = 18, 99
"""Range of distances examined, in bp; a feature of single words does not fire this far away."""
STEP = 3
"""Step between distances; three keeps the reading frame and costs other elements nothing."""
N_LOCI, N_SILENT = 2048, 8192
"""Numbers of loci of a feature, and of bases of all that was read, that are examined."""
_Z = 1.6449

Track = tuple[int, ReadStrand]


@dataclass(eq=False)
class Surroundings:
    """Bases drawn at random from what was read, to be compared with the loci of features.

    Parameters
    ----------
    drawn
        Global rows of the drawn bases, on each strand of each genome.
    borders
        First row of each contig of a genome, then its number of rows; one array per genome.
    """

    drawn: Mapping[Track, Int64[np.ndarray, " _base"]]
    borders: Sequence[Int64[np.ndarray, " _contig"]]
    _room: dict[int, Float32[np.ndarray, " _row"]] = field(default_factory=dict)

    def auroc(
        self, tracks: Sequence[RowTrack], chosen: Sequence[Int64[np.ndarray, " _locus"]]
    ) -> float:
        """Chance that a chosen base has more of the feature around it than a silent one, ties half.

        Parameters
        ----------
        chosen
            Rows in each track, one per locus, as `choose_bases` returns them.

        Notes
        -----
        What a base has around it is the sum of the feature's activations `NEAREST` to `REACH` bases
        before and after it, on the same reading strand and within its contig. The origin of a
        circular contig counts as an end. NaN if no base is chosen or no drawn base is silent.
        """
        positive, negative = [np.zeros(0)], [np.zeros(0)]
        for track, rows in zip(tracks, chosen, strict=True):
            activation = self._lay(track)
            positive.append(self._about(activation, rows, track.genome))
            other = self.drawn[track.genome, track.strand]
            negative.append(self._about(activation, other[activation[other] == 0], track.genome))
            activation[track.row] = 0
        return auroc_of_values(np.concatenate(positive), np.concatenate(negative))

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
    """Draw `N_SILENT` of the (base, strand) pairs that were read, without replacement."""
    read = [
        (genome, strand, *store.row_range(one))
        for genome, store in enumerate(stores)
        for strand in STRANDS
        for one in store.coverage(strand)
    ]
    end = np.cumsum([stop - start for _, _, start, stop in read], dtype=np.int64)
    n_read = int(end[-1]) if len(end) else 0
    number = rng(seed, "coherence/silent").choice(n_read, min(N_SILENT, n_read), replace=False)
    of = np.searchsorted(end, number, side="right")
    drawn = {
        (genome, strand): np.zeros(0, dtype=np.int64)
        for genome in range(len(stores))
        for strand in STRANDS
    }
    for index, (genome, strand, _, stop) in enumerate(read):
        rows = stop - end[index] + number[of == index]
        drawn[genome, strand] = np.concatenate([drawn[genome, strand], rows])
    borders = [np.array([*store.offsets.values(), store.n_rows], np.int64) for store in stores]
    return Surroundings(drawn, borders)


def choose_bases(
    rows: Int64[np.ndarray, " loud"],
    start: Int64[np.ndarray, " locus"],
    end: Int64[np.ndarray, " locus"],
    draw: np.random.Generator,
    *,
    share: float,
) -> Int64[np.ndarray, " chosen"]:
    """Draw one loud base from each locus, or from a random share of the loci.

    The bases of a locus are not independent, so a locus of any length is one observation.
    """
    first = np.searchsorted(rows, start)
    number = np.searchsorted(rows, end) - first
    chosen = rows[first + (draw.random(len(first)) * number).astype(np.int64)]
    kept = draw.choice(len(chosen), round(share * len(chosen)), replace=False)
    return np.asarray(chosen[np.sort(kept)])


def coherent_share(
    coherence: Float64[np.ndarray, " feature"], n_loci: Float64[np.ndarray, " feature"]
) -> Float64[np.ndarray, " feature"]:
    """Return ``2 A - 1``, at least 0, where A is the lower bound of a coherence; 0 for NaN.

    Notes
    -----
    A is Wilson's (1927) one-sided 95 % lower bound of a share among the loci examined, which are at
    most `N_LOCI`. The coherence is a mean of scores of loci between 0 and 1, which varies less than
    such a share.
    """
    a = np.where(np.isnan(coherence), 0.5, coherence)
    n, z2 = np.clip(n_loci, 1, N_LOCI), _Z**2
    lower = (a + z2 / (2 * n) - _Z * np.sqrt(a * (1 - a) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return np.asarray(np.maximum(0.0, 2 * lower - 1))
