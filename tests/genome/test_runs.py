"""Runs of bases against what a loop over the bases finds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from genointerp.genome.runs import merge_intervals, runs_of

INTERVALS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8)), max_size=12)


def walked(mask):
    """Naive twin: one base at a time."""
    runs = []
    for base, inside in enumerate(mask):
        if inside and runs and runs[-1][1] == base:
            runs[-1][1] = base + 1
        elif inside:
            runs.append([base, base + 1])
    return runs


@given(st.lists(st.booleans(), max_size=40))
def test_runs_of_a_mask_are_those_of_a_walk_along_it(mask):
    assert runs_of(np.array(mask, dtype=np.bool_)).tolist() == walked(mask)


@given(INTERVALS)
def test_merged_intervals_are_the_runs_of_what_they_cover(intervals):
    covered = np.zeros(40, dtype=np.bool_)
    for start, length in intervals:
        covered[start : start + length] = True
    rows = np.array([(start, start + n) for start, n in intervals], dtype=np.int64).reshape(-1, 2)
    assert merge_intervals(rows).tolist() == walked(covered)
