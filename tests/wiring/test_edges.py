"""Edges between two sites: those of a planted network, and of nano within its causal cone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from genointerp.cli.main import app
from genointerp.command.explain.edges import edges as edges_file
from genointerp.core.errors import ConfigError, InputError, MismatchError
from genointerp.feature.encode import encode_store
from genointerp.genome.genome import Contig, Genome
from genointerp.model.protocol import Traced
from genointerp.model.registry import load_model
from genointerp.reading.harvest import HarvestConfig, harvest
from genointerp.reading.tokens import TokenBatch, genome_passages, tokenised
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.header import read_header
from genointerp.store.table.schema.edge import EDGE_TARGETS, EDGES
from genointerp.store.table.table import read_table
from genointerp.wiring.edge_tally import ERROR, lag_bin, lags_of
from genointerp.wiring.edges import EdgeConfig, measure_edges
from genointerp.wiring.stack import Stack
from genointerp.wiring.wires import PreActivations, edge_weights, without_each
from tests.wiring.planted_model import LAG, PlantedModel, save_channels

READING = HarvestConfig(window=48, warmup=16)
CONFIG = EdgeConfig(n_windows=6, window=32, warmup=24, skip=0, n_checked=6, n_nodes=6)


@pytest.fixture(scope="module")
def genome():
    return Genome(
        [Contig("c", np.random.default_rng(3).choice(list(b"ACGT"), 400).astype(np.uint8))]
    )


@pytest.fixture(scope="module")
def planted(tmp_path_factory, genome):
    """Below, features are A, C and G: T is in the error. Above, they are channels 5, 6 and 7."""
    folder = tmp_path_factory.mktemp("planted")
    save_channels(folder / "below", "blocks.0", [0, 1, 2])
    save_channels(folder / "sae", "blocks.1", [5, 6, 7, 0, 1, 2, 3])
    model = PlantedModel()
    store = harvest(model, genome, site="blocks.1", out=folder / "a.h5", config=READING)
    features = encode_store([store], folder / "sae", folder / "f.h5")
    (folder / "c.fa").write_text(f">c\n{genome['c'].sequence.tobytes().decode()}\n")
    return folder, model, features


def stack_of(folder, model):
    return Stack.of(model, [Dictionary.load(folder / name) for name in ("sae", "below")])


def test_planted_edges_come_out_with_their_weights_and_lags_and_no_others(planted, genome):
    folder, model, store = planted
    found = measure_edges(stack_of(folder, model), genome, store, features=[0, 1, 2], config=CONFIG)
    edges = found.edges[found.edges["weight"] != 0]
    seen = {
        (row.target, row.source, row.lag_first, row.lag_last): row for row in edges.itertuples()
    }
    # lag 3 is in the bin of 3 and 4; a C at the token that fires, in some windows
    assert {*seen} == {
        (0, 0, 3, 4), (0, 1, 0, 0), (1, 2, 0, 0), (1, ERROR, 1, 1), (2, ERROR, 0, 0)
    }  # fmt: skip
    targets = found.targets.set_index("target")
    assert seen[0, 0, 3, 4].weight == pytest.approx(2)
    assert seen[1, 2, 0, 0].weight == seen[1, ERROR, 1, 1].weight == pytest.approx(1)
    with_c = seen[0, 1, 0, 0]
    assert with_c.weight < 0
    assert targets.loc[0, "weight"] == pytest.approx(2 + with_c.weight)
    assert targets.loc[0, "activation"] == pytest.approx(2 + with_c.weight)
    assert targets.loc[0, "error"] == targets.loc[0, "error_share"] == 0
    # both inputs of a gate have all of its output: the weights of a product add up to twice of it
    assert targets.loc[1, ["activation", "weight", "error"]].tolist() == pytest.approx([1, 1, 1])
    assert targets.loc[1, "error_share"] == pytest.approx(0.5)
    assert targets.loc[1, ["lag_0", "lag_near", "lag_far"]].tolist() == pytest.approx([0.5, 0.5, 0])
    assert targets.loc[2, "error_share"] == 1
    assert targets.loc[[0, 1], ["r", "slope"]].to_numpy() == pytest.approx(np.ones((2, 2)))


def test_an_edge_is_told_from_the_same_amounts_along_other_directions(planted, genome):
    folder, model, store = planted
    config = replace(CONFIG, n_windows=12)
    found = measure_edges(stack_of(folder, model), genome, store, features=[0], config=config)
    own = found.edges[(found.edges["source"] != ERROR) & (found.edges["n_tokens"] > 20)]
    planted_edge = own[(own["source"] == 0) & (own["lag_first"] == LAG)]
    assert planted_edge["p_value"].item() == own["p_value"].min()
    assert (own.loc[own["weight"] == 0, "p_value"] == 1).all()


@given(st.integers(0, 4000))
def test_every_lag_is_inside_its_bin(lag):
    first, last = lags_of(int(lag_bin(np.array([lag]))[0]))
    assert first <= lag <= last


def test_hits_and_errors_are_the_activations(planted, genome):
    folder, model, _ = planted
    nodes, _ = stack_of(folder, model).read(first_batch(model, genome))
    dictionary = nodes.dictionary
    again = dictionary.decode(dictionary.amounts(nodes.x)) + nodes.error
    assert torch.allclose(again, nodes.x)
    assert (nodes.error[:, 3] == nodes.x[:, 3]).all()
    without = nodes.without(torch.tensor([4]))[0]
    token, feature = int(nodes.token[4]), int(nodes.feature[4])
    assert (nodes.x - without).nonzero().tolist() == [[token, feature]]


def first_batch(model, genome, window=READING):
    passage = next(genome_passages(genome, window.windows(model.spec, genome)))
    return TokenBatch.of([tokenised(model, passage)])


@pytest.fixture(scope="module")
def nano_nodes():
    """Nano between blocks 4 and 5, an MR filter and one of 3 taps: a cone of 129 bases."""
    model = load_model("nano")
    upper = Dictionary.load("shipped:nano")
    random = make_sae(SaeConfig("topk", n_features=64, k=16), 128, seed=1)
    header = replace(upper.header, site="blocks.4", config=random.config)
    letters = np.random.default_rng(0).choice(list(b"ACGT"), 220).astype(np.uint8)
    batch = first_batch(
        model, Genome([Contig("n", letters)]), HarvestConfig(window=220, warmup=0, strands=("+",))
    )
    stack = Stack.of(model, [upper, Dictionary(header, random.eval())])
    return stack, batch, *stack.read(batch)


def test_nothing_beyond_the_causal_cone_has_a_weight(nano_nodes):
    stack, batch, below, above = nano_nodes
    at = int(above.token.max())
    hit = int((above.token == at).nonzero()[0, 0])
    target = PreActivations(above.dictionary, above.feature[[hit]], above.token[[hit]])
    found = edge_weights(stack.model, batch, below, target, 1, above="blocks.5")
    size = found.gradient[0].norm(dim=-1)
    cone = at - (128 - 1) - (3 - 1)
    # the long filter is computed by a Fourier transform, which leaves rounding
    assert size[:cone].max() < 1e-6 * size.max()
    assert size[cone] > 1e-5 * size.max()
    beyond = (below.token < cone).nonzero()[:, 0][-8:]
    effect = without_each(
        stack.model, batch, below, beyond, target.repeated, above="blocks.5", size=8
    )
    assert effect.abs().max() < 1e-5 * float(above.amount[hit])


def test_weights_agree_with_ablation_in_nano(nano_nodes):
    stack, batch, below, above = nano_nodes
    hits = (above.token == int(above.token.max())).nonzero()[:2, 0]
    target = PreActivations(above.dictionary, above.feature[hits], above.token[hits])
    found = edge_weights(stack.model, batch, below, target, 2, above="blocks.5")
    for row in range(2):
        largest = found.feature[row].abs().argsort(descending=True)[:40]
        one = PreActivations(above.dictionary, target.feature[[row]], target.token[[row]])
        effect = without_each(
            stack.model, batch, below, largest, one.repeated, above="blocks.5", size=16
        )
        assert np.corrcoef(effect, found.feature[row][largest])[0, 1] > 0.9


def test_targets_of_a_batch_are_those_of_each_alone(nano_nodes):
    stack, batch, below, above = nano_nodes
    hits = torch.tensor([10, 500, 900])
    target = PreActivations(above.dictionary, above.feature[hits], above.token[hits])
    x = {"blocks.5": above.x.expand(3, -1, -1)}
    assert target(Traced(x, None)).tolist() == pytest.approx(above.amount[hits].tolist(), abs=1e-4)
    together = edge_weights(stack.model, batch, below, target, 3, above="blocks.5")
    for row, hit in enumerate(hits.tolist()):
        one = PreActivations(above.dictionary, above.feature[[hit]], above.token[[hit]])
        alone = edge_weights(stack.model, batch, below, one, 1, above="blocks.5")
        assert torch.allclose(alone.feature[0], together.feature[row], atol=1e-5)
        assert torch.allclose(alone.error[0], together.error[row], atol=1e-5)


def test_a_feature_that_does_not_fire_has_no_edges(planted, genome):
    folder, model, store = planted
    config = replace(CONFIG, regions=("c:1-1",))
    found = measure_edges(stack_of(folder, model), genome, store, features=[1], config=config)
    assert len(found.edges) == 0
    assert found.targets["n_tokens"].tolist() == [0]
    assert found.targets["r"].isna().all()


def test_the_command_writes_both_tables(planted, tmp_path):
    folder, model, _ = planted
    table = edges_file(
        folder / "f.h5",
        tmp_path / "e.tsv",
        folder / "below",
        model,
        genome=folder / "c.fa",
        feature=0,
        targets_out=tmp_path / "t.tsv",
        config=CONFIG,
    )
    assert read_table(tmp_path / "e.tsv", EDGES).equals(table)
    targets = read_table(tmp_path / "t.tsv", EDGE_TARGETS)
    assert targets[["target_site", "source_site"]].to_numpy().tolist() == [["blocks.1", "blocks.0"]]


def test_a_dictionary_that_is_above_is_no_dictionary_below(tmp_path, genome):
    save_channels(tmp_path / "sae", "blocks.0", [0, 1, 2])
    save_channels(tmp_path / "above", "blocks.1", [5, 6])
    model = PlantedModel()
    store = harvest(model, genome, site="blocks.0", out=tmp_path / "a.h5", config=READING)
    encode_store([store], tmp_path / "sae", tmp_path / "f.h5")
    (tmp_path / "c.fa").write_text(f">c\n{genome['c'].sequence.tobytes().decode()}\n")
    files = (tmp_path / "f.h5", tmp_path / "e.tsv", tmp_path / "above", model)
    message = r"below: expected a dictionary of a site below blocks\.0, found one of blocks\.1"
    with pytest.raises(InputError, match=message):
        edges_file(*files, genome=tmp_path / "c.fa")


def test_dictionaries_that_are_no_stack_are_refused(planted, genome):
    folder, model, store = planted
    one, other = (Dictionary.load(folder / name) for name in ("below", "sae"))
    with pytest.raises(InputError, match=r"different sites, found blocks\.0, blocks\.0"):
        Stack.of(model, [one, one])
    with pytest.raises(MismatchError, match="model"):
        Stack.of(load_model("nano"), [one, other])
    with pytest.raises(
        InputError, match=r"edges: expected dictionaries of two sites, found blocks\.1"
    ):
        measure_edges(Stack.of(model, [other]), genome, store)
    swapped = replace(other, header=replace(read_header(folder / "below"), site="blocks.1"))
    with pytest.raises(MismatchError, match="dictionary"):
        measure_edges(Stack.of(model, [one, swapped]), genome, store)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_windows": 0}, "n_windows: expected at least 1, found 0"),
        ({"n_checked": -1}, "n_checked: expected at least 0"),
        ({"warmup": 8}, "skip=16 <= warmup < window=320, found 8"),
    ],
)
def test_a_number_out_of_range_is_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        EdgeConfig(**values)


def test_the_program_says_what_it_found(planted, tmp_path, monkeypatch):
    folder, model, _ = planted
    monkeypatch.setattr("genointerp.command.explain.edges.loaded_or_recorded", lambda *_: model)
    line = [
        "edges", str(folder / "f.h5"), "--genome", str(folder / "c.fa"), "--below",
        str(folder / "below"), "--feature", "1", "--window", "32", "--warmup", "24",
        "--out", str(tmp_path / "e.tsv"),
    ]  # fmt: skip
    found = CliRunner().invoke(app, line)
    assert found.exit_code == 0, found.output
    assert "edges into 1 features" in found.output
