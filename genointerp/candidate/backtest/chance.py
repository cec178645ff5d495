"""Exact distributions of the ranks of a few among many features in a random order.

`scipy.stats`, which takes a second to load, is loaded where it is used.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

_EXACT_PAIRS = 100_000


class Band(NamedTuple):
    """Recall in a random order: its mean, and the central 95 % of its distribution."""

    mean: Float64[np.ndarray, " rank"]
    low: Float64[np.ndarray, " rank"]
    high: Float64[np.ndarray, " rank"]


def expected_first(n: int, m: int) -> float:
    """Return the expected rank of the first of ``m`` features among ``n`` in random order.

    Notes
    -----
    ``(n + 1) / (m + 1)``; NaN if ``m`` is 0.
    """
    return (n + 1) / (m + 1) if m else float("nan")


def p_first(n: int, m: int, rank: int) -> float:
    """Return the chance that the first of ``m`` among ``n`` features ranks ``rank`` or earlier.

    Notes
    -----
    ``1 - C(n - rank, m) / C(n, m)``.
    """
    from scipy.stats import hypergeom

    return float(hypergeom.sf(0, n, m, rank))


def p_within(n: int, m: int, top: int, hits: int) -> float:
    """Return the chance that the first ``top`` of ``n`` features hold ``hits`` or more of ``m``."""
    from scipy.stats import hypergeom

    return float(hypergeom.sf(hits - 1, n, m, min(top, n)))


def p_ranks(ranks: Float64[np.ndarray, " feature"], n: int) -> float:
    """Return the chance that as many of ``n`` features in random order lie as early as a whole.

    Notes
    -----
    One-sided Wilcoxon rank-sum test of the features' ranks against those of the others. It is exact
    for up to `_EXACT_PAIRS` pairs and uses the normal approximation with continuity correction
    above. The chance is 1 if there are no others, and NaN if there are no features.
    """
    from scipy.stats import mannwhitneyu

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
    from scipy.stats import hypergeom

    ranks: Int64[np.ndarray, " rank"] = np.arange(1, n + 1)
    low, high = (hypergeom.ppf(q, n, m, ranks) / m for q in (0.025, 0.975))
    return Band(ranks / n, np.asarray(low), np.asarray(high))
