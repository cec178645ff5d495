"""Measures of how alike two sets of activations of the same bases are; rows are bases."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

PENALTIES = tuple(10.0**k for k in range(-6, 3))
"""Ridge penalties that fit chooses among, in units of the mean variance of a column."""

_ROWS = 1024


def debiased_cka(x: Float64[np.ndarray, "base d"], y: Float64[np.ndarray, "base e"]) -> float:
    """Return the linear centred kernel alignment of two sets of activations, without its bias.

    About 0 for independent ones, whatever the widths, and 1 if one is the other rotated and scaled.

    Notes
    -----
    ``HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L))`` with ``K = x x^T``, ``L = y y^T`` (Kornblith et al.
    2019) and the unbiased estimate of HSIC (Song et al. 2012, equation 5; for CKA, Murphy et al.
    2024): with the diagonals of K and L set to 0,

    ``HSIC = (tr(K L) + 1'K1 1'L1 / ((n-1)(n-2)) - 2 1'K L 1 / (n-2)) / (n (n-3))``.

    The kernels are never formed. NaN if a set does not vary.
    """
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    own = _hsic(x, x) * _hsic(y, y)
    return float(_hsic(x, y) / np.sqrt(own)) if own > 0 else float("nan")


def _hsic(x: Float64[np.ndarray, "base d"], y: Float64[np.ndarray, "base e"]) -> float:
    n = len(x)
    diagonal = np.square(x).sum(axis=1), np.square(y).sum(axis=1)
    sums = x @ x.sum(axis=0) - diagonal[0], y @ y.sum(axis=0) - diagonal[1]
    trace = np.square(x.T @ y).sum() - diagonal[0] @ diagonal[1]
    ones = sums[0].sum() * sums[1].sum() / ((n - 1) * (n - 2))
    return float((trace + ones - 2 * (sums[0] @ sums[1]) / (n - 2)) / (n * (n - 3)))


def svcca(
    x: Float64[np.ndarray, "base d"], y: Float64[np.ndarray, "base e"], *, variance: float
) -> float:
    """Return the mean canonical correlation of the leading directions (Raghu et al. 2017).

    Parameters
    ----------
    variance
        Share of the variance that the leading directions of each set hold.

    Notes
    -----
    The mean over as many correlations as the set with fewer directions has. It is biased upwards by
    about the square root of the number of directions over that of bases: look at its rotations.
    """
    left, right = (_leading(one, variance) for one in (x, y))
    found = np.linalg.svd(left.T @ right, compute_uv=False)
    return float(found.mean()) if len(found) else float("nan")


def _leading(
    x: Float64[np.ndarray, "base d"], variance: float
) -> Float64[np.ndarray, "base direction"]:
    """Return orthonormal columns that span the leading directions of centred activations."""
    centred = x - x.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    share = np.cumsum(s**2) / max(float((s**2).sum()), np.finfo(float).tiny)
    n = int(np.searchsorted(share, variance - 1e-12)) + 1
    is_known = s > s[0] * 1e-10 if len(s) else np.zeros(0, np.bool_)
    return np.asarray(u[:, : min(n, int(is_known.sum()))], dtype=np.float64)


def nearest(x: Float64[np.ndarray, "base d"], n: int) -> Int64[np.ndarray, "base n"]:
    """Return the ``n`` nearest other rows of each row by cosine of centred rows, nearest first."""
    centred = x - x.mean(axis=0)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = (centred / np.where(length > 0, length, 1)).astype(np.float32)
    found = []
    for start in range(0, len(unit), _ROWS):
        cosine = unit[start : start + _ROWS] @ unit.T
        cosine[np.arange(len(cosine)), start + np.arange(len(cosine))] = -2
        best = np.argpartition(-cosine, n - 1, axis=1)[:, :n]
        order = np.argsort(-np.take_along_axis(cosine, best, axis=1), axis=1, kind="stable")
        found.append(np.take_along_axis(best, order, axis=1))
    return np.concatenate(found).astype(np.int64)


def mutual_neighbours(
    a: Int64[np.ndarray, "base m"],
    b: Int64[np.ndarray, "base m"],
    kept: Bool[np.ndarray, " base"],
    n: int,
) -> float:
    """Return the mean share of nearest neighbours that two models have in common (Huh et al. 2024).

    Parameters
    ----------
    a, b
        Neighbours of each base in either model, nearest first, more than ``n`` of them.
    kept
        Bases that count; of the neighbours of each, the first ``n`` that count are compared.

    Notes
    -----
    Chance gives ``n`` over the number of bases less one.
    """
    ours, theirs = (_first(one[kept], kept, n) for one in (a, b))
    found = (ours[:, :, None] == theirs[:, None, :]) & (ours >= 0)[:, :, None]
    return float(found.sum() / (n * len(ours)))


def _first(
    neighbours: Int64[np.ndarray, "row m"], kept: Bool[np.ndarray, " base"], n: int
) -> Int64[np.ndarray, "row n"]:
    """Return the first ``n`` neighbours of each row that count, -1 where there are fewer."""
    counts = kept[neighbours]
    place = np.cumsum(counts, axis=1) - 1
    row, column = np.nonzero(counts & (place < n))
    found = np.full((len(neighbours), n), -1, dtype=np.int64)
    found[row, place[row, column]] = neighbours[row, column]
    return found


class RidgeErrors(NamedTuple):
    """Errors on test of one set of activations predicted from another.

    Parameters
    ----------
    penalty
        The penalty that fit chose, in units of the mean variance of a column.
    error, spread
        Squared error, and squared distance from the mean of fit, by base of test.
    """

    penalty: float
    error: Float64[np.ndarray, " test"]
    spread: Float64[np.ndarray, " test"]

    def r2(self, kept: Bool[np.ndarray, " test"]) -> float:
        """Return R^2 over some bases of test: ``1 - sum error / sum spread``."""
        return float(1 - self.error[kept].sum() / self.spread[kept].sum())


def ridge_errors(
    x: Float64[np.ndarray, "base d"],
    y: Float64[np.ndarray, "base e"],
    block: Int64[np.ndarray, " base"],
) -> RidgeErrors:
    """Predict ``y`` from ``x`` by ridge regression; fit is the even blocks, test the odd ones.

    The penalty is the one of `PENALTIES` with which every other block of fit predicts the rest of
    fit best. Nothing of test is used for it.
    """
    fit = block % 2 == 0
    inner = block[fit] // 2 % 2 == 0
    x_fit, y_fit = x[fit], y[fit]
    errors = [
        np.square(_predicted(x_fit[inner], y_fit[inner], x_fit[~inner], penalty) - y_fit[~inner])
        for penalty in PENALTIES
    ]
    penalty = PENALTIES[int(np.argmin([one.sum() for one in errors]))]
    test = ~fit
    error = np.square(_predicted(x_fit, y_fit, x[test], penalty) - y[test]).sum(axis=1)
    spread = np.square(y[test] - y_fit.mean(axis=0)).sum(axis=1)
    return RidgeErrors(penalty, error, spread)


def _predicted(
    x: Float64[np.ndarray, "base d"],
    y: Float64[np.ndarray, "base e"],
    new: Float64[np.ndarray, "other d"],
    penalty: float,
) -> Float64[np.ndarray, "other e"]:
    centre, middle = x.mean(axis=0), y.mean(axis=0)
    gram = (x - centre).T @ (x - centre)
    unit = np.trace(gram) / len(gram)
    weight = np.linalg.solve(
        gram + penalty * max(unit, np.finfo(float).tiny) * np.eye(len(gram)),
        (x - centre).T @ (y - middle),
    )
    return np.asarray((new - centre) @ weight + middle, dtype=np.float64)


def residual(
    x: Float64[np.ndarray, "base d"],
    design: Float64[np.ndarray, "base column"],
    block: Int64[np.ndarray, " base"],
) -> Float64[np.ndarray, "base d"]:
    """Return what of ``x`` a design does not predict; nothing is learnt on test, the odd blocks.

    Test is predicted from all of fit, and each half of the blocks of fit from the other. The ridge
    is a thousandth of the mean variance of a column of the design.
    """
    left = np.empty_like(x)
    fit = block % 2 == 0
    inner = fit & (block // 2 % 2 == 0)
    for learnt, applied in ((fit, ~fit), (inner, fit & ~inner), (fit & ~inner, inner)):
        left[applied] = x[applied] - _predicted(design[learnt], x[learnt], design[applied], 1e-3)
    return left


def jackknife(found: float, without: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of a measure from its values with one group left out.

    Notes
    -----
    ``found +- t s`` with ``s^2 = (g - 1) / g sum (value - mean)^2`` over g groups, and t the 97.5th
    percentile of Student's distribution with 19 degrees of freedom, that of 20 groups.
    """
    values = np.array(without, dtype=np.float64)
    n = len(values)
    s = np.sqrt((n - 1) / n * np.square(values - values.mean()).sum())
    return float(found - _T_19 * s), float(found + _T_19 * s)


_T_19 = 2.093
