"""Tests of changes: over blocks of the genome, and over seeds.

Neighbouring bases are not independent evidence, so whole blocks of bases are drawn. What two
trainings differ by on the same bases is a fact about these two trainings alone: whether another
seed would give it too is a test of its own.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64
from scipy.optimize import brentq
from scipy.special import digamma, polygamma, stdtr

from genointerp.core.seed import rng

LEAST_BLOCKS = 5
"""Fewest blocks with a firing that are enough for a test."""

_HALF_BASE = 0.5
"""Firing bases that are added to both counts of a ratio, as in `log2_enrichment`."""

BlockSums = Float64[np.ndarray, "block item"]


class Difference(NamedTuple):
    """A statistic with its 95 % interval over blocks, and the p-value of its being 0."""

    value: Float64[np.ndarray, " item"]
    low: Float64[np.ndarray, " item"]
    high: Float64[np.ndarray, " item"]
    p_value: Float64[np.ndarray, " item"]


@dataclass(frozen=True, eq=False)
class BlockDraws:
    """Bootstrap draws of the blocks of a genome: how often each block is taken in each draw."""

    weight: Float64[np.ndarray, "draw block"]

    @classmethod
    def of(cls, n_blocks: int, n_draws: int, *, seed: int) -> "BlockDraws":
        """Draw as many blocks as there are, with replacement, again and again."""
        share = np.full(n_blocks, 1 / n_blocks)
        drawn = rng(seed, "blocks of the genome").multinomial(n_blocks, share, size=n_draws)
        return cls(drawn.astype(np.float64))

    def log2_ratio(self, first: BlockSums, second: BlockSums) -> Difference:
        """Compare two sums over the same blocks by the log2 of their ratio.

        Notes
        -----
        ``log2((sum first + 1/2) / (sum second + 1/2))``; half a base keeps it finite, and shrinks
        the ratio of small counts towards 1. With few blocks, draws vary too little, so p is at
        least ``2^(1 - m)``, the least of a sign test over the m blocks in which the two differ.
        """

        def ratio(weight: Float64[np.ndarray, "draw block"]) -> Float64[np.ndarray, "draw item"]:
            parts = (weight @ first + _HALF_BASE, weight @ second + _HALF_BASE)
            return np.asarray(np.log2(parts[0]) - np.log2(parts[1]))

        found = self._tested(ratio(np.ones((1, len(first)))), ratio(self.weight), first, second)
        n_differ = np.count_nonzero(first != second, axis=0)
        least = np.minimum(2.0 ** (1 - n_differ.astype(np.float64)), 1.0)
        return found._replace(p_value=np.maximum(found.p_value, least))

    def difference_of_means(
        self, first: BlockSums, first_n: BlockSums, second: BlockSums, second_n: BlockSums
    ) -> Difference:
        """Compare two means over blocks, each a sum over a number, by their difference.

        It is NaN where one of the numbers is 0.
        """

        def means(weight: Float64[np.ndarray, "draw block"]) -> Float64[np.ndarray, "draw item"]:
            a, b = (
                _ratio(weight @ sums, weight @ n)
                for sums, n in ((first, first_n), (second, second_n))
            )
            return np.asarray(a - b)

        return self._tested(means(np.ones((1, len(first)))), means(self.weight), first, second)

    def _tested(
        self,
        value: Float64[np.ndarray, "one item"],
        drawn: Float64[np.ndarray, "draw item"],
        first: BlockSums,
        second: BlockSums,
    ) -> Difference:
        n_active = np.count_nonzero((first != 0) | (second != 0), axis=0)
        # a draw that takes no block with a firing says nothing
        known = ~np.isnan(drawn)
        n = np.maximum(known.sum(axis=0), 1)
        filled = np.where(known, drawn, 0.0)
        mean = filled.sum(axis=0) / n
        spread = np.where(known, (drawn - mean) ** 2, 0.0).sum(axis=0)
        error = np.sqrt(spread / np.maximum(n - 1, 1))
        is_known = (n_active >= LEAST_BLOCKS) & ~np.isnan(value[0])
        with np.errstate(invalid="ignore", divide="ignore"):
            t = np.where(value[0] == 0, 0.0, np.abs(value[0]) / error)
        p = 2 * stdtr(np.maximum(n_active - 1, 1).astype(np.float64), -t)
        low, high = _quantiles(np.where(known, drawn, mean))
        return Difference(
            value=value[0],
            low=np.where(is_known, low, np.nan),
            high=np.where(is_known, high, np.nan),
            p_value=np.where(is_known, p, np.nan),
        )


def moderated_p(
    first: Float[np.ndarray, "replicate item"],
    second: Float[np.ndarray, "replicate item"],
    *,
    least: Float64[np.ndarray, " item"] | float = 0.0,
) -> Float64[np.ndarray, " item"]:
    """Test whether two groups of trainings differ, each a row of the same items.

    There are two or three trainings in a group, too few to know how much one item differs between
    seeds. All items together tell how much items of its level do: densities of features that fire
    on few bases differ more. Items that are not to be tested are NaN.

    Parameters
    ----------
    least
        Least variance of an item, such as that of counting.

    Notes
    -----
    Moderated t of Smyth (2004): the variance ``s^2`` of an item within the groups, of d degrees of
    freedom, is drawn towards a prior, ``(d0 s0^2 + d s^2) / (d0 + d)``. ``s0^2`` is that of the
    items of the nearest mean, a twentieth of all and at least 20 (as the trend of limma), and
    ``d0`` fits how much the log variances differ from it. The p-value is that of Student's t with
    ``d0 + d`` degrees of freedom. It is 1 for an item that does not differ at all, and otherwise
    NaN where fewer than two items vary within the groups, so that no prior can be fitted.
    """
    sizes = len(first), len(second)
    d = sum(sizes) - 2
    within = sum(((group - group.mean(axis=0)) ** 2).sum(axis=0) for group in (first, second))
    variance = np.asarray(within / d, dtype=np.float64)
    change = np.asarray(first.mean(axis=0) - second.mean(axis=0), dtype=np.float64)
    level = np.asarray(np.concatenate([first, second]).mean(axis=0), dtype=np.float64)
    prior_d, prior = _fit_prior(variance, level, d)
    if math.isinf(prior_d):
        moderated, freedom = prior, 1e9
    else:
        moderated, freedom = (prior_d * prior + d * variance) / (prior_d + d), prior_d + d
    with np.errstate(invalid="ignore", divide="ignore"):
        moderated = np.maximum(moderated, least)
        t = np.abs(change) / np.sqrt(moderated * sum(1 / n for n in sizes))
    return np.where(change == 0, 1.0, np.asarray(2 * stdtr(freedom, -t)))


def _fit_prior(
    variance: Float64[np.ndarray, " item"], level: Float64[np.ndarray, " item"], d: int
) -> tuple[float, Float64[np.ndarray, " item"]]:
    """Fit the degrees of freedom and the variances of the prior by moments of the logarithms."""
    varies = np.isfinite(variance) & (variance > 0)
    if varies.sum() < 2:
        return 0.0, np.full(len(variance), np.nan)
    logs = np.log(variance[varies]) - digamma(d / 2) + math.log(d / 2)
    trend = _running_mean(level[varies], logs)
    own = trend(level[varies])
    n_free = len(logs) - len(logs) / trend.n
    excess = float(((logs - own) ** 2).sum() / n_free - polygamma(1, d / 2))
    least, most = 1e-8, 1e8
    # trigamma falls from infinity to 0: where nothing is left to explain, all items are alike
    if excess <= float(polygamma(1, most)):
        return math.inf, np.exp(trend(level))
    half = brentq(lambda x: float(polygamma(1, x)) - excess, least, most)
    return 2 * half, np.exp(trend(level) + float(digamma(half)) - math.log(half))


_LEAST_NEIGHBOURS = 20
_SHARE_OF_NEIGHBOURS = 1 / 20


class _Trend(NamedTuple):
    """Mean of a number over the n items of the nearest level."""

    level: Float64[np.ndarray, " item"]
    mean: Float64[np.ndarray, " window"]
    n: int

    def __call__(self, level: Float64[np.ndarray, " other"]) -> Float64[np.ndarray, " other"]:
        """Return the mean at each level."""
        place = np.searchsorted(self.level, level) - self.n // 2
        return self.mean[np.clip(place, 0, len(self.mean) - 1)]


def _running_mean(level: Float64[np.ndarray, " item"], of: Float64[np.ndarray, " item"]) -> _Trend:
    n = min(len(of), max(_LEAST_NEIGHBOURS, int(len(of) * _SHARE_OF_NEIGHBOURS)))
    order = np.argsort(level, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(of[order])])
    return _Trend(level[order], (total[n:] - total[:-n]) / n, n)


def _ratio(
    part: Float64[np.ndarray, "draw item"], whole: Float64[np.ndarray, "draw item"]
) -> Float64[np.ndarray, "draw item"]:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan)


def _quantiles(
    drawn: Float64[np.ndarray, "draw item"],
) -> tuple[Float64[np.ndarray, " item"], Float64[np.ndarray, " item"]]:
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return low, high
