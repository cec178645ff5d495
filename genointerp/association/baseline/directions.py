"""Directions of activations that need no dictionary: components and differences of means."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from genointerp.association.baseline.dense import DenseRows
from genointerp.core.errors import InputError
from genointerp.core.seed import rng

_NEGLIGIBLE = 1e-9
"""Share of the largest variance below which the variance of an axis is a rounding error."""


TruthOf = Callable[[Int64[np.ndarray, " row"]], Bool[np.ndarray, "row label"]]


class Moments(NamedTuple):
    """Moments of all rows of a side, and of the rows of each label.

    Parameters
    ----------
    n_positive, positive_mean
        Number of rows of each label and their mean, which is NaN if there are none.
    """

    n: int
    mean: Float64[np.ndarray, " d_in"]
    covariance: Float64[np.ndarray, "d_in d_in"]
    n_positive: Int64[np.ndarray, " label"]
    positive_mean: Float64[np.ndarray, "label d_in"]


class Projection(NamedTuple):
    """Detectors whose values are ``x @ weight + bias``."""

    weight: Float32[np.ndarray, "d_in detector"]
    bias: Float32[np.ndarray, " detector"]

    def values(self, x: Float32[np.ndarray, "row d_in"]) -> Float32[np.ndarray, "row detector"]:
        """Return the value of each detector at each row; values of a detector are contiguous."""
        return np.asarray((self.weight.T @ x.T + self.bias[:, None]).T, dtype=np.float32)


def measure_moments(blocks: Iterable[DenseRows], truth_of: TruthOf) -> Moments:
    """Compute the exact moments of blocks of rows, in one pass.

    Parameters
    ----------
    truth_of
        Function from cells to their labels, such as `DenseSide.truth`.

    Notes
    -----
    Sums are taken of differences from the mean of the first block, so that a mean much larger than
    the spread costs no digits. They are in float32 within a block and in float64 over blocks.

    Raises
    ------
    InputError
        If there is no row.
    """
    origin, n = None, 0
    for cell, x in blocks:
        truth = truth_of(cell).astype(np.float32)
        if origin is None:
            origin = x.mean(axis=0, dtype=np.float64).astype(np.float32)
            d_in, n_labels = x.shape[1], truth.shape[1]
            total, square = np.zeros(d_in), np.zeros((d_in, d_in))
            of_label, n_positive = np.zeros((n_labels, d_in)), np.zeros(n_labels, np.int64)
        centred = x - origin
        n += len(x)
        total += centred.sum(axis=0, dtype=np.float64)
        square += centred.T @ centred
        of_label += truth.T @ centred
        n_positive += np.rint(truth.sum(axis=0, dtype=np.float64)).astype(np.int64)
    if origin is None:
        raise InputError("activations", "at least one row on fit", "none")
    mean = total / n
    share = np.where(n_positive > 0, n_positive, np.nan)[:, None]
    covariance = square / n - np.outer(mean, mean)
    return Moments(n, mean + origin, covariance, n_positive, of_label / share + origin)


def principal_axes(moments: Moments) -> Projection:
    """Return all principal components, centred, in descending order of variance.

    Notes
    -----
    They are the eigenvectors of the covariance of all rows of fit, with signs such that the entry
    of largest magnitude is positive.
    """
    axes = np.linalg.eigh(moments.covariance).eigenvectors[:, ::-1]
    largest = np.abs(axes).argmax(axis=0)
    axes = axes * np.sign(axes[largest, np.arange(axes.shape[1])])
    return _centred(axes, moments.mean)


def independent_axes(
    x: Float32[np.ndarray, "row d_in"],
    moments: Moments,
    *,
    n_components: int,
    n_iterations: int,
    seed: int = 0,
) -> Projection:
    """Return independent components of rows of fit, with mean 0 and variance 1, in no order.

    Parameters
    ----------
    x
        Rows to separate, a subset of those that ``moments`` describe.
    n_components
        Number of leading principal components that are rotated; those without variance are left
        out.

    Notes
    -----
    FastICA with the contrast ``log cosh``, all components at once (Hyvarinen, 1999): for whitened
    rows z, ``W <- mean(z tanh(W^T z)) - W mean(1 - tanh^2)``, then the nearest orthogonal matrix.
    It ends when no component turns by more than 1e-4, or after ``n_iterations``; a rotation that
    has not converged is still a detector like any other.
    """
    variance, axes = np.linalg.eigh(moments.covariance)
    kept = np.flatnonzero(variance > _NEGLIGIBLE * max(float(variance[-1]), 0.0))[::-1]
    kept = kept[:n_components]
    whiten = axes[:, kept] / np.sqrt(variance[kept])
    z = ((x - moments.mean.astype(np.float32)) @ whiten.astype(np.float32)).astype(np.float32)
    start = rng(seed, "independent components").normal(size=(len(kept), len(kept)))
    rotation = _nearest_orthogonal(start)
    for _ in range(n_iterations):
        response = np.tanh(z @ rotation.astype(np.float32))
        slope = 1 - np.square(response, dtype=np.float64).mean(axis=0)
        turned = _nearest_orthogonal(
            (z.T @ response).astype(np.float64) / len(z) - rotation * slope
        )
        turn = 1 - np.abs((turned * rotation).sum(axis=0))
        rotation = turned
        if turn.max(initial=0.0) < 1e-4:
            break
    return _centred(whiten @ rotation, moments.mean)


def mean_differences(moments: Moments) -> Projection:
    """Return for each label the direction from the mean of all other rows to its own mean.

    The value is 0 half-way between the two. A label of no row or of every row has a direction of
    zeros.
    """
    n = moments.n_positive.astype(np.float64)[:, None]
    inside = np.where(n > 0, moments.positive_mean, 0.0)
    outside = (moments.n * moments.mean - n * inside) / np.maximum(moments.n - n, 1.0)
    known = (n > 0) & (n < moments.n)
    direction = np.where(known, inside - outside, 0.0)
    bias = -(direction * (inside + outside)).sum(axis=1) / 2
    return Projection(direction.T.astype(np.float32), bias.astype(np.float32))


def _centred(axes: np.ndarray, mean: np.ndarray) -> Projection:
    return Projection(axes.astype(np.float32), -(mean @ axes).astype(np.float32))


def _nearest_orthogonal(matrix: np.ndarray) -> Float64[np.ndarray, "d d"]:
    left, _, right = np.linalg.svd(matrix)
    return np.asarray(left @ right, dtype=np.float64)
