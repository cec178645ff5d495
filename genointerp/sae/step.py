"""One step of training: losses, gradients, Adam, decoder rows back to unit norm."""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from genointerp.sae import parallel
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.config import TrainConfig
from genointerp.sae.sparse import SparsePattern, sparse_decode, sparse_encode
from genointerp.sae.topk import topk_pattern


class StepResult(NamedTuple):
    """What one step measured, before its update."""

    fvu: float
    aux_fvu: float
    l0: float
    dead_share: float


class Trainer:
    """A dictionary with its optimiser and its count of silent tokens.

    Parameters
    ----------
    sae
        Trained in place, on standardised rows.
    config
        Settings.
    variance
        Total variance of the rows, by which the loss is divided.
    """

    def __init__(self, sae: SparseAutoencoder, config: TrainConfig, *, variance: float) -> None:
        self.sae = sae
        self.config = config
        self.variance = variance
        self.step_number = 0
        device = sae.b_dec.device
        self.silent_tokens = torch.zeros(sae.n_features, dtype=torch.int64, device=device)
        # eps as in Gao et al. 2024: gradients of rare features are small
        self.adam = torch.optim.Adam(
            sae.parameters(), lr=config.learning_rate, eps=6.25e-10, fused=True
        )

    @property
    def is_dead(self) -> Bool[Tensor, " n_features"]:
        """Features silent for ``dead_after`` tokens."""
        return self.silent_tokens >= self.config.dead_after

    def step(self, x: Float[Tensor, "batch d_in"]) -> StepResult:
        """Train on one batch, or on this process's share of it."""
        with torch.no_grad():
            z = self._encoded(x)
            pattern = parallel.training_pattern(self.sae, z)
        dead = torch.nonzero(self.is_dead).squeeze(1)
        loss, fvu, aux_fvu = self._losses(x, z, pattern, dead)
        self.adam.zero_grad(set_to_none=True)
        torch.autograd.backward([loss])
        parallel.average_gradients(self.sae)
        if self.config.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.sae.parameters(), self.config.clip_norm)
        remove_parallel_gradient(self.sae)
        for group in self.adam.param_groups:
            group["lr"] = learning_rate(self.step_number, self.config)
        self.adam.step()
        normalise_rows(self.sae)
        self._count(pattern, len(x))
        self._track_threshold(z, pattern)
        self.step_number += 1
        return StepResult(fvu, aux_fvu, len(pattern.row) / len(x), len(dead) / len(z[0]))

    def state_dict(self) -> dict[str, Any]:
        """Return all that a step changes."""
        return {
            "sae": self.sae.state_dict(),
            "adam": self.adam.state_dict(),
            "silent_tokens": self.silent_tokens,
            "step": self.step_number,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` returned."""
        self.sae.load_state_dict(state["sae"])
        self.adam.load_state_dict(state["adam"])
        self.silent_tokens.copy_(state["silent_tokens"])
        self.step_number = state["step"]

    def _encoded(self, x: Tensor) -> Tensor:
        is_low = self.config.autocast != "none"
        with torch.autocast(x.device.type, torch.bfloat16, enabled=is_low):
            return self.sae.pre_activations(x).float()

    def _losses(
        self, x: Tensor, z: Tensor, pattern: SparsePattern, dead: Tensor
    ) -> tuple[Tensor, float, float]:
        x_hat = self._reconstruct(x, z, pattern) + self.sae.b_dec
        residual = x - x_hat
        loss = residual.square().sum() / (len(x) * self.variance)
        fvu = float(loss.detach())
        if len(dead) == 0 or self.config.aux_coefficient == 0:
            return loss, fvu, math.nan
        auxiliary, share = self._auxiliary(x, residual.detach(), z, dead)
        return (
            loss + self.config.aux_coefficient * share * auxiliary,
            fvu,
            float(auxiliary.detach()),
        )

    def _reconstruct(self, x: Tensor, z: Tensor, pattern: SparsePattern) -> Tensor:
        value = sparse_encode(x, self.sae.W_enc, self.sae.b_enc, z, pattern)
        return sparse_decode(value, self.sae.W_dec, pattern)

    def _auxiliary(
        self, x: Tensor, residual: Tensor, z: Tensor, dead: Tensor
    ) -> tuple[Tensor, float]:
        """Share of the residual that dead features do not explain (Gao et al. 2024, A.2)."""
        wanted = self.config.aux_k or max(1, self.sae.d_in // 2)
        among = topk_pattern(z[:, dead], min(wanted, len(dead)))
        pattern = SparsePattern(among.offsets, among.row, dead[among.feature], self.sae.n_features)
        missed = (residual - self._reconstruct(x, z, pattern)).square().sum()
        total = parallel.mean_over_ranks(residual.square().sum())
        auxiliary = missed / total.clamp_min(torch.finfo(x.dtype).tiny)
        return auxiliary, min(1.0, len(dead) / wanted)

    @torch.no_grad()
    def calibrate(self, batches: Iterable[Float[Tensor, "batch d_in"]]) -> None:
        """Set the threshold to the mean of what training batches would use with these weights.

        The running threshold lags behind weights that still change.
        """
        smallest = []
        for x in batches:
            z = self.sae.pre_activations(x)
            value = self.sae.training_pattern(z).values_of(z)
            smallest += [float(value.min())] if len(value) else []
        if smallest:
            self.sae.threshold.fill_(sum(smallest) / len(smallest))

    @torch.no_grad()
    def _count(self, pattern: SparsePattern, n_tokens: int) -> None:
        fired = torch.zeros_like(self.silent_tokens, dtype=torch.bool)
        fired[pattern.feature] = True
        self.silent_tokens += n_tokens * parallel.world_size()
        self.silent_tokens[parallel.any_over_ranks(fired)] = 0

    @torch.no_grad()
    def _track_threshold(self, z: Tensor, pattern: SparsePattern) -> None:
        if not self.sae.has_threshold:
            return
        nothing = torch.full((1,), torch.inf, device=z.device)
        smallest = parallel.min_over_ranks(torch.cat([pattern.values_of(z), nothing]).min())
        if not torch.isfinite(smallest):
            return
        keep = self.config.threshold_decay if self.step_number else 0.0
        self.sae.threshold.mul_(keep).add_(smallest, alpha=1 - keep)


def learning_rate(step: int, config: TrainConfig) -> float:
    """Return Adam's step size: linear warm-up, plateau, linear or cosine fall to zero."""
    rate = config.learning_rate * min(1.0, (step + 1) / max(config.warmup_steps, 1))
    falling = config.decay_share * config.n_steps
    left = config.n_steps - step
    if config.decay == "none" or left >= falling:
        return rate
    if config.decay == "linear":
        return rate * left / falling
    return rate * 0.5 * (1 - math.cos(math.pi * left / falling))


@torch.no_grad()
def remove_parallel_gradient(sae: SparseAutoencoder) -> None:
    """Take from the gradient of each decoder row the part along the row, which only rescales it."""
    grad, rows = sae.W_dec.grad, sae.W_dec
    assert grad is not None
    grad.addcmul_((grad * rows).sum(dim=1, keepdim=True), rows, value=-1)


@torch.no_grad()
def normalise_rows(sae: SparseAutoencoder) -> None:
    """Give every decoder row unit norm."""
    sae.W_dec.div_(sae.W_dec.norm(dim=1, keepdim=True).clamp_min(1e-12))
