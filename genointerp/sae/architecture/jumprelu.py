"""JumpReLU dictionaries (Rajamanoharan et al. 2024, arXiv:2407.14435)."""

import math
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from genointerp.sae.base import Losses, SparseAutoencoder, TrainingBatch
from genointerp.sae.kernel.selection import above_pattern
from genointerp.sae.kernel.sparse import SparsePattern, sparse_decode


class JumpRelu(SparseAutoencoder):
    """Keeps pre-activations above a threshold learnt for each feature; each feature on costs.

    Notes
    -----
    ``loss = sum ||x - x_hat||^2 / (n variance) + l0_coefficient L0``. The threshold enters only
    through steps, whose derivative is estimated with a rectangle of width ``bandwidth`` around the
    threshold: training therefore also looks at pre-activations up to ``bandwidth / 2`` below it.
    The parameter is the threshold itself, kept at 0 or above, and not its logarithm.
    """

    has_auxiliary = False

    def training_pattern(self, z: Float[Tensor, "batch n_features"]) -> SparsePattern:
        """Choose the positive z above the threshold, or near enough to it to give it a gradient."""
        floor = (self.threshold.detach() - self._bandwidth() / 2).clamp_min(0.0)
        return above_pattern(z, floor)

    def pattern(self, z: Float[Tensor, "batch n_features"]) -> SparsePattern:
        """Choose the features whose z exceeds their own threshold."""
        return above_pattern(z, self.threshold.detach())

    @torch.no_grad()
    def amounts_of(
        self, x: Float[Tensor, "batch d_in"], features: Int64[Tensor, " column"]
    ) -> Float[Tensor, "batch column"]:
        """Return the activations of some features; the others are not computed."""
        return self._amounts_above(x, features, self.threshold[features])

    def values(self, pre: Float[Tensor, " hit"], pattern: SparsePattern) -> Float[Tensor, " hit"]:
        """Return each z that exceeds its threshold; 0 for one that is only near it."""
        threshold = self.threshold.detach().index_select(0, pattern.feature)
        return pre * (pre > threshold)

    def losses(self, batch: TrainingBatch) -> Losses:
        """Return the FVU plus the penalty on L0."""
        threshold = self.threshold.index_select(0, batch.pattern.feature)
        value, is_on = jump(batch.pre, threshold, self._bandwidth())
        x_hat = sparse_decode(value, self.W_dec, batch.pattern) + self.b_dec
        price = batch.ramp * self.config.l0_coefficient
        loss = batch.error_share(x_hat) + price * is_on.sum() / len(batch.x)
        return Losses(loss, (batch.target - x_hat).detach())

    @torch.no_grad()
    def constrain(self) -> None:
        """Give rows of W_dec unit norm, and keep thresholds at 0 or above."""
        super().constrain()
        self.threshold.clamp_(min=0.0)

    def tensors(self) -> dict[str, Tensor]:
        """Return the weights and the threshold of each feature."""
        return super().tensors() | {"threshold": self.threshold.detach().cpu().contiguous()}

    @torch.no_grad()
    def fill(self, tensors: dict[str, Tensor], *, where: str) -> None:
        """Copy in weights and thresholds."""
        super().fill(tensors, where=where)
        self.threshold.copy_(tensors["threshold"])

    def _make_threshold(self) -> None:
        start = self.config.initial_threshold * math.sqrt(self.d_row)
        self.threshold = torch.nn.Parameter(torch.full((self.config.n_features,), start))

    def _bandwidth(self) -> float:
        # the papers scale rows to a mean squared norm of 1; standardised rows have d_row
        return self.config.bandwidth * math.sqrt(self.d_row)


def jump(
    pre: Float[Tensor, " hit"], threshold: Float[Tensor, " hit"], bandwidth: float
) -> tuple[Float[Tensor, " hit"], Float[Tensor, " hit"]]:
    """Return ``pre H(pre - threshold)`` and ``H(pre - threshold)``, where H is the step at 0.

    Notes
    -----
    With K the rectangle ``|pre - threshold| < bandwidth / 2``, the derivatives by the threshold are
    taken as ``-threshold K / bandwidth`` and ``-K / bandwidth`` (equations 11 and 12 of the paper);
    ``pre`` gets a gradient where it is above the threshold, and none through the step.
    """
    value, is_on = _Jump.apply(pre, threshold, bandwidth)  # type: ignore[no-untyped-call]
    return value, is_on


class _Jump(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        pre: Tensor,
        threshold: Tensor,
        bandwidth: float,
    ) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(pre, threshold)
        ctx.bandwidth = bandwidth
        is_on = (pre > threshold).to(pre)
        return pre * is_on, is_on

    @staticmethod
    def backward(ctx: Any, grad: Tensor, grad_on: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        pre, threshold = ctx.saved_tensors
        near = ((pre - threshold).abs() < ctx.bandwidth / 2).to(pre) / ctx.bandwidth
        return grad * (pre > threshold), -near * (threshold * grad + grad_on), None
