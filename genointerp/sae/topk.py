"""TopK dictionaries (Gao et al. 2024, arXiv:2406.04093)."""

import torch
from jaxtyping import Float
from torch import Tensor

from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.sparse import SparsePattern


class TopK(SparseAutoencoder):
    """Keeps the k largest positive pre-activations of each token."""

    def training_pattern(self, z: Float[Tensor, "batch n_features"]) -> SparsePattern:
        """Choose as at inference."""
        return self.pattern(z)

    def pattern(self, z: Float[Tensor, "batch n_features"]) -> SparsePattern:
        """Choose the k largest of each token, fewer where fewer are positive."""
        return topk_pattern(z, self.config.k)


def topk_pattern(z: Float[Tensor, "batch n_features"], k: int) -> SparsePattern:
    """Return the k largest positive entries of each row, features ascending."""
    index = z.topk(k, dim=1, sorted=False).indices.sort(dim=1).values
    row, slot = (z.gather(1, index) > 0).nonzero(as_tuple=True)
    return SparsePattern.from_hits(row, index[row, slot], (z.shape[0], z.shape[1]))


def above_pattern(
    z: Float[Tensor, "batch n_features"], threshold: float | Float[Tensor, ""]
) -> SparsePattern:
    """Return the entries above a threshold, features ascending."""
    row, feature = torch.nonzero(z > threshold, as_tuple=True)
    return SparsePattern.from_hits(row, feature, (z.shape[0], z.shape[1]))
