"""Train a small single-nucleotide language model on a corpus of genomes.

Every batch depends only on the seed, the step, the rank and the stage, so a run can resume at any
step without the state of a sampler. Under ``torchrun``, gradients are averaged over the ranks.
"""

import copy
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from genointerp.core.config import to_mapping
from genointerp.core.errors import MismatchError
from genointerp.core.files import atomic_path, replacing
from genointerp.core.progress import Progress, silent
from genointerp.core.seed import derive_seed, rng
from genointerp.model.device import multiplies_bfloat16
from genointerp.model.hyena.network import HyenaConfig, HyenaFilter, StripedHyena, initialise
from genointerp.pretraining.corpus import Corpus
from genointerp.pretraining.grow import grow
from genointerp.pretraining.muon import Muon
from genointerp.tensor.files import read_state, write_state

UNKNOWN_BASE = 4
"""Token of every letter that is not A, C, G or T; never a target."""
SLOWEST_POLE = -1e-3
"""Largest logarithm of a pole, whose response falls by a factor of e in 1,000 tokens."""


@dataclass(frozen=True)
class Stage:
    """A part of the training with one length of windows."""

    steps: int
    """Number of optimiser steps."""
    length: int
    """Bases of a window."""
    batch: int
    """Windows of a batch, on each rank."""


@dataclass(frozen=True)
class PretrainConfig:
    """Settings of a pretraining: the network, the windows and the optimisers."""

    network: HyenaConfig
    """Shape of the network."""
    stages: tuple[Stage, ...]
    """Stages of the training, in order."""
    matrix_learning_rate: float = 6e-3
    """Learning rate of hidden matrices, by Muon with updates scaled to the size of AdamW's."""
    learning_rate: float = 2e-3
    """Learning rate of all other parameters, by AdamW."""
    weight_decay: float = 0.5
    """Decoupled weight decay of hidden matrices, multiplied by the learning rate."""
    warmup_steps: int = 100
    """Steps over which both learning rates rise linearly."""
    decay_share: float = 0.4
    """Share of all steps, at the end, over which both rates fall linearly to zero."""
    clip_norm: float = 1.0
    """Largest norm of the whole gradient, which is clipped above it."""
    stream_penalty: float = 1e-3
    """Weight of a penalty, the squared logarithm of the size of the residual stream: without it the
    stream would grow beyond the range of half precision, since it is normalised before use."""
    rna_share: float = 0.3
    """Share of the windows that are placed so as to hold an RNA gene of a training genome."""
    precision: Literal["auto", "float32", "bfloat16"] = "float32"
    """Precision of matrix products, including those of Muon; weights stay float32. ``auto`` is
    bfloat16 if the device has instructions for it: bits per base are then the same to .001, and a
    step is 1.7 times as fast on a CPU."""
    average: float = 0.0
    """Decay of the running average of the weights, which the training returns; 0 returns the last
    weights. At step n the decay is at most (n + 1) / (n + 10), so that the first weights are soon
    forgotten."""
    compile: bool = False
    """Whether to fuse the operations of the network with ``torch.compile``, which needs a C++
    compiler. It is a quarter faster on a CPU, and values then differ in their last digits."""
    seed: int = 0
    """Random seed of the initial weights and of every batch."""
    save_every: int = 200
    """Steps between checkpoints."""

    @property
    def n_steps(self) -> int:
        """Number of steps of all stages."""
        return sum(stage.steps for stage in self.stages)

    def stage(self, step: int) -> Stage:
        """Return the stage of a step."""
        for stage in self.stages:
            if step < stage.steps:
                return stage
            step -= stage.steps
        raise IndexError(step)

    def rate(self, step: int, position: float | None = None) -> float:
        """Return the learning rate at a step as a share of the full rate: rise, plateau, fall.

        ``position`` is the position in the schedule, in steps; None means ``step``.
        """
        position = step if position is None else position
        rise = (step + 1) / self.warmup_steps
        fall = (self.n_steps - position) / max(1.0, self.decay_share * self.n_steps)
        return min(1.0, rise, fall)


def bits_per_base(
    logits: Float[Tensor, "batch token vocab"],
    targets: Int[Tensor, "batch token"],
    weight: Float[Tensor, "batch token"] | None = None,
) -> Float[Tensor, ""]:
    """Return the mean of ``-log2 p(base | bases before)`` over targets that are A, C, G or T.

    If there are weights of the targets, it is a weighted mean.
    """
    loss = F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), reduction="none")
    counts = (targets.flatten() != UNKNOWN_BASE).to(loss)
    if weight is not None:
        counts = counts * weight.flatten()
    return (loss * counts).sum() / counts.sum() / math.log(2)


