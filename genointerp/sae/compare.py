"""Compare dictionaries: which features another seed finds again, and which a wider one splits.

Features are matched in two ways, since neither is enough: directions may be equal where features
fire on different tokens, and features may fire together with different directions.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse

from genointerp.core.errors import MismatchError
from genointerp.core.metric import Match, nearest_by_cosine

SAME_COSINE = 0.7
"""Least cosine at which two directions count as the same (Paulo and Belrose 2025)."""
SAME_CORRELATION = 0.7
"""Least correlation at which the activations of two features count as the same."""
INSIDE = 0.8
"""Least share of a feature's tokens on which another fires, for it to fire inside the other."""
NOTABLE = 0.05
"""Least share of the other's tokens on which it must then fire, to count as a child."""


@dataclass(frozen=True)
class Coded:
    """The directions of a dictionary, and the activations of its features over some tokens.

    Parameters
    ----------
    directions
        Rows of W_dec; their norms do not matter.
    codes
        Activations, a row for each token and a column for each feature.
    """

    directions: Float[np.ndarray, "n_features d_in"]
    codes: sparse.csr_array

    @property
    def is_alive(self) -> Bool[np.ndarray, " n_features"]:
        """Features that fire on any of the tokens."""
        return np.bincount(self.codes.indices, minlength=self.codes.shape[1]) > 0


class Stability(NamedTuple):
    """How much of a dictionary is also found in another one.

    Features that fire on no token are left out of the means and shares, but may be matches.

    Parameters
    ----------
    mean_cosine
        Mean over features of the largest cosine to a direction of the other dictionary.
    share_same_direction
        Share of features that are mutual nearest neighbours, by direction, with a feature of the
        other dictionary, at a cosine of at least `SAME_COSINE`.
    mean_correlation
        Mean over features of the largest correlation with a feature of the other dictionary.
    share_same_activation
        Share of features that are mutual best matches, by correlation, with a feature of the other
        dictionary, at a correlation of at least `SAME_CORRELATION`.
    n_features
        Number of features that fire.
    """

    mean_cosine: float
    share_same_direction: float
    mean_correlation: float
    share_same_activation: float
    n_features: int


class Nesting(NamedTuple):
    """How the features of a narrow dictionary are split and absorbed in a wider one.

    Parameters
    ----------
    split_share
        Share of the narrow dictionary's features that have two children or more.
    mean_children
        Mean number of children.
    absorption
        Mean, over features with a counterpart, of the share of their tokens that are absorbed.
    absorbed_share
        Share of these features with more than a twentieth of their tokens absorbed.
    n_features, n_counterparts
        Number of features of the narrow dictionary that fire, and how many of them have a
        counterpart.

    Notes
    -----
    A *child* of p is a wide feature c that fires inside it: ``|p & c| / |c| >= INSIDE`` and
    ``|p & c| / |p| >= NOTABLE``, where ``|.|`` counts tokens. The *counterpart* of p is the wide
    feature of the nearest direction, if its cosine is at least `SAME_COSINE`. A token of p is
    *absorbed* if its counterpart is silent while another child fires: the general feature yields to
    a special one (Chanin et al. 2024, arXiv:2409.14507, who measure it with labels).
    """

    split_share: float
    mean_children: float
    absorption: float
    absorbed_share: float
    n_features: int
    n_counterparts: int


def best_correlated(codes: sparse.csr_array, others: sparse.csr_array) -> Match:
    """Return for each feature the other feature with the largest Pearson correlation over tokens.

    If none correlates positively, the value is 0 and the other is -1.

    Notes
    -----
    ``r = (E[f g] - E[f] E[g]) / (sd(f) sd(g))``. It is positive only where two features fire
    together, so the sparse product of the codes holds every candidate.
    """
    together = sparse.coo_array(codes.astype(np.float64).T @ others.astype(np.float64))
    n_tokens = codes.shape[0]
    (mean_f, sd_f), (mean_g, sd_g) = _moments(codes), _moments(others)
    row, column = together.coords
    covariance = together.data / n_tokens - mean_f[row] * mean_g[column]
    spread = sd_f[row] * sd_g[column]
    r = np.divide(covariance, spread, out=np.zeros_like(covariance), where=spread > 0)
    index = np.full(codes.shape[1], -1, dtype=np.int64)
    value = np.zeros(codes.shape[1])
    # ascending, so that the largest is written last
    order = np.argsort(r, kind="stable")
    order = order[r[order] > 0]
    index[row[order]], value[row[order]] = column[order], r[order]
    return Match(index, value)


