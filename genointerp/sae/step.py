"""One step of training: losses, gradients, Adam, and decoder rows back to unit norm."""

import math
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from genointerp.core.errors import SchemaError
from genointerp.sae import parallel
from genointerp.sae.base import Losses, Rows, SparseAutoencoder, TrainingBatch
from genointerp.sae.config import TrainConfig
from genointerp.sae.kernel.selection import topk_pattern
from genointerp.sae.kernel.sparse import SparsePattern, sparse_decode, sparse_encode


class StepResult(NamedTuple):
    """Figures of one step, measured before its update."""

    fvu: float
    aux_fvu: float
    l0: float
    dead_share: float


class Trainer:
    """A dictionary with its optimiser, and how long each of its features has been silent.

    Parameters
    ----------
    sae
        Dictionary to train, in place, on standardised rows.
    config
        Settings of the training.
    variance
        Total variance of the reconstructed columns, by which the loss is divided.
    """

    def __init__(self, sae: SparseAutoencoder, config: TrainConfig, *, variance: float) -> None:
        self.sae = sae
        self.peak_rate = config.peak_rate(sae.d_in)
        self.config = replace(config, learning_rate=self.peak_rate)
        self.variance = variance
        self.step_number = 0
        self._z: Tensor | None = None
        device = sae.b_dec.device
        self.silent_tokens = torch.zeros(sae.n_features, dtype=torch.int64, device=device)
        # eps as in Gao et al. 2024, since gradients of rare features are small
        self.adam = torch.optim.Adam(sae.parameters(), lr=self.peak_rate, eps=6.25e-10, fused=True)

    @property
    def rate(self) -> float:
        """Adam's step size in the next step."""
        return self.peak_rate * learning_rate_share(self.step_number, self.config)

    @property
    def is_dead(self) -> Bool[Tensor, " n_features"]:
        """Which features have been silent for ``dead_after`` tokens."""
        return self.silent_tokens >= self.config.dead_after

    def step(self, rows: Float[Tensor, "batch d_row"]) -> StepResult:
        """Train on one batch, or on this process's share of it."""
        split = self.sae.split_in_training(rows, self.step_number)
        z = self._pre_activations(split.x)
        with torch.no_grad():
            pattern = parallel.training_pattern(self.sae, z)
        dead = torch.nonzero(self.is_dead).squeeze(1)
        loss, fvu, aux_fvu = self._losses(split, z, pattern, dead)
        n_fired = self._count(z, pattern)
        self.adam.zero_grad(set_to_none=True)
        torch.autograd.backward([loss])
        parallel.average_gradients(self.sae)
        if self.config.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.sae.parameters(), self.config.clip_norm)
        remove_parallel_gradient(self.sae)
        for group in self.adam.param_groups:
            group["lr"] = self.rate
        self.adam.step()
        self.sae.constrain()
        self._track_threshold(z, pattern)
        self.step_number += 1
        return StepResult(fvu, aux_fvu, n_fired / len(rows), len(dead) / len(z[0]))

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a step changes."""
        return {
            "sae": self.sae.state_dict(),
            "adam": self.adam.state_dict(),
            "silent_tokens": self.silent_tokens,
            "step": self.step_number,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` returned.

        Raises
        ------
        SchemaError
            If moments, counters or the step number do not fit this dictionary. Torch itself refuses
            weights that do not fit, but accepts moments of any shape.
        """
        silent, step = state["silent_tokens"], state["step"]
        if type(step) is not int or not 0 <= step <= self.config.n_steps:
            raise SchemaError("step", f"0 to {self.config.n_steps}", repr(step))
        _check_shape("silent_tokens", silent, self.silent_tokens.shape)
        self.sae.load_state_dict(state["sae"])
        self.adam.load_state_dict(state["adam"])
        for parameter, moments in self.adam.state.items():
            for name, found in moments.items():
                if name != "step":
                    _check_shape(f"adam: {name}", found, parameter.shape)
        self.silent_tokens.copy_(silent)
        self.step_number = step

    @torch.no_grad()
    def _pre_activations(self, x: Tensor) -> Tensor:
        """Return z, in memory that is reused from step to step, since allocating it is slow."""
        if self.config.autocast == "bfloat16":
            with torch.autocast(x.device.type, torch.bfloat16):
                return self.sae.pre_activations(x).float()
        shape = (len(x), self.sae.n_features)
        if self._z is None or self._z.shape != shape or self._z.dtype != x.dtype:
            self._z = x.new_empty(shape)
        return torch.addmm(self.sae.b_enc, x, self.sae.W_enc, out=self._z)

    def loss(
        self, rows: Rows, z: Float[Tensor, "batch n_features"], pattern: SparsePattern
    ) -> Losses:
        """Return the architecture's loss for a batch whose z were computed without a graph."""
        pre = sparse_encode(rows.x, self.sae.W_enc, self.sae.b_enc, z, pattern)
        ramp = sparsity_ramp(self.step_number, self.config)
        batch = TrainingBatch(rows.x, rows.target, pattern, pre, self.variance, ramp)
        return self.sae.losses(batch)

    def _losses(
        self, rows: Rows, z: Tensor, pattern: SparsePattern, dead: Tensor
    ) -> tuple[Tensor, float, float]:
        loss, residual = self.loss(rows, z, pattern)
        missed = residual.square().sum()
        fvu = float(missed) / (len(residual) * self.variance)
        if len(dead) == 0 or self.config.aux_coefficient == 0 or not self.sae.has_auxiliary:
            return loss, fvu, math.nan
        wanted = self.config.aux_k or max(1, self.sae.d_in // 2)
        explained = self._explained_by(dead, wanted, rows.x, z)
        # share of the residual that dead features leave unexplained (Gao et al. 2024, A.2)
        tiny = torch.finfo(missed.dtype).tiny
        whole = parallel.mean_over_ranks(missed).clamp_min(tiny)
        auxiliary = (residual - explained).square().sum() / whole
        weight = self.config.aux_coefficient * min(1.0, len(dead) / wanted)
        return loss + weight * auxiliary, fvu, float(auxiliary.detach())

    def _explained_by(self, dead: Tensor, wanted: int, x: Tensor, z: Tensor) -> Tensor:
        """Return the sum of the contributions of each token's ``wanted`` largest dead features."""
        z_dead = z.index_select(1, dead)
        pattern = topk_pattern(z_dead, min(wanted, len(dead)))
        encoder = self.sae.W_enc.t().index_select(0, dead).t()
        bias = self.sae.b_enc.index_select(0, dead)
        pre = sparse_encode(x, encoder, bias, z_dead, pattern)
        return sparse_decode(pre, self.sae.W_dec.index_select(0, dead), pattern)

    @torch.no_grad()
    def smallest_kept(self, rows: Float[Tensor, "batch d_row"], step: int) -> float | None:
        """Return the smallest activation that training would keep in that step; None if none."""
        z = self._pre_activations(self.sae.split_in_training(rows, step).x)
        value = self.sae.training_pattern(z).values_of(z)
        return float(value.min()) if len(value) else None

    @torch.no_grad()
    def _count(self, z: Tensor, pattern: SparsePattern) -> int:
        """Update the counts of silent tokens; return how many activations are above 0.

        The pattern of a training step may hold more hits: open gates, or z just below a threshold.
        """
        value = self.sae.values(pattern.values_of(z), pattern)
        firing = pattern.feature[value > 0]
        fired = torch.zeros_like(self.silent_tokens, dtype=torch.bool)
        fired[firing] = True
        self.silent_tokens += len(z) * parallel.world_size()
        self.silent_tokens[parallel.any_over_ranks(fired)] = 0
        return len(firing)

    @torch.no_grad()
    def _track_threshold(self, z: Tensor, pattern: SparsePattern) -> None:
        if not self.sae.has_threshold:
            return
        nothing = z.new_full((1,), torch.inf)
        smallest = parallel.min_over_ranks(torch.cat([pattern.values_of(z), nothing]).min())
        if not torch.isfinite(smallest):
            return
        keep = self.config.threshold_decay if self.step_number else 0.0
        self.sae.threshold.mul_(keep).add_(smallest, alpha=1 - keep)


def _check_shape(where: str, found: Tensor, shape: torch.Size) -> None:
    if found.shape != shape:
        raise SchemaError(where, f"shape {tuple(shape)}", f"{tuple(found.shape)}")


def learning_rate_share(step: int, config: TrainConfig) -> float:
    """Return the learning rate as a share of its peak: warm-up, plateau, then the decay to zero."""
    rate = min(1.0, (step + 1) / max(config.warmup_steps, 1))
    falling = config.decay_share * config.n_steps
    left = config.n_steps - step
    if config.decay == "none" or left >= falling:
        return rate
    if config.decay == "linear":
        return rate * left / falling
    return rate * 0.5 * (1 - math.cos(math.pi * left / falling))


def sparsity_ramp(step: int, config: TrainConfig) -> float:
    """Return the factor of the sparsity penalty: it rises linearly from 0 to 1, then stays."""
    return min(1.0, (step + 1) / max(1.0, config.sparsity_warmup_share * config.n_steps))


@torch.no_grad()
def remove_parallel_gradient(sae: SparseAutoencoder) -> None:
    """Remove from each decoder row's gradient the part along the row, which only rescales it."""
    grad, rows = sae.W_dec.grad, sae.W_dec
    assert grad is not None
    grad.addcmul_((grad * rows).sum(dim=1, keepdim=True), rows, value=-1)