def stream_size(x: Float[Tensor, "batch token d"]) -> Float[Tensor, ""]:
    """Return the root mean square of a residual stream over batch, tokens and channels."""
    return x.float().square().mean().sqrt()


def pretrain(
    corpus: Corpus,
    config: PretrainConfig,
    out: Path,
    *,
    start: StripedHyena | None = None,
    deadline: float | None = None,
    progress: Progress = silent,
) -> StripedHyena:
    """Train a network, and continue from the checkpoint in ``out`` if there is one.

    The files in ``out`` are ``checkpoint.pt``; ``plateau.pt``, the last checkpoint before the
    learning rate fell, from which a longer training can continue (copy it to ``checkpoint.pt`` of
    another folder); and ``metrics.jsonl`` (step, bases read, bits per base of the batches since the
    last line, share of the full rate at the last step).

    Parameters
    ----------
    start
        Trained network to begin with instead of random weights. It has the configured shape, or is
        a smaller one that :func:`~genointerp.pretraining.grow.grow` can grow into that shape.
    deadline
        Unix time at which the training must have ended. The schedule then follows the time that is
        left instead of the steps, and there are as many steps as fit into that time.

    Returns
    -------
    StripedHyena
        The network, with the average of the weights if ``config.average`` is above 0, otherwise
        with the last ones.

    Notes
    -----
    Learning rates, decay and schedule are always those of ``config``; from a checkpoint only the
    statistics of the optimisers are restored.

    Raises
    ------
    MismatchError
        If the checkpoint is of another network or another seed.
    ConfigError
        If ``start`` cannot grow into the configured network.
    """
    generator = torch.Generator().manual_seed(derive_seed(config.seed, "initial weights"))
    network = StripedHyena(config.network)
    if start is None:
        initialise(network, generator)
    else:
        grow(start, network, generator)
    out.mkdir(parents=True, exist_ok=True)
    run = Pretraining(network, corpus, config, out)
    run.resume()
    clock = Clock(run.position, float(config.n_steps), deadline)
    while run.position < config.n_steps:
        run.advance()
        run.position = run.agreed(clock.position(run.step))
        progress(min(int(run.position), config.n_steps), config.n_steps)
    run.save()
    return run.averaged()


@dataclass(frozen=True)
class Clock:
    """Position in a schedule, by its steps or by the time until a deadline.

    Parameters
    ----------
    first, last
        Position at the start of the clock and at the end, in steps of the schedule.
    deadline
        Unix time at which the end is reached; None if steps count.
    """

    first: float
    last: float
    deadline: float | None
    started: float = field(default_factory=lambda: time.time())

    def position(self, step: int) -> float:
        """Return the present position, after ``step`` steps."""
        if self.deadline is None:
            return float(step)
        share = (time.time() - self.started) / max(self.deadline - self.started, 1e-9)
        return min(self.first + (self.last - self.first) * share, self.last)


