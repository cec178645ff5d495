"""ReLU dictionaries with an L1 penalty (Bricken et al. 2023; Anthropic, April 2024)."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from genointerp.sae.base import SparseAutoencoder, TrainingBatch
from genointerp.sae.kernel.selection import above_pattern
from genointerp.sae.kernel.sparse import SparsePattern


class Relu(SparseAutoencoder):
    """Keeps every positive pre-activation; the sum of activations is penalised.

    Notes
    -----
    ``loss = (sum ||x - x_hat||^2 + l1_coefficient s sum |f|) / (n variance)`` with s the root mean
    square of an element, so that the balance does not depend on the scale of the rows. Rows of
    W_dec have unit norm; otherwise larger rows could evade the penalty.
    """

    has_auxiliary = False

    def training_pattern(self, z: Float[Tensor, "batch n_features"]) -> SparsePattern:
        """Choose as at inference."""
        return self.pattern(z)

    def pattern(self, z: Float[Tensor, "batch n_features"]) -> SparsePattern:
        """Choose the features whose z is positive."""
        return above_pattern(z, 0.0)

    @torch.no_grad()
    def amounts_of(
        self, x: Float[Tensor, "batch d_in"], features: Int64[Tensor, " column"]
    ) -> Float[Tensor, "batch column"]:
        """Return the activations of some features; the others are not computed."""
        return self._amounts_above(x, features, 0.0)

    def _penalty(self, value: Tensor, batch: TrainingBatch) -> Tensor:
        return self.config.l1_coefficient * l1_share(value, batch)


def l1_share(value: Float[Tensor, " hit"], batch: TrainingBatch) -> Float[Tensor, ""]:
    """Return the mean L1 norm of a token's activations, in units of FVU and times the ramp."""
    element = math.sqrt(batch.variance / batch.target.shape[1])
    return batch.ramp * element / batch.variance * value.sum() / len(batch.x)
