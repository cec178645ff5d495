"""The graph of one explanation: its nodes, each with what it adds to the number."""

import numpy as np

from genointerp.explanation.explain import Explanation, FeatureNames
from genointerp.genome.genome import Genome
from genointerp.model.protocol import DnaModel
from genointerp.reading.target import PreActivation, Prediction
from genointerp.store.graph.graph import AttributionGraph, Node


def explanation_graph(
    model: DnaModel, explanation: Explanation, genome: Genome, names: FeatureNames
) -> AttributionGraph:
    """Return the listed nodes of an explanation as a graph, whose weights are their attributions.

    The bases that were read are nodes too, without edges: what they add to features is not measured
    here. The influence of a node is its share of the absolute attributions of all nodes, also those
    that are not listed. Of a stretch, the prediction is at its first token.
    """
    found, question = explanation.attribution, explanation.attribution.question
    length = genome[question.interval.seqid].length
    spans, real = question.read.spans, question.read.real
    places = [question.bases_of(token, length) for token in range(len(spans.ids))]
    pieces = zip(spans.start.tolist(), spans.end.tolist(), strict=True)
    # a special token has no base; a variant's bases are its own, not the genome's
    letters = [question.passage.bases[a:b].tobytes().decode() if a >= 0 else "" for a, b in pieces]
    total = float(np.abs(found.features).sum() + np.abs(found.errors).sum())
    weight = found.of(explanation.nodes)
    share = np.abs(weight) / total if total else np.zeros(len(weight))
    nodes = [
        Node("base", token, interval=places[token], name=letters[token])
        for token in range(real.start, real.stop)
    ]
    first = len(nodes)
    rows = zip(*(it.tolist() for it in explanation.nodes), share, np.cumsum(share), strict=True)
    for token, feature, influence, cumulative in rows:
        is_error = feature < 0
        index = question.nodes.start + token
        amount = np.linalg.norm(found.error[token]) if is_error else found.amounts[token, feature]
        nodes.append(
            Node(
                "error" if is_error else "feature",
                index,
                found.site,
                feature,
                places[index],
                activation=float(amount),
                influence=float(influence),
                cumulative=float(cumulative),
                name="" if is_error else names.of(feature),
            )
        )
    target, asked = question.target, -1
    if isinstance(target, PreActivation):
        asked = target.feature
    elif isinstance(target, Prediction):
        asked = int(target.symbol[0])
    single = isinstance(target, Prediction) and len(target.token) == 1
    nodes.append(
        Node(
            "prediction",
            question.asked,
            feature=asked,
            interval=places[question.asked],
            activation=found.value,
            influence=1.0,
            probability=float(np.exp(explanation.log_p)) if single else np.nan,
            name=question.name,
        )
    )
    source = np.arange(first, len(nodes) - 1)
    scores = {"change": found.change, "gap": found.gap, "error_share": found.error_share}
    return AttributionGraph(
        tuple(nodes),
        source,
        np.full(len(source), len(nodes) - 1),
        weight,
        tuple(letters),
        (found.site,),
        name=question.name,
        model=model.spec.name,
        scores=scores,
    )
