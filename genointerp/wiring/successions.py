"""Successions: features whose stretches begin after those of another feature have ended.

Co-activation by lag needs a fixed distance. Elements such as a promoter and the start of its gene
follow each other at distances that vary; here only the order and the range of the distance count.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64

from genointerp.association.null.rotated import scores_of_rotations, standardised
from genointerp.association.null.significance import benjamini_hochberg
from genointerp.core.progress import Progress, silent
from genointerp.feature.specimen import Specimen
from genointerp.store.feature.store import STRANDS
from genointerp.store.table.schema.circuit import SUCCESSIONS
from genointerp.store.table.table import conform
from genointerp.wiring import kernels
from genointerp.wiring.axis import Axis, lay_axis
from genointerp.wiring.config import CircuitConfig
from genointerp.wiring.families import Label
from genointerp.wiring.null import QUANTILE, PooledNull, classes_of, draw_rotations

_log = logging.getLogger(__name__)

NEAREST, FARTHEST = 20, 500
"""Range of bases from the end of one stretch to the beginning of the other."""

MERGE_GAP = 10
"""Longest silent gap inside a stretch, in bp."""

MIN_STRETCHES = 20
"""Fewest stretches of a feature that is tested."""

_BLOCK = 64
# features that are read at once

_AFTER = 16
# second features of pairs that are tested at once

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
    *,
    labels: Mapping[int, Label] | None = None,
) -> pd.DataFrame:
    """Find features whose stretches follow those of another feature, in the schema ``SUCCESSIONS``.

    Parameters
    ----------
    labels
        What features are called by.
    progress
        Called with (features done, features in all).

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
    config, labels = config or CircuitConfig(), labels or {}
    stores = [specimen.features for specimen in specimens]
    axes = [lay_axis(stores, strand, (0, FARTHEST)) for strand in STRANDS]
    found = [_find_ends(axis) for axis in axes]
    chosen = _choose(found, sum(int(axis.is_source.sum()) for axis in axes))
    counted = [
        _Counted(ends, chosen, axis.is_source) for axis, ends in zip(axes, found, strict=True)
    ]
    rotations = [
        draw_rotations(axis.n_cells, config.n_rotations, beyond=FARTHEST, seed=config.seed)
        for axis in axes
    ]
    n_begin = np.array([sum(len(ends.begin[f]) for ends in found) for f in chosen], np.int64)
    n_end = np.array([sum(int((ends.feature == f).sum()) for ends in found) for f in chosen])
    pairs, pool = _measure(counted, rotations, n_begin, config, progress)
    table = _tested(chosen, n_begin, n_end.astype(np.int64), pairs, pool, config)
    distance = [
        _median_distance(found, int(a), int(b))
        for a, b in table[["feature_a", "feature_b"]].itertuples(index=False)
    ]
    table.insert(5, "distance", np.array(distance, dtype=np.float64))
    for side in "ab":
        names = [labels.get(feature, Label("", "")) for feature in table[f"feature_{side}"]]
        table[f"concept_{side}"] = [name.concept for name in names]
        table[f"orientation_{side}"] = [name.orientation for name in names]
    return conform(table, SUCCESSIONS, where="successions")


class _Counted:
    """How many beginnings of chosen features have an end of each chosen one upstream."""

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
        self._begins = [ends.begin[feature] for feature in chosen]

    def at(
        self, rotation: int, after: slice
    ) -> tuple[Int64[np.ndarray, "before after"], Int64[np.ndarray, " after"]]:
        """Count for some of the chosen features, with their beginnings rotated.

        Return also how many of these beginnings lie where was read.
        """
        begins = self._begins[after]
        begin = (np.concatenate(begins) + rotation) % len(self._is_read)
        owner = np.repeat(np.arange(len(begins)), [len(own) for own in begins])
        is_read = self._is_read[begin]
        begin, owner = begin[is_read], owner[is_read]
        low = np.searchsorted(self._end, begin - FARTHEST)
        high = np.searchsorted(self._end, begin - NEAREST, side="right")
        count = np.zeros((len(begins), self._n), dtype=np.int64)
        kernels.count_upstream(low, high, owner, self._feature, count)
        return count.T, np.bincount(owner, minlength=len(begins))


