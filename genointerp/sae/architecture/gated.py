"""Gated dictionaries (Rajamanoharan et al. 2024, arXiv:2404.16014)."""

import torch
from jaxtyping import Float
from torch import Tensor

from genointerp.sae.architecture.relu import l1_share
from genointerp.sae.base import Losses, SparseAutoencoder, TrainingBatch
from genointerp.sae.config import SaeConfig
from genointerp.sae.kernel.selection import above_pattern
from genointerp.sae.kernel.sparse import SparsePattern, sparse_decode


class Gated(SparseAutoencoder):
    """Decides by one pre-activation whether a feature is on, and by another how strongly.

    ``z = x W_enc + b_enc`` is the gate; ``f = relu((z - b_enc) exp(r_mag) + b_mag)`` where z > 0.
    The sparsity penalty is on the gate, so that it does not shrink f.

    Notes
    -----
    ``loss = sum ||x - x_hat||^2 / (n variance) + l1 sum relu(z) + sum ||x - x_gate||^2 /
    (n variance)``, where ``x_gate = relu(z) W_dec + b_dec`` trains the encoder alone (equation 8).
    """

    has_auxiliary = False

    def __init__(self, config: SaeConfig, d_row: int, *, seed: int = 0) -> None:
        super().__init__(config, d_row, seed=seed)
        self.r_mag = torch.nn.Parameter(torch.zeros_like(self.b_enc))
        self.b_mag = torch.nn.Parameter(torch.zeros_like(self.b_enc))

    def training_pattern(self, z: Float[Tensor, "batch n_features"]) -> SparsePattern:
        """Choose the features whose gate is open."""
        return above_pattern(z, 0.0)

    def pattern(self, z: Float[Tensor, "batch n_features"]) -> SparsePattern:
        """Choose the features whose gate is open and whose magnitude is positive."""
        is_open = above_pattern(z, 0.0)
        is_on = self._magnitudes(is_open.values_of(z), is_open) > 0
        shape = (len(z), self.n_features)
        return SparsePattern.from_hits(is_open.row[is_on], is_open.feature[is_on], shape)

    def values(self, pre: Float[Tensor, " hit"], pattern: SparsePattern) -> Float[Tensor, " hit"]:
        """Return the magnitudes of open features."""
        return self._magnitudes(pre, pattern).relu()

    def losses(self, batch: TrainingBatch) -> Losses:
        """Return the FVU, plus the FVU of the gates alone, plus the penalty on the gates."""
        full = super().losses(batch)
        gates = sparse_decode(batch.pre, self.W_dec.detach(), batch.pattern) + self.b_dec.detach()
        price = self.config.l1_coefficient * l1_share(batch.pre, batch)
        return Losses(full.loss + batch.error_share(gates) + price, full.residual)

    def tensors(self) -> dict[str, Tensor]:
        """Return the weights by name; the bias of the gate is named ``b_gate``."""
        tensors = super().tensors()
        tensors["b_gate"] = tensors.pop("b_enc")
        own = {"r_mag": self.r_mag, "b_mag": self.b_mag}
        return tensors | {name: it.detach().cpu().contiguous() for name, it in own.items()}

    @torch.no_grad()
    def fill(self, tensors: dict[str, Tensor], *, where: str) -> None:
        """Copy in weights, gates and magnitudes."""
        super().fill(tensors | {"b_enc": tensors["b_gate"]}, where=where)
        self.r_mag.copy_(tensors["r_mag"])
        self.b_mag.copy_(tensors["b_mag"])

    def _magnitudes(self, pre: Tensor, pattern: SparsePattern) -> Tensor:
        gate, scale, bias = (
            weight.index_select(0, pattern.feature)
            for weight in (self.b_enc, self.r_mag.exp(), self.b_mag)
        )
        return (pre - gate) * scale + bias

    def _fold_encoder(self, projected_mean: Tensor, gain: float) -> None:
        super()._fold_encoder(projected_mean, gain)
        magnified = self.r_mag.double().exp() * projected_mean
        # on raw rows, z - b_enc contains the projected mean; on standardised rows it does not
        self.b_mag.copy_(gain * self.b_mag.double() - magnified)
