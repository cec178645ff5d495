"""Quality of a dictionary, each measure defined once."""

import itertools
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int, Int64
from scipy import sparse
from torch import Tensor

from genointerp.core.errors import InputError
from genointerp.core.metric import activation_scale
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.kernel.sparse import sparse_decode


class RunningMoments:
    """Running mean and sum of squared deviations of rows, in float64.

    Notes
    -----
    Batches are merged as in Chan et al. (1979): the residual stream of a genomic model may have
    a mean far larger than its spread, and ``E[x^2] - E[x]^2`` would then lose all digits.
    """

    def __init__(self, d_in: int) -> None:
        self.n = 0
        self.mean: Float64[np.ndarray, " d_in"] = np.zeros(d_in)
        self.deviation: Float64[np.ndarray, " d_in"] = np.zeros(d_in)

    def update(self, x: Float[np.ndarray, "batch d_in"]) -> None:
        """Add rows."""
        if len(x) == 0:
            return
        rows = x.astype(np.float64)
        mean = rows.mean(axis=0)
        rows -= mean
        shift = mean - self.mean
        total = self.n + len(x)
        self.deviation += (rows * rows).sum(axis=0) + shift**2 * self.n * len(x) / total
        self.mean = self.mean + shift * len(x) / total
        self.n = total

    @property
    def variance(self) -> Float64[np.ndarray, " d_in"]:
        """Variance of each column."""
        return self.deviation / self.n

    @property
    def total_variance(self) -> float:
        """Mean squared distance of a row from the mean row."""
        return float(self.deviation.sum()) / self.n


class VarianceExplained:
    """Running fraction of variance unexplained (FVU) of a reconstruction.

    The mean that is subtracted is that of all the data, not of each batch: with batch means the
    score would depend on the batch size.

    Notes
    -----
    ``FVU = sum ||x - x_hat||^2 / sum ||x - mean(x)||^2``.
    """

    def __init__(self, d_in: int) -> None:
        self._moments = RunningMoments(d_in)
        self._error = 0.0

    def update(
        self, x: Float[np.ndarray, "batch d_in"], x_hat: Float[np.ndarray, "batch d_in"]
    ) -> None:
        """Add one batch of activations and their reconstructions."""
        self._moments.update(x)
        error = x.astype(np.float64) - x_hat
        self._error += float((error * error).sum())

    @property
    def total(self) -> float:
        """Sum of squared distances of the rows so far from their mean."""
        return float(self._moments.deviation.sum())

    @property
    def fvu(self) -> float:
        """The fraction so far; NaN while all rows are equal."""
        total = float(self._moments.deviation.sum())
        return self._error / total if total > 0 else float("nan")


class FiringCounts:
    """Running count of the tokens on which each feature fires."""

    def __init__(self, n_features: int) -> None:
        self.n_tokens = 0
        self.count = np.zeros(n_features, dtype=np.int64)

    def update(self, feature: Int[np.ndarray, " hit"], n_tokens: int) -> None:
        """Add the hits of ``n_tokens`` tokens."""
        self.count += np.bincount(feature, minlength=len(self.count))
        self.n_tokens += n_tokens

    @property
    def density(self) -> Float64[np.ndarray, " n_features"]:
        """Share of tokens on which each feature fires."""
        return self.count / max(self.n_tokens, 1)

    @property
    def l0(self) -> float:
        """Mean number of features that fire on a token."""
        return float(self.count.sum()) / max(self.n_tokens, 1)

    @property
    def dead_share(self) -> float:
        """Share of features that fired on no token."""
        return float((self.count == 0).mean())


class Evaluation(NamedTuple):
    """Figures of a dictionary on rows that it was not trained on."""

    fvu: float
    l0: float
    dead_share: float
    density: Float64[np.ndarray, " n_features"]
    n_tokens: int

    @property
    def explained_variance(self) -> float:
        """``1 - FVU``; below 0 if the mean row would be a better reconstruction."""
        return 1 - self.fvu


