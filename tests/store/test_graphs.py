"""Attribution graphs: their influence against naive paths, their files, and what is refused."""

import importlib.util
import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.core.errors import ConfigError, InputError, SchemaError
from genointerp.core.provenance import Provenance
from genointerp.genome.interval import GenomicInterval
from genointerp.store.graph.file import check_graph_path, is_graph_of, read_graph, write_graph
from genointerp.store.graph.graph import AttributionGraph, Node
from genointerp.store.graph.influence import pruned, with_influence

MADE = Provenance({"measure": "contrast"}, {"genome": "9f2c"})


def graph_of(nodes, edges, n_tokens=4):
    """A graph over the sites blocks.1 and blocks.3, from edges (source, target, weight)."""
    source, target, weight = zip(*edges, strict=True) if edges else ((), (), ())
    return AttributionGraph(
        tuple(nodes),
        np.array(source, dtype=np.int64),
        np.array(target, dtype=np.int64),
        np.array(weight, dtype=np.float64),
        tuple("ACGT"[i % 4] for i in range(n_tokens)),
        ("blocks.1", "blocks.3"),
        "chr:4 (+) T",
        "toy",
    )


def small():
    """Two bases, a feature and an error at the lower site, a feature above, and a prediction."""
    nodes = [
        Node("base", 0, feature=0, interval=GenomicInterval("chr", 9, 10, "-"), name="A"),
        Node("base", 1, feature=1, name="C"),
        Node("feature", 1, "blocks.1", 5, activation=2.0, name="start"),
        Node("error", 1, "blocks.1", activation=0.5),
        Node("feature", 2, "blocks.3", 5, activation=1.5),
        Node("prediction", 3, feature=3, activation=1.0, probability=0.25, name="T"),
    ]
    edges = [
        (0, 2, 3.0), (1, 2, -1.0), (1, 3, 0.5), (2, 4, 1.5), (3, 4, -0.5), (4, 5, 0.6), (2, 5, 0.2)
    ]  # fmt: skip
    return graph_of(nodes, edges)


def test_influence_is_what_one_computes_by_hand():
    found = with_influence(small())
    influence = [node.influence for node in found.nodes]
    # .6 / .8 through the upper feature, of which 1.5 / 2 and .5 / 2; the base 1 has both ways
    assert influence == pytest.approx(
        [0.8125 * 0.75, 0.8125 * 0.25 + 0.1875, 0.8125, 0.1875, 0.75, 1]
    )
    assert found.scores["replacement"] == pytest.approx(1 / (1 + 0.1875))
    largest = [node.cumulative for node in found.nodes]
    assert largest[2] == pytest.approx(0.8125 / (1 + 1 + 0.75))
    assert max(largest) == pytest.approx(1)
    inputs = 1 + 0.75 + 0.8125 + 0.1875 + 1
    assert found.scores["completeness"] == pytest.approx((inputs - 0.75 * 0.25) / inputs)


layered = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(0, 10**6))


@settings(deadline=None, max_examples=40)
@given(layered)
def test_influence_is_the_sum_over_all_paths(sizes):
    n_bases, n_low, n_high, seed = sizes
    random = np.random.default_rng(seed)
    nodes = [
        *[Node("base", i) for i in range(n_bases)],
        *[Node("feature", i, "blocks.1", i) for i in range(n_low)],
        *[Node("feature", i, "blocks.3", i) for i in range(n_high)],
        Node("prediction", 3),
    ]
    level = [0] * n_bases + [1] * n_low + [2] * n_high + [3]
    edges = [
        (s, t, float(random.normal()))
        for s, t in product(range(len(nodes)), repeat=2)
        if level[s] < level[t] and random.random() < 0.7
    ]
    graph = with_influence(graph_of(nodes, edges))
    into = {t: sum(abs(w) for _, to, w in edges if to == t) for t in range(len(nodes))}

    def naive(node):
        if node == len(nodes) - 1:
            return 1.0
        return sum(abs(w) / into[t] * naive(t) for s, t, w in edges if s == node)

    assert [it.influence for it in graph.nodes] == pytest.approx(
        [naive(i) for i in range(len(nodes))]
    )


def test_pruning_keeps_bases_and_predictions_and_what_leads_somewhere():
    graph = with_influence(small())
    assert pruned(graph, nodes=1.0, edges=1.0).nodes == graph.nodes
    few = pruned(graph, nodes=0.25, edges=0.98)
    assert [(it.kind, it.feature) for it in few.nodes] == [
        ("base", 0), ("base", 1), ("feature", 5), ("prediction", 3)
    ]  # fmt: skip
    assert few.scores == graph.scores
    # a feature without anything below is no part of an explanation
    alone = with_influence(
        graph_of(
            [Node("base", 0), Node("feature", 1, "blocks.3", 0), Node("prediction", 3)],
            [(1, 2, 1.0)],
        )
    )
    assert [it.kind for it in pruned(alone, nodes=0.8, edges=0.98).nodes] == ["base", "prediction"]


def test_a_graph_without_edges_has_no_scores():
    graph = with_influence(graph_of([Node("base", 0), Node("prediction", 3)], []))
    assert np.isnan(graph.scores["completeness"])
    assert np.isnan(graph.scores["replacement"])
    assert len(pruned(graph, nodes=0.8, edges=0.98).nodes) == 2


