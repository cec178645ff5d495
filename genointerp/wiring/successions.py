"""Successions: features whose stretches begin after those of another feature have ended.

Co-activation by lag needs a fixed distance. Elements such as a promoter and the start of its gene
follow each other at distances that vary; here only the order and the range of the distance count.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64

from genointerp.association.null.significance import benjamini_hochberg
from genointerp.core.progress import Progress, silent
from genointerp.feature.specimen import Specimen
from genointerp.store.feature.store import STRANDS
from genointerp.store.table.schema.circuit import SUCCESSIONS
from genointerp.store.table.table import conform
from genointerp.wiring import kernels
from genointerp.wiring.axis import Axis, lay_axis
from genointerp.wiring.config import CircuitConfig
from genointerp.wiring.null import (
    QUANTILE,
    PooledNull,
    classes_of,
    draw_rotations,
    scores_of_rotations,
    standardised,
)

_log = logging.getLogger(__name__)

NEAREST, FARTHEST = 20, 500
"""Range of bases from the end of one stretch to the beginning of the other."""

MERGE_GAP = 10
"""Longest silent gap inside a stretch, in bp."""

MIN_STRETCHES = 20
"""Fewest stretches of a feature that is tested."""

_BLOCK = 64
# features that are read at once

MOST_FEATURES = 1024
"""Most features that are tested; those with the longest stretches, if more qualify."""


class _Ends(NamedTuple):
    """Beginnings of the stretches of each feature, and all ends by their place."""

    begin: list[Int64[np.ndarray, " _stretch"]]
    end: Int64[np.ndarray, " end"]
    feature: Int64[np.ndarray, " end"]
    n_bases: Int64[np.ndarray, " feature"]


def find_successions(
    specimens: Sequence[Specimen],
    config: CircuitConfig | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Find features whose stretches follow those of another feature, in the schema ``SUCCESSIONS``.

    Notes
    -----
    A stretch is what a feature fires on along one reading strand, with gaps of up to 10 bases. The
    share of b after a is that of b's beginnings for which a stretch of a ends 20 to 500 bases
    upstream, over both reading strands. A feature is tested if it has 20 stretches or more and not
    more than one for every 500 bases, since others are never far from anything. What begins or ends
    where reading does, is no beginning and no end.

    The null rotates the beginnings along the axis. Its shares are of those that come to lie on a
    base that was read on the strand, since no stretch can end before others. Each share is
    standardised by the rotations of its pair, p is pooled (`PooledNull`), and q is corrected
    (Benjamini and Hochberg) over all ordered pairs. The table has the pairs with q of at most
    ``max_q`` and at least ``min_share``.
    """
    config = config or CircuitConfig()
    stores = [specimen.features for specimen in specimens]
    axes = [lay_axis(stores, strand, (0, FARTHEST)) for strand in STRANDS]
    found = [_find_ends(axis) for axis in axes]
    chosen = _choose(found, sum(int(axis.is_source.sum()) for axis in axes))
    n = len(chosen)
    n_begin = np.array([sum(len(ends.begin[f]) for ends in found) for f in chosen], np.int64)
    n_end = np.array([sum(int((ends.feature == f).sum()) for ends in found) for f in chosen])
    observed = np.zeros((n, n), dtype=np.int64)
    null = np.zeros((config.n_rotations, n, n), dtype=np.int64)
    n_rotated = np.zeros((config.n_rotations, n), dtype=np.int64)
    for number, (axis, ends) in enumerate(zip(axes, found, strict=True)):
        rotations = draw_rotations(
            axis.n_cells, config.n_rotations, beyond=FARTHEST, seed=config.seed
        )
        counted = _Counted(ends, chosen, axis.is_source)
        observed += counted.at(0)[0]
        for k, rotation in enumerate(rotations.tolist()):
            followed, n_read = counted.at(rotation)
            null[k] += followed
            n_rotated[k] += n_read
            progress(number * len(rotations) + k + 1, 2 * len(rotations))
    shares = null / np.maximum(n_rotated, 1)[:, None]
    table = _tested(chosen, n_begin, n_end.astype(np.int64), observed, shares, config)
    distance = [
        _median_distance(found, int(a), int(b))
        for a, b in table[["feature_a", "feature_b"]].itertuples(index=False)
    ]
    table.insert(5, "distance", np.array(distance, dtype=np.float64))
    return conform(table, SUCCESSIONS, where="successions")


class _Counted:
    """How many beginnings of each chosen feature have an end of each other one upstream."""

    def __init__(
        self,
        ends: _Ends,
        chosen: Int64[np.ndarray, " chosen"],
        is_read: Bool[np.ndarray, " cell"],
    ) -> None:
        self._n, self._is_read = len(chosen), is_read
        place = np.full(len(ends.begin), -1, dtype=np.int64)
        place[chosen] = np.arange(len(chosen))
        is_chosen = place[ends.feature] >= 0
        self._end, self._feature = ends.end[is_chosen], place[ends.feature[is_chosen]]
        begins = [ends.begin[feature] for feature in chosen]
        self._begin = np.concatenate([np.zeros(0, np.int64), *begins])
        self._owner = np.repeat(np.arange(self._n), [len(own) for own in begins])

    def at(
        self, rotation: int
    ) -> tuple[Int64[np.ndarray, "before after"], Int64[np.ndarray, " after"]]:
        """Count with all beginnings rotated; return also how many lie where was read."""
        begin = (self._begin + rotation) % len(self._is_read)
        is_read = self._is_read[begin]
        begin, owner = begin[is_read], self._owner[is_read]
        low = np.searchsorted(self._end, begin - FARTHEST)
        high = np.searchsorted(self._end, begin - NEAREST, side="right")
        count = np.zeros((self._n, self._n), dtype=np.int64)
        kernels.count_upstream(low, high, owner, self._feature, count)
        return count.T, np.bincount(owner, minlength=self._n)


