"""Edges between two sites in one passage: what each node below adds to a number above.

One backward pass gives the weights of all nodes below for one target. Nothing is frozen: weights
are those of the model as it computes, gates of convolutions included.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from genointerp.model.protocol import DnaModel, SiteActivations, Traced
from genointerp.reading.question import differentiable
from genointerp.reading.run import Target, gradients
from genointerp.reading.tokens import TokenBatch
from genointerp.sae.dictionary import Dictionary
from genointerp.wiring.stack import SiteNodes


@dataclass(frozen=True, eq=False)
class PreActivations:
    """The pre-activation of one feature at one token in each row of a batch.

    Where a feature fires this is its activation, without the kink.
    """

    dictionary: Dictionary
    feature: Int64[Tensor, " batch"]
    token: Int64[Tensor, " batch"]

    def __call__(self, traced: Traced) -> Float[Tensor, " batch"]:
        """Return ``x w + b`` at the token of each row."""
        sae = self.dictionary.sae
        x = traced.activations[self.dictionary.header.site].to(sae.b_enc)
        own = x[torch.arange(len(x)), self.token]
        w, b = sae.W_enc[:, self.feature].detach(), sae.b_enc[self.feature].detach()
        return ((own * w.T).sum(-1) + b).double()

    def in_each(self, x: Float[Tensor, "copy token d"]) -> Float64[Tensor, "copy target"]:
        """Return all of the pre-activations in each of some activations of the site."""
        sae = self.dictionary.sae
        own = x.to(sae.b_enc)[:, self.token]
        w, b = sae.W_enc[:, self.feature].detach(), sae.b_enc[self.feature].detach()
        return ((own * w.T).sum(-1) + b).double()

    def repeated(self, n: int) -> "PreActivations":
        """Return ``n`` copies of the first of them."""
        rows = torch.zeros(n, dtype=torch.int64)
        return PreActivations(self.dictionary, self.feature[rows], self.token[rows])


class EdgeWeights(NamedTuple):
    """Weights of the edges from all nodes of a site to some targets.

    Parameters
    ----------
    feature
        ``amount <gradient, d>`` of each hit.
    error
        ``<gradient, error>`` of the error at each token.
    gradient
        Of the targets, by the activations of the site.
    """

    feature: Float[Tensor, "target hit"]
    error: Float[Tensor, "target token"]
    gradient: Float[Tensor, "target token d"]


def edge_weights(
    model: DnaModel,
    batch: TokenBatch,
    nodes: SiteNodes,
    target: Target,
    n_targets: int,
    *,
    above: str | None,
) -> EdgeWeights:
    """Return the weights of the edges from the nodes of a site to targets above.

    Parameters
    ----------
    batch
        The one passage.
    target
        Gives a number for each of ``n_targets`` copies of the passage.
    above
        Site of the targets; None if they are computed from logits.
    """
    x = nodes.x.expand(n_targets, -1, -1)
    return _weights(nodes, _gradient(model, batch, nodes, x, target, above=above))


def path_weights(
    model: DnaModel,
    batch: TokenBatch,
    nodes: SiteNodes,
    target: Target,
    *,
    above: str | None,
    steps: int,
    size: int,
) -> EdgeWeights:
    """Return the weights of edges into one target, with its gradient averaged along a path.

    A prediction that is nearly certain hardly has a gradient; on the way to it from nothing in
    particular it has one.

    Parameters
    ----------
    target
        Gives a number for each of any number of copies of the passage.
    steps
        Midpoints of the straight line from the mean activation over the passage to the activations
        themselves; with 1, the weights are those of `edge_weights`.
    size
        Copies of the passage in one pass.
    """
    at = (torch.arange(steps) + 0.5) / steps if steps > 1 else torch.ones(1)
    mean = nodes.x.mean(0)
    found = []
    for part in torch.split(at, size):
        x = mean + part[:, None, None].to(nodes.x) * (nodes.x - mean)
        found.append(_gradient(model, batch, nodes, x, target, above=above))
    return _weights(nodes, torch.cat(found).mean(0, keepdim=True))


def _gradient(
    model: DnaModel,
    batch: TokenBatch,
    nodes: SiteNodes,
    x: Float[Tensor, "copy token d"],
    target: Target,
    *,
    above: str | None,
) -> Float[Tensor, "copy token d"]:
    site = nodes.dictionary.header.site
    return gradients(
        model,
        batch.repeated(len(x)),
        target,
        sites=[site] if above is None else [site, above],
        begin=SiteActivations(site, x),
        logits=above is None,
    ).gradient[site]


def _weights(nodes: SiteNodes, gradient: Float[Tensor, "target token d"]) -> EdgeWeights:
    directions = nodes.dictionary.directions[nodes.feature] * nodes.amount[:, None]
    weights = [(row[nodes.token] * directions).sum(-1) for row in gradient]
    return EdgeWeights(torch.stack(weights), (gradient * nodes.error).sum(-1), gradient)


def without_each(
    model: DnaModel,
    batch: TokenBatch,
    nodes: SiteNodes,
    hits: Int64[Tensor, " hit"],
    target: Callable[[int], Target],
    *,
    above: str | None,
    size: int,
) -> Float64[Tensor, " hit"]:
    """Return what a target loses when each of some hits is taken out: the exact effect.

    Parameters
    ----------
    target
        Gives the target for a number of copies of the passage.
    above
        Its site; None if it is computed from logits.
    size
        Copies of the passage in one pass.

    Raises
    ------
    InputError
        If the model cannot continue from a site.
    """
    traced = differentiable(model)
    capture, site = [] if above is None else [above], nodes.dictionary.header.site

    @torch.no_grad()
    def values(x: Float[Tensor, "copy token d"]) -> Float64[Tensor, " copy"]:
        found = traced.trace(
            batch.repeated(len(x)).ids,
            capture=capture,
            begin=SiteActivations(site, x),
            logits=above is None,
        )
        return target(len(x))(found).detach().double()

    clean = values(nodes.x[None])
    parts = [clean - values(nodes.without(part)) for part in torch.split(hits, size)]
    return torch.cat(parts) if parts else clean[:0]


def agreement(pairs: Float64[np.ndarray, "node 2"]) -> tuple[float, float]:
    """Return the correlation of effects with weights, and the slope of the effects.

    Parameters
    ----------
    pairs
        Weight and effect of each node; both results are NaN for fewer than 3, or equal ones.
    """
    if len(pairs) < 3 or not pairs.std(axis=0).all():
        return np.nan, np.nan
    spread = np.cov(pairs.T)
    r = spread[0, 1] / np.sqrt(spread[0, 0] * spread[1, 1])
    return float(r), float(spread[0, 1] / spread[0, 0])
