"""The attribution graph of one number over the dictionaries of several sites.

Edges are those of `wires` between neighbouring sites, from the number down to the lowest site, and
below it what each base does to each feature, by mutagenesis.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float64, Int64

from genointerp.core.progress import Progress, silent
from genointerp.genome.interval import GenomicInterval
from genointerp.reading.question import Question, differentiable
from genointerp.reading.target import Prediction, log_p
from genointerp.store.graph.graph import AttributionGraph, Node
from genointerp.store.graph.influence import pruned, with_influence
from genointerp.wiring.stack import SiteNodes, Stack
from genointerp.wiring.trace_check import checked_weights
from genointerp.wiring.trace_config import TraceConfig
from genointerp.wiring.tracing import Level, Tracing


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
    below; the others are no nodes, but count in the sum of what goes into each target. ``followed
    SITE`` in the scores is the share of the influence of all features of the site that those which
    are followed have, and ``unfollowed`` the influence that leaves the graph through the others
    (`genointerp.store.graph.influence.with_influence`). The errors of all tokens are nodes, and
    have no inputs.

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
    tracing = Tracing(stack, question, config)
    return _Tracer(tracing, names or {}, contig_length, progress).graph()


def in_short(graph: AttributionGraph) -> str:
    """Return a graph in a line: its size, its scores, and what was followed of each site."""
    named = ["replacement", "unfollowed", "completeness"]
    named += [name for name in graph.scores if name.startswith("followed ")]
    scores = [f"{name} {graph.scores[name]:.2f}" for name in named if name in graph.scores]
    return ", ".join([f"{len(graph.nodes)} nodes, {len(graph.source)} edges", *scores])


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
    tracing: Tracing
    names: Mapping[tuple[str, int], str]
    contig_length: int
    progress: Progress

    def __post_init__(self) -> None:
        self.question, self.config = self.tracing.question, self.tracing.config
        self.nodes: list[Node] = []
        self.edges = _Edges()
        self.left_out: dict[int, float] = {}
        self.scores: dict[str, float] = {}

    def graph(self) -> AttributionGraph:
        """Follow the number down to the bases."""
        tracing, tokens = self.tracing, self.tracing.tokens.tolist()
        levels = tracing.stack.read(tracing.batch)
        bases = self._added([self._base(token) for token in tokens])
        above, influence = self._added([self._prediction()]), np.ones(1)
        upper: Level | None = None
        for done, nodes in enumerate(reversed(levels), 1):
            rows = tracing.rows(nodes, upper)
            reached = influence @ rows.shares()
            level = Level(nodes, self._followed(nodes, reached))
            self._check(upper, checked_weights(tracing, level, upper, rows))
            own = self._added([self._feature(nodes, hit) for hit in level.hits.tolist()])
            errors = self._added([self._error(nodes, token) for token in tokens])
            self.edges.add(own, above, rows.feature[:, level.hits])
            self.edges.add(errors, above, rows.error[:, tracing.tokens])
            others = rows.left_out(level.hits)
            self.left_out |= dict(zip(above.tolist(), others.tolist(), strict=True))
            upper, above, influence = level, own, reached[level.hits]
            self.progress(done, len(levels) + 1)
        if upper is not None:
            self.edges.add(bases, above, tracing.from_bases(upper))
        self.progress(len(levels) + 1, len(levels) + 1)
        return self._finished()

    def _check(self, upper: Level | None, found: tuple[float, float] | None) -> None:
        """Note how weights into the targets of a site agree with ablation."""
        of = "" if upper is None else f" {upper.site}"
        if found is not None:
            self.scores[f"r{of}"], self.scores[f"slope{of}"] = found

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
            self.tracing.stack.sites,
            self.question.name,
            self.tracing.stack.model.spec.name,
            self.scores,
        )
        weight = np.array([self.left_out.get(number, 0.0) for number in range(len(self.nodes))])
        whole = with_influence(graph, weight)
        return pruned(whole, nodes=self.config.node_share, edges=self.config.edge_share)

    def _interval(self, token: int) -> GenomicInterval:
        return self.question.bases_of(token, self.contig_length)

    def _base(self, token: int) -> Node:
        ids = self.tracing.symbols.ids
        known = np.flatnonzero(ids == int(self.question.read.spans.ids[token]))
        symbol = int(known[0]) if len(known) else len(ids)
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
        question, model = self.question, differentiable(self.tracing.stack.model)
        with torch.no_grad():
            traced = model.trace(
                self.tracing.batch.ids, capture=question.watched, logits=not question.watched
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
