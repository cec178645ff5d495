"""The engine: passages -> tokens -> one pass under edits -> numbers.

Whatever has a model read a genome or given sequences does so by these functions: activations at
several sites, log probabilities, distributions of the next token, and gradients.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

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
    """What is to be computed in a pass."""

    sites: tuple[str, ...] = ()
    """where activations are taken, each after the edits there"""
    log_probs: bool = False
    """whether the log probabilities of the tokens that were read are computed"""
    distribution: bool = False
    """whether those of all symbols at each token are computed"""


class KeptRows(NamedTuple):
    """Activations of the tokens of one window that have a kept base, and how many each has."""

    tokens: WindowTokens
    rows: Float[Tensor, "row d"]
    n_kept: Int64[np.ndarray, " row"]


class WindowLoss(NamedTuple):
    """Nats of the predicted tokens that a window's kept bases begin, and the bases they cover."""

    nats: float
    n_bases: int


@dataclass(frozen=True)
class Pass:
    """What a model computed of a batch in one pass, or in a chunk of one.

    Parameters
    ----------
    activations
        By site. Special tokens are among the tokens.
    start
        Index of the first token of the activations; 0 but for chunks.
    log_probs
        ``log p(token i | tokens before i)`` in nats, for i from 1; NaN where token i is not spelt
        by A, C, G, T. None where it was not wanted.
    distribution
        The same for each of the model's ``symbols``.
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
        """Yield the loss over each window's kept bases."""
        assert self.log_probs is not None, "log_probs were not wanted"
        for row, read in zip(self.log_probs, self.batch.windows, strict=True):
            # entry i is of token i + 1: the first token of a window is never predicted
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
    """Let a model read passages, in their order, and give what it computes as it comes.

    Parameters
    ----------
    passages
        Of a genome, or given sequences; they are tokenised when their turn comes.
    size
        Passages of one pass, at most.
    chunk
        Tokens that a causal model reads at once, one passage at a time; 0: whole passages.
    edits
        In tokens of each passage. Special tokens around a passage stay as they are.

    Raises
    ------
    InputError
        If the model does not give what is wanted, or does not in chunks.
    """
    if chunk and (wanted.log_probs or wanted.distribution):
        raise InputError("chunk", "0 where probabilities are wanted", str(chunk))
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
        In tokens; special tokens around a passage stay as they are.
    begin
        Activations in the place of those that come to a site, before its edits. Where log
        probabilities alone are wanted, what lies below is not computed if the model can do without.
    shared
        Before this token all rows of ``begin`` and of the batch are the same.

    Raises
    ------
    InputError
        If the model does not give what is wanted.
    """
    edits = batch.within(edits)
    if begin is not None:
        alone = not edits and wanted == Wanted(log_probs=True)
        if alone and begin.site in model.spec.sites and isinstance(model, StartsAtSite):
            log_probs = model.log_probs_from(begin.site, begin.x, batch.ids, first=shared)
            return Pass(batch, {}, log_probs=log_probs)
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


class Gradients(NamedTuple):
    """The value of a target for each row of a batch, and its gradients; no graph is kept.

    ``gradient[site]`` is the derivative of a row's value by its activations at the site.
    """

    value: Float[Tensor, " batch"]
    activations: Mapping[str, Float[Tensor, "batch token d"]]
    gradient: Mapping[str, Float[Tensor, "batch token d"]]


Target = Callable[[Traced], Float[Tensor, " batch"]]
"""A number for each row, computed from its logits or from its activations at the last sites."""


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
        As in `Differentiable.trace`; the target finds their activations, too.
    edits, begin
        As in :func:`run_batch`.
    logits
        Whether the target needs them.

    Raises
    ------
    InputError
        If the model gives no gradients, or the target depends on nothing that was computed.
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
        # rows do not depend on each other: the gradient of their sum holds that of each
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
    """Return the gradient by the one-hot code of the tokens, from that by the embedding.

    The columns are the model's ``symbols``. A difference of two of them is the first-order
    effect of writing one symbol in the place of the other.

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
    # a copy, since the network may write into what it is given
    kept[site] = x.clone()
    return x


def _chosen(
    distribution: Float[Tensor, "batch token_minus_1 symbol"],
    ids: Int[Tensor, "batch token"],
    symbols: Symbols,
) -> Float[Tensor, "batch token_minus_1"]:
    """Return the log probabilities of the tokens that were read; NaN where one is no symbol."""
    column = torch.full((1 + max(int(symbols.ids.max()), int(ids.max())),), -1)
    column[torch.from_numpy(symbols.ids)] = torch.arange(len(symbols.ids))
    target = column[ids[:, 1:].cpu()].to(distribution.device)
    chosen = distribution.gather(2, target.clamp(min=0)[..., None])[..., 0]
    return chosen.masked_fill(target < 0, torch.nan)
