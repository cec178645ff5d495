"""What a number, or features of a site, are made of by the site below, and by the bases."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, Int64

from genointerp.core.errors import InputError
from genointerp.model.protocol import Symbols
from genointerp.reading.question import Question, differentiable
from genointerp.reading.run import Wanted, run_batch
from genointerp.reading.tokens import TokenBatch
from genointerp.wiring.stack import SiteNodes, Stack
from genointerp.wiring.trace_config import TraceConfig
from genointerp.wiring.wires import PreActivations, edge_weights, path_weights


class Level(NamedTuple):
    """The features of a site that are followed: index of each among the hits."""

    nodes: SiteNodes
    hits: Int64[np.ndarray, " node"]

    @property
    def site(self) -> str:
        """The site."""
        return self.nodes.dictionary.header.site

    def targets(self, some: slice | Int64[np.ndarray, " node"]) -> PreActivations:
        """Return pre-activations of some of them as targets."""
        hits = torch.from_numpy(self.hits[some])
        nodes = self.nodes
        return PreActivations(nodes.dictionary, nodes.feature[hits], nodes.token[hits])


class Rows(NamedTuple):
    """Weights of all nodes of a site into the targets above."""

    feature: Float64[np.ndarray, "target hit"]
    error: Float64[np.ndarray, "target token"]

    def shares(self) -> Float64[np.ndarray, "target hit"]:
        """Return the share of each feature in the absolute weights into each target."""
        size = np.abs(self.feature).sum(1) + np.abs(self.error).sum(1)
        found: Float64[np.ndarray, "target hit"]
        found = np.abs(self.feature) / np.maximum(size, np.finfo(np.float64).tiny)[:, None]
        return found

    def left_out(self, hits: Int64[np.ndarray, " node"]) -> Float64[np.ndarray, " target"]:
        """Return the absolute weight of all features but some into each target."""
        others = np.abs(self.feature)
        others[:, hits] = 0
        return np.asarray(others.sum(1))


@dataclass(frozen=True, eq=False)
class Tracing:
    """A question, and the dictionaries through whose features it is traced.

    Raises
    ------
    InputError
        If the number is not computed above all sites, or tokens are not bases.
    """

    stack: Stack
    question: Question
    config: TraceConfig

    def __post_init__(self) -> None:
        if any(len(word) != 1 for word in self.symbols.spelling):
            raise InputError("trace", "a model whose tokens are bases", self.stack.model.spec.name)
        known, top = self.stack.model.spec.sites, self.stack.sites[-1]
        if self.above is not None and known.index(self.above) <= known.index(top):
            raise InputError("sae", f"dictionaries of sites below {self.above}", top)

    @cached_property
    def symbols(self) -> Symbols:
        """The symbols of the model, each a base."""
        return differentiable(self.stack.model).symbols

    @cached_property
    def batch(self) -> TokenBatch:
        """The passage as a batch of one."""
        return self.question.batch

    @property
    def above(self) -> str | None:
        """Site at which the number is read; None if it is computed from logits."""
        return self.question.watched[0] if self.question.watched else None

    @cached_property
    def tokens(self) -> Int64[np.ndarray, " token"]:
        """Tokens that are nodes."""
        # where there is hardly any context, all of it is needed
        skip = self.config.skip if self.question.asked > 2 * self.config.skip else 0
        return np.arange(skip, self.question.last + 1)

    def rows(self, nodes: SiteNodes, upper: Level | None) -> Rows:
        """Return the weights of all nodes of a site into the targets above, or into the number."""
        model, size = self.stack.model, self.config.batch
        if upper is None:
            found = [
                path_weights(
                    model,
                    self.batch,
                    nodes,
                    self.question.target,
                    above=self.above,
                    steps=self.config.steps,
                    size=size,
                )
            ]
        else:
            found = [
                edge_weights(
                    model, self.batch, nodes, upper.targets(part), len(part), above=upper.site
                )
                for part in np.split(np.arange(len(upper.hits)), range(size, len(upper.hits), size))
                if len(part)
            ]
        empty = Rows(np.zeros((0, len(nodes.token))), np.zeros((0, len(nodes.x))))
        parts = [[it.double().cpu().numpy() for it in weights[:2]] for weights in found]
        rows = Rows(*(np.concatenate(part) for part in zip(empty, *parts, strict=True)))
        token = nodes.token.cpu().numpy()
        rows.feature[:, token < self.tokens[0]] = 0
        rows.error[:, : self.tokens[0]] = 0
        last = np.array([self.question.last])
        if upper is not None:
            last = upper.nodes.token.cpu().numpy()[upper.hits]
        # rounding must not say that a token is changed by one after it
        rows.feature[token > last[:, None]] = 0
        rows.error[np.arange(rows.error.shape[1]) > last[:, None]] = 0
        return rows

    def from_bases(self, lowest: Level) -> Float64[np.ndarray, "target base"]:
        """Return what each base does to the features that are followed at the lowest site."""
        targets, ids = lowest.targets(slice(None)), self.batch.ids[0]
        if not len(targets.token):
            return np.zeros((0, len(self.tokens)))
        copies, owner = [], []
        for number, token in enumerate(self.tokens.tolist()):
            for other in self.symbols.ids.tolist():
                if other != int(ids[token]):
                    copy = ids.clone()
                    copy[token] = other
                    copies.append(copy)
                    owner.append(number)
        clean, effects = targets.in_each(lowest.nodes.x[None]), []
        for part in torch.split(torch.stack(copies), self.config.batch):
            batch = TokenBatch(self.batch.windows * len(part), part)
            x = run_batch(self.stack.model, batch, Wanted((lowest.site,))).activations[lowest.site]
            effects.append(clean - targets.in_each(x))
        effect = torch.cat(effects).cpu().numpy()
        n_others = np.bincount(owner)
        mean = np.stack([np.bincount(owner, column) / n_others for column in effect.T])
        # rounding must not say that a token is changed by one after it
        return mean * (self.tokens <= targets.token.cpu().numpy()[:, None])
