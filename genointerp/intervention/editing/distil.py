"""Distillation: changes of low rank, trained until the predictions are those of the edit."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from genointerp.core.seed import derive_seed, rng
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.intervention.editing.config import EditConfig
from genointerp.intervention.editing.sample import (
    Variant,
    batches,
    distribution,
    divergence,
    reading,
    since_fired,
)
from genointerp.model.edited.changes import Splices, WeightChange, changed, site_modules
from genointerp.model.edited.writers import block_maps
from genointerp.model.protocol import EMBEDDING, Differentiable, DnaModel, SiteActivations
from genointerp.reading.tokens import TokenBatch

_RISE = 10
"""Steps in which the learning rate rises."""


def distil(
    model: DnaModel,
    genome: Genome,
    regions: Sequence[GenomicInterval],
    site: str,
    splices: Splices,
    begin: Mapping[str, WeightChange],
    config: EditConfig,
) -> dict[str, WeightChange]:
    """Train changes of every linear map of the site's block, from those of the closed form on.

    Parameters
    ----------
    begin
        Changes of the closed form, which stay part of the result and are trained with it.

    Notes
    -----
    ``loss = (sum KL(a || e) + silent_share sum KL(p || e)) / n``, the second sum over the silent
    ones of the n predictions, with p the parent, a the edit of activations and e the edited model.
    Adam with a rate that rises for ten steps and then falls linearly to 0. A change
    ``left right^T`` begins with ``left`` random and ``right`` zero.
    """
    assert isinstance(model, Differentiable)
    maps = block_maps(model, site)
    lessons = list(_lessons(model, genome, regions, site, splices, config))
    # biases, which have no map of their own, stay as the closed form has them
    fixed = {name: one for name, one in begin.items() if not name.endswith(".weight")}
    factors = _factors(maps, begin, config)
    trained = [tensor.requires_grad_() for pair in factors.values() for tensor in pair]
    # a few hundred steps are too few for the usual average of squared gradients
    optimiser = torch.optim.Adam(trained, lr=config.rate, betas=(0.9, 0.99))
    order = rng(config.seed, "steps of distil")
    with changed(model, fixed), torch.inference_mode(mode=False), torch.enable_grad():
        for step in range(config.steps):
            for group in optimiser.param_groups:
                group["lr"] = config.rate * min((step + 1) / _RISE, 1 - step / config.steps)
            lesson = lessons[int(order.integers(len(lessons)))]
            with _adding(maps, factors):
                traced = model.trace(lesson.batch.ids, begin=lesson.begin)
            assert traced.logits is not None
            found = traced.logits[:, :-1].log_softmax(-1)
            near = divergence(lesson.wanted, found)[lesson.kept].sum()
            away = divergence(lesson.clean, found)[lesson.silent].sum()
            loss = (near + config.silent_share * away) / lesson.kept.sum()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    weights = {
        f"{name}.weight": WeightChange(left.detach().double(), right.detach().double())
        for name, (left, right) in factors.items()
    }
    return weights | fixed


@dataclass(frozen=True, eq=False)
class _Lesson:
    """A batch of windows, what is wanted of it, and where a pass over it may begin."""

    batch: TokenBatch
    begin: SiteActivations | None
    clean: Float[Tensor, "batch token_minus_1 symbol"]
    wanted: Float[Tensor, "batch token_minus_1 symbol"]
    kept: Bool[Tensor, "batch token_minus_1"]
    silent: Bool[Tensor, "batch token_minus_1"]


def _lessons(
    model: DnaModel,
    genome: Genome,
    regions: Sequence[GenomicInterval],
    site: str,
    splices: Splices,
    config: EditConfig,
) -> Iterator[_Lesson]:
    below = _below(model, site)
    sites = (site,) if below is None else (below, site)
    for batch in batches(model, genome, regions, config):
        clean, found = distribution(model, batch, Variant(), sites)
        wanted, _ = distribution(model, batch, Variant(edits=[splices.at(site)]))
        amount = reading(found[site], splices)
        kept = np.stack([read.begun for read in batch.windows])[:, 1:]
        quiet = since_fired((amount > 0).cpu().numpy())[:, :-1] >= config.silent_after
        # not inference tensors, which cannot be part of a graph
        with torch.inference_mode(mode=False):
            begin = None if below is None else SiteActivations(below, found[below].clone())
            lesson = _Lesson(
                batch,
                begin,
                clean.float().clone(),
                wanted.float().clone(),
                torch.from_numpy(kept).to(clean.device),
                torch.from_numpy(kept & quiet).to(clean.device),
            )
        yield lesson


def _below(model: DnaModel, site: str) -> str | None:
    """Return the site before the block that is changed, so that no pass begins lower."""
    block = ".".join(site.split(".")[:2])
    index = model.spec.sites.index(block)
    if index:
        return model.spec.sites[index - 1]
    return EMBEDDING if EMBEDDING in site_modules(model) else None


def _factors(
    maps: Mapping[str, nn.Linear], begin: Mapping[str, WeightChange], config: EditConfig
) -> dict[str, tuple[Tensor, Tensor]]:
    """Return the two factors of the change of each map: those of the closed form, then new ones."""
    generator = torch.Generator().manual_seed(derive_seed(config.seed, "factors of distil"))
    found = {}
    for name, module in maps.items():
        own = begin.get(f"{name}.weight")
        n_own = 0 if own is None else own.left.shape[1]
        n_new = max(0, config.rank - n_own)
        left = torch.randn(module.out_features, n_new, generator=generator)
        left = left / module.out_features**0.5
        right = torch.zeros(module.in_features, n_new)
        if own is not None:
            left = torch.cat([own.left.float(), left], dim=1)
            right = torch.cat([own.right.float(), right], dim=1)
        device = module.weight.device
        found[name] = (left.to(device), right.to(device))
    return found


@contextmanager
def _adding(
    maps: Mapping[str, nn.Linear], factors: Mapping[str, tuple[Tensor, Tensor]]
) -> Iterator[None]:
    """Add the changes to what the maps write, inside the block, in the graph."""

    def hook(left: Tensor, right: Tensor) -> object:
        def add(_module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            return output + (inputs[0] @ right) @ left.T

        return add

    with ExitStack() as stack:
        for name, pair in factors.items():
            handle = maps[name].register_forward_hook(hook(*pair))  # type: ignore[arg-type]
            stack.callback(handle.remove)
        yield
