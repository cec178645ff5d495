"""Nulls of matching: the other reading rotated far along the bases, and by short multiples of 3."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from genointerp.association.null.rotated import scores_of_rotations, standardised
from genointerp.association.null.significance import benjamini_hochberg
from genointerp.comparison.matching.pairing import Pairing
from genointerp.core.seed import rng

QUANTILE = 0.95
"""Quantile of the best r under rotation that tables state."""

BEYOND = 1000
"""Shortest of the far rotations, in cells; a quarter of a panel that is short."""

NEAR = (30, 300)
"""Shortest and longest of the rotations by multiples of 3, in cells.

They are short so that most bases of a gene stay in it: where a rotation by a multiple of 3 leads to
another gene, the reading frame is another one too, and nothing is kept that a far rotation loses.
"""


class Rotations(NamedTuple):
    """Shifts of each panel, by rotation."""

    far: Int64[np.ndarray, "rotation panel"]
    near: Int64[np.ndarray, "rotation panel"]


def draw_rotations(pairing: Pairing, n: int, *, seed: int) -> Rotations:
    """Draw rotations of the panels, far ones and ones by multiples of 3."""
    n_cells = np.array([panel.n_cells for panel in pairing.panels])
    low = np.minimum(BEYOND, n_cells // 4)
    share = rng(seed, "match/far").random((n, len(n_cells)))
    far = low + (share * (n_cells - 2 * low)).astype(np.int64)
    steps = np.arange(NEAR[0] // 3, NEAR[1] // 3 + 1) * 3
    both = np.concatenate([steps, -steps])
    drawn = rng(seed, "match/near").choice(both, n, replace=n > len(both))
    return Rotations(far, np.repeat(drawn[:, None], len(n_cells), axis=1) % n_cells)


class Significance(NamedTuple):
    """What the rotations say of the best r of each feature; NaN where it was not tested."""

    high: Float64[np.ndarray, " feature"]
    p: Float64[np.ndarray, " feature"]
    q: Float64[np.ndarray, " feature"]


def significance(
    r: Float64[np.ndarray, " feature"],
    null: Float64[np.ndarray, "rotation feature"],
    is_tested: np.ndarray,
    n_cells: int,
) -> Significance:
    """Compare the best r of each feature with the best r of each rotation.

    Notes
    -----
    Both are the largest over all candidates, so that what the best of many reaches by chance is
    the same on both sides. The best r is standardised by the rotations of its feature, and
    ``p = (1 + #{rotated scores >= score}) / (1 + #rotated features)``, where the scores of all
    features tested are pooled. So the false discovery rate (q; Benjamini and Hochberg) holds for
    the table as a whole. A feature whose rotations are more ragged than those of most has a p that
    is too small; its own quantile (`QUANTILE`) stands next to it.
    """
    high, p = np.full((2, len(r)), np.nan)
    if is_tested.any():
        own = null[:, is_tested]
        pool = np.sort(scores_of_rotations(own, 1 / n_cells).ravel())
        score = standardised(r[is_tested], own, 1 / n_cells)
        n_as_good = len(pool) - np.searchsorted(pool, score, side="left")
        p[is_tested] = (1 + n_as_good) / (1 + len(pool))
        high[is_tested] = np.quantile(own, QUANTILE, axis=0)
    return Significance(high, p, benjamini_hochberg(p))
