"""An attribution graph: sites from bottom to top, tokens from left to right."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from genointerp.panel.style import BLUE, FONT_SIZE, GREY, ORANGE, current_axes, hide_frame
from genointerp.store.graph.graph import AttributionGraph, NodeKind

_MARKERS: dict[NodeKind, str] = {"base": "s", "feature": "o", "error": "D", "prediction": "^"}
_LARGEST = 130.0
"""Area of a node of influence 1, in square points."""
_SPREAD = 0.56
"""Height of the band in which the nodes of a site lie, the largest influence at its top."""


def plot_graph(
    graph: AttributionGraph,
    *,
    n_tokens: int = 60,
    n_edges: int = 40,
    n_names: int = 6,
    ax: Axes | None = None,
) -> Axes:
    """Draw the nodes and the strongest edges of an attribution graph.

    Area is influence; blue edges add to their target and orange ones take from it. The nodes of
    one token and site are one above the other, by influence.

    Parameters
    ----------
    graph
        A graph whose influence is known.
    n_tokens
        Tokens to draw, the last ones up to the prediction.
    n_edges
        Edges to draw of each level, those of the largest share of the inputs of their target times
        its influence.
    n_names
        Features of each site that are listed beside it, those of the most influence, each with its
        token counted from the prediction.
    """
    ax = current_axes(ax)
    last = max(node.token for node in graph.nodes)
    x, y = _places(graph)
    drawn = x > last - n_tokens
    influence = np.array([node.influence for node in graph.nodes])
    _draw_edges(graph, x, y, drawn, influence, n_edges, ax)
    for kind, marker in _MARKERS.items():
        own = drawn & graph.of_kind(kind)
        colour = GREY if kind in ("base", "error") else BLUE
        size = 4 + _LARGEST * np.sqrt(influence[own])
        ax.scatter(
            x[own], y[own], size, c=colour, marker=marker, zorder=3, linewidths=0, label=kind
        )
    for level, site in enumerate(graph.sites, 1):
        text = "\n".join(_names(graph, site, last, n_names))
        ax.text(last + 2, level, text, fontsize=FONT_SIZE - 2, va="center")
    tokens = np.arange(max(0, last - n_tokens + 1), last + 1)
    ax.set_xticks(tokens, [graph.tokens[token] for token in tokens], fontsize=FONT_SIZE - 2)
    levels = ["bases", *graph.sites, "predicted"]
    ax.set_yticks(range(len(levels)), levels, fontsize=FONT_SIZE)
    ax.tick_params(length=0)
    ax.set(xlim=(tokens[0] - 1, last + 1), ylim=(-0.2, len(graph.sites) + 1.3))
    ax.set_title(_title(graph), fontsize=FONT_SIZE, loc="left")
    hide_frame(ax)
    return ax


def edge_legend() -> list[Line2D]:
    """Return the entries of a legend for edges."""
    return [
        Line2D([], [], color=BLUE, label="adds"),
        Line2D([], [], color=ORANGE, label="takes away"),
    ]


def _places(graph: AttributionGraph) -> tuple[np.ndarray, np.ndarray]:
    x = np.array([node.token for node in graph.nodes], dtype=np.float64)
    y = graph.level.astype(np.float64)
    rank: dict[tuple[str, int], int] = {}
    for i in sorted(range(len(x)), key=lambda i: -graph.nodes[i].influence):
        node = graph.nodes[i]
        if node.site:
            place = node.site, node.token
            rank[place] = rank.get(place, -1) + 1
            # the first below the tick of the site, each further one nearer to the last
            y[i] += _SPREAD / 2 - _SPREAD * (1 - 1 / (1 + rank[place] / 4))
    return x, y


def _names(graph: AttributionGraph, site: str, last: int, n: int) -> list[str]:
    """Return the names of the features of a site with the most influence, and their tokens."""
    nodes = [node for node in graph.nodes if node.site == site and node.kind == "feature"]
    first = sorted(nodes, key=lambda node: -node.influence)[:n]
    return [f"{node.name} at {node.token - last}" for node in first]


def _draw_edges(
    graph: AttributionGraph,
    x: np.ndarray,
    y: np.ndarray,
    drawn: np.ndarray,
    influence: np.ndarray,
    n_edges: int,
    ax: Axes,
) -> None:
    total = np.bincount(graph.target, np.abs(graph.weight), minlength=len(graph.nodes))
    share = np.abs(graph.weight) / np.maximum(total[graph.target], np.finfo(float).tiny)
    strength = share * influence[graph.target]
    strength[~(drawn[graph.source] & drawn[graph.target])] = 0
    order = np.argsort(-strength, kind="stable")
    order = order[strength[order] > 0]
    level = graph.level[graph.target[order]]
    first = np.concatenate([order[:0], *(order[level == it][:n_edges] for it in np.unique(level))])
    if not len(first):
        return
    ends = np.stack([graph.source[first], graph.target[first]], axis=1)
    lines = np.stack([x[ends], y[ends]], axis=2)
    width = 0.3 + 2.7 * np.sqrt(strength[first] / strength[first].max())
    colours = np.where(graph.weight[first] > 0, BLUE, ORANGE)
    ax.add_collection(LineCollection([*lines], linewidths=width, colors=[*colours], alpha=0.45))


def _title(graph: AttributionGraph) -> str:
    shown = [
        f"{name} {graph.scores[name]:.2f}"
        for name in ("replacement", "unfollowed", "completeness")
        if name in graph.scores
    ]
    return ", ".join([graph.name, *shown])
