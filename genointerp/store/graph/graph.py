"""The attribution graph of one explanation: nodes, and what each adds to which others."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64, Int64

from genointerp.core.errors import InputError
from genointerp.genome.interval import GenomicInterval

NodeKind = Literal["base", "feature", "error", "prediction"]
"""A token that is read; a feature, or what no feature accounts for, at a site; what is explained.

A target that is a pre-activation of a feature is of the kind ``prediction`` too.
"""


@dataclass(frozen=True, slots=True)
class Node:
    """One node of an attribution graph.

    Parameters
    ----------
    kind
        What it is.
    token
        Index of its token in the passage, in reading order: that in whose state a feature or an
        error is, that which is read, or that which is predicted.
    site
        Site of a feature or an error; empty for a base and a prediction.
    feature
        Index of a feature in the dictionary of its site; column of the symbol that is predicted,
        or that is read; -1 for an error.
    interval
        Bases of the token on the strand that is read; None where they are not known.
    activation
        Activation of a feature, or the norm of an error, in model units; the value that is
        explained, in nats, of a prediction; NaN for a base.
    influence
        Share of the predictions' inputs that comes from it, over all paths; NaN if unknown.
    cumulative
        Share of the influence of all nodes but predictions that this one and those of more
        influence have together; NaN if unknown.
    probability
        Probability of what is predicted; NaN for other kinds.
    name
        What people call it, such as the name or the best concept of a feature, or a base.
    """

    kind: NodeKind
    token: int
    site: str = ""
    feature: int = -1
    interval: GenomicInterval | None = None
    activation: float = np.nan
    influence: float = np.nan
    cumulative: float = np.nan
    probability: float = np.nan
    name: str = ""


@dataclass(frozen=True, eq=False)
class AttributionGraph:
    """Nodes of one passage, and edges from sources to targets above them.

    Parameters
    ----------
    nodes
        The nodes, in any order, each at most once.
    source, target
        Index of the nodes that each edge joins.
    weight
        What the source adds to the value of the target, in the units of the target's activation.
    tokens
        The bases of each token of the passage, in reading order, warm-up included.
    sites
        Sites of the dictionaries, lowest first.
    name
        What is explained, in a line.
    model
        Name of the model.
    scores
        Figures of the whole graph by name, such as ``replacement`` and ``completeness``.

    Raises
    ------
    InputError
        If an edge joins a node that is not there, a node is given twice or is at an unknown site or
        token, or edges form a cycle.
    """

    nodes: tuple[Node, ...]
    source: Int64[np.ndarray, " edge"]
    target: Int64[np.ndarray, " edge"]
    weight: Float64[np.ndarray, " edge"]
    tokens: tuple[str, ...]
    sites: tuple[str, ...]
    name: str = ""
    model: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        where, n = "attribution graph", len(self.nodes)
        ends = np.concatenate([self.source, self.target])
        if len(ends) and not (ends.min() >= 0 and ends.max() < n):
            raise InputError(where, f"edges between {n} nodes", f"node {ends.max()}")
        seen = set()
        for node in self.nodes:
            place = node.kind, node.site, node.token, node.feature
            has_site = node.kind in ("feature", "error")
            if place in seen or (node.site in self.sites) != has_site:
                found = f"{node.kind} {node.feature} at token {node.token} of {node.site!r}"
                raise InputError(where, f"nodes of {', '.join(self.sites)}, each once", found)
            if not 0 <= node.token < len(self.tokens):
                raise InputError(where, f"a token of {len(self.tokens)}", str(node.token))
            seen.add(place)
        if (self.level[self.source] >= self.level[self.target]).any():
            raise InputError(where, "edges from a lower site to a higher one", "another edge")

    @cached_property
    def level(self) -> Int64[np.ndarray, " node"]:
        """Level of each node: 0 for bases, then a level a site, and predictions on top."""
        return np.array([self._level_of(node) for node in self.nodes], dtype=np.int64)

    def _level_of(self, node: Node) -> int:
        if node.kind == "prediction":
            return len(self.sites) + 1
        return self.sites.index(node.site) + 1 if node.site else 0

    def of_kind(self, kind: NodeKind) -> Bool[np.ndarray, " node"]:
        """Return which nodes are of a kind."""
        return np.array([node.kind == kind for node in self.nodes], dtype=bool)

    def only(
        self, nodes: Bool[np.ndarray, " node"], edges: Bool[np.ndarray, " edge"]
    ) -> "AttributionGraph":
        """Return the graph of some nodes, with those of some edges that join two of them."""
        index = np.cumsum(nodes) - 1
        kept = edges & nodes[self.source] & nodes[self.target]
        return replace(
            self,
            nodes=tuple(node for node, keeps in zip(self.nodes, nodes, strict=True) if keeps),
            source=index[self.source[kept]],
            target=index[self.target[kept]],
            weight=self.weight[kept],
        )
