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
