"""The null of co-activation: one track rotated along the axis against the other.

Rotating a track by r is comparing it at the lag r. One set of rotations serves all pairs, so that
what one pair reaches by chance can be pooled with what others do.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64, Int64

from genointerp.core.errors import InputError
from genointerp.core.seed import rng

QUANTILE = 0.95
"""Quantile of the phis under rotation that tables state."""

_CLASSES = np.array([100.0])
# expected joint firings that separate the classes of pairs: chance is more ragged for rare pairs.
# 100 is the default of ``min_bases``: pairs of the lower class are tested only if they fire
# together more often than is expected
_STEPS = np.concatenate([[0.0], np.geomspace(0.5, 1e5, 600)])
# scores at which the pooled null is counted; a score counts as the step below it


def draw_rotations(
    n_cells: int, n: int, *, beyond: int, seed: int
) -> Int64[np.ndarray, " rotation"]:
    """Draw different rotations of an axis that are longer than the lags, either way round.

    Raises
    ------
    InputError
        If there are fewer than 10 of them.
    """
    low, high = beyond + 1, n_cells - beyond
    if high - low < 10:
        expected = f"more than {2 * beyond + 10:,} bases that were read, to rotate them"
        raise InputError("features", expected, f"{n_cells:,}")
    drawn = rng(seed, "circuit/rotation").choice(high - low, min(n, high - low), replace=False)
    return np.asarray(np.sort(drawn) + low, dtype=np.int64)


def classes_of(expected: Float64[np.ndarray, "..."]) -> Int64[np.ndarray, "..."]:
    """Return the classes of pairs by the joint firings that independence would give."""
    return np.asarray(np.searchsorted(_CLASSES, expected, side="right"), dtype=np.int64)


@dataclass
class PooledNull:
    """Scores of rotated pairs, counted by the class of the pair.

    Notes
    -----
    ``p = (1 + #{rotated scores >= score}) / (1 + #rotated pairs)`` within the class of a pair. Each
    pair has been standardised by its own rotations, so what is pooled is only the shape of the
    tail. The false discovery rate that follows holds for the table as a whole; a single pair whose
    rotations are more ragged than those of its class has a p that is too small, and its own
    quantile stands next to it.
    """

    n_at_least: Int64[np.ndarray, "kind step"] = field(
        default_factory=lambda: np.zeros((len(_CLASSES) + 1, len(_STEPS)), np.int64)
    )
    n_rotated: Int64[np.ndarray, " kind"] = field(
        default_factory=lambda: np.zeros(len(_CLASSES) + 1, np.int64)
    )

    def add(
        self, kind: Int64[np.ndarray, " pair"], score: Float64[np.ndarray, "rotation pair"]
    ) -> None:
        """Add the scores of pairs under each rotation; -inf for one with too few firings."""
        step = np.searchsorted(_STEPS, score, side="right") - 1
        for one in np.unique(kind):
            own = step[:, kind == one]
            counts = np.bincount(own[own >= 0], minlength=len(_STEPS))
            self.n_at_least[one] += counts[::-1].cumsum()[::-1]
            self.n_rotated[one] += own.size

    def merge(self, other: "PooledNull") -> None:
        """Add all that another one has counted."""
        self.n_at_least += other.n_at_least
        self.n_rotated += other.n_rotated

    def p_values(
        self, kind: Int64[np.ndarray, " pair"], score: Float64[np.ndarray, "pair lag"]
    ) -> Float64[np.ndarray, "pair lag"]:
        """Return the share of rotated pairs of the class that score as high, the pair included."""
        step = np.searchsorted(_STEPS, score, side="right") - 1
        n_as_good = np.where(
            step >= 0, self.n_at_least[kind[:, None], step], self.n_rotated[kind][:, None]
        )
        return np.asarray((1 + n_as_good) / (1 + self.n_rotated[kind][:, None]))
