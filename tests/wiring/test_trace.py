"""Attribution graphs of predictions: those of a planted network, and of nano on a few bases."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from genointerp.cli.main import app
from genointerp.command.explain.trace import trace as trace_file
from genointerp.core.errors import ConfigError, CoordinateError, InputError
from genointerp.figure.graph import graph as graph_figure
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.model.registry import load_model
from genointerp.reading.question import ask_bases, ask_feature
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.store.graph.file import read_graph
from genointerp.wiring.stack import Stack
from genointerp.wiring.trace import in_short, trace_question
from genointerp.wiring.trace_config import TraceConfig
from genointerp.wiring.wires import path_weights
from tests.wiring.planted_model import PlantedModel, save_channels

BASES = b"CCTGAGACTGCAGC"
CONFIG = TraceConfig(skip=0, node_share=1.0, edge_share=1.0, n_checked=8)


@pytest.fixture(scope="module")
def genome():
    return Genome([Contig("c", np.frombuffer(BASES, np.uint8))])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Below, features are A, C and G: T is in the error. Above, they are channels 5 and 6."""
    folder = tmp_path_factory.mktemp("planted")
    save_channels(folder / "below", "blocks.0", [0, 1, 2])
    save_channels(folder / "sae", "blocks.1", [5, 6])
    (folder / "c.fa").write_bytes(b">c\n" + BASES + b"\n")
    return folder


@pytest.fixture(scope="module")
def stack(folder):
    return Stack.of(PlantedModel(), [Dictionary.load(folder / it) for it in ("sae", "below")])


def ask(stack, genome, start, strand="+", context=64):
    place = GenomicInterval("c", start, start + 1, strand)
    return ask_bases(stack.model, genome, place, context=context)


def edges_of(graph):
    def name(node):
        return (node.kind, node.site, node.token, node.feature)

    return {
        (name(graph.nodes[source]), name(graph.nodes[target])): weight
        for source, target, weight in zip(graph.source, graph.target, graph.weight, strict=True)
    }


def test_the_graph_of_a_planted_network_is_what_was_planted(stack, genome):
    question = ask(stack, genome, 10)
    assert BASES[:11] == b"CCTGAGACTGC"
    graph = trace_question(stack, question, contig_length=len(BASES), config=CONFIG)
    found = edges_of(graph)
    predicted = ("prediction", "", 10, 1)
    # at token 9, a G after a T fires the gate, and the A three before fires channel 5
    five, six = ("feature", "blocks.1", 9, 0), ("feature", "blocks.1", 9, 1)
    # the contrast of C, of which the logit is 0: a third of each other logit is taken away
    assert found.pop((five, predicted)) == pytest.approx(-2 / 3)
    assert found.pop((six, predicted)) == pytest.approx(-1 / 3)
    adenine, guanine = ("feature", "blocks.0", 6, 0), ("feature", "blocks.0", 9, 2)
    assert found.pop((adenine, five)) == pytest.approx(2)
    assert found.pop((guanine, six)) == pytest.approx(1)
    assert found.pop((("error", "blocks.0", 8, -1), six)) == pytest.approx(1)
    # an A instead of any other base makes its feature fire
    assert found.pop((("base", "", 6, 0), adenine)) == pytest.approx(1)
    assert found.pop((("base", "", 9, 2), guanine)) == pytest.approx(1)
    assert found == {}
    # of channel 6, half comes from an error
    assert graph.scores["replacement"] == pytest.approx(1 - 1 / 3 / 2)
    # influences: 1 of the prediction, 1 of either site, and 5/6 of the bases
    inputs = 1 + 1 + 1 + 5 / 6
    assert graph.scores["completeness"] == pytest.approx((inputs - 1 / 3 / 2) / inputs)
    assert graph.scores["followed blocks.0"] == graph.scores["followed blocks.1"] == 1
    prediction = next(it for it in graph.nodes if it.kind == "prediction")
    z = torch.tensor([2.0, 0, 1, 0])
    assert prediction.activation == pytest.approx(-1)
    assert prediction.probability == pytest.approx(float(z.softmax(0)[1]))
    assert prediction.name == "c:11"


