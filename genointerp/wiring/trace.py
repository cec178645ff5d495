"""The attribution graph of one number over the dictionaries of several sites.

Edges are those of `wires` between neighbouring sites, from the number down to the lowest site, and
below it what each base does to each feature, by mutagenesis.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, Int64

from genointerp.core.errors import ConfigError, InputError
from genointerp.core.progress import Progress, silent
from genointerp.core.seed import rng
from genointerp.genome.interval import GenomicInterval
from genointerp.model.protocol import Symbols
from genointerp.reading.question import Question, differentiable
from genointerp.reading.run import Target, Wanted, run_batch
from genointerp.reading.target import Measure, Prediction, log_p
from genointerp.reading.tokens import TokenBatch
from genointerp.store.graph.graph import AttributionGraph, Node
from genointerp.store.graph.influence import pruned, with_influence
from genointerp.wiring.stack import SiteNodes, Stack
from genointerp.wiring.wires import (
    PreActivations,
    agreement,
    edge_weights,
    path_weights,
    without_each,
)

_CHECKED_TARGETS = 4
"""Targets at each site whose inputs are compared with ablation."""


@dataclass(frozen=True)
class TraceConfig:
    """What is read, and how much of it is in the graph.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    context: int = 256
    """Bases read before those that are asked for."""
    measure: Measure = "contrast"
    """How a prediction becomes a number."""
    steps: int = 10
    """Midpoints, between the mean state of the passage and the states, at which the gradient of
    what is explained is taken; 1 takes it at the states alone."""
    n_nodes: int = 256
    """Features of each site that are followed downwards, those of the most influence."""
    node_share: float = 0.8
    """Share of the influence of nodes that is kept, as circuit-tracer does."""
    edge_share: float = 0.98
    """Share of the influence of edges that is kept, as circuit-tracer does."""
    skip: int = 16
    """First bases that are read but are no nodes: some models have extreme activations there."""
    n_checked: int = 32
    """Nodes of each site that are taken out, to compare the effects with the weights."""
    batch: int = 16
    """Copies of the passage that the model reads at once."""
    seed: int = 0
    """Random seed of the nodes that are taken out."""

    def __post_init__(self) -> None:
        for name, least in (
            *[(name, 1) for name in ("context", "steps", "n_nodes", "batch")],
            *[(name, 0) for name in ("skip", "n_checked")],
        ):
            if getattr(self, name) < least:
                raise ConfigError(name, f"at least {least}", str(getattr(self, name)))
        for name in ("node_share", "edge_share"):
            if not 0 < getattr(self, name) <= 1:
                raise ConfigError(name, "above 0 and at most 1", str(getattr(self, name)))

    def changed(self, **values: object) -> "TraceConfig":
        """Return a copy with these values; None keeps a value."""
        given: dict[str, Any] = {name: it for name, it in values.items() if it is not None}
        return replace(self, **given)


def trace_question(
    stack: Stack,
    question: Question,
    *,
    contig_length: int,
    names: Mapping[tuple[str, int], str] | None = None,
    config: TraceConfig | None = None,
    progress: Progress = silent,
) -> AttributionGraph:
    """Make the attribution graph of a number that a model computes.

    Parameters
    ----------
    stack
        Dictionaries of sites below the number.
    contig_length
        Of the contig of the question, on which bases are counted.
    names
        What features are called, by site and index.
    progress
        Called with (sites done, sites in all), the bases included.

    Notes
    -----
    Edges into the number have a gradient that is averaged from the mean state on
    (`genointerp.wiring.wires.path_weights`), since a nearly certain prediction has hardly any;
    other edges have that at the states.

    From the top down, the features of a site with the most influence are followed to the site
    below; the others are no nodes. ``followed SITE`` in the scores is the share of the influence of
    all features of the site that those which are followed have. The errors of all tokens are nodes,
    so the lower this share, the larger is that of errors in ``replacement`` and ``completeness``.
    Errors have no inputs.

    ``r`` and ``slope`` compare weights into the number with the effects of taking out single
    features at the top site, half of them those of the largest weights, the others drawn;
    ``r SITE`` and ``slope SITE`` do so for four features of a site as targets.

    The edge from a base is the pre-activation minus its mean over the other bases in its place,
    which is exact for one base at a time.

    Raises
    ------
    InputError
        If the number is not computed above all sites, or tokens are not bases.
    """
    config = TraceConfig() if config is None else config
    return _Tracer(stack, question, config, names or {}, contig_length, progress).graph()


def in_short(graph: AttributionGraph) -> str:
    """Return a graph in a line: its size, its scores, and what was followed of each site."""
    named = ["replacement", "completeness"]
    named += [name for name in graph.scores if name.startswith("followed ")]
    scores = [f"{name} {graph.scores[name]:.2f}" for name in named if name in graph.scores]
    return ", ".join([f"{len(graph.nodes)} nodes, {len(graph.source)} edges", *scores])


class _Level(NamedTuple):
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


