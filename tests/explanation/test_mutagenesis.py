"""Mutagenesis: what it computes, against whole passes; and that a prefix is read once."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from genointerp.core.errors import ConfigError, InputError
from genointerp.explanation.mutagenesis import (
    BASES,
    MutagenesisConfig,
    base_ids,
    bases_table,
    mutate,
)
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.model.registry import load_model
from genointerp.reading.question import Question, ask_bases, ask_feature
from genointerp.sae.dictionary import Dictionary
from tests.toy_model import ToyDnaModel

TEXT = b"ACGTTGCAACGGTTACATTTGAANACCGTGATTACGCTAGGCATCGATTT"
GENOME = Genome([Contig("c", np.frombuffer(TEXT, np.uint8), circular=True)])


@pytest.fixture(scope="module")
def nano():
    return load_model("nano")


def ask(model, start, end, strand="+", context=40) -> Question:
    return ask_bases(model, GENOME, GenomicInterval("c", start, end, strand), context=context)


def test_only_the_base_before_matters_to_a_model_that_repeats_it():
    # A stands before C; logits are the one-hot code of the base before, so z_C - mean of the others
    # is -1/3 with A, G and T there and 1 with C there
    found = mutate(ToyDnaModel(), ask(ToyDnaModel(), 9, 10), MutagenesisConfig(upstream=3))
    assert found.value == pytest.approx(-1 / 3)
    assert [TEXT[9:10], found.own[-1]] == [b"C", 0]
    np.testing.assert_allclose(found.effect[-1], [0, 4 / 3, 0, 0], atol=1e-6)
    np.testing.assert_array_equal(found.effect[:-1], 0)
    assert found.mean_effect[-1] == pytest.approx(4 / 9)
    assert found.importance[-1] == pytest.approx(-1 / 3)
    # a linear model has no higher orders
    np.testing.assert_allclose(found.gradient, found.effect, atol=1e-6)
    assert found.gradient_correlation == pytest.approx(1)


@pytest.mark.parametrize(("start", "end", "strand"), [(40, 41, "+"), (36, 40, "+"), (12, 13, "-")])
def test_effects_are_those_of_whole_passes(nano, start, end, strand):
    question = ask(nano, start, end, strand)
    found = mutate(nano, question, MutagenesisConfig(upstream=9, batch=4))
    ids = question.read.spans.ids
    for token, row, own in zip(found.token, found.effect, found.own, strict=True):
        copies = torch.from_numpy(np.repeat(ids[None], 4, axis=0))
        copies[:, token] = torch.from_numpy(base_ids(nano))
        whole = question.target(nano.trace(copies)).numpy()
        np.testing.assert_allclose(row, whole - found.value, atol=1e-5)
        assert row[own] == 0
    assert np.abs(found.effect).max() > 0.1


def test_what_explains_a_feature_includes_its_own_base(nano):
    dictionary = Dictionary.load("shipped:nano")
    base = GenomicInterval("c", 30, 31, "+")
    question = ask_feature(nano, GENOME, base, dictionary, 86, context=30)
    found = mutate(nano, question, MutagenesisConfig(upstream=4, batch=5))
    assert (found.token - question.asked).tolist() == [-3, -2, -1, 0]
    copies = torch.from_numpy(np.repeat(question.read.spans.ids[None], 4, axis=0))
    copies[:, question.asked] = torch.from_numpy(base_ids(nano))
    site = dictionary.header.site
    whole = question.target(nano.trace(copies, capture=[site], logits=False)).detach().numpy()
    np.testing.assert_allclose(found.effect[-1], whole - found.value, atol=1e-5)


def test_gradients_choose_which_bases_are_replaced(nano):
    question = ask(nano, 30, 31)
    every = mutate(nano, question, MutagenesisConfig(upstream=12))
    some = mutate(nano, question, MutagenesisConfig(upstream=12, only=3))
    made = some.alternatives.all(1) | (some.alternatives.sum(1) == 3)
    assert made.sum() == 3
    largest = np.nan_to_num(np.abs(every.gradient)).max(1)
    assert largest[made].min() >= largest[~made].max()
    np.testing.assert_allclose(some.effect[made], every.effect[made], atol=1e-5)
    assert np.isnan(some.mean_effect[~made]).all()


@pytest.mark.parametrize("feature", [None, 86])
def test_a_model_of_half_precision_has_effects_and_no_gradients(nano, feature):
    half, found = load_model("nano", dtype="bfloat16"), []
    config = MutagenesisConfig(upstream=5)
    for model in (nano, half):
        question = ask(model, 30, 31)
        if feature is not None:
            base, dictionary = GenomicInterval("c", 30, 31, "+"), Dictionary.load("shipped:nano")
            question = ask_feature(model, GENOME, base, dictionary, feature, context=30)
        found.append(mutate(model, question, config))
    exact, rounded = found
    assert rounded.value == pytest.approx(exact.value, abs=0.1)
    scale = np.abs(exact.effect).max()
    np.testing.assert_allclose(rounded.effect, exact.effect, atol=0.1 * scale)
    assert np.isnan(rounded.gradient).all()
    assert np.isnan(rounded.gradient_correlation)
    with pytest.raises(InputError, match="gradients: expected a model loaded with dtype float32"):
        mutate(half, question, replace(config, only=2))


def test_a_letter_that_is_no_base_is_not_replaced(nano):
    found = mutate(nano, ask(nano, 25, 26), MutagenesisConfig(upstream=4))
    assert found.own.tolist()[2] == -1  # the N of the text
    assert np.isnan(found.effect[2]).all()
    assert np.isnan(found.gradient[2]).all()
    assert found.alternatives.sum(1).tolist() == [3, 3, 0, 3]
    assert bases_table(found, 50)["base"].tolist() == ["A", "A", "N", "A"]


@pytest.mark.parametrize(
    ("start", "strand", "places"),
    [(2, "+", [49, 0, 1]), (48, "-", [1, 0, 49])],
)
def test_a_table_has_the_bases_in_reading_order_around_the_origin(nano, start, strand, places):
    question = ask(nano, start, start + 1, strand)
    table = bases_table(mutate(nano, question, MutagenesisConfig(upstream=3)), 50)
    assert table["start"].tolist() == places
    assert (table["end"] - table["start"]).tolist() == [1, 1, 1]
    assert table["offset"].tolist() == [-3, -2, -1]
    genome = TEXT if strand == "+" else TEXT.translate(bytes.maketrans(b"ACGT", b"TGCA"))
    assert table["base"].tolist() == [chr(genome[place]) for place in places]
    own = [f"effect_{base}" for base in table["base"]]
    assert [table[name][i] for i, name in enumerate(own)] == [0, 0, 0]


@pytest.mark.parametrize("name", ["upstream", "only", "batch"])
def test_numbers_of_bases_are_positive(name):
    with pytest.raises(ConfigError, match=f"{name}: expected at least 1, found 0"):
        MutagenesisConfig(**{name: 0})


def test_a_model_of_words_is_refused():
    model = ToyDnaModel()
    model.spec = replace(model.spec, bases_per_token=6)
    with pytest.raises(InputError, match="model: expected a model whose tokens are bases"):
        base_ids(model)


def test_the_columns_are_in_the_order_of_the_bases(nano):
    assert [nano.tokenizer.base_ids[base] for base in BASES] == base_ids(nano).tolist()
