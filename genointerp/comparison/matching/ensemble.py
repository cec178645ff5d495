"""How well the best candidates of a feature predict it together: for features that were split."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from genointerp.comparison.matching.candidates import Best
from genointerp.comparison.matching.classes import Classes, Moments
from genointerp.comparison.matching.pairing import Pairing

_RIDGE = 1e-4
# share of its own square that is added to each predictor: candidates may be copies of each other


@dataclass(frozen=True)
class Halves:
    """Moments of the features of one reading: of all cells, and of those of fit."""

    every: Moments
    fit: Moments


def explained_by_best(
    pairing: Pairing, best: Best, own: Halves, other: Halves, classes: tuple[Classes, Classes]
) -> Float64[np.ndarray, " feature"]:
    """Return the R^2 with which its best candidates predict each own feature; NaN if it has none.

    Parameters
    ----------
    pairing
        Two readings; only what the other one says of itself is counted here.
    best
        The candidates by r on fit, each with its sums of products on all cells and on fit.
    classes
        All cells, and those of fit, as one class.

    Notes
    -----
    The candidates are chosen and their weights (least squares, with a ridge of `_RIDGE` of each
    candidate's square) are fitted on the blocks of fit; R^2 is that on the blocks of test, against
    their own mean. It may be below 0.
    """
    index = np.where(best.value > 0, best.other, -1)
    every, fit = _gram(Pairing(pairing.other, pairing.other, pairing.panels), index)
    cells, cells_fit = (int(one.n_cells[0]) for one in classes)
    on_fit = _Centred(own.fit, other.fit, cells_fit, index, best.more[1], fit)
    on_test = _Centred(
        _rest(own, cells, cells_fit),
        _rest(other, cells, cells_fit),
        cells - cells_fit,
        index,
        best.more[0] - best.more[1],
        every - fit,
    )
    ridge = _RIDGE * np.einsum("fii->fi", on_fit.gram)
    # a candidate that is missing or silent on fit has the weight 0
    ridge = np.where(ridge > 0, ridge, 1.0)
    system = on_fit.gram + ridge[:, :, None] * np.eye(index.shape[1])
    weight = np.linalg.solve(system, on_fit.cross[..., None])[..., 0]
    error = (
        on_test.square
        - 2 * (weight * on_test.cross).sum(axis=1)
        + np.einsum("fi,fij,fj->f", weight, on_test.gram, weight)
    )
    # the intercept of fit, on test
    offset = on_fit.mean - (weight * on_fit.means).sum(axis=1)
    error += on_test.n * (on_test.mean - offset - (weight * on_test.means).sum(axis=1)) ** 2
    known = (index >= 0).any(axis=1) & (on_test.square > 0)
    left = np.divide(error, on_test.square, out=np.full(len(error), np.nan), where=known)
    return np.asarray(1 - left)


class _Centred:
    """Sums about the means of some cells: of each feature, and of its candidates."""

    def __init__(
        self,
        own: Moments,
        other: Moments,
        n: int,
        index: Int64[np.ndarray, "feature best"],
        cross: Float64[np.ndarray, "feature best"],
        gram: Float64[np.ndarray, "feature best best"],
    ) -> None:
        self.n = n
        self.mean, self.square = own.mean[:, 0], own.spread
        self.means = np.where(index >= 0, other.mean[index, 0], 0.0)
        known = (index >= 0)[:, :, None] & (index >= 0)[:, None]
        self.cross = np.where(index >= 0, cross - n * self.mean[:, None] * self.means, 0.0)
        both = self.means[:, :, None] * self.means[:, None]
        self.gram = np.where(known, gram - n * both, 0.0)


def _rest(halves: Halves, n: int, n_fit: int) -> Moments:
    """Return the moments of the cells of test."""
    every, fit = halves.every, halves.fit
    mean = (n * every.mean - n_fit * fit.mean) / max(n - n_fit, 1)
    squares = every.spread + n * every.mean[:, 0] ** 2
    of_test = squares - fit.spread - n_fit * fit.mean[:, 0] ** 2
    spread = of_test - (n - n_fit) * mean[:, 0] ** 2
    # a feature that is silent on test, or a test without cells, leaves rounding
    return Moments(mean, np.where(spread > 1e-9 * squares, spread, 0.0), every.n_hits - fit.n_hits)


def _gram(
    pairing: Pairing, index: Int64[np.ndarray, "feature best"]
) -> Float64[np.ndarray, "part feature best best"]:
    """Return the sums of products of the candidates with each other, on all cells and on fit."""
    gram = np.zeros((2, *index.shape, index.shape[1]))
    for first, stop in pairing.blocks():
        feature, slot = np.nonzero((index >= first) & (index < stop))
        if not len(feature):
            continue
        block = pairing.load(first, stop)
        row, column = index[feature, slot] - first, index[feature]
        for into, hits in zip(gram, (block, pairing.of_fit(block)), strict=True):
            into[feature, slot] = pairing.sums(hits)[row[:, None], column]
    return gram