class Pretraining:
    """The state of a training: network, optimisers and step; :func:`pretrain` runs it."""

    def __init__(
        self, network: StripedHyena, corpus: Corpus, config: PretrainConfig, out: Path
    ) -> None:
        self.corpus, self.config, self.out = corpus, config, out
        self.rank = dist.get_rank() if dist.is_initialized() else 0
        self.n_ranks = dist.get_world_size() if dist.is_initialized() else 1
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = network.to(self.device)
        self.average = copy.deepcopy(self.network) if config.average else None
        self.stream = network.stream
        if config.compile:
            # shapes do not change within a stage, so the network is compiled once for each shape;
            # its blocks count apart, and past the limit they would run uncompiled without a word
            shapes = {(stage.length, stage.batch) for stage in config.stages}
            limit = len(shapes) * (len(config.network.mixers) + 1)
            torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, limit)
            self.stream = torch.compile(network.stream, dynamic=False)
        self.is_half = config.precision == "bfloat16" or (
            config.precision == "auto" and multiplies_bfloat16(self.device)
        )
        self.optimisers = list(_optimisers(self.network, config, is_half=self.is_half))
        self.step, self.n_bases, self.position = 0, 0, 0.0
        self.recent: list[float] = []
        self.last_rate = math.nan

    def resume(self) -> None:
        """Restore the checkpoint, if there is one."""
        path = self.out / "checkpoint.pt"
        if not path.exists():
            return
        state = read_state(path)
        identity = self._identity()
        if state["identity"] != identity:
            raise MismatchError(str(path), f"a checkpoint of {identity}", state["identity"])
        self.network.load_state_dict(state["network"])
        if self.average is not None:
            self.average.load_state_dict(state["average"] or state["network"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            # rates and decay are those of the configuration, which may have changed
            groups = optimiser.state_dict()["param_groups"]
            optimiser.load_state_dict({"state": saved["state"], "param_groups": groups})
        self.step, self.n_bases = state["step"], state["n_bases"]
        self.position = float(state["position"])

    def advance(self, rate: float | None = None) -> None:
        """Take one step, at a share of the full learning rates, by default that of the schedule."""
        stage = self.config.stage(min(int(self.position), self.config.n_steps - 1))
        drawn = self.corpus.batch(
            stage,
            rng(self.config.seed, f"batch {self.step} of rank {self.rank}"),
            rna_share=self.config.rna_share,
        )
        batch = torch.from_numpy(drawn.tokens).to(self.device, torch.int64)
        weight = torch.from_numpy(drawn.weight).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.is_half):
            stream = self.stream(batch[:, :-1])
            logits = self.network.unembed(stream)
        loss = bits_per_base(logits, batch[:, 1:], weight[:, 1:])
        penalty = self.config.stream_penalty * stream_size(stream).log().square()
        (loss + penalty).backward()  # type: ignore[no-untyped-call]
        self.last_rate = self.config.rate(self.step, self.position) if rate is None else rate
        self._update(self.last_rate)
        self.recent.append(float(loss.detach()))
        self.n_bases += batch[:, 1:].numel() * self.n_ranks
        self.step += 1
        self.position += 1
        if self.step % self.config.save_every == 0:
            self.save()

    def agreed(self, position: float) -> float:
        """Return the position of rank 0, so that all ranks draw windows of the same length."""
        if self.n_ranks == 1:
            return position
        shared = torch.tensor([position], dtype=torch.float64, device=self.device)
        dist.broadcast(shared, 0)
        return float(shared)

    def averaged(self) -> StripedHyena:
        """Return the network with averaged weights, or with the last ones if none are averaged."""
        return self.network if self.average is None else self.average

    def save(self) -> None:
        """Write a line of metrics and the checkpoint, until the rate falls also as plateau.pt."""
        if self.rank:
            return
        state = {
            "identity": self._identity(),
            "network": self.network.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "step": self.step,
            "position": self.position,
            "n_bases": self.n_bases,
        }
        is_plateau = self.position <= (1 - self.config.decay_share) * self.config.n_steps
        for name in ("checkpoint.pt", *["plateau.pt"] * is_plateau):
            with replacing(), atomic_path(self.out / name) as temporary:
                write_state(state, temporary)
        self._log()

    def _update(self, rate: float) -> None:
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        if self.n_ranks > 1:
            _average(gradients, self.n_ranks)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip_norm)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate * group["full_lr"]
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        keep_stable(self.network)
        if self.average is not None:
            keep = min(self.config.average, (self.step + 1) / (self.step + 10))
            _move_towards(self.average, self.network, 1 - keep)

    def _log(self) -> None:
        if not self.recent:
            return
        line = {
            "step": self.step,
            "n_bases": self.n_bases,
            "bits_per_base": round(float(np.mean(self.recent)), 5),
            "rate": round(self.last_rate, 5),
            "time": round(time.time(), 1),
        }
        self.recent.clear()
        with (self.out / "metrics.jsonl").open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(line) + "\n")

    def _identity(self) -> str:
        return json.dumps({"network": to_mapping(self.config.network), "seed": self.config.seed})


def _optimisers(
    network: StripedHyena, config: PretrainConfig, *, is_half: bool
) -> Iterator[torch.optim.Optimizer]:
    matrices: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for name, parameter in network.named_parameters():
        is_matrix = parameter.ndim == 2 and name.endswith("weight") and "embedding" not in name
        (matrices if is_matrix else others).append(parameter)
    rates = (config.matrix_learning_rate, config.learning_rate)
    yield Muon(
        [{"params": matrices, "full_lr": rates[0]}],
        lr=rates[0],
        weight_decay=config.weight_decay,
        product_dtype=torch.bfloat16 if is_half else None,
    )
    yield torch.optim.AdamW(
        [{"params": others, "full_lr": rates[1]}], lr=rates[1], betas=(0.9, 0.98), weight_decay=0.0
    )


@torch.no_grad()
def _move_towards(average: StripedHyena, network: StripedHyena, share: float) -> None:
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), share)


@torch.no_grad()
def keep_stable(network: nn.Module) -> None:
    """Keep long filters decaying, since a log pole above 0 would explode in longer windows."""
    for module in network.modules():
        if isinstance(module, HyenaFilter) and module.mixer == "LI":
            module.log_poles.clamp_(max=SLOWEST_POLE)


def _average(gradients: list[Tensor], n_ranks: int) -> None:
    """Average gradients over the ranks, in a single message."""
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= n_ranks
    offset = 0
    for gradient in gradients:
        gradient.copy_(flat[offset : offset + gradient.numel()].view_as(gradient))
        offset += gradient.numel()
