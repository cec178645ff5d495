"""How much of a prediction comes from each node of a graph, and what may be left out.

Definitions are those of circuit-tracer (`graph.py` of decoderesearch/circuit-tracer; Ameisen et al.
2025, "Circuit tracing", appendices on pruning and on graph scores).
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float64
from scipy.sparse import csr_array

from genointerp.core.errors import ConfigError
from genointerp.store.graph.graph import AttributionGraph


def with_influence(
    graph: AttributionGraph, left_out: Float64[np.ndarray, " node"] | None = None
) -> AttributionGraph:
    """Return the graph with the influence of each node, and with its scores.

    Parameters
    ----------
    left_out
        Sum of the absolute weights into each node from features of the next site below that are no
        nodes of the graph; None if all are.

    Notes
    -----
    ``A[t, s] = |w[t, s]| / sum_s' |w[t, s']|``, and ``influence = p (A + A^2 + ...)`` with p equal
    weights of the predictions, 1 in sum. The sum ends with the longest path. A prediction has the
    influence p of its own.

    ``replacement`` is the influence of bases over that of bases and errors: the share of what
    reaches the predictions that comes from the bases through features alone.
    ``completeness = sum_t (1 - sum of A[t, s] over errors s) i_t / sum_t i_t``, over all nodes t
    and with their influence i, p included: the share of the inputs that are not errors. Both are
    those of the whole graph, and NaN where there is no edge; ``replacement`` is also NaN in a graph
    without bases.

    Features that are left out count in the sums over s' as if they were nodes. Those of the lowest
    site have no inputs but bases. Of the others it is unknown what share of their inputs is errors:
    their influence is ``unfollowed``, as a share of that of bases, errors and itself. Both scores
    take it for that of errors, so they are what they are at least: with all features in the graph
    ``replacement`` is from ``replacement`` to ``replacement + unfollowed``, and ``completeness`` as
    it is or higher.
    """
    n = len(graph.nodes)
    left_out = np.zeros(n) if left_out is None else left_out
    share = _shares(graph, graph.weight, left_out)
    found = _reaching(graph, share)
    total = np.bincount(graph.target, np.abs(graph.weight), minlength=n) + left_out
    leaving = found * np.divide(left_out, total, out=np.zeros(n), where=total > 0)
    # bases are level 0 and the lowest site 1
    lowest = leaving[graph.level == 2].sum()
    unfollowed = leaving.sum() - lowest
    base, error = (found[graph.of_kind(kind)].sum() for kind in ("base", "error"))
    reached = base + lowest + error + unfollowed
    # what is left out has inputs of the same influence: bases, or at most errors
    inputs = found.sum() + 2 * (lowest + unfollowed)
    has_bases, defined = graph.of_kind("base").any() and reached, len(graph.source) > 0
    scores = {
        "replacement": (base + lowest) / reached if has_bases else np.nan,
        "unfollowed": unfollowed / reached if has_bases else np.nan,
        "completeness": 1 - (error + unfollowed) / inputs if defined else np.nan,
    }
    cumulative = _cumulative(np.where(graph.of_kind("prediction"), 0.0, found))
    nodes = tuple(
        replace(node, influence=float(value), cumulative=float(share))
        for node, value, share in zip(graph.nodes, found, cumulative, strict=True)
    )
    scores = {name: float(value) for name, value in scores.items()}
    return replace(graph, nodes=nodes, scores={**graph.scores, **scores})


def pruned(graph: AttributionGraph, *, nodes: float, edges: float) -> AttributionGraph:
    """Return the part of a graph with most of its influence; influence and scores stay as they are.

    Bases and predictions are always kept, other nodes only with an edge to something above, and
    features only with one from below too.

    Parameters
    ----------
    graph
        A graph that went through `with_influence`.
    nodes, edges
        Shares, from 0 to 1, of the influence of nodes, and then of edges between the kept nodes,
        that the strongest of them must have.

    Notes
    -----
    The influence of an edge is ``A[t, s] i_t``, with A and i of the graph of the kept nodes.

    Raises
    ------
    ConfigError
        If a share is out of range.
    """
    for name, wanted in (("nodes", nodes), ("edges", edges)):
        if not 0 < wanted <= 1:
            raise ConfigError(f"share of {name}", "above 0 and at most 1", str(wanted))
    ends = graph.of_kind("base") | graph.of_kind("prediction")
    influence = np.where(graph.of_kind("prediction"), 0.0, [it.influence for it in graph.nodes])
    keep = (influence >= _least(influence, nodes)) | ends
    inside = keep[graph.source] & keep[graph.target]
    share = _shares(graph, np.where(inside, graph.weight, 0.0))
    strength = share * _reaching(graph, share)[graph.target]
    kept = inside & (strength >= _least(strength, edges))
    while True:
        left = keep & (ends | (_with_edge(graph, graph.source[kept])))
        left &= ~graph.of_kind("feature") | _with_edge(graph, graph.target[kept])
        if (left == keep).all():
            return graph.only(keep, kept)
        keep = left
        kept &= keep[graph.source] & keep[graph.target]


def _shares(
    graph: AttributionGraph,
    weight: Float64[np.ndarray, " edge"],
    left_out: Float64[np.ndarray, " node"] | float = 0.0,
) -> Float64[np.ndarray, " edge"]:
    """Return the share of each edge in the absolute weights into its target; 0 if all are 0."""
    total = np.bincount(graph.target, np.abs(weight), minlength=len(graph.nodes)) + left_out
    total = total[graph.target]
    found = np.zeros_like(weight)
    np.divide(np.abs(weight), total, out=found, where=total > 0)
    return found


def _reaching(
    graph: AttributionGraph, share: Float64[np.ndarray, " edge"]
) -> Float64[np.ndarray, " node"]:
    """Return the influence of each node; no path is longer than the graph has levels."""
    n = len(graph.nodes)
    matrix = csr_array((share, (graph.target, graph.source)), shape=(n, n))
    is_prediction = graph.of_kind("prediction")
    step = is_prediction / max(1, is_prediction.sum())
    found = step.copy()
    for _ in range(len(graph.sites) + 1):
        step = step @ matrix
        found += step
    return np.asarray(found, dtype=np.float64)


def _cumulative(scores: Float64[np.ndarray, " node"]) -> Float64[np.ndarray, " node"]:
    """Return the share of the sum that each score and the larger ones have; 1 if the sum is 0."""
    order = np.argsort(-scores, kind="stable")
    total = scores.sum()
    found = np.ones(len(scores))
    if total > 0:
        found[order] = np.minimum(1, np.cumsum(scores[order]) / total)
    return found


def _least(scores: Float64[np.ndarray, " score"], share: float) -> float:
    """Return the score from which on the largest ones have this share of the sum."""
    if not scores.sum() > 0:
        return np.inf
    ordered = np.sort(scores)[::-1]
    reached = int(np.searchsorted(np.cumsum(ordered) / ordered.sum(), share))
    # a score of 0 adds nothing, whatever the share
    return max(float(ordered[min(reached, len(ordered) - 1)]), np.finfo(float).tiny)


def _with_edge(graph: AttributionGraph, ends: np.ndarray) -> Bool[np.ndarray, " node"]:
    found = np.zeros(len(graph.nodes), dtype=bool)
    found[ends] = True
    return found
