"""Correlations of given pairs when blocks of bases are drawn with replacement."""

import numpy as np
from jaxtyping import Float64, Int64

from genointerp.comparison.matching import kernels
from genointerp.comparison.matching.classes import Classes, Moments
from genointerp.comparison.matching.pairing import BLOCK_SUMS, Groups, Pairing
from genointerp.core.seed import rng


def draw_weights(n_groups: int, n_draws: int, *, seed: int) -> Int64[np.ndarray, "group draw"]:
    """Return how often each block is drawn. Comparisons on the same genomes have the same draws."""
    drawn = rng(seed, "match/draws").multinomial(n_groups, np.full(n_groups, 1 / n_groups), n_draws)
    return np.asarray(drawn.T, dtype=np.int64)


def drawn_correlations(
    pairing: Pairing,
    pairs: Int64[np.ndarray, "pair 2"],
    classes: Classes,
    moments: tuple[Moments, Moments],
    groups: Groups,
    weights: Int64[np.ndarray, "group draw"],
) -> Float64[np.ndarray, "pair draw"]:
    """Return r of pairs in each draw; 0 where a feature does not vary.

    Parameters
    ----------
    pairs
        Numbers of the own and of the other feature. A feature is in one pair at most.
    moments
        Moments of the own and of the other features, by the classes.

    Notes
    -----
    The means of the classes stay those of all cells, so that a draw needs nothing but the sums of
    products, about these means, on each block.
    """
    sums = _Sums(pairing, pairs, classes, moments, groups)
    cross, own, other = (table @ weights for table in (sums.cross, sums.own, sums.other))
    scale = np.sqrt(np.maximum(own, 0) * np.maximum(other, 0))
    return np.asarray(np.divide(cross, scale, out=np.zeros_like(cross), where=scale > 0))


class _Sums:
    """Sums of products about the class means, by pair and block."""

    def __init__(
        self,
        pairing: Pairing,
        pairs: Int64[np.ndarray, "pair 2"],
        classes: Classes,
        moments: tuple[Moments, Moments],
        groups: Groups,
    ) -> None:
        shape = len(pairs), groups.n
        self.cross, self.own, self.other = np.zeros((3, *shape))
        mean_a, mean_b = (one.mean[pairs[:, k]] for k, one in enumerate(moments))
        group_of = [groups.of(panel) for panel in pairing.panels]
        self._add_products(pairing, pairs, group_of)
        self._add_deviations(pairing, pairs[:, 0], classes, group_of, (mean_a, mean_b), self.own)
        self._add_deviations(
            pairing.swapped(), pairs[:, 1], classes, group_of, (mean_b, mean_a), self.other
        )
        n = groups.classes(pairing.panels, classes.of, classes.n).T
        self.cross += (mean_a * mean_b) @ n
        self.own += mean_a**2 @ n
        self.other += mean_b**2 @ n

    def _add_products(
        self,
        pairing: Pairing,
        pairs: Int64[np.ndarray, "pair 2"],
        group_of: list[Int64[np.ndarray, " _"]],
    ) -> None:
        partner = np.full(pairing.n_own, -1, dtype=np.int64)
        partner[pairs[:, 0]] = pairs[:, 1]
        place = np.full(pairing.n_own, -1, dtype=np.int64)
        place[pairs[:, 0]] = np.arange(len(pairs))
        for first, stop in pairing.blocks(most=BLOCK_SUMS):
            block, into = pairing.load(first, stop), np.zeros((stop - first, self.cross.shape[1]))
            for number, hits in enumerate(block.panels):
                firing = pairing.firing(number)
                kernels.add_pair_products(
                    *hits, *firing, partner[first:stop], group_of[number], into
                )
            own = place[first:stop]
            self.cross[own[own >= 0]] += into[own >= 0]

    def _add_deviations(
        self,
        pairing: Pairing,
        features: Int64[np.ndarray, " pair"],
        classes: Classes,
        group_of: list[Int64[np.ndarray, " _"]],
        means: tuple[Float64[np.ndarray, "pair class"], Float64[np.ndarray, "pair class"]],
        into: Float64[np.ndarray, "pair group"],
    ) -> None:
        place = np.full(pairing.n_own, -1, dtype=np.int64)
        place[features] = np.arange(len(features))
        for first, stop in pairing.blocks():
            for number, hits in enumerate(pairing.load(first, stop).panels):
                where = classes.of[number], group_of[number]
                kernels.add_deviations(*hits, *where, *means, place[first:stop], into, self.cross)
