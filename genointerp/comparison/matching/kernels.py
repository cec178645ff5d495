"""Inner loops of matching, compiled by numba and run without the interpreter's lock.

They check nothing: their callers must give arrays that fit together. Hits of features stand one
feature after the other, those of one from ``begin[s]`` to ``begin[s + 1]``, by ascending cell; hits
of cells stand one cell after the other, by ascending feature.
"""

from typing import no_type_check

import numpy as np

from genointerp.association.count.kernels import compiled


@compiled
@no_type_check
def order_by(key, n_keys):
    """Return where each key begins and an order that sorts by key, and keeps the order within."""
    begin = np.zeros(n_keys + 1, np.int64)
    for one in key:
        begin[one + 1] += 1
    for k in range(n_keys):
        begin[k + 1] += begin[k]
    at = begin[:-1].copy()
    order = np.empty(len(key), np.int64)
    for i in range(len(key)):
        order[at[key[i]]] = i
        at[key[i]] += 1
    return begin, order


@compiled
@no_type_check
def add_products(begin, cell, value, indptr, feature, other, shift, chunk, into):
    """Add to ``into[s, g]`` the products of s on each cell with g that many cells further on.

    Cells are counted modulo their number. ``chunk`` cells are done for all features before the
    next ones, so that what fires there stays in the cache. A product of two float16 numbers is
    exact in float32; sums are float64.
    """
    n = len(indptr) - 1
    at = begin[:-1].copy()
    for first in range(0, n, chunk):
        for s in range(len(at)):
            row = into[s]
            i = at[s]
            while i < begin[s + 1] and cell[i] < first + chunk:
                target = cell[i] + shift
                if target >= n:
                    target -= n
                own = value[i]
                for m in range(indptr[target], indptr[target + 1]):
                    row[feature[m]] += own * other[m]
                i += 1
            at[s] = i


@compiled
@no_type_check
def add_class_sums(begin, cell, value, class_of, total, squares, n_hits):
    """Add the values of each feature in each class of cells, their squares and their number."""
    for s in range(len(begin) - 1):
        for i in range(begin[s], begin[s + 1]):
            kind = class_of[cell[i]]
            one = np.float64(value[i])
            total[s, kind] += one
            squares[s] += one * one
            n_hits[s] += 1


@compiled
@no_type_check
def add_pair_products(begin, cell, value, indptr, feature, other, partner, group_of, into):
    """Add to ``into[s, group]`` the products of s with its partner; -1 is none."""
    for s in range(len(begin) - 1):
        if partner[s] < 0:
            continue
        for i in range(begin[s], begin[s + 1]):
            for m in range(indptr[cell[i]], indptr[cell[i] + 1]):
                if feature[m] >= partner[s]:
                    if feature[m] == partner[s]:
                        into[s, group_of[cell[i]]] += np.float64(value[i]) * other[m]
                    break


@compiled
@no_type_check
def add_deviations(begin, cell, value, class_of, group_of, own_mean, other_mean, pair, into, cross):
    """Add what the hits of a feature give to its squares about class means, and to its products.

    ``into[p, group]`` gains ``v^2 - 2 v mean``, and ``cross[p, group]`` loses ``v`` times the mean
    of the other feature of pair ``p = pair[s]``; -1 is none. Terms without hits are left out.
    """
    for s in range(len(begin) - 1):
        p = pair[s]
        if p < 0:
            continue
        for i in range(begin[s], begin[s + 1]):
            kind, group = class_of[cell[i]], group_of[cell[i]]
            v = np.float64(value[i])
            into[p, group] += v * (v - 2 * own_mean[p, kind])
            cross[p, group] -= v * other_mean[p, kind]