def test_only_the_features_of_most_influence_are_followed(stack, genome):
    config = TraceConfig(skip=0, n_nodes=1)
    graph = trace_question(stack, ask(stack, genome, 10), contig_length=14, config=config)
    features = [(it.site, it.feature) for it in graph.nodes if it.kind == "feature"]
    assert sorted(features) == [("blocks.0", 0), ("blocks.1", 0)]
    assert graph.scores["followed blocks.1"] == pytest.approx(2 / 3)
    # a third leaves through channel 6, half of which would come from an error
    assert graph.scores["unfollowed"] == pytest.approx(1 / 3)
    assert graph.scores["replacement"] == pytest.approx(2 / 3)
    # influences: 1 of the prediction, 2/3 each of channel 5, the A and its base; and a third each
    # of channel 6 and of what is behind it, which may all be errors
    inputs = 1 + 3 * 2 / 3 + 2 * 1 / 3
    assert graph.scores["completeness"] == pytest.approx(1 - 1 / 3 / inputs)
    assert "replacement 0.67, unfollowed 0.33" in in_short(graph)
    assert "followed blocks.1 0.67" in in_short(graph)


def test_what_is_not_followed_at_the_lowest_site_comes_from_bases(stack, genome, folder):
    """Whether features there are nodes changes no score: bases are their only inputs."""
    below = Stack.of(stack.model, [Dictionary.load(folder / "below")])
    upper = Dictionary.load(folder / "sae")
    place = GenomicInterval("c", 7, 8, "+")
    # channel 5: 2 for the A three before, less .5 for the C here
    question = ask_feature(stack.model, genome, place, upper, 0, context=64)
    scores = []
    for n_nodes, share in ((1, 0.8), (64, 1)):
        config = TraceConfig(skip=0, steps=1, n_nodes=n_nodes)
        scores.append(trace_question(below, question, contig_length=14, config=config).scores)
        assert scores[-1]["followed blocks.0"] == pytest.approx(share)
    for name in ("replacement", "unfollowed", "completeness"):
        assert scores[0][name] == pytest.approx(scores[1][name])


def test_scores_of_fewer_nodes_are_bounds_of_those_of_more():
    header, dictionaries = Dictionary.load("shipped:nano").header, []
    for site in ("blocks.4", "blocks.5"):
        random = make_sae(SaeConfig("topk", n_features=64, k=4), 128, seed=1)
        own = replace(header, site=site, config=random.config)
        dictionaries.append(Dictionary(own, random.eval()))
    letters = np.random.default_rng(1).choice(list(b"ACGT"), 14).astype(np.uint8)
    stack = Stack.of(load_model("nano"), dictionaries)
    question = ask(stack, Genome([Contig("c", letters)]), 12)
    found = []
    for n in (2, 16, 10**6):
        config = TraceConfig(skip=0, steps=1, n_nodes=n, n_checked=0)
        found.append(trace_question(stack, question, contig_length=14, config=config).scores)
    whole = found[-1]
    assert whole["unfollowed"] == 0
    for fewer, more in pairwise(found):
        assert fewer["unfollowed"] > more["unfollowed"] - 1e-9
        assert fewer["replacement"] <= whole["replacement"] + 1e-6
        assert whole["replacement"] <= fewer["replacement"] + fewer["unfollowed"] + 1e-6
        assert fewer["completeness"] <= whole["completeness"] + 1e-6
    assert found[0]["unfollowed"] > 0.3


@pytest.mark.parametrize("strand", ["+", "-"])
def test_nodes_are_where_their_bases_are(stack, genome, strand):
    question = ask(stack, genome, 7, strand, context=4)
    graph = trace_question(stack, question, contig_length=14, config=CONFIG)
    for node in graph.nodes:
        found = bytes(genome.fetch(node.interval)).decode()
        assert len(found) == 1
        assert found == graph.tokens[node.token]
        assert node.kind != "base" or node.name == found


def test_a_feature_can_be_traced_too(stack, folder, genome):
    below = Stack.of(stack.model, [Dictionary.load(folder / "below")])
    upper = Dictionary.load(folder / "sae")
    place = GenomicInterval("c", 9, 10, "+")
    question = ask_feature(stack.model, genome, place, upper, 1, context=64)
    config = TraceConfig(skip=0, steps=1, node_share=1.0, edge_share=1.0)
    graph = trace_question(below, question, contig_length=14, config=config)
    assert [it.activation for it in graph.nodes if it.kind == "prediction"] == [1]
    weights = {
        it[0][0]: weight for it, weight in edges_of(graph).items() if it[1][0] == "prediction"
    }
    assert weights == {"feature": pytest.approx(1), "error": pytest.approx(1)}
    with pytest.raises(InputError, match=r"dictionaries of sites below blocks\.1, found blocks\.1"):
        trace_question(stack, question, contig_length=14, config=config)


def test_weights_along_a_path_are_those_of_the_gradient_where_there_is_no_curve(stack, genome):
    question = ask(stack, genome, 10)
    _, top = stack.read(question.batch)
    several = [
        path_weights(
            stack.model, question.batch, top, question.target, above=None, steps=steps, size=3
        )
        for steps in (1, 5)
    ]
    assert torch.allclose(several[0].feature, several[1].feature)
    assert torch.allclose(several[0].error, several[1].error)


