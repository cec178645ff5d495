"""The null of rotated annotation, and multiplicity.

The annotation is rotated along the covered bases, both strands together: lengths, clusters
and the relation of the strands stay as they are, only the place is lost.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from genointerp.association.label import LabelledCells
from genointerp.core.errors import InputError
from genointerp.core.seed import rng

_GOLDEN = (math.sqrt(5) - 1) / 2
# as many bytes as can be added up without exceeding 255
_GROUP = 255


class Shifts(NamedTuple):
    """Rotations ``step * j`` by the multiples j of one step; ``n`` of them.

    The multiples are the whole numbers from ``first`` to ``first + n`` without 0.
    """

    step: int
    first: int
    n: int


def draw_shifts(n_bp: int, n_shifts: int, *, seed: int) -> Shifts:
    """Draw rotations of an axis, evenly spread and all different; all there are on a short axis.

    Notes
    -----
    The step is near the golden section of the axis, which spreads its multiples evenly and keeps
    them away from 0. The unrotated annotation sits at a random place in the sequence of
    rotations: were it laid anywhere at random, its rank among them would be exactly uniform,
    however the rotations depend upon each other.

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


class ShiftNull:
    """Bases in common with the rotated annotation.

    Parameters
    ----------
    labels, n_bp
        The annotation, on an axis of this length.
    shifts
        The rotations.
    """

    def __init__(self, labels: LabelledCells, n_bp: int, shifts: Shifts) -> None:
        self.labels = labels
        self.n_bp = n_bp
        self.shifts = shifts
        # walking in steps makes the rotations of a base neighbours in memory
        self._inverse = pow(shifts.step, -1, n_bp)
        self._walk = np.arange(n_bp, dtype=np.int64) * shifts.step % n_bp
        self._tracks: dict[int, UInt8[np.ndarray, "strand walk"]] = {}

    def count(self, cells: Int64[np.ndarray, " hit"], label: int) -> Int64[np.ndarray, " shift"]:
        """Count those of the given cells that a label covers after each rotation.

        Where strands were read in different places a rotated label may lie on bases not read;
        the count is exact, but the label's own size then varies a little and is not corrected.
        """
        n_cells = 2 * self.n_bp
        if 2 * len(cells) > n_cells:
            silent = np.ones(n_cells, dtype=np.bool_)
            silent[cells] = False
            rest = self._count(np.flatnonzero(silent), label)
            return np.asarray(self.labels.n_positive[label] - rest, dtype=np.int64)
        return self._count(cells, label)

    def _count(self, cells: Int64[np.ndarray, " hit"], label: int) -> Int64[np.ndarray, " shift"]:
        n, track = self.shifts.n, self._track(label)
        strand, position = np.divmod(cells, self.n_bp)
        # base x after rotation by step * j has the label of base x - step * j
        last = position * self._inverse % self.n_bp - self.shifts.first
        start = strand * track.shape[1] + (last - n) % self.n_bp
        rows = np.lib.stride_tricks.sliding_window_view(track.reshape(-1), n + 1)
        total = np.zeros(n + 1, dtype=np.int64)
        for first in range(0, len(start), _GROUP):
            total += rows[start[first : first + _GROUP]].sum(axis=0, dtype=np.uint8)
        return np.delete(total[::-1], -self.shifts.first)

    def _track(self, label: int) -> UInt8[np.ndarray, "strand walk"]:
        if label not in self._tracks:
            mask = self.labels.mask(label).reshape(2, self.n_bp)[:, self._walk]
            wrapped = np.concatenate([mask, mask[:, : self.shifts.n]], axis=1)
            self._tracks[label] = np.ascontiguousarray(wrapped).view(np.uint8)
        return self._tracks[label]


def p_value(observed: int, null: Int64[np.ndarray, " shift"]) -> float:
    """Return the share of rotations, the annotation as it is included, that do as well.

    Notes
    -----
    ``(1 + #{null >= observed}) / (1 + n)``: never 0.
    """
    return (1 + int(np.count_nonzero(null >= observed))) / (1 + len(null))


class MaxStatistic:
    """The largest standardised count of a family of pairs, at the annotation and each rotation.

    Every pair must have been counted under the same rotations, in the same order.

    Notes
    -----
    Westfall and Young (1993), single step. The counts ``c_0`` (the annotation as it is) to
    ``c_n`` of a pair are standardised by their own mean and standard deviation,
    ``t_k = (c_k - mean(c)) / sd(c)``, 0 where they are all the same; ``max_k`` is the largest
    ``t_k`` of the family, and ``p_max = #{k: max_k >= t_0} / (n + 1)``, k = 0 included. Since
    ``c_0`` takes part in mean, deviation and maximum like any other, the ranks are exact; and
    since a rotation moves all labels under all features at once, the dependence of the pairs,
    which the Bonferroni correction ignores, is kept.
    """

    def __init__(self, n_shifts: int) -> None:
        self.maximum = np.full(n_shifts + 1, -np.inf)

    def add(self, observed: int, null: Int64[np.ndarray, " shift"]) -> float:
        """Add a pair and return its ``t_0``."""
        counts = np.concatenate([[observed], null]).astype(np.float64)
        spread = float(counts.std())
        # rounded, so that what is equal in two pairs but for the last bit counts as equal
        standardised = ((counts - counts.mean()) / (spread if spread > 0 else 1.0)).round(9)
        np.maximum(self.maximum, standardised, out=self.maximum)
        return float(standardised[0])

    def p_values(self, observed: Float64[np.ndarray, "..."]) -> Float64[np.ndarray, "..."]:
        """Return ``p_max`` for each ``t_0``, when all pairs were added; NaN stays NaN."""
        below = np.searchsorted(np.sort(self.maximum), observed, side="left")
        return np.where(np.isnan(observed), np.nan, 1 - below / len(self.maximum))


def benjamini_hochberg(p: Float64[np.ndarray, " test"]) -> Float64[np.ndarray, " test"]:
    """Return q-values: the false discovery rate at which each test is just significant.

    Notes
    -----
    Benjamini and Hochberg (1995): ``q_(i) = min over j >= i of p_(j) m / j``, for the m tests
    that are not NaN; NaN stays NaN.
    """
    q = np.full(len(p), np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q