def _find_ends(axis: Axis) -> _Ends:
    """Return the stretches of every feature on one axis."""
    is_read = axis.is_source
    begins, ends, n_bases = [], [], []
    for hit in _tracks(axis):
        is_first = np.diff(hit, prepend=-MERGE_GAP - 2) > MERGE_GAP + 1
        begin = hit[is_first]
        end = hit[np.roll(is_first, -1)] + 1
        begins.append(begin[_is_inside(is_read, begin - 1)])
        ends.append(end[_is_inside(is_read, end)])
        n_bases.append(len(hit))
    every = np.concatenate([np.zeros(0, np.int64), *ends])
    feature = np.repeat(np.arange(len(ends)), [len(own) for own in ends])
    order = np.argsort(every, kind="stable")
    return _Ends(begins, every[order], feature[order], np.array(n_bases, dtype=np.int64))


def _tracks(axis: Axis) -> Iterator[Int64[np.ndarray, " hit"]]:
    """Yield the cells on which each feature fires."""
    for first in range(0, axis.n_features, _BLOCK):
        hit, begin = axis.hits(first, min(first + _BLOCK, axis.n_features))
        yield from np.split(hit, begin[1:-1])


def _is_inside(
    is_read: Bool[np.ndarray, " cell"], cell: Int64[np.ndarray, " stretch"]
) -> Bool[np.ndarray, " stretch"]:
    inside = (cell >= 0) & (cell < len(is_read))
    return np.asarray(inside & is_read[np.where(inside, cell, 0)])


def _choose(found: Sequence[_Ends], n_read: int) -> Int64[np.ndarray, " chosen"]:
    """Return the features that have elements, in ascending order."""
    n_stretches = np.sum([[len(own) for own in ends.begin] for ends in found], axis=0)
    n_bases = np.sum([ends.n_bases for ends in found], axis=0)
    fits = (n_stretches >= MIN_STRETCHES) & (n_stretches * FARTHEST <= n_read)
    qualified = np.flatnonzero(fits)
    length = n_bases[qualified] / n_stretches[qualified]
    longest = qualified[np.argsort(-length, kind="stable")]
    if len(longest) > MOST_FEATURES:
        left_out = len(longest) - MOST_FEATURES
        _log.info("successions: %d features with the shortest stretches are left out", left_out)
    return np.sort(longest[:MOST_FEATURES]).astype(np.int64)


def _tested(
    chosen: Int64[np.ndarray, " chosen"],
    n_begin: Int64[np.ndarray, " chosen"],
    n_end: Int64[np.ndarray, " chosen"],
    observed: Int64[np.ndarray, "before after"],
    shares: Float64[np.ndarray, "rotation before after"],
    config: CircuitConfig,
) -> pd.DataFrame:
    share = observed / np.maximum(n_begin, 1)
    mean = shares.mean(axis=0)
    # the variance of independent beginnings, for pairs that no rotation brings together
    floor = np.maximum(mean * (1 - mean), 1 / np.maximum(n_begin, 1)) / np.maximum(n_begin, 1)
    score, scores = standardised(share, shares, floor), scores_of_rotations(shares, floor)
    other = ~np.eye(len(chosen), dtype=np.bool_)
    kind = classes_of((mean * n_begin)[other])
    pool = PooledNull()
    pool.add(kind, scores[:, other])
    p = pool.p_values(kind, score[other][:, None])[:, 0]
    q = benjamini_hochberg(p)
    a, b = np.nonzero(other)
    kept = (q <= config.max_q) & (share[other] >= config.min_share)
    table: pd.DataFrame = pd.DataFrame(
        {
            "feature_a": chosen[a],
            "feature_b": chosen[b],
            "share": share[other],
            "null_share": np.quantile(shares, QUANTILE, axis=0)[other],
            "expected_share": mean[other],
            "n_followed": observed[other],
            "n_a": n_end[a],
            "n_b": n_begin[b],
            "p_value": p,
            "q_value": q,
            "n_null": pool.n_rotated[kind],
        }
    ).loc[kept]
    _log.info("successions: %d features tested, %d pairs", len(chosen), len(p))
    excess = table["share"] - table["expected_share"]
    order = np.argsort(-excess.to_numpy(), kind="stable")
    return table.iloc[order].reset_index(drop=True)


def _median_distance(found: Sequence[_Ends], a: int, b: int) -> float:
    """Return the median distance from a beginning of b to the nearest end of a that counts."""
    distances = []
    for ends in found:
        end, begin = ends.end[ends.feature == a], ends.begin[b]
        last = np.searchsorted(end, begin - NEAREST, side="right") - 1
        distance = begin[last >= 0] - end[last[last >= 0]]
        distances.append(distance[distance <= FARTHEST])
    return float(np.median(np.concatenate(distances)))