class _Pairs(NamedTuple):
    """What is known of each ordered pair of the chosen features.

    Parameters
    ----------
    n_followed
        Number of beginnings of the second feature that have an end of the first one upstream.
    share
        Share of these among its beginnings.
    mean, quantile
        Mean and `QUANTILE` of this share over the rotations.
    score
        The share, standardised by the rotations.
    """

    n_followed: Int64[np.ndarray, "before after"]
    share: Float64[np.ndarray, "before after"]
    mean: Float64[np.ndarray, "before after"]
    quantile: Float64[np.ndarray, "before after"]
    score: Float64[np.ndarray, "before after"]


def _measure(
    counted: Sequence[_Counted],
    rotations: Sequence[Int64[np.ndarray, " _rotation"]],
    n_begin: Int64[np.ndarray, " chosen"],
    config: CircuitConfig,
    progress: Progress,
) -> tuple[_Pairs, PooledNull]:
    """Count all pairs, those of some second features at a time.

    The counts of every rotation are kept for these only: of all pairs they would take 420 MB, and
    what is computed from them several times as much.
    """
    n, pool = len(n_begin), PooledNull()
    pairs = _Pairs(np.zeros((n, n), np.int64), *(np.zeros((n, n)) for _ in _Pairs._fields[1:]))
    for first in range(0, n, _AFTER):
        after = slice(first, min(first + _AFTER, n))
        n_after = after.stop - first
        null = np.zeros((config.n_rotations, n, n_after), dtype=np.int64)
        n_rotated = np.zeros((config.n_rotations, n_after), dtype=np.int64)
        for axis, drawn in zip(counted, rotations, strict=True):
            pairs.n_followed[:, after] += axis.at(0, after)[0]
            for k, rotation in enumerate(drawn.tolist()):
                followed, n_read = axis.at(rotation, after)
                null[k] += followed
                n_rotated[k] += n_read
        shares = null / np.maximum(n_rotated, 1)[:, None]
        own = np.maximum(n_begin[after], 1)
        share, mean = pairs.n_followed[:, after] / own, shares.mean(axis=0)
        # the variance of independent beginnings, for pairs that no rotation brings together
        floor = np.maximum(mean * (1 - mean), 1 / own) / own
        pairs.share[:, after], pairs.mean[:, after] = share, mean
        pairs.quantile[:, after] = np.quantile(shares, QUANTILE, axis=0)
        pairs.score[:, after] = standardised(share, shares, floor)
        other = np.arange(n)[:, None] != np.arange(first, after.stop)
        scores = scores_of_rotations(shares, floor)
        pool.add(classes_of((mean * n_begin[after])[other]), scores[:, other])
        progress(after.stop, n)
    return pairs, pool


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
    pairs: _Pairs,
    pool: PooledNull,
    config: CircuitConfig,
) -> pd.DataFrame:
    other = ~np.eye(len(chosen), dtype=np.bool_)
    kind = classes_of((pairs.mean * n_begin)[other])
    p = pool.p_values(kind, pairs.score[other][:, None])[:, 0]
    q = benjamini_hochberg(p)
    kept = np.flatnonzero((q <= config.max_q) & (pairs.share[other] >= config.min_share))
    a, b = (index[kept] for index in np.nonzero(other))
    table: pd.DataFrame = pd.DataFrame(
        {
            "feature_a": chosen[a],
            "feature_b": chosen[b],
            "share": pairs.share[a, b],
            "null_share": pairs.quantile[a, b],
            "expected_share": pairs.mean[a, b],
            "n_followed": pairs.n_followed[a, b],
            "n_a": n_end[a],
            "n_b": n_begin[b],
            "p_value": p[kept],
            "q_value": q[kept],
            "n_null": pool.n_rotated[kind[kept]],
        }
    )
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
