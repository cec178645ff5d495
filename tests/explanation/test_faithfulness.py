"""Faithfulness against whole passes with each node set by hand, and on a linear model."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from genointerp.explanation.attribution import AttributionConfig, Nodes, attribute
from genointerp.explanation.faithfulness import Ranking, curves, rankings
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.model.protocol import SiteActivations
from genointerp.reading.question import ask_bases, clean_activations
from tests.explanation.test_attribution import dictionary_of
from tests.model_kinds import make_hyena
from tests.toy_model import ToyDnaModel


@pytest.fixture(scope="module")
def explained():
    letters = np.random.default_rng(2).choice(list(b"ACGT"), 60).astype(np.uint8)
    genome, model = Genome([Contig("c", letters)]), make_hyena(None)
    with torch.no_grad():
        for name, weight in model.network.named_parameters():
            if name.endswith(("l3.weight", "out_filter_dense.weight", "out_proj.weight")):
                weight.mul_(4)
    dictionary = dictionary_of(model, "blocks.1")
    question = ask_bases(model, genome, GenomicInterval("c", 50, 51, "+"), context=20)
    return model, dictionary, attribute(model, dictionary, question)


def test_curves_are_those_of_nodes_set_one_by_one(explained):
    model, dictionary, found = explained
    (own, *_) = rankings(found, None, n=9)
    table = curves(model, dictionary, found, [own], sizes=(2, 9), batch=3)
    x = clean_activations(model, "blocks.1", found.question.read.spans.ids)

    def value(inside, *, is_inside, has_errors):
        amounts = found.baseline_amounts.copy()
        for place in np.ndindex(*amounts.shape):
            if (place in inside) == is_inside:
                amounts[place] = found.amounts[place]
        error = found.error if has_errors else found.baseline_error
        begin = x.clone()
        decoded = dictionary.decode(torch.from_numpy(amounts))
        begin[found.question.nodes] = decoded + torch.from_numpy(error)
        begin = SiteActivations("blocks.1", begin[None])
        traced = model.trace(found.question.batch.ids, begin=begin)
        return float(found.question.target(traced).detach())

    nothing = value(set(), is_inside=True, has_errors=False)
    for row in table.to_dict("records"):
        k, has_errors = row["k"], row["errors"] == "kept"
        inside = set(zip(*(it[:k].tolist() for it in own.nodes), strict=True))
        for column, is_inside in (("faithfulness", True), ("completeness", False)):
            m = value(inside, is_inside=is_inside, has_errors=has_errors)
            expected = (m - nothing) / (found.value - nothing)
            assert row[column] == pytest.approx(expected, abs=1e-3)
    assert table["k"].tolist() == [2, 2, 9, 9]


def test_all_nodes_and_errors_are_the_whole_effect_and_without_all_nothing_is_left(explained):
    model, dictionary, found = explained
    nodes = Nodes(*np.indices(found.amounts.shape).reshape(2, -1))
    whole = Ranking("attribution", nodes)
    table = curves(model, dictionary, found, [whole], sizes=(len(nodes.token),)).set_index("errors")
    assert table["faithfulness"]["kept"] == pytest.approx(1, abs=1e-3)
    assert table["completeness"]["baseline"] == pytest.approx(0, abs=1e-3)


def test_one_node_of_a_linear_model_carries_all():
    genome = Genome([Contig("c", np.frombuffer(b"ACCGGTTA", np.uint8))])
    model = ToyDnaModel()
    dictionary = dictionary_of(model, "blocks.0", eye=True)
    question = ask_bases(model, genome, GenomicInterval("c", 2, 3, "+"), context=30)
    found = attribute(model, dictionary, question, AttributionConfig(baseline="zero"))
    table = curves(model, dictionary, found, rankings(found, found), sizes=(1, 5))
    by_order = table[table["errors"] == "kept"].set_index(["order", "k"])["faithfulness"]
    # only one node has an attribution; the A before it has as large an amount, and decides nothing
    assert by_order.round(5).to_dict() == {
        ("attribution", 1): 1,
        ("gradient", 1): 1,
        ("activation", 1): 0,
        ("activation", 5): by_order["activation", 5],
        ("random", 1): 0,
        ("shuffled", 1): 1,
    }


def test_random_nodes_fire_about_as_much_and_are_others(explained):
    _, _, found = explained
    orders = {it.order: it.nodes for it in rankings(found, None, n=30)}
    own, random = orders["attribution"], orders["random"]
    assert len(random.token) == len(set(zip(*(it.tolist() for it in random), strict=True))) == 30
    assert not set(zip(*own, strict=True)) & set(zip(*random, strict=True))
    amounts = found.amounts[random.token, random.feature]
    assert (amounts > 0).all()
    others = np.sort(found.amounts[found.amounts > 0])
    rank = [np.searchsorted(others, it) for it in (found.amounts[own.token, own.feature], amounts)]
    # a pool of 50 on either side, without the 30 nodes themselves and those drawn before
    assert np.abs(rank[0] - rank[1]).max() <= 50 + 30 + 30
    again = {it.order: it.nodes for it in rankings(found, None, n=30)}["random"]
    np.testing.assert_array_equal(again.token, random.token)
    assert not np.array_equal(rankings(found, None, n=30, seed=1)[3].nodes.token, random.token)


def test_the_largest_amounts_come_first(explained):
    _, _, found = explained
    other = replace(found, features=found.features[::-1])
    orders = {it.order: it.nodes for it in rankings(found, other, n=4)}
    largest = np.sort(found.amounts.ravel())[::-1][:4]
    np.testing.assert_array_equal(found.amounts[orders["activation"]], largest)
    shuffled = np.abs(other.features[orders["shuffled"]])
    np.testing.assert_array_equal(shuffled, np.sort(np.abs(found.features).ravel())[::-1][:4])
