"""Where a few of many features lie in an order drawn at random; exact."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from scipy.stats import hypergeom, mannwhitneyu

_EXACT_PAIRS = 100_000


class Band(NamedTuple):
    """Recall in an order at random: its mean, and the central 95 % of its distribution."""

    mean: Float64[np.ndarray, " rank"]
    low: Float64[np.ndarray, " rank"]
    high: Float64[np.ndarray, " rank"]


def expected_first(n: int, m: int) -> float:
    """Return the expected rank of the first of ``m`` features among ``n`` in random order.

    Notes
    -----
    ``(n + 1) / (m + 1)``; NaN for none.
    """
    return (n + 1) / (m + 1) if m else float("nan")


def p_first(n: int, m: int, rank: int) -> float:
    """Return the chance that the first of ``m`` features among ``n`` is as early as ``rank``.

    Notes
    -----
    ``1 - C(n - rank, m) / C(n, m)``.
    """
    return float(hypergeom.sf(0, n, m, rank))


def p_within(n: int, m: int, top: int, hits: int) -> float:
    """Return the chance that ``top`` of ``n`` features hold at least ``hits`` of the ``m``."""
    return float(hypergeom.sf(hits - 1, n, m, min(top, n)))


def p_ranks(ranks: Float64[np.ndarray, " feature"], n: int) -> float:
    """Return the chance that as many of ``n`` features in random order lie as early in all.

    Notes
    -----
    One-sided Wilcoxon rank-sum test of the features' ranks against those of the others: exact while
    the number of pairs is at most `_EXACT_PAIRS`, by the normal approximation with continuity
    correction above. 1 where there are no others, NaN for none.
    """
    m = len(ranks)
    if not m:
        return float("nan")
    if m == n:
        return 1.0
    others = np.setdiff1d(np.arange(1, n + 1), ranks)
    method = "exact" if m * (n - m) <= _EXACT_PAIRS else "asymptotic"
    return float(mannwhitneyu(ranks, others, alternative="less", method=method).pvalue)


def recall_band(n: int, m: int) -> Band:
    """Return the recall of ``m`` of ``n`` features at each rank from 1, in random order."""
    ranks: Int64[np.ndarray, " rank"] = np.arange(1, n + 1)
    low, high = (hypergeom.ppf(q, n, m, ranks) / m for q in (0.025, 0.975))
    return Band(ranks / n, np.asarray(low), np.asarray(high))
