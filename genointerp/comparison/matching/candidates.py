"""The best candidates of each feature, and matches that are one to one or many to one."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from scipy.optimize import linear_sum_assignment

MOST_ASSIGNED = 1 << 26
"""Most pairs among which the best assignment is found; above, pairs are taken greedily."""


class Best:
    """The best candidates of each of several features, with further numbers of each pair.

    Parameters
    ----------
    n_features
        Number of features that candidates are kept for.
    n
        Number of candidates that are kept.
    n_more
        How many further numbers are kept of a pair.

    Examples
    --------
    >>> best = Best(1, 2)
    >>> best.add(0, 10, np.array([[0.1, 0.5, -0.2, 0.4]]))
    >>> best.other.tolist(), best.value.tolist()
    ([[11, 13]], [[0.5, 0.4]])
    """

    def __init__(self, n_features: int, n: int, n_more: int = 0) -> None:
        self.value = np.full((n_features, n), -np.inf)
        self.other = np.full((n_features, n), -1, dtype=np.int64)
        self.more = np.zeros((n_more, n_features, n))

    def add(
        self,
        first: int,
        first_other: int,
        value: Float64[np.ndarray, "feature other"],
        *more: Float64[np.ndarray, "feature other"],
    ) -> None:
        """Add candidates from ``first_other`` on, for the features from ``first`` on.

        Of equal candidates the one that was added first, or has the lower number, stands first.
        """
        at = slice(first, first + len(value))
        n = self.value.shape[1]
        chosen = _largest(value, n)
        values = np.concatenate([self.value[at], np.take_along_axis(value, chosen, 1)], 1)
        others = np.concatenate([self.other[at], chosen + first_other], 1)
        order = np.argsort(-values, axis=1, kind="stable")[:, :n]
        self.value[at] = np.take_along_axis(values, order, 1)
        self.other[at] = np.take_along_axis(others, order, 1)
        for into, table in zip(self.more, more, strict=True):
            both = np.concatenate([into[at], np.take_along_axis(table, chosen, 1)], 1)
            into[at] = np.take_along_axis(both, order, 1)

    def top(self) -> tuple[Int64[np.ndarray, " feature"], Float64[np.ndarray, " feature"]]:
        """Return the best candidate of each feature and its value; -1 and 0 if none is above 0."""
        is_one = self.value[:, 0] > 0
        return np.where(is_one, self.other[:, 0], -1), np.where(is_one, self.value[:, 0], 0.0)


def _largest(
    value: Float64[np.ndarray, "feature other"], n: int
) -> Int64[np.ndarray, "feature best"]:
    """Return the columns of the n largest values of each row, the lower one first if equal."""
    if n == 1:
        return np.asarray(value.argmax(axis=1)[:, None], dtype=np.int64)
    if n >= value.shape[1]:
        return np.asarray(np.argsort(-value, axis=1, kind="stable"), dtype=np.int64)
    chosen = np.sort(np.argpartition(-value, n - 1, axis=1)[:, :n], axis=1)
    order = np.argsort(-np.take_along_axis(value, chosen, 1), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(chosen, order, 1), dtype=np.int64)


def is_mutual(
    forth: Int64[np.ndarray, " feature"], back: Int64[np.ndarray, " other"]
) -> Bool[np.ndarray, " feature"]:
    """Return which features are the best of their best; -1 is none.

    Examples
    --------
    >>> is_mutual(np.array([1, 1, -1]), np.array([0, 1])).tolist()
    [False, True, False]
    """
    known = forth >= 0
    return np.asarray(known & (back[np.where(known, forth, 0)] == np.arange(len(forth))))


class OneToOne(NamedTuple):
    """A partner of each feature that no other feature has, and their correlation; -1 is none."""

    partner: Int64[np.ndarray, " feature"]
    r: Float64[np.ndarray, " feature"]

    def back(self, n_other: int) -> "OneToOne":
        """Return the same pairs, by the other features."""
        known = np.flatnonzero(self.partner >= 0)
        partner, r = np.full(n_other, -1, dtype=np.int64), np.zeros(n_other)
        partner[self.partner[known]], r[self.partner[known]] = known, self.r[known]
        return OneToOne(partner, r)


def assign(r: Float32[np.ndarray, "feature other"]) -> OneToOne:
    """Return the pairs with the largest sum of r; pairs without a positive r are left out."""
    row, column = linear_sum_assignment(np.maximum(r, 0), maximize=True)
    found = OneToOne(np.full(len(r), -1, dtype=np.int64), np.zeros(len(r)))
    kept = r[row, column] > 0
    found.partner[row[kept]] = column[kept]
    found.r[row[kept]] = r[row[kept], column[kept]]
    return found


def take_greedily(own: Best, other: Best) -> OneToOne:
    """Return pairs of best candidates, taken by falling r while both features are free."""
    a = np.repeat(np.arange(len(own.value)), own.value.shape[1])
    b = np.repeat(np.arange(len(other.value)), other.value.shape[1])
    pairs = np.concatenate(
        [
            np.column_stack([a, own.other.ravel()]),
            np.column_stack([other.other.ravel(), b]),
        ]
    )
    r = np.concatenate([own.value.ravel(), other.value.ravel()])
    kept = r > 0
    pairs, r = pairs[kept], r[kept]
    found = OneToOne(np.full(len(own.value), -1, dtype=np.int64), np.zeros(len(own.value)))
    is_taken = np.zeros(len(other.value), dtype=np.bool_)
    for i in np.lexsort((pairs[:, 1], pairs[:, 0], -r)).tolist():
        one, two = pairs[i].tolist()
        if found.partner[one] < 0 and not is_taken[two]:
            found.partner[one], found.r[one] = two, r[i]
            is_taken[two] = True
    return found


def count_parts(
    partner: Int64[np.ndarray, " other"],
    r: Float64[np.ndarray, " other"],
    n_features: int,
    *,
    min_r: float,
) -> Int64[np.ndarray, " feature"]:
    """Count, for each feature, the other features whose best it is with at least ``min_r``."""
    counted = partner[(partner >= 0) & (r >= min_r)]
    return np.bincount(counted, minlength=n_features).astype(np.int64)
