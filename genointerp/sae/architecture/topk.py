"""TopK dictionaries (Gao et al. 2024, arXiv:2406.04093)."""

from jaxtyping import Float
from torch import Tensor

from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.kernel.selection import topk_pattern
from genointerp.sae.kernel.sparse import SparsePattern


class TopK(SparseAutoencoder):
    """Keeps the k largest positive pre-activations of each token."""

    fits_encoder = True

    def training_pattern(self, z: Float[Tensor, "batch n_features"]) -> SparsePattern:
        """Choose as at inference."""
        return self.pattern(z)

    def pattern(self, z: Float[Tensor, "batch n_features"]) -> SparsePattern:
        """Choose the k largest values of each token, or fewer if fewer are positive."""
        return topk_pattern(z, self.config.k)