class _Rows(NamedTuple):
    """Weights of all nodes of a site into the targets above; a share of 1 is all of a target."""

    feature: Float64[np.ndarray, "target hit"]
    error: Float64[np.ndarray, "target token"]

    def shares(self) -> Float64[np.ndarray, "target hit"]:
        """Return the share of each feature in the absolute weights into each target."""
        size = np.abs(self.feature).sum(1) + np.abs(self.error).sum(1)
        found: Float64[np.ndarray, "target hit"]
        found = np.abs(self.feature) / np.maximum(size, np.finfo(np.float64).tiny)[:, None]
        return found


@dataclass
class _Edges:
    source: list[Int64[np.ndarray, " edge"]] = field(default_factory=list)
    target: list[Int64[np.ndarray, " edge"]] = field(default_factory=list)
    weight: list[Float64[np.ndarray, " edge"]] = field(default_factory=list)

    def add(
        self,
        source: Int64[np.ndarray, " source"],
        target: Int64[np.ndarray, " target"],
        weight: Float64[np.ndarray, "target source"],
    ) -> None:
        """Add all edges between some nodes that have a weight."""
        row, column = weight.nonzero()
        self.source.append(source[column])
        self.target.append(target[row])
        self.weight.append(weight[row, column])


@dataclass
class _Tracer:
    stack: Stack
    question: Question
    config: TraceConfig
    names: Mapping[tuple[str, int], str]
    contig_length: int
    progress: Progress

    def __post_init__(self) -> None:
        self.symbols = _bases(self.stack)
        self.batch = self.question.batch
        watched, known = self.question.watched, self.stack.model.spec.sites
        self.above = watched[0] if watched else None
        top = self.stack.sites[-1]
        if self.above is not None and known.index(self.above) <= known.index(top):
            raise InputError("sae", f"dictionaries of sites below {self.above}", top)
        # where there is hardly any context, all of it is needed
        skip = self.config.skip
        self.tokens = np.arange(skip if self.question.asked > 2 * skip else 0, self._last + 1)
        self.nodes: list[Node] = []
        self.edges = _Edges()
        self.scores: dict[str, float] = {}

    @property
    def _last(self) -> int:
        return self.question.last

    def graph(self) -> AttributionGraph:
        """Follow the number down to the bases."""
        levels = self.stack.read(self.batch)
        bases = self._added([self._base(token) for token in self.tokens.tolist()])
        above, influence = self._added([self._prediction()]), np.ones(1)
        upper: _Level | None = None
        for done, nodes in enumerate(reversed(levels), 1):
            rows = self._rows(nodes, upper)
            reached = influence @ rows.shares()
            level = _Level(nodes, self._followed(nodes, reached))
            self._check(level, upper, rows)
            features = [self._feature(nodes, hit) for hit in level.hits.tolist()]
            own = self._added(features)
            errors = self._added([self._error(nodes, token) for token in self.tokens.tolist()])
            self.edges.add(own, above, rows.feature[:, level.hits])
            self.edges.add(errors, above, rows.error[:, self.tokens])
            upper, above, influence = level, own, reached[level.hits]
            self.progress(done, len(levels) + 1)
        if upper is not None:
            self.edges.add(bases, above, self._from_bases(upper))
        self.progress(len(levels) + 1, len(levels) + 1)
        return self._finished()

    def _added(self, nodes: Sequence[Node]) -> Int64[np.ndarray, " node"]:
        """Add nodes to the graph, and return their indices."""
        first = len(self.nodes)
        self.nodes += nodes
        return np.arange(first, len(self.nodes))

    def _followed(
        self, nodes: SiteNodes, reached: Float64[np.ndarray, " hit"]
    ) -> Int64[np.ndarray, " node"]:
        """Return the hits of the most influence, and note the share of it that they have."""
        order = np.argsort(-reached, kind="stable")[: self.config.n_nodes]
        order = np.sort(order[reached[order] > 0])
        whole, site = reached.sum(), nodes.dictionary.header.site
        self.scores[f"followed {site}"] = float(reached[order].sum() / whole) if whole else np.nan
        return order

    def _finished(self) -> AttributionGraph:
        parts = (self.edges.source, self.edges.target, self.edges.weight)
        source, target, weight = (np.concatenate(part) for part in parts)
        graph = AttributionGraph(
            tuple(self.nodes),
            source,
            target,
            weight,
            tuple(chr(base) for base in self.question.passage.bases),
            self.stack.sites,
            self.question.name,
            self.stack.model.spec.name,
            self.scores,
        )
        whole = with_influence(graph)
        return pruned(whole, nodes=self.config.node_share, edges=self.config.edge_share)

    def _rows(self, nodes: SiteNodes, upper: _Level | None) -> _Rows:
        """Return the weights of all nodes of a site into the targets above."""
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
        empty = _Rows(np.zeros((0, len(nodes.token))), np.zeros((0, len(nodes.x))))
        parts = [[it.double().cpu().numpy() for it in weights[:2]] for weights in found]
        rows = _Rows(*(np.concatenate(part) for part in zip(empty, *parts, strict=True)))
        token = nodes.token.cpu().numpy()
        rows.feature[:, token < self.tokens[0]] = 0
        rows.error[:, : self.tokens[0]] = 0
        last = (
            np.array([self._last]) if upper is None else upper.nodes.token.cpu().numpy()[upper.hits]
        )
        # rounding must not say that a token is changed by one after it
        rows.feature[token > last[:, None]] = 0
        rows.error[np.arange(rows.error.shape[1]) > last[:, None]] = 0
        return rows

    def _from_bases(self, lowest: _Level) -> Float64[np.ndarray, "target base"]:
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

    def _check(self, level: _Level, upper: _Level | None, rows: _Rows) -> None:
        """Compare weights of followed features with the effects of taking them out."""
        hits, n_rows = level.hits, len(rows.feature)
        if not self.config.n_checked or not len(hits) or not n_rows:
            return
        random = rng(self.config.seed, f"nodes of {level.site}")
        chosen = random.permutation(n_rows)[:_CHECKED_TARGETS]
        pairs: list[tuple[float, float]] = []
        for row in chosen.tolist():
            weight = rows.feature[row, hits]
            some = _half_largest(weight, -(-self.config.n_checked // len(chosen)), random)
            effect = self._effects(level.nodes, hits[some], upper, row)
            pairs += zip(weight[some].tolist(), effect, strict=True)
        of = "" if upper is None else f" {upper.site}"
        self.scores[f"r{of}"], self.scores[f"slope{of}"] = agreement(np.array(pairs))

    def _effects(
        self, nodes: SiteNodes, hits: Int64[np.ndarray, " hit"], upper: _Level | None, row: int
    ) -> list[float]:
        """Return what the number, or a followed feature, loses when each of some hits is out."""
        target: Callable[[int], Target] = lambda _: self.question.target  # noqa: E731
        if upper is not None:
            target = upper.targets(np.array([row])).repeated
        effect = without_each(
            self.stack.model,
            self.batch,
            nodes,
            torch.from_numpy(hits),
            target,
            above=self.above if upper is None else upper.site,
            size=self.config.batch,
        )
        return [float(value) for value in effect]

    def _interval(self, token: int) -> GenomicInterval:
        return self.question.bases_of(token, self.contig_length)

    def _base(self, token: int) -> Node:
        known = np.flatnonzero(self.symbols.ids == int(self.batch.ids[0, token]))
        symbol = int(known[0]) if len(known) else len(self.symbols.ids)
        letter = chr(self.question.passage.bases[token])
        return Node("base", token, feature=symbol, interval=self._interval(token), name=letter)

    def _feature(self, nodes: SiteNodes, hit: int) -> Node:
        site, feature = nodes.dictionary.header.site, int(nodes.feature[hit])
        token = int(nodes.token[hit])
        return Node(
            "feature",
            token,
            site,
            feature,
            self._interval(token),
            float(nodes.amount[hit]),
            name=self.names.get((site, feature), f"f/{feature}"),
        )

    def _error(self, nodes: SiteNodes, token: int) -> Node:
        size, site = float(nodes.error[token].norm()), nodes.dictionary.header.site
        return Node("error", token, site, -1, self._interval(token), size, name="error")

    def _prediction(self) -> Node:
        question, model = self.question, differentiable(self.stack.model)
        with torch.no_grad():
            traced = model.trace(
                self.batch.ids, capture=question.watched, logits=not question.watched
            )
        symbol, probability, target = 0, np.nan, question.target
        if isinstance(target, Prediction) and traced.logits is not None:
            z = traced.logits.detach()[:, torch.from_numpy(target.token) - 1].double()
            of = torch.from_numpy(target.symbol).expand(z.shape[:-1]).to(z.device)
            probability = float(log_p(z, of).sum().exp())
            symbol = int(target.symbol[0])
        return Node(
            "prediction",
            question.asked,
            feature=symbol,
            interval=question.interval,
            activation=float(question.target(traced).detach()),
            probability=probability,
            name=question.name,
        )


def _bases(stack: Stack) -> Symbols:
    """Return the symbols of a model whose tokens are bases."""
    symbols = differentiable(stack.model).symbols
    if any(len(word) != 1 for word in symbols.spelling):
        raise InputError("trace", "a model whose tokens are bases", stack.model.spec.name)
    return symbols


def _half_largest(
    weight: Float64[np.ndarray, " node"], n: int, random: np.random.Generator
) -> Int64[np.ndarray, " node"]:
    """Return ``n`` nodes: half of them those of the largest weights, the others drawn."""
    order = np.argsort(-np.abs(weight), kind="stable")
    rest = order[n // 2 :]
    drawn = random.choice(rest, min(n - n // 2, len(rest)), replace=False)
    return np.concatenate([order[: n // 2], drawn])
