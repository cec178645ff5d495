"""Family-wise p-values from the largest of many statistics under rotated annotation."""

import numpy as np
from jaxtyping import Float64, Int64, Real, UInt

from genointerp.association.null.significance import NullCounts


class MaxStatistic:
    """Standardised counts of a family of pairs, for the annotation and for each rotation.

    Every pair must have been counted under the same rotations, in the same order.

    Notes
    -----
    Westfall and Young (1993), algorithm 4.1: step-down maxT. The counts ``c_0`` (the annotation as
    it is) to ``c_n`` of a pair are standardised by their own mean and standard deviation,
    ``t_k = (c_k - mean(c)) / sd(c)``, which is 0 if all counts are equal. Pairs are ordered by
    ``t_0``, the largest first; ``max_ik`` is the largest ``t_k`` of the i-th pair and those after
    it, and ``p_max_i = max over j <= i of #{k: max_jk >= t_0 of the j-th} / (n + 1)``, k = 0
    included. Single-step p-values compare every pair with the maximum of all. Here a pair need only
    exceed those that are not better than itself, so its p-value is never higher than the
    single-step one, and the same for the best pair. The ranks are exact, since ``c_0`` enters mean,
    deviation and maximum like any other count. The dependence of the pairs, which the Bonferroni
    correction ignores, is kept, since a rotation moves all labels under all features at once. The
    error is controlled whichever pairs are true, since the effect of a rotation on some pairs does
    not depend on whether others are true (subset pivotality).

    The memory is that of the counts in the smallest type that holds them: 2 or 4 bytes for each
    pair and rotation.
    """

    def __init__(self) -> None:
        self._counts: list[UInt[np.ndarray, "pair count"]] = []
        self._mean: list[Float64[np.ndarray, " pair"]] = []
        self._spread: list[Float64[np.ndarray, " pair"]] = []

    def add(self, counts: NullCounts) -> None:
        """Add pairs to the family."""
        every = np.column_stack([counts.observed, counts.null])
        spread = every.std(axis=1)
        self._counts.append(every.astype(np.min_scalar_type(int(every.max(initial=0)))))
        self._mean.append(every.mean(axis=1))
        self._spread.append(np.where(spread > 0, spread, 1.0))

    def p_values(self) -> Float64[np.ndarray, " pair"]:
        """Return ``p_max`` of all pairs, in the order in which they were added."""
        rows = [row for counts in self._counts for row in counts]
        none = np.zeros(0)
        mean, spread = (np.concatenate([none, *part]) for part in (self._mean, self._spread))
        first = np.array([row[0] for row in rows], dtype=np.float64)
        observed = _standardised(first, mean, spread)
        p = np.empty(len(rows), dtype=np.float64)
        order: Int64[np.ndarray, " pair"] = np.argsort(-observed, kind="stable")
        largest = np.array(-np.inf)
        for pair in order[::-1].tolist():
            own = _standardised(rows[pair], mean[pair], spread[pair])
            largest = np.maximum(largest, own)
            p[pair] = np.count_nonzero(largest >= observed[pair]) / len(own)
        p[order] = np.maximum.accumulate(p[order])
        return p


def _standardised(
    counts: Real[np.ndarray, " count"],
    mean: Float64[np.ndarray, " count"] | np.float64,
    spread: Float64[np.ndarray, " count"] | np.float64,
) -> Float64[np.ndarray, " count"]:
    # rounded, so that values of two pairs that differ only in the last bit count as equal
    return np.asarray(((counts - mean) / spread).round(9), dtype=np.float64)
