"""Standardise rows for training, and rewrite the trained dictionary as one of the raw rows."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Float64
from torch import Tensor

from genointerp.sae.base import SparseAutoencoder

RIDGE = 1e-4
"""Added to every eigenvalue of the covariance before whitening, as a share of their mean."""


@dataclass(frozen=True)
class Whitening:
    """A symmetric map that makes the covariance of centred rows the identity, and its inverse.

    Notes
    -----
    ``C = U diag(l) U^T``; ``matrix = U diag(1 / sqrt(l + r)) U^T`` (ZCA; Bell and Sejnowski 1997),
    where the ridge ``r`` is `RIDGE` times the mean of l. Directions with almost no variance are
    mostly rounding errors of stored activations, and the ridge keeps them from being scaled up to
    unit variance.
    """

    matrix: Float64[np.ndarray, "d_in d_in"]
    inverse: Float64[np.ndarray, "d_in d_in"]

    @classmethod
    def of(cls, covariance: Float64[np.ndarray, "d_in d_in"]) -> "Whitening":
        """Build the whitening of a covariance."""
        value, axes = np.linalg.eigh(covariance)
        root = np.sqrt(np.maximum(value, 0) + RIDGE * value.mean())
        return cls((axes / root) @ axes.T, (axes * root) @ axes.T)


@dataclass(frozen=True)
class Standardiser:
    """Subtracts the mean of the data, then divides by its scale or whitens.

    Parameters
    ----------
    mean
        Mean row; zeros if rows are not centred.
    scale
        Divisor of centred elements; an array if it differs between sites.
    whitening
        Whitening to apply after the division.
    """

    mean: Float64[np.ndarray, " d_in"]
    scale: float | Float64[np.ndarray, " d_in"] = 1.0
    whitening: Whitening | None = None

    def __call__(self, x: Float32[np.ndarray, "batch d_in"]) -> Float32[Tensor, "batch d_in"]:
        """Return standardised rows."""
        rows = torch.from_numpy(x) - torch.from_numpy(self.mean.astype(np.float32))
        if isinstance(self.scale, float):
            rows.div_(self.scale)
        else:
            rows.div_(torch.from_numpy(self.scale.astype(np.float32)))
        if self.whitening is None:
            return rows
        return rows @ torch.from_numpy(self.whitening.matrix.astype(np.float32))

    @torch.no_grad()
    def fold(self, sae: SparseAutoencoder) -> None:
        """Rewrite a dictionary of standardised rows, in place, as one of the raw rows.

        Notes
        -----
        Mean and scale are folded as in :meth:`SparseAutoencoder.fold`. Before that, a whitening
        matrix M gives ``W_enc = M W_enc``, ``W_dec = W_dec M^-1``, ``b_dec = b_dec M^-1``, in
        float64: activations and threshold do not change, but rows of W_dec lose their unit norm.
        """
        if self.whitening is not None:
            _fold_whitening(sae, self.whitening)
        mean = torch.from_numpy(self.mean)
        sae.fold(mean, torch.from_numpy(np.broadcast_to(self.scale, self.mean.shape).copy()))


def _fold_whitening(sae: SparseAutoencoder, whitening: Whitening) -> None:
    assert sae.W_enc.data_ptr() != sae.W_dec.data_ptr(), "tied weights cannot undo whitening"
    device = sae.b_dec.device
    inverse = torch.from_numpy(whitening.inverse).to(device)
    sae.W_enc.copy_(torch.from_numpy(whitening.matrix).to(device) @ sae.W_enc.double())
    sae.W_dec.copy_(sae.W_dec.double() @ inverse)
    sae.b_dec.copy_(sae.b_dec.double() @ inverse)


class RunningCovariance:
    """Running mean and covariance of rows, merged as in Chan et al. (1979), in float64."""

    def __init__(self, d_in: int) -> None:
        self.n = 0
        self.mean: Float64[np.ndarray, " d_in"] = np.zeros(d_in)
        self._sum: Float64[np.ndarray, "d_in d_in"] = np.zeros((d_in, d_in))

    def update(self, x: Float32[np.ndarray, "batch d_in"]) -> None:
        """Add rows."""
        if len(x) == 0:
            return
        mean = x.mean(axis=0, dtype=np.float64)
        # products of centred rows in float32: the rounding error is far below the ridge
        rows = x - mean.astype(np.float32)
        shift, total = mean - self.mean, self.n + len(x)
        self._sum += rows.T @ rows + np.outer(shift, shift) * (self.n * len(x) / total)
        self.mean = self.mean + shift * (len(x) / total)
        self.n = total

    @property
    def covariance(self) -> Float64[np.ndarray, "d_in d_in"]:
        """The covariance so far."""
        return self._sum / max(self.n, 1)
