"""The engine: from passages to tokens, to one pass under edits, to numbers.

Everything that lets a model read a genome, or given sequences, uses these functions. They compute
activations at several sites, log probabilities, distributions of the next token, and gradients.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeGuard

import numpy as np
import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor

from genointerp.core.errors import InputError
from genointerp.model.protocol import (
    EMBEDDING,
    Differentiable,
    DnaModel,
    Edit,
    GivesDistribution,
    SiteActivations,
    StartsAtSite,
    Symbols,
    Traced,
)
from genointerp.reading.tokens import Passage, TokenBatch, WindowTokens, token_batches


@dataclass(frozen=True)
class Wanted:
    """What to compute in a pass."""

    sites: tuple[str, ...] = ()
    """Sites of the activations, each taken after the edits at that site."""
    log_probs: bool = False
    """Whether to compute the log probabilities of the tokens that are read."""
    distribution: bool = False
    """Whether to compute the log probabilities of all symbols at each token."""


class KeptRows(NamedTuple):
    """Activations of the tokens of one window that have kept bases, and how many each has."""

    tokens: WindowTokens
    rows: Float[Tensor, "row d"]
    n_kept: Int64[np.ndarray, " row"]


class WindowLoss(NamedTuple):
    """Nats of the predicted tokens that begin at kept bases of a window, and their bases."""

    nats: float
    n_bases: int


@dataclass(frozen=True)
class Pass:
    """Results of a model for a batch, from one pass or from a chunk of one.

    Parameters
    ----------
    activations
        Activations by site, including those of special tokens.
    start
        Index of the first token of the activations; 0 except for chunks.
    log_probs
        ``log p(token i | tokens before i)`` in nats, for i from 1; NaN if token i does not consist
        of A, C, G and T. None if it was not wanted.
    distribution
        The same for each of the model's ``symbols``; None if it was not wanted.
    """

    batch: TokenBatch
    activations: Mapping[str, Float[Tensor, "batch token d"]]
    start: int = 0
    log_probs: Float[Tensor, "batch token_minus_1"] | None = None
    distribution: Float[Tensor, "batch token_minus_1 symbol"] | None = None

    def kept(self, site: str) -> Iterator[KeptRows]:
        """Yield the kept activations at a site, window by window."""
        for read, x in zip(self.batch.windows, self.activations[site], strict=True):
            first, stop, _ = read.rows.indices(self.start + len(x))
            first = max(first, self.start)
            stop = max(first, stop)
            n_kept = read.n_kept[first:stop]
            rows = x[first - self.start : stop - self.start]
            is_kept = n_kept > 0
            if not is_kept.all():
                rows, n_kept = rows[torch.from_numpy(is_kept).to(rows.device)], n_kept[is_kept]
            yield KeptRows(read, rows, n_kept)

    def losses(self) -> Iterator[WindowLoss]:
        """Yield the loss over the kept bases of each window."""
        assert self.log_probs is not None, "log_probs were not wanted"
        for row, read in zip(self.log_probs, self.batch.windows, strict=True):
            # entry i is for token i + 1: the first token of a window is never predicted
            begun = torch.from_numpy(read.begun[1:]).to(row.device)
            n_bases = torch.from_numpy(read.spans.end - read.spans.start)[1:].to(row.device)
            known = begun & ~row.isnan()
            yield WindowLoss(-float(row[known].double().sum()), int(n_bases[known].sum()))


def run_passages(
    model: DnaModel,
    passages: Iterable[Passage],
    wanted: Wanted,
    *,
    size: int,
    chunk: int = 0,
    edits: Sequence[Edit] = (),
) -> Iterator[Pass]:
    """Let a model read passages, in order, and yield its results.

    Parameters
    ----------
    passages
        Passages of a genome, or given sequences; each is tokenised only when it is read.
    size
        Most passages of one pass.
    chunk
        Tokens that a causal model reads at once, one passage at a time; 0 means whole passages.
    edits
        Edits, whose ranges count tokens of each passage. They do not change the special tokens
        around a passage.

    Raises
    ------
    InputError
        If the model cannot compute what is wanted, or not in chunks.
    """
    if chunk and (wanted.log_probs or wanted.distribution):
        raise InputError("chunk", "0 if probabilities are wanted", str(chunk))
    for batch in token_batches(model, passages, 1 if chunk else size):
        if not chunk:
            yield run_batch(model, batch, wanted, edits=edits)
            continue
        for piece in model.prefill(
            batch.ids, chunk=chunk, capture=wanted.sites, edits=batch.within(edits)
        ):
            yield Pass(batch, piece.activations, piece.start)


def run_batch(
    model: DnaModel,
    batch: TokenBatch,
    wanted: Wanted,
    *,
    edits: Sequence[Edit] = (),
    begin: SiteActivations | None = None,
    shared: int = 0,
) -> Pass:
    """Let a model read a batch in one pass.

    Parameters
    ----------
    edits
        Edits, whose ranges count tokens. They do not change the special tokens around a passage.
    begin
        Activations that replace those at a site, before its edits. If only probabilities are
        wanted, nothing below the site is computed, if the model can avoid it.
    shared
        Index of the token before which all rows of ``begin`` and of the batch are the same.

    Raises
    ------
    InputError
        If the model cannot compute what is wanted.
    """
    edits = batch.within(edits)
    if begin is not None:
        alone = not edits and not wanted.sites and (wanted.log_probs or wanted.distribution)
        if alone and _starts(model, begin.site):
            return _run_above(model, batch, wanted, begin, shared)
        edits = [begin.as_edit(), *edits]
    if not wanted.log_probs and not wanted.distribution:
        return Pass(batch, model.run(batch.ids, capture=wanted.sites, edits=edits))
    activations: dict[str, Tensor] = {}
    watched = [Edit(site, partial(_keep, activations, site)) for site in wanted.sites]
    edits = [*edits, *watched]
    if not wanted.distribution:
        return Pass(batch, activations, log_probs=model.log_probs(batch.ids, edits=edits))
    if not isinstance(model, GivesDistribution):
        expected = "a model that gives the probability of each symbol"
        raise InputError("distribution", expected, model.spec.name)
    distribution = model.next_log_probs(batch.ids, edits=edits)
    chosen = _chosen(distribution, batch.ids, model.symbols) if wanted.log_probs else None
    return Pass(batch, activations, log_probs=chosen, distribution=distribution)


def _starts(model: DnaModel, site: str) -> TypeGuard[StartsAtSite]:
    return site in model.spec.sites and isinstance(model, StartsAtSite)


def _run_above(
    model: StartsAtSite, batch: TokenBatch, wanted: Wanted, begin: SiteActivations, shared: int
) -> Pass:
    """Compute probabilities from the activations at a site."""
    if not wanted.distribution:
        log_probs = model.log_probs_from(begin.site, begin.x, batch.ids, first=shared)
        return Pass(batch, {}, log_probs=log_probs)
    distribution = model.next_log_probs_from(begin.site, begin.x, batch.ids, first=shared)
    chosen = _chosen(distribution, batch.ids, model.symbols) if wanted.log_probs else None
    return Pass(batch, {}, log_probs=chosen, distribution=distribution)


class Gradients(NamedTuple):
    """The value of a target for each row of a batch, and its gradients, without the graph.

    ``gradient[site]`` is the derivative of the value of each row by its activations at the site.
    """

    value: Float[Tensor, " batch"]
    activations: Mapping[str, Float[Tensor, "batch token d"]]
    gradient: Mapping[str, Float[Tensor, "batch token d"]]


Target = Callable[[Traced], Float[Tensor, " batch"]]
"""Computes a number for each row, from its logits or from its activations at the last sites."""


def gradients(
    model: DnaModel,
    batch: TokenBatch,
    target: Target,
    *,
    sites: Sequence[str],
    edits: Sequence[Edit] = (),
    begin: SiteActivations | None = None,
    logits: bool = True,
) -> Gradients:
    """Differentiate a target by the activations at some sites.

    Parameters
    ----------
    sites
        Sites as in `Differentiable.trace`; the target gets their activations too.
    edits, begin
        As in :func:`run_batch`.
    logits
        Whether the target needs logits.

    Raises
    ------
    InputError
        If the model gives no gradients, or the target does not depend on the activations.
    """
    if not isinstance(model, Differentiable):
        raise InputError("gradients", "a model that can be differentiated", model.spec.name)
    with torch.inference_mode(mode=False), torch.enable_grad():
        traced = model.trace(
            batch.ids, capture=sites, edits=batch.within(edits), begin=begin, logits=logits
        )
        value = target(traced)
        if not value.requires_grad:
            raise InputError("target", "a number that depends on what is computed", "a constant")
        # rows are independent, so the gradient of their sum contains that of each row
        inputs = [traced.activations[site] for site in sites]
        found = torch.autograd.grad(value.sum(), inputs, materialize_grads=True)
    return Gradients(
        value.detach(),
        {site: traced.activations[site].detach() for site in sites},
        dict(zip(sites, found, strict=True)),
    )


def by_symbol(
    model: DnaModel, gradient: Float[Tensor, "batch token d"]
) -> Float[Tensor, "batch token symbol"]:
    """Turn the gradient by the embedding into the gradient by the one-hot code of the tokens.

    The columns are the model's ``symbols``. The difference of two columns is the first-order effect
    of replacing one symbol by the other.

    Raises
    ------
    InputError
        If the model gives no gradients.
    """
    if not isinstance(model, Differentiable):
        raise InputError("gradients", "a model that can be differentiated", model.spec.name)
    ids = torch.from_numpy(model.symbols.ids)[None]
    table = model.trace(ids, capture=[EMBEDDING], logits=False).activations[EMBEDDING][0].detach()
    return gradient @ table.T


def _keep(
    kept: dict[str, Tensor], site: str, x: Float[Tensor, "batch token d"]
) -> Float[Tensor, "batch token d"]:
    # a copy, since the network may later write into the tensor that it gets
    kept[site] = x.clone()
    return x


def _chosen(
    distribution: Float[Tensor, "batch token_minus_1 symbol"],
    ids: Int[Tensor, "batch token"],
    symbols: Symbols,
) -> Float[Tensor, "batch token_minus_1"]:
    """Return the log probabilities of the tokens that were read; NaN if one is not a symbol."""
    column = torch.full((1 + max(int(symbols.ids.max()), int(ids.max())),), -1)
    column[torch.from_numpy(symbols.ids)] = torch.arange(len(symbols.ids))
    target = column[ids[:, 1:].cpu()].to(distribution.device)
    chosen = distribution.gather(2, target.clamp(min=0)[..., None])[..., 0]
    return chosen.masked_fill(target < 0, torch.nan)
