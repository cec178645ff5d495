"""Runs of consecutive bases: those of a mask, and those that intervals cover together."""

import numpy as np
from jaxtyping import Bool, Int64


def runs_of(mask: Bool[np.ndarray, " bp"]) -> Int64[np.ndarray, "run 2"]:
    """Return the start and the end (half-open) of each run of True, in order.

    Examples
    --------
    >>> runs_of(np.array([True, True, False, True])).tolist()
    [[0, 2], [3, 4]]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.view(np.int8), [0]])))
    return edges.reshape(-1, 2)


def merge_intervals(intervals: Int64[np.ndarray, "interval 2"]) -> Int64[np.ndarray, "run 2"]:
    """Return the runs that half-open intervals cover together, in order.

    Intervals that touch become one run. An empty interval covers nothing, but counts as a run
    where no other one touches it.

    Examples
    --------
    >>> merge_intervals(np.array([[5, 9], [0, 2], [2, 4], [6, 7]])).tolist()
    [[0, 4], [5, 9]]
    """
    start, end = intervals[np.lexsort((intervals[:, 1], intervals[:, 0]))].T
    reached = np.maximum.accumulate(end)
    first = np.flatnonzero(np.concatenate([[True], start[1:] > reached[:-1]])[: len(start)])
    last = np.append(first[1:], len(start))[: len(first)] - 1
    return np.column_stack([start[first], reached[last]])


def common_runs(
    a: Int64[np.ndarray, "run 2"], b: Int64[np.ndarray, "other 2"]
) -> Int64[np.ndarray, "common 2"]:
    """Return what two lists of sorted, disjoint, half-open runs have in common, in order.

    Runs that touch stay apart.

    Examples
    --------
    >>> common_runs(np.array([[0, 5], [8, 9]]), np.array([[3, 9]])).tolist()
    [[3, 5], [8, 9]]
    """
    found, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        start, stop = max(a[i, 0], b[j, 0]), min(a[i, 1], b[j, 1])
        if start < stop:
            found.append((int(start), int(stop)))
        if a[i, 1] <= b[j, 1]:
            i += 1
        else:
            j += 1
    return np.array(found, dtype=np.int64).reshape(-1, 2)
