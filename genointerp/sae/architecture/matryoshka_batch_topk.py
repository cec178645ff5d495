"""Matryoshka BatchTopK dictionaries (Bussmann et al. 2025, arXiv:2503.17547)."""

import torch
from torch import Tensor

from genointerp.sae.architecture.batch_topk import BatchTopK
from genointerp.sae.base import Losses, TrainingBatch
from genointerp.sae.kernel.sparse import SparsePattern, sparse_decode


class MatryoshkaBatchTopK(BatchTopK):
    """BatchTopK whose first features must also reconstruct alone, so that general ones come first.

    Notes
    -----
    The loss is the mean, over the prefixes of the dictionary, of the share of variance that the
    features of the prefix leave unexplained. The features between two prefixes are decoded once;
    the reconstruction of a prefix is the cumulative sum of these parts.
    """

    @property
    def prefix_sizes(self) -> tuple[int, ...]:
        """Number of features of each prefix; the last has all."""
        sizes = (max(1, round(share * self.n_features)) for share in self.config.prefixes)
        return tuple(sorted(set(sizes)))

    def losses(self, batch: TrainingBatch) -> Losses:
        """Return the mean FVU of the prefixes."""
        sizes = torch.tensor(self.prefix_sizes, device=batch.pre.device)
        part = torch.bucketize(batch.pattern.feature, sizes, right=True)
        order = torch.argsort(part.to(torch.int32), stable=True)
        n, n_parts = len(batch.x), len(sizes)
        row = part[order] * n + batch.pattern.row[order]
        shape = (n_parts * n, self.n_features)
        parts = SparsePattern.from_hits(row, batch.pattern.feature[order], shape)
        decoded: Tensor = sparse_decode(batch.pre[order], self.W_dec, parts)
        x_hat = decoded.view(n_parts, n, -1).cumsum(0) + self.b_dec
        return Losses(batch.error_share(x_hat), (batch.target - x_hat[-1]).detach())