@pytest.mark.parametrize("suffix", [".json", ".graphml"])
def test_a_graph_reads_back_as_it_was_written(tmp_path, suffix):
    graph, path = with_influence(small()), tmp_path / f"why{suffix}"
    write_graph(graph, path, MADE)
    found = read_graph(path)
    for one, other in zip(found.nodes, graph.nodes, strict=True):
        np.testing.assert_equal(plain(one), plain(other))
    ends = [sorted(zip(it.source, it.target, it.weight, strict=True)) for it in (found, graph)]
    assert ends[0] == ends[1]
    assert (found.tokens, found.sites, found.name, found.model) == (
        graph.tokens, graph.sites, graph.name, graph.model
    )  # fmt: skip
    assert found.scores == graph.scores
    assert is_graph_of(path, MADE)
    assert not is_graph_of(path, Provenance({}, {}))
    # a newer graph of this package may stand in its place
    write_graph(replace(graph, name="another"), path, MADE)


def plain(node):
    return [getattr(node, name) for name in Node.__dataclass_fields__]


def test_the_json_is_in_the_schema_of_circuit_tracer(tmp_path):
    """Fields as in `frontend/graph_models.py` of decoderesearch/circuit-tracer at 4bb8c0e."""
    path = tmp_path / "why.json"
    write_graph(with_influence(small()), path, MADE)
    record = json.loads(path.read_text())
    assert {*record} == {"metadata", "qParams", "nodes", "links"}
    metadata = record["metadata"]
    assert metadata["slug"] == "why"
    assert metadata["prompt_tokens"] == list("ACGT")
    assert {*metadata} - {"genointerp"} == {
        "slug", "scan", "transcoder_list", "prompt_tokens", "prompt", "node_threshold",
        "schema_version",
    }  # fmt: skip
    assert {*record["qParams"]} == {"pinnedIds", "supernodes", "linkType", "clickedId", "sg_pos"}
    types = {
        "node_id": str, "feature": int, "layer": str, "ctx_idx": int, "feature_type": str,
        "token_prob": float, "is_target_logit": bool, "run_idx": int, "reverse_ctx_idx": int,
        "jsNodeId": str, "clerp": str, "influence": float | None, "activation": float | None,
    }  # fmt: skip
    for node in record["nodes"]:
        assert {*node} - {"genointerp"} == {*types}
        assert all(isinstance(node[name], kind) for name, kind in types.items())
    ids = [node["node_id"] for node in record["nodes"]]
    assert ids == ["E_0_0", "E_1_1", "1_5_1", "1_error_1", "3_5_2", "4_3_3"]
    # the viewer unpairs layer and feature from this number
    assert record["nodes"][2]["feature"] == (1 + 5) * 7 // 2 + 5
    assert record["nodes"][5]["clerp"].split("(p=")[1].split(")")[0] == "0.250"
    assert {link["source"] for link in record["links"]} | {
        link["target"] for link in record["links"]
    } == {*ids}


def test_circuit_tracer_reads_the_json(tmp_path):
    package = importlib.util.find_spec("circuit_tracer")
    if package is None:
        pytest.skip("needs circuit-tracer, whose own requirements exclude those of genointerp")
    # the module alone: the package wants all of its models
    file = Path(package.submodule_search_locations[0]) / "frontend" / "graph_models.py"
    spec = importlib.util.spec_from_file_location("graph_models", file)
    models = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(models)
    path = tmp_path / "why.json"
    write_graph(with_influence(small()), path, MADE)
    found = models.Model.model_validate_json(path.read_text())
    assert [node.layer for node in found.nodes] == ["E", "E", "1", "1", "3", "4"]


def test_sites_without_increasing_numbers_are_counted(tmp_path):
    graph = replace(
        graph_of([Node("prediction", 3)], []),
        sites=("blocks.5.mixer", "blocks.5"),
    )
    path = tmp_path / "g.json"
    write_graph(graph, path, MADE)
    assert json.loads(path.read_text())["nodes"][0]["layer"] == "2"


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        pytest.param([Node("base", 0)], [(0, 1, 1.0)], "between 1 nodes", id="end"),
        pytest.param([Node("base", 0)] * 2, [], "each once", id="twice"),
        pytest.param(
            [Node("feature", 0, "blocks.2", 1)], [], "nodes of blocks.1, blocks.3", id="site"
        ),
        pytest.param(
            [Node("base", 0, "blocks.1")], [], "each once, found base", id="base-at-a-site"
        ),
        pytest.param([Node("base", 4)], [], "a token of 4, found 4", id="token"),
        pytest.param([Node("base", 0), Node("base", 1)], [(0, 1, 1.0)], "lower site", id="level"),
    ],
)
def test_what_is_no_graph_is_refused(nodes, edges, message):
    with pytest.raises(InputError, match=message):
        graph_of(nodes, edges)


def test_a_file_that_is_no_graph_is_refused_in_one_line(tmp_path):
    with pytest.raises(InputError, match=r"ends in \.json, \.graphml, found '\.txt'"):
        check_graph_path(tmp_path / "g.txt")
    with pytest.raises(SchemaError, match="found no file"):
        read_graph(tmp_path / "none.json")
    for name, text in (
        ("a.json", '{"metadata": {}}'),
        ("b.graphml", "<graphml/>"),
        ("c.json", "[]"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(SchemaError, match=rf"{name}.*: expected "):
            read_graph(tmp_path / name)
    path = tmp_path / "g.json"
    write_graph(small(), path, MADE)
    record = json.loads(path.read_text())
    record["metadata"]["genointerp"]["format-version"] = 2
    path.write_text(json.dumps(record))
    with pytest.raises(SchemaError, match="format-version: expected 1 to 1, found 2"):
        read_graph(path)


def test_a_share_out_of_range_is_refused():
    with pytest.raises(
        ConfigError, match=r"share of edges: expected above 0 and at most 1, found 2\.0"
    ):
        pruned(with_influence(small()), nodes=0.8, edges=2.0)
