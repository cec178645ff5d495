"""The slow part of activations: what one base tells of the bases around it.

Most of the variance at a site follows the last few bases and changes from one base to the next, so
a sparse dictionary spends its features on it and cuts a gene into pieces: a feature fires on a base
of a gene, rests on the following one, and its recall is low however exact it is. A dictionary of
the slow part describes what neighbouring bases share. Its encoder still reads one base: the map is
linear and becomes part of W_enc.

Related: slow feature analysis (Wiskott and Sejnowski 2002); temporal consistency of features of
language models (Bhalla et al. 2025).
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64

from genointerp.core.errors import ConfigError, InputError
from genointerp.sae.base import SparseAutoencoder

RIDGE = 1e-3
"""Added to the diagonal of the covariance, as a share of its mean."""


@dataclass(frozen=True)
class SlowConfig:
    """Which neighbours of a base make its surroundings.

    Raises
    ------
    ConfigError
        If a number is below 1.
    """

    step: int = 3
    """Bases from one neighbour to the next; with 3 they share the base's codon position."""
    half: int = 10
    """Neighbours on either side; those beyond the window's ends are left out."""

    def __post_init__(self) -> None:
        for name in ("step", "half"):
            if getattr(self, name) < 1:
                raise ConfigError(name, "at least 1", str(getattr(self, name)))


@dataclass(frozen=True)
class SlowMap:
    """The linear map ``y = x @ matrix + offset`` from an activation to its slow part.

    Parameters
    ----------
    matrix, offset
        ``y`` has the width, the unit and the mean of ``x``.
    share
        Variance of ``y`` over that of ``x``, on the rows that it was fitted to.
    """

    matrix: Float32[np.ndarray, "d_in d_in"]
    offset: Float32[np.ndarray, " d_in"]
    share: float

    def __call__(self, x: Float32[np.ndarray, "row d_in"]) -> Float32[np.ndarray, "row d_in"]:
        """Return the slow part of rows."""
        return np.asarray(x @ self.matrix + self.offset, dtype=np.float32)

    @torch.no_grad()
    def fold(self, sae: SparseAutoencoder) -> None:
        """Rewrite, in place, a dictionary of slow parts as one that reads the activations.

        Codes and threshold stay as they are: ``(x M + c) W_enc + b = x (M W_enc) + (c W_enc + b)``.
        What it decodes to is still the slow part.
        """
        matrix = torch.from_numpy(self.matrix).double().to(sae.b_dec.device)
        offset = torch.from_numpy(self.offset).double().to(sae.b_dec.device)
        encoder = sae.W_enc.double()
        sae.b_enc.copy_(sae.b_enc.double() + offset @ encoder)
        sae.W_enc.copy_(matrix @ encoder)


def fit_slow_map(
    x: Float32[np.ndarray, "row d_in"],
    window_offset: Int64[np.ndarray, " w1"],
    config: SlowConfig,
) -> SlowMap:
    """Fit the map by which a base best predicts the mean of its neighbours.

    Parameters
    ----------
    window_offset
        First row of each window, and the number of rows; neighbours are of one window.

    Raises
    ------
    InputError
        If no base has a neighbour.

    Notes
    -----
    Ridge regression of the mean activation of the neighbours, the base itself left out, upon the
    base's own. Leaving it out matters: the part of an activation that is of its base alone has
    nothing in common with its neighbours and vanishes.
    """
    mean = x.mean(axis=0, dtype=np.float64).astype(np.float32)
    d_in = x.shape[1]
    own: Float64[np.ndarray, "d_in d_in"] = np.zeros((d_in, d_in))
    with_neighbours: Float64[np.ndarray, "d_in d_in"] = np.zeros((d_in, d_in))
    n_rows = 0
    for start, stop in zip(window_offset[:-1].tolist(), window_offset[1:].tolist(), strict=True):
        rows = x[start:stop] - mean
        around, known = neighbour_mean(rows, config)
        own += rows[known].T @ rows[known]
        with_neighbours += rows[known].T @ around[known]
        n_rows += int(known.sum())
    if n_rows == 0:
        raise InputError("windows", f"more than {config.step} bases", "fewer in each")
    ridge = RIDGE * np.trace(own) / d_in * np.eye(d_in)
    matrix = np.linalg.solve(own + ridge, with_neighbours)
    share = float(np.trace(matrix.T @ own @ matrix) / np.trace(own))
    offset = mean - mean @ matrix
    return SlowMap(matrix.astype(np.float32), offset.astype(np.float32), share)


def neighbour_mean(
    rows: Float32[np.ndarray, "bp d_in"], config: SlowConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of the neighbours of each base of a window, and which bases have any."""
    step, half = config.step, config.half
    n, d_in = rows.shape
    length = -(-n // step)
    padded = np.zeros((length * step, d_in))
    padded[:n] = rows
    there = (np.arange(length * step) < n).reshape(length, step)
    total = _running(padded.reshape(length, step, d_in), half).reshape(-1, d_in)[:n]
    count = _running(there[:, :, None].astype(np.float64), half).reshape(-1)[:n] - 1
    around = (total - rows) / np.maximum(count, 1)[:, None]
    return around.astype(np.float32), count > 0.5


def _running(values: np.ndarray, half: int) -> np.ndarray:
    """Sum over ``half`` rows on either side and the row itself."""
    n = len(values)
    sums = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    row = np.arange(n)
    total: np.ndarray = sums[np.minimum(row + half + 1, n)] - sums[np.maximum(row - half, 0)]
    return total