def test_weights_along_the_path_add_up_to_the_change_in_nano():
    """Those of features and errors, less the same of the mean state, which is where it begins."""
    model = load_model("nano")
    letters = np.random.default_rng(1).choice(list(b"ACGT"), 60).astype(np.uint8)
    genome = Genome([Contig("c", letters)])
    stack = Stack.of(model, [Dictionary.load("shipped:nano")])
    question = ask(stack, genome, 50)
    (top,) = stack.read(question.batch)
    found = path_weights(model, question.batch, top, question.target, above=None, steps=40, size=20)
    change = (found.gradient[0] * (top.x - top.x.mean(0))).sum()
    ends = [
        question.values(model, "blocks.5", x[None]) for x in (top.x, top.x.mean(0).expand_as(top.x))
    ]
    assert float(change) == pytest.approx(float(ends[0] - ends[1]), abs=0.01)


def test_no_edge_comes_from_a_later_token_in_nano():
    """The long filters are computed by a Fourier transform, whose rounding is everywhere."""
    model, upper = load_model("nano"), Dictionary.load("shipped:nano")
    random = make_sae(SaeConfig("topk", n_features=64, k=16), 128, seed=1)
    header = replace(upper.header, site="blocks.4", config=random.config)
    letters = np.random.default_rng(1).choice(list(b"ACGT"), 40).astype(np.uint8)
    stack = Stack.of(model, [upper, Dictionary(header, random.eval())])
    question = ask(stack, Genome([Contig("c", letters)]), 36)
    config = TraceConfig(skip=0, steps=1, n_nodes=16, n_checked=0, node_share=1.0, edge_share=1.0)
    graph = trace_question(stack, question, contig_length=40, config=config)
    token = np.array([it.token for it in graph.nodes])
    assert len(graph.source) > 500
    assert (token[graph.source] <= token[graph.target]).all()


def test_the_command_writes_the_graph_and_the_figure_draws_it(folder, tmp_path, genome):
    model = PlantedModel()
    for suffix in (".json", ".graphml"):
        graph = trace_file(
            folder / "c.fa",
            "c:11-11",
            tmp_path / f"g{suffix}",
            model,
            sae=[folder / "below", folder / "sae"],
            config=CONFIG,
        )
        assert edges_of(read_graph(tmp_path / f"g{suffix}")) == edges_of(graph)
    record = json.loads((tmp_path / "g.json").read_text())
    assert record["metadata"]["genointerp"]["provenance"]["config"]["region"] == "c:11-11"
    (ax,) = graph_figure(tmp_path / "g.json", tmp_path / "g.png", n_tokens=8).axes
    assert [it.get_text() for it in ax.get_yticklabels()] == [
        "bases",
        "blocks.0",
        "blocks.1",
        "predicted",
    ]
    assert [it.get_text() for it in ax.get_xticklabels()] == list("GAGACTGC")
    (lines,) = [it for it in ax.collections if hasattr(it, "get_segments")]
    assert len(lines.get_segments()) == len(graph.source)


def test_the_program_says_what_it_wrote(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "genointerp.command.explain.trace.loaded_or_recorded", lambda *_: PlantedModel()
    )
    line = ["trace", str(folder / "c.fa"), "c:11-11", "--sae", str(folder / "sae")]
    found = CliRunner().invoke(app, [*line, "--out", str(tmp_path / "g.json")])
    assert found.exit_code == 0, found.output
    assert "nodes" in found.output
    assert "completeness" in found.output


@pytest.mark.parametrize(
    ("region", "sae", "error", "message"),
    [
        ("c:15-15", ["sae"], CoordinateError, "c.*15"),
        ("c:1-1", ["sae"], InputError, "bases before the first one"),
        ("c:5-5", [], InputError, "sae: expected the folder of a dictionary"),
        ("c:5-5", ["sae", "sae"], InputError, "different sites"),
    ],
)
def test_bad_input_is_one_line(folder, tmp_path, region, sae, error, message):
    with pytest.raises(error, match=message):
        trace_file(
            folder / "c.fa",
            region,
            tmp_path / "g.json",
            PlantedModel(),
            sae=[folder / it for it in sae],
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_nodes": 0}, "n_nodes: expected at least 1, found 0"),
        ({"n_checked": -1}, "n_checked: expected at least 0"),
        ({"node_share": 1.5}, "node_share: expected above 0 and at most 1"),
    ],
)
def test_a_number_out_of_range_is_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        TraceConfig(**values)