def stability(own: Coded, other: Coded) -> Stability:
    """Return how much of ``own`` is also found in the other dictionary.

    Raises
    ------
    MismatchError
        If they are of different widths or were run over different tokens.
    """
    _check_comparable(own, other)
    alive = own.is_alive
    by_direction = nearest_by_cosine(own.directions, other.directions)
    back = nearest_by_cosine(other.directions, own.directions)
    by_activation = best_correlated(own.codes, other.codes)
    back_activation = best_correlated(other.codes, own.codes)
    same = _is_mutual(by_direction, back) & (by_direction.value >= SAME_COSINE)
    together = _is_mutual(by_activation, back_activation)
    together &= by_activation.value >= SAME_CORRELATION
    return Stability(
        _mean(by_direction.value[alive]),
        _mean(same[alive]),
        _mean(by_activation.value[alive]),
        _mean(together[alive]),
        int(alive.sum()),
    )


def nesting(narrow: Coded, wide: Coded) -> Nesting:
    """Return how the features of a narrow dictionary are split and absorbed in a wider one.

    Raises
    ------
    MismatchError
        If they are of different widths or were run over different tokens.
    """
    _check_comparable(narrow, wide)
    p_on, c_on = _is_on(narrow.codes), _is_on(wide.codes)
    n_p, n_c = (np.asarray(on.sum(axis=0)).ravel() for on in (p_on, c_on))
    both = sparse.coo_array(p_on.T @ c_on)
    p, c = both.coords
    is_child = (both.data >= INSIDE * n_c[c]) & (both.data >= NOTABLE * n_p[p])
    children = sparse.csr_array(
        (np.ones(int(is_child.sum())), (p[is_child], c[is_child])), shape=both.shape
    )
    n_children = np.asarray(children.sum(axis=1)).ravel()
    alive = n_p > 0
    nearest = nearest_by_cosine(narrow.directions, wide.directions)
    known = np.flatnonzero(alive & (nearest.value >= SAME_COSINE))
    absorbed = [
        _absorbed(int(feature), int(nearest.other[feature]), p_on, c_on, children)
        for feature in known
    ]
    share = np.array(absorbed) / np.maximum(n_p[known], 1)
    return Nesting(
        _mean(n_children[alive] >= 2),
        _mean(n_children[alive]),
        _mean(share),
        _mean(share > NOTABLE),
        int(alive.sum()),
        len(known),
    )


def _absorbed(
    feature: int,
    counterpart: int,
    p_on: sparse.csc_array,
    c_on: sparse.csc_array,
    children: sparse.csr_array,
) -> int:
    """Count the tokens of a feature on which a child fires and its counterpart does not."""
    is_left = np.zeros(p_on.shape[0], dtype=np.bool_)
    is_left[_tokens(p_on, feature)] = True
    is_left[_tokens(c_on, counterpart)] = False
    own = children.indices[children.indptr[feature] : children.indptr[feature + 1]]
    firing = [_tokens(c_on, int(child)) for child in own if child != counterpart]
    if not firing:
        return 0
    return int(is_left[np.unique(np.concatenate(firing))].sum())


def _tokens(on: sparse.csc_array, feature: int) -> np.ndarray:
    tokens: np.ndarray = on.indices[on.indptr[feature] : on.indptr[feature + 1]]
    return tokens


def _is_on(codes: sparse.csr_array) -> sparse.csc_array:
    on = sparse.csc_array(codes > 0)
    return on.astype(np.int64)


def _moments(codes: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    exact = codes.astype(np.float64)
    mean = np.asarray(exact.mean(axis=0)).ravel()
    square = np.asarray(exact.multiply(exact).mean(axis=0)).ravel()
    return mean, np.sqrt(np.maximum(square - mean**2, 0))


def _is_mutual(forth: Match, back: Match) -> Bool[np.ndarray, " feature"]:
    known = forth.other >= 0
    returned = back.other[np.where(known, forth.other, 0)]
    mutual: np.ndarray = known & (returned == np.arange(len(forth.other)))
    return mutual


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _check_comparable(own: Coded, other: Coded) -> None:
    expected = (own.directions.shape[1], own.codes.shape[0])
    found = (other.directions.shape[1], other.codes.shape[0])
    if expected != found:
        raise MismatchError(
            "dictionaries to compare",
            f"width {expected[0]} over {expected[1]} tokens",
            f"width {found[0]} over {found[1]}",
        )
