"""The null of rotated annotation, and the false discovery rate.

The annotation is rotated along the covered bases, both strands together. Lengths, clusters and the
relation of the strands stay as they are; only the position is lost.
"""

import math
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from genointerp.association.count.hits import Detections
from genointerp.association.count.label import LabelledCells
from genointerp.association.null import kernels as null_kernels
from genointerp.association.threads import spread
from genointerp.core.errors import InputError
from genointerp.core.seed import rng

KEPT_UNIONS = 16

_GOLDEN = (math.sqrt(5) - 1) / 2


class Shifts(NamedTuple):
    """``n`` rotations by ``step * j``, the multiples of one step.

    The multipliers j are the integers from ``first`` to ``first + n`` without 0.
    """

    step: int
    first: int
    n: int


def draw_shifts(n_bp: int, n_shifts: int, *, seed: int) -> Shifts:
    """Draw different, evenly spread rotations of an axis; on a short axis, all that exist.

    Notes
    -----
    The step is near the golden section of the axis, which spreads its multiples evenly and keeps
    them away from 0. The unrotated annotation takes a random place in the sequence of rotations. If
    it lay at a random position, its rank among them would therefore be exactly uniform, even though
    the rotations depend on each other.

    Raises
    ------
    InputError
        If the axis is too short to be rotated.
    """
    if n_bp < 2:
        raise InputError("test", "at least 2 covered bases to rotate", str(n_bp))
    draw = rng(seed, "shift")
    n = min(n_shifts, n_bp - 1)
    step = round(n_bp * _GOLDEN) + int(draw.integers(-(n_bp // 100), n_bp // 100 + 1))
    while math.gcd(step, n_bp) != 1:
        step += 1
    return Shifts(step, -int(draw.integers(n + 1)), n)


class NullCounts(NamedTuple):
    """Number of cells that detectors share with a label: as it is, and in each draw of a null."""

    observed: Int64[np.ndarray, " detector"]
    null: Int64[np.ndarray, "detector draw"]


class ShiftNull:
    """Counts of cells in common with the rotated annotation.

    Parameters
    ----------
    labels, n_bp
        Annotation, and length of its axis.
    shifts
        Rotations.

    Notes
    -----
    The memory is 2 bytes per base of the axis for each label that is counted, and for each of the
    last `KEPT_UNIONS` unions of labels; 2 to 8 for the labels of the walk.
    """

    def __init__(self, labels: LabelledCells, n_bp: int, shifts: Shifts) -> None:
        self.labels = labels
        self.n_bp = n_bp
        self.shifts = shifts
        # in the order of the walk, the rotations of a base are neighbours in memory
        self._inverse = pow(shifts.step, -1, n_bp)
        walk = np.arange(n_bp, dtype=np.int64) * shifts.step % n_bp
        compact = labels.combination.astype(np.min_scalar_type(labels.members.shape[1]))
        walked = compact.reshape(2, n_bp)[:, walk]
        self._walked = np.concatenate([walked, walked[:, : shifts.n]], axis=1).reshape(-1)
        self._tracks: dict[int, UInt8[np.ndarray, " walk"]] = {}
        self._unions: OrderedDict[tuple[int, ...], UInt8[np.ndarray, " walk"]] = OrderedDict()

    def count(self, detected: Detections, label: int) -> NullCounts:
        """Count the detected cells that a label covers, unrotated and after each rotation.

        If the strands were read in different places, a rotated label may lie on bases that were not
        read. The count is exact, but the size of the label then varies a little, which is not
        corrected.
        """
        if label not in self._tracks:
            self._tracks[label] = self._lay(self.labels.members[[label]])
        return self._count(detected, self._tracks[label])

    def count_union(self, detected: Detections, labels: tuple[int, ...]) -> NullCounts:
        """Count the detected cells that at least one of several labels covers, as in `count`."""
        if len(labels) == 1:
            return self.count(detected, labels[0])
        if labels not in self._unions:
            self._unions[labels] = self._lay(self.labels.members[list(labels)])
        self._unions.move_to_end(labels)
        if len(self._unions) > KEPT_UNIONS:
            self._unions.popitem(last=False)
        return self._count(detected, self._unions[labels])

    def _count(self, detected: Detections, track: UInt8[np.ndarray, " walk"]) -> NullCounts:
        first, n = self.shifts.first, self.shifts.n
        counts = np.zeros((len(detected.start), n + 1), dtype=np.int64)

        def count_one(detector: int) -> None:
            own, into = detected.of(detector), counts[detector : detector + 1]
            null_kernels.count_rotated(*own, self.n_bp, self._inverse, first + n, track, into)

        spread(count_one, range(len(counts)))
        return NullCounts(counts[:, -first].copy(), np.delete(counts, -first, axis=1))

    def _lay(self, members: Float64[np.ndarray, "label combination"]) -> UInt8[np.ndarray, " walk"]:
        """Return along the walk whether a cell has at least one of several labels."""
        is_of = np.asarray((members > 0).any(axis=0), dtype=np.uint8)
        return np.asarray(is_of[self._walked], dtype=np.uint8)


def p_values(counts: NullCounts) -> Float64[np.ndarray, " detector"]:
    """Return the share of draws, including the unrotated annotation, that do as well.

    Notes
    -----
    ``(1 + #{null >= observed}) / (1 + n)``, which is never 0.
    """
    n_as_good = np.count_nonzero(counts.null >= counts.observed[:, None], axis=1)
    return np.asarray((1 + n_as_good) / (1 + counts.null.shape[1]), dtype=np.float64)


def benjamini_hochberg(
    p: Float64[np.ndarray, " test"], *, n_tests: int | None = None
) -> Float64[np.ndarray, " test"]:
    """Return q-values: the false discovery rate at which each test is just significant.

    Parameters
    ----------
    n_tests
        Number of tests in all, if some are left out whose p counts as 1.

    Notes
    -----
    Benjamini and Hochberg (1995): ``q_(i) = min over j >= i of p_(j) m / j``, for the m tests that
    are not NaN, and 1 at most. NaN stays NaN.
    """
    return np.asarray(np.minimum(stepped_up(p, n_tests=n_tests), 1.0))


def stepped_up(
    p: Float64[np.ndarray, " test"], *, n_tests: int | None = None
) -> Float64[np.ndarray, " test"]:
    """Return q-values as `benjamini_hochberg`, but before those above 1 become 1."""
    q = np.full(len(p), np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    m = len(order) if n_tests is None else n_tests
    scaled = p[order] * m / np.arange(1, len(order) + 1)
    q[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    return q
