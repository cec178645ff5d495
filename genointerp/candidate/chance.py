"""Where a few of many features lie in an order drawn at random; exact."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from scipy.stats import hypergeom


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


def recall_band(n: int, m: int) -> Band:
    """Return the recall of ``m`` of ``n`` features at each rank from 1, in random order."""
    ranks: Int64[np.ndarray, " rank"] = np.arange(1, n + 1)
    low, high = (hypergeom.ppf(q, n, m, ranks) / m for q in (0.025, 0.975))
    return Band(ranks / n, np.asarray(low), np.asarray(high))
