"""Slow parts of activations: what one base tells about the bases around it.

Most of the variance at a site depends on the last few bases and changes from one base to the next.
A sparse dictionary spends its features on it and cuts a gene into pieces: a feature fires on one
base of a gene and not on the next, so its recall is low even if its precision is high. A dictionary
of a slow part describes what neighbouring bases share. Its encoder still reads one base, since the
map is linear and becomes part of W_enc.

Related methods are slow feature analysis (Wiskott and Sejnowski 2002) and temporal sparse
autoencoders, which ask for similar codes of neighbouring tokens (Bhalla et al. 2025).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64

from genointerp.core.errors import InputError
from genointerp.sae.base import SparseAutoencoder
from genointerp.training.config import SlowConfig

RIDGE = 1e-3
"""Added to the diagonal of the covariance, as a share of its mean."""


@dataclass(frozen=True)
class LinearPart:
    """The linear map ``y = x @ matrix + offset`` from an activation to a part of it.

    Parameters
    ----------
    matrix, offset
        The map; ``y`` has the width and the unit of ``x``.
    share
        Variance of ``y`` over that of ``x``, on the rows to which the map was fitted. The shares of
        all parts need not add up to 1, since parts may be correlated.
    """

    matrix: Float64[np.ndarray, "d_in d_in"]
    offset: Float64[np.ndarray, " d_in"]
    share: float

    def __call__(self, x: Float32[np.ndarray, "row d_in"]) -> Float32[np.ndarray, "row d_in"]:
        """Return this part of rows."""
        return np.asarray(
            x @ self.matrix.astype(np.float32) + self.offset.astype(np.float32), dtype=np.float32
        )

    @torch.no_grad()
    def fold(self, sae: SparseAutoencoder) -> None:
        """Rewrite, in place, a dictionary of the part as one that reads whole activations.

        Codes and threshold do not change: ``(x M + c) W_enc + b = x (M W_enc) + (c W_enc + b)``.
        Its reconstruction is still that of the part.
        """
        matrix, offset = (
            torch.from_numpy(array).to(sae.b_dec.device) for array in (self.matrix, self.offset)
        )
        encoder = sae.W_enc.double()
        sae.b_enc.copy_(sae.b_enc.double() + offset @ encoder)
        sae.W_enc.copy_(matrix @ encoder)


def fit_parts(
    stretches: Iterable[Float32[np.ndarray, "_ d_in"]], configs: Sequence[SlowConfig]
) -> list[LinearPart]:
    """Split activations into slow parts, one after the other, and the rest, which add up to them.

    Parameters
    ----------
    stretches
        Arrays of rows of consecutive bases, in reading order; neighbours are within one stretch.
    configs
        Settings of each part. The first is the slow part of the activations, each following one the
        slow part of what the parts before it leave.

    Returns
    -------
    list of LinearPart
        The slow parts, whose means are 0, and the rest, whose mean is that of the activations.

    Raises
    ------
    InputError
        If no base has a neighbour.

    Notes
    -----
    A part is the ridge regression of the mean activation of the neighbours, without the base
    itself, on the activation of the base. Leaving the base out matters: what depends only on that
    base has nothing in common with the neighbours, and so it vanishes.

    What a part leaves is linear in the activation, ``r = (x - mean) R``, and so is its mean over
    the neighbours. Covariances of r are therefore ``R' C R``, and one pass over the data is enough
    for all parts.
    """
    covariances = _Covariances(tuple(configs))
    for rows in stretches:
        covariances.add(rows)
    mean = covariances.mean()
    left, parts = np.eye(len(mean)), []
    for own, around in covariances.of_configs():
        covariance = left.T @ own @ left
        ridge = RIDGE * np.trace(covariance) / len(mean) * np.eye(len(mean))
        matrix = left @ np.linalg.solve(covariance + ridge, left.T @ around @ left)
        parts.append(LinearPart(matrix, -mean @ matrix, _share(matrix, own)))
        left = left - matrix
    share = _share(left, own) if parts else 1.0
    return [*parts, LinearPart(left, mean - mean @ left, share)]


def _share(matrix: Float64[np.ndarray, "d_in d_in"], covariance: np.ndarray) -> float:
    """Return the variance of a part over that of the activation."""
    return float(np.trace(matrix.T @ covariance @ matrix) / np.trace(covariance))


class _Covariances:
    """For each config, covariances of rows with themselves and with their neighbours' mean."""

    def __init__(self, configs: Sequence[SlowConfig]) -> None:
        self.configs = configs
        self.sums: list[_Sums] = []
        self.origin = self.sum_all = np.zeros(0)
        self.n_all = 0

    def add(self, rows: Float32[np.ndarray, "row d_in"]) -> None:
        """Add the rows of one stretch."""
        if self.n_all == 0:
            # around the mean of the first rows, since a mean far from 0 would cost digits
            self.origin = rows.mean(axis=0, dtype=np.float64)
            self.sum_all = np.zeros(rows.shape[1])
            self.sums = [_Sums(rows.shape[1]) for _ in self.configs]
        centred = rows - self.origin
        self.sum_all += centred.sum(axis=0)
        self.n_all += len(rows)
        for config, sums in zip(self.configs, self.sums, strict=True):
            around, known = neighbour_mean(centred, config)
            sums.add(centred[known], around[known])

    def mean(self) -> Float64[np.ndarray, " d_in"]:
        """Return the mean of all rows."""
        if self.n_all == 0 or any(sums.n == 0 for sums in self.sums):
            least = max((config.step for config in self.configs), default=1)
            raise InputError("windows", f"more than {least} bases", "fewer in each")
        return np.asarray(self.origin + self.sum_all / self.n_all)

    def of_configs(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield, for each config, the covariance of rows, and that of rows with neighbours."""
        for sums in self.sums:
            own, around = sums.own_sum / sums.n, sums.around_sum / sums.n
            yield (
                sums.own_product / sums.n - np.outer(own, own),
                sums.around_product / sums.n - np.outer(own, around),
            )


class _Sums:
    """Sums over rows, over the means of their neighbours, and over their products."""

    def __init__(self, d_in: int) -> None:
        self.n = 0
        self.own_sum, self.around_sum = np.zeros(d_in), np.zeros(d_in)
        self.own_product, self.around_product = np.zeros((d_in, d_in)), np.zeros((d_in, d_in))

    def add(self, own: np.ndarray, around: np.ndarray) -> None:
        self.n += len(own)
        self.own_sum += own.sum(axis=0)
        self.around_sum += around.sum(axis=0)
        self.own_product += own.T @ own
        self.around_product += own.T @ around


def neighbour_mean(
    rows: Float64[np.ndarray, "bp d_in"], config: SlowConfig
) -> tuple[Float64[np.ndarray, "bp d_in"], Bool[np.ndarray, " bp"]]:
    """Return the mean of the neighbours of each base of a stretch, and which bases have any."""
    step, half = config.step, config.half
    n, d_in = rows.shape
    length = -(-n // step)
    padded = np.zeros((length * step, d_in))
    padded[:n] = rows
    there = (np.arange(length * step) < n).reshape(length, step)
    total = _running(padded.reshape(length, step, d_in), half).reshape(-1, d_in)[:n]
    count = _running(there[:, :, None].astype(np.float64), half).reshape(-1)[:n] - 1
    around = (total - rows) / np.maximum(count, 1)[:, None]
    return around, count > 0.5


def _running(values: np.ndarray, half: int) -> np.ndarray:
    """Return, for each row, the sum of the row and the ``half`` rows on either side."""
    n = len(values)
    sums = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    row = np.arange(n)
    total: np.ndarray = sums[np.minimum(row + half + 1, n)] - sums[np.maximum(row - half, 0)]
    return total
