"""Counts of joint firings on one reading strand: at lags, and under rotation."""

from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt32

from genointerp.association.null.rotated import scores_of_rotations
from genointerp.association.threads import spread
from genointerp.core.metric import mcc
from genointerp.wiring import kernels
from genointerp.wiring.axis import Axis
from genointerp.wiring.null import PooledNull, classes_of

BLOCK_COUNTS = 1 << 22
"""Counts that a thread holds at once, by source, offset and feature."""

BLOCK_HITS = 1 << 23
"""Firings of the sources that a thread holds at once, on both strands, unless one has more."""

KEPT_TRACKS = 128
"""Tracks of features that are kept in memory for the next pair."""


class Joint(NamedTuple):
    """Joint firings of sources with every feature at each offset.

    ``n_source`` is the number of firings of a source whose target was read.
    """

    n: UInt32[np.ndarray, "source offset feature"]
    n_source: Int64[np.ndarray, "source offset"]


class Marginals(NamedTuple):
    """Pairs of cells at each offset, and firings of each feature as their target."""

    n_pairs: Int64[np.ndarray, " offset"]
    n_target: Int64[np.ndarray, "offset feature"]


class StrandCount:
    """Counts on the axis of one strand.

    Parameters
    ----------
    axis
        The bases, in the order of the strand on which sources are read.
    is_opposite
        Whether targets are read on the other strand.
    lags, rotations
        Offsets of targets from sources: within stretches, and along the whole axis.
    """

    def __init__(
        self,
        axis: Axis,
        lags: Int64[np.ndarray, " lag"],
        rotations: Int64[np.ndarray, " rotation"],
        *,
        is_opposite: bool,
    ) -> None:
        self.axis, self.is_opposite = axis, is_opposite
        self.lags, self.rotations = lags, rotations
        self.firing = axis.firing(is_opposite=is_opposite)
        # a feature of one pair is likely to be in the next one
        self._track = lru_cache(KEPT_TRACKS)(self._read_track)
        self._at_lags = self._marginals(self.firing.is_read, lags)
        self._at_rotations = self._marginals(self.firing.is_own, rotations)

    @cached_property
    def n_pairs(self) -> int:
        """Number of pairs of bases that a rotation compares, at most; 1 if nothing was read."""
        return max(1, int(self._at_rotations.n_pairs.max()))

    def at_lags(self, first: int, stop: int) -> Joint:
        """Count what fires at each lag from features ``[first, stop)``."""
        return self._count(*self.axis.hits(first, stop), self.lags, self.firing.is_read)

    def phi_at_lags(
        self,
        joint: Joint,
        source: Int64[np.ndarray, " pair"],
        target: Int64[np.ndarray, " pair"],
    ) -> Float64[np.ndarray, "pair lag"]:
        """Return the phi of pairs at each lag.

        Parameters
        ----------
        source
            Numbers of the sources among those counted.
        """
        n = joint.n[source, :, target].astype(np.int64)
        n_target = self._at_lags.n_target[:, target]
        return _phi(n.T, joint.n_source[source].T, n_target, self._at_lags.n_pairs).T

    def pool(
        self,
        sources: Int64[np.ndarray, " source"],
        is_tested: Bool[np.ndarray, " feature"],
        *,
        min_bases: int,
    ) -> PooledNull:
        """Return the scores of each source with every tested feature under each rotation.

        A strand that was not read has none.
        """
        if not self._at_rotations.n_pairs.any():
            return PooledNull()

        def of_one(source: int) -> PooledNull:
            hit, begin = self.axis.hits(source, source + 1)
            null = self._count(hit, begin, self.rotations, self.firing.is_own)
            n, n_source = null.n[0].astype(np.int64), null.n_source[0, :, None]
            phi = _phi(n, n_source, *self._at_rotations[::-1])
            scores = scores_of_rotations(phi, 1 / self.n_pairs)
            scores[n < min_bases] = -np.inf
            other = is_tested.copy()
            other[source] &= self.is_opposite
            pool = PooledNull()
            pool.add(classes_of(len(hit) * self._rate)[other], scores[:, other])
            return pool

        whole = PooledNull()
        for pool in spread(of_one, sources.tolist()):
            whole.merge(pool)
        return whole

    def rotated(self, pair: tuple[int, int]) -> Float64[np.ndarray, " rotation"]:
        """Return the phi of one ordered pair under each rotation."""
        a, b = pair
        hit, other = self._track(a, False), self._track(b, self.is_opposite)  # noqa: FBT003
        state = self.firing.is_own.astype(np.uint8)
        state[other] = 2
        joint, n_source = np.zeros((2, len(self.rotations)), dtype=np.int64)
        kernels.count_pair(hit, state, self.rotations, joint, n_source)
        n_target = self._at_rotations.n_target[:, [b]]
        columns = joint[:, None], n_source[:, None], n_target
        return _phi(*columns, self._at_rotations.n_pairs)[:, 0]

    def kinds(
        self, a: Int64[np.ndarray, " pair"], b: Int64[np.ndarray, " pair"]
    ) -> Int64[np.ndarray, " pair"]:
        """Return the class of each pair in the pooled null."""
        features, place = np.unique(a, return_inverse=True)
        n = [len(self._track(int(one), False)) for one in features]  # noqa: FBT003
        return classes_of(np.array(n, dtype=np.float64)[place] * self._rate[b])

    @cached_property
    def _rate(self) -> Float64[np.ndarray, " feature"]:
        """Share of bases on which each feature fires as a target, over the rotations."""
        n_target, n_pairs = self._at_rotations.n_target, self._at_rotations.n_pairs
        return np.asarray((n_target / np.maximum(n_pairs, 1)[:, None]).mean(axis=0))

    def _read_track(self, feature: int, is_opposite: bool) -> Int64[np.ndarray, " hit"]:  # noqa: FBT001
        return self.axis.hits(feature, feature + 1, is_opposite=is_opposite)[0]

    def _marginals(
        self, mask: Bool[np.ndarray, " cell"], offset: Int64[np.ndarray, " offset"]
    ) -> Marginals:
        n_target = np.zeros((len(offset), self.axis.n_features), dtype=np.int64)
        indptr, feature = self.firing.indptr, self.firing.feature
        n_pairs = kernels.count_targets(
            self.axis.is_source, indptr, feature, mask, offset, n_target
        )
        return Marginals(n_pairs, n_target)

    def _count(
        self,
        hit: Int64[np.ndarray, " hit"],
        begin: Int64[np.ndarray, " source1"],
        offset: Int64[np.ndarray, " offset"],
        mask: Bool[np.ndarray, " cell"],
    ) -> Joint:
        shape = len(begin) - 1, len(offset)
        joint = np.zeros((*shape, self.axis.n_features), dtype=np.uint32)
        n_source = np.zeros(shape, dtype=np.int64)
        indptr, feature = self.firing.indptr, self.firing.feature
        kernels.count_joint(hit, begin, indptr, feature, mask, offset, joint, n_source)
        return Joint(joint, n_source)


def _phi(
    n_joint: Int64[np.ndarray, "offset ..."],
    n_source: Int64[np.ndarray, "offset ..."],
    n_target: Int64[np.ndarray, "offset ..."],
    n_pairs: Int64[np.ndarray, " offset"],
) -> Float64[np.ndarray, "offset ..."]:
    """Return the correlation at each offset; 0 where a feature fires nowhere or everywhere."""
    found = np.empty(n_joint.shape)
    for k, n in enumerate(n_pairs.tolist()):
        found[k] = mcc(n_joint[k], n_source[k], n_target[k], n)
    return np.nan_to_num(found, nan=0.0)