class Histogram(NamedTuple):
    """Counts of values between edges.

    Parameters
    ----------
    edges
        Ascending. A bin holds its lower edge and not its upper one, except the last, which holds
        both.
    """

    edges: Float64[np.ndarray, " b1"]
    counts: Int64[np.ndarray, " b"]


def density_histogram(density: Float64[np.ndarray, " n_features"]) -> Histogram:
    """Count features by density, in bins of a quarter of a decade from 1e-7 to 1.

    Features rarer than that are in the first bin; those that never fire are in none.
    """
    edges = 10.0 ** (np.arange(-28, 1) / 4)
    firing = np.maximum(density[density > 0], edges[0])
    return Histogram(edges, np.histogram(firing, edges)[0].astype(np.int64))


def cosine_histogram(cosine: Float64[np.ndarray, " n_features"]) -> Histogram:
    """Count cosines in bins of 0.05 from -1 to 1."""
    edges = np.linspace(-1, 1, 41)
    return Histogram(edges, np.histogram(np.clip(cosine, -1, 1), edges)[0].astype(np.int64))


class RunningEvaluation:
    """Measures a dictionary while it reconstructs rows, as at inference."""

    def __init__(self, sae: SparseAutoencoder) -> None:
        self._sae = sae
        self._variance = VarianceExplained(len(sae.b_dec))
        self._firing = FiringCounts(sae.n_features)

    @torch.no_grad()
    def reconstruct(self, x: Float[Tensor, "batch d_row"]) -> Float[Tensor, "batch d_out"]:
        """Reconstruct rows, on the dictionary's device, and add them to the figures."""
        sae = self._sae
        rows = sae.split(x.to(sae.b_dec))
        codes = sae.codes(rows.x)
        x_hat = sparse_decode(codes.value, sae.W_dec, codes.pattern) + sae.b_dec
        self._variance.update(rows.target.cpu().numpy(), x_hat.cpu().numpy())
        self._firing.update(codes.pattern.feature.cpu().numpy(), len(x))
        return x_hat

    def result(self) -> Evaluation:
        """Return the figures of all rows so far.

        Raises
        ------
        InputError
            If there was no row.
        """
        firing = self._firing
        if firing.n_tokens == 0:
            raise InputError("rows to evaluate", "at least one", "none")
        fvu = self._variance.fvu
        return Evaluation(fvu, firing.l0, firing.dead_share, firing.density, firing.n_tokens)


@torch.no_grad()
def sparse_codes(sae: SparseAutoencoder, x: Float[Tensor, "batch d_in"]) -> sparse.csr_array:
    """Return the activations of rows, as at inference, in sparse form."""
    pattern, value = sae.codes(sae.split(x.to(sae.b_dec)).x)
    where = (pattern.row.cpu().numpy(), pattern.feature.cpu().numpy())
    return sparse.csr_array((value.cpu().numpy(), where), shape=(len(x), sae.n_features))


def evaluate(
    sae: SparseAutoencoder, batches: Iterable[Float32[np.ndarray, "_ d_in"]]
) -> Evaluation:
    """Encode and decode rows, as at inference, and measure the result.

    Raises
    ------
    InputError
        If there is no row.
    """
    running = RunningEvaluation(sae)
    for rows in batches:
        running.reconstruct(torch.from_numpy(rows))
    return running.result()


def firing_scale(
    sae: SparseAutoencoder, batches: Iterable[Float32[np.ndarray, "_ d_in"]]
) -> Float64[np.ndarray, " n_features"]:
    """Return the scale of each feature: how strongly it fires where it fires strongly.

    Returns
    -------
    array
        The `genointerp.core.metric.activation_scale` of each feature over the rows; NaN for a
        feature that fires on no row.
    """
    empty = sparse.csr_array((0, sae.n_features), dtype=np.float32)
    codes = [sparse_codes(sae, torch.from_numpy(rows)) for rows in batches]
    columns = sparse.csc_array(sparse.vstack([empty, *codes]))
    ends = itertools.pairwise(columns.indptr.tolist())
    return np.array([activation_scale(columns.data[first:stop]) for first, stop in ends])
