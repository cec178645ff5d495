"""BatchTopK dictionaries (Bussmann et al. 2024, arXiv:2412.06410)."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.sparse import SparsePattern
from genointerp.sae.topk import above_pattern

_FLOOR = 0.8
"""Share of the running threshold above which candidates are looked for first."""


class BatchTopK(SparseAutoencoder):
    """Keeps the ``k * batch`` largest positive pre-activations of a training batch.

    At inference a feature is on where z exceeds ``threshold``, estimated in training, so that
    a token's codes do not depend on the tokens around it.
    """

    has_threshold = True

    def training_pattern(self, z: Float[Tensor, "batch n_features"]) -> SparsePattern:
        """Choose the ``k * batch`` largest of the batch, fewer where fewer are positive."""
        hits = largest(z.reshape(-1), self.config.k * len(z), guess=_FLOOR * float(self.threshold))
        return SparsePattern.from_hits(
            hits // self.n_features, hits % self.n_features, (len(z), self.n_features)
        )

    def pattern(self, z: Float[Tensor, "batch n_features"]) -> SparsePattern:
        """Choose what exceeds the stored threshold."""
        return above_pattern(z, self.threshold)


def largest(z: Float[Tensor, " n"], count: int, *, guess: float) -> Int64[Tensor, " hit"]:
    """Return where the ``count`` largest positive values are, ascending; of equals, the first.

    ``guess`` is a value that the answer is likely to exceed. It makes the search fast and does
    not alter the answer: sorting all of a batch takes longer than the encoder's product.
    """
    candidates = torch.nonzero(z > max(guess, 0.0)).squeeze(1)
    if len(candidates) < count and guess > 0:
        candidates = torch.nonzero(z > 0).squeeze(1)
    if len(candidates) <= count:
        return candidates
    value = z[candidates]
    smallest = torch.kthvalue(value, len(value) - count + 1).values
    above = value > smallest
    ties = torch.nonzero(value == smallest).squeeze(1)[: count - int(above.sum())]
    above[ties] = True
    return candidates[above]
