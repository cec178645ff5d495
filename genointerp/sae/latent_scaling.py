"""Latent scaling: how much of a feature of two models is in what each of them holds.

Minder et al. 2025 (arXiv:2504.02922): a decoder norm near 0 does not show that a model lacks a
feature. The other model may have it and the dictionary leave it in the error, or say it with other
features.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from scipy import sparse

from genointerp.core.errors import ConfigError
from genointerp.sae.architecture.batch_topk_crosscoder import BatchTopKCrosscoder
from genointerp.sae.metrics import FiringCounts, sparse_codes


class LatentScaling(NamedTuple):
    """How each feature of a crosscoder of two models is present in both.

    Column 0 follows the direction in the first model and column 1 that in the second. A ratio is
    NaN for a feature that does not fire, and where its own model does not hold the direction.

    Parameters
    ----------
    nu_error
        What the other model's error, with the feature put back, holds of the direction, as a share
        of what its own model's error holds: near 0 if the other model lacks it, near 1 if the
        dictionary has shrunk it there (complete shrinkage).
    nu_reconstruction
        The same share for reconstructions: near 1 if other features say it in the other model
        (latent decoupling).
    n_fired
        Number of rows on which the feature fires.
    largest
        Its largest activation; 0 if it never fires.
    n_rows
        Number of rows in all.

    Notes
    -----
    ``beta = sum_i f_i <y_i, d> / (|d|^2 sum_i f_i^2)`` is the least-squares solution of
    ``y_i = beta f_i d``. y is ``x - x_hat + f d_m`` for errors and ``x_hat - b_dec`` for
    reconstructions, of the model m that is asked, and d the direction in the model that is probed;
    nu is beta of the other model over beta of its own, if the latter is above 0. All rows and
    directions are in units of the scale of their site.
    """

    nu_error: Float64[np.ndarray, "n_features 2"]
    nu_reconstruction: Float64[np.ndarray, "n_features 2"]
    n_fired: Int64[np.ndarray, " n_features"]
    largest: Float64[np.ndarray, " n_features"]
    n_rows: int

    @property
    def density(self) -> Float64[np.ndarray, " n_features"]:
        """Share of rows on which each feature fires."""
        return self.n_fired / max(self.n_rows, 1)


def latent_scaling(
    sae: BatchTopKCrosscoder, batches: Iterable[Float32[np.ndarray, "_ d_row"]]
) -> LatentScaling:
    """Measure the latent scaling of all features over raw rows, in one pass and bounded memory.

    Raises
    ------
    ConfigError
        If the dictionary is not of two sites of equal width.
    """
    running = RunningScaling(sae)
    for rows in batches:
        running.update(rows)
    return running.result()


class RunningScaling:
    """Running sums of latent scaling, in float64.

    Raises
    ------
    ConfigError
        If the dictionary is not of two sites of equal width.
    """

    def __init__(self, sae: BatchTopKCrosscoder) -> None:
        widths = sae.config.widths
        if len(widths) != 2 or widths[0] != widths[1]:
            raise ConfigError("widths", "two equal ones, to compare directions", repr(widths))
        self._sae = sae
        scales = sae.config.site_scales or (1.0, 1.0)
        self._scale = np.repeat(scales, widths)
        self._directions = sae.W_dec.detach().cpu().numpy().astype(np.float64) / self._scale
        self._bias = sae.b_dec.detach().cpu().numpy().astype(np.float64)
        self._firing = FiringCounts(sae.n_features)
        self._largest = np.zeros(sae.n_features)
        self._squares = np.zeros(sae.n_features)
        # sums of f e and f r over the rows, from which every beta is one inner product
        self._errors = np.zeros_like(self._directions)
        self._reconstructions = np.zeros_like(self._directions)

    def update(self, rows: Float32[np.ndarray, "batch d_row"]) -> None:
        """Add raw rows."""
        codes = sparse_codes(self._sae, torch.from_numpy(rows)).astype(np.float64)
        self._firing.update(codes.indices, len(rows))
        reconstruction = codes @ self._directions
        error = (rows - self._bias) / self._scale - reconstruction
        by_feature = sparse.csr_array(codes.T)
        self._errors += by_feature @ error
        self._reconstructions += by_feature @ reconstruction
        self._squares += np.asarray(codes.multiply(codes).sum(axis=0)).ravel()
        self._largest = np.maximum(self._largest, codes.max(axis=0).toarray().ravel())

    def result(self) -> LatentScaling:
        """Return the figures of all rows so far."""
        width = self._sae.config.widths[0]
        own, errors, said = (
            np.stack([matrix[:, :width], matrix[:, width:]])
            for matrix in (self._directions, self._errors, self._reconstructions)
        )
        # the feature put back adds f d_m to each of its rows
        put_back = errors + self._squares[:, None] * own
        return LatentScaling(
            _ratios(own, put_back),
            _ratios(own, said),
            self._firing.count,
            self._largest,
            self._firing.n_tokens,
        )


def _ratios(
    probe: Float64[np.ndarray, "2 n_features d"], held: Float64[np.ndarray, "2 n_features d"]
) -> Float64[np.ndarray, "n_features 2"]:
    """Return beta of the other model over that of its own, for the probe of each model."""
    own = np.einsum("mfd,mfd->fm", probe, held)
    other = np.einsum("mfd,mfd->fm", probe, held[::-1])
    ratio: Float64[np.ndarray, "n_features 2"] = np.divide(
        other, own, out=np.full_like(own, np.nan), where=own > 0
    )
    return ratio
