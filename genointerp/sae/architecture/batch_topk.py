"""BatchTopK dictionaries (Bussmann et al. 2024, arXiv:2412.06410)."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.kernel.selection import above_pattern, largest
from genointerp.sae.kernel.sparse import SparsePattern

FLOOR = 0.8
"""Share of the running threshold; the search for the largest values begins above it."""


class BatchTopK(SparseAutoencoder):
    """Keeps the ``k * batch`` largest positive pre-activations of a training batch.

    At inference a feature is on where z exceeds ``threshold``, estimated in training, so that
    a token's codes do not depend on the tokens around it.
    """

    fits_encoder = True
    has_threshold = True

    def training_pattern(self, z: Float[Tensor, "batch n_features"]) -> SparsePattern:
        """Choose the ``k * batch`` largest values of the batch, or fewer if fewer are positive."""
        hits = largest(z.reshape(-1), self.config.k * len(z), guess=FLOOR * float(self.threshold))
        return SparsePattern.from_hits(
            hits // self.n_features, hits % self.n_features, (len(z), self.n_features)
        )

    def pattern(self, z: Float[Tensor, "batch n_features"]) -> SparsePattern:
        """Choose the features whose z exceeds the stored threshold."""
        return above_pattern(z, self.threshold)

    @torch.no_grad()
    def amounts_of(
        self, x: Float[Tensor, "batch d_in"], features: Int64[Tensor, " column"]
    ) -> Float[Tensor, "batch column"]:
        """Return the activations of some features; the others are not computed."""
        return self._amounts_above(x, features, self.threshold)
