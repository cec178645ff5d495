"""Inner loops of co-activation, compiled by numba and run without the interpreter's lock.

They check nothing: `genointerp.wiring.coactivation` must call them with arrays that fit together.
"""

from typing import no_type_check

import numpy as np

from genointerp.association.count.kernels import compiled

_CELLS = 1 << 13
"""Cells that are counted for all sources before the next ones, so that they stay in the cache."""


@compiled
@no_type_check
def count_joint(hit, begin, indptr, feature, mask, offset, joint, n_source):
    """Count, for each source and offset, the firings of every feature that far from its own.

    Offsets are added to cells modulo the length of the axis. ``mask`` says which cells count as
    targets. ``joint`` is source by offset by feature; ``n_source`` the firings of a source whose
    target counts.
    """
    n = len(mask)
    at = begin[:-1].copy()
    for first in range(0, n, _CELLS):
        for s in range(len(at)):
            low, high = at[s], at[s]
            while high < begin[s + 1] and hit[high] < first + _CELLS:
                high += 1
            at[s] = high
            for k in range(len(offset)):
                row = joint[s, k]
                for i in range(low, high):
                    target = hit[i] + offset[k]
                    if target >= n:
                        target -= n
                    if mask[target]:
                        n_source[s, k] += 1
                        for m in range(indptr[target], indptr[target + 1]):
                            row[feature[m]] += 1


@compiled
@no_type_check
def count_targets(source, indptr, feature, mask, offset, n_target):
    """Count the firings of each feature that have a source cell an offset before them.

    ``n_target`` is offset by feature. Returns the number of pairs of cells at each offset.
    """
    n = len(mask)
    n_pairs = np.zeros(len(offset), np.int64)
    for first in range(0, n, _CELLS):
        for k in range(len(offset)):
            for t in range(first, min(first + _CELLS, n)):
                target = t + offset[k]
                if target >= n:
                    target -= n
                if source[t] and mask[target]:
                    n_pairs[k] += 1
                    for m in range(indptr[target], indptr[target + 1]):
                        n_target[k, feature[m]] += 1
    return n_pairs


@compiled
@no_type_check
def count_pair(hit, state, offset, joint, n_source):
    """Count the joint firings of one pair at each offset.

    ``state`` of a cell is 0 if it does not count as a target, 1 if it does, 2 if the target fires.
    """
    n = len(state)
    for k in range(len(offset)):
        for i in range(len(hit)):
            target = hit[i] + offset[k]
            if target >= n:
                target -= n
            n_source[k] += state[target] > 0
            joint[k] += state[target] > 1


@compiled
@no_type_check
def count_upstream(low, high, owner, feature, count):
    """Count, for each owner, the beginnings with an end of each feature from low to high.

    The ends are in the order of their places; a feature counts once for a beginning.
    """
    seen = np.full(count.shape[1], -1, np.int64)
    for i in range(len(owner)):
        for m in range(low[i], high[i]):
            if seen[feature[m]] != i:
                seen[feature[m]] = i
                count[owner[i], feature[m]] += 1
