"""From base to feature to number: the parts add up to the exact effect."""

import numpy as np
import pytest
import torch

from genointerp.core.errors import ConfigError, InputError
from genointerp.explanation.attribution import AttributionConfig
from genointerp.explanation.chain import ChainConfig, chain
from genointerp.explanation.mutagenesis import MutagenesisConfig, base_ids, mutate
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.model.registry import load_model
from genointerp.reading.question import ask_bases, ask_feature
from genointerp.sae.dictionary import Dictionary

TEXT = b"ACGTTGCAACGGTTACATTTGAAGACCGTGATTACGCTAGGCATCGATTT"
GENOME = Genome([Contig("c", np.frombuffer(TEXT, np.uint8))])
BASE = GenomicInterval("c", 40, 41, "+")


@pytest.fixture(scope="module")
def nano():
    return load_model("nano")


@pytest.fixture(scope="module")
def dictionary():
    return Dictionary.load("shipped:nano")


@pytest.fixture(scope="module")
def mutagenesis(nano):
    question = ask_bases(nano, GENOME, BASE, context=40)
    return mutate(nano, question, MutagenesisConfig(upstream=6))


@pytest.fixture(scope="module")
def table(nano, dictionary, mutagenesis):
    config = ChainConfig(n_bases=2, n_features=4)
    return chain(nano, dictionary, mutagenesis, config, contig_length=50)


def test_contributions_add_up_to_the_effects_of_the_most_important_bases(table, mutagenesis):
    largest = np.sort((-np.abs(mutagenesis.mean_effect)).argsort()[:2])
    assert table["offset"].unique().tolist() == (largest - 6).tolist()
    for base, (_, rows) in zip(largest, table.groupby("offset"), strict=True):
        assert rows["node"].tolist()[4:] == ["other", "error"]
        exact = float(mutagenesis.mean_effect[base])
        assert rows["effect"].tolist() == [exact] * 6
        assert abs(rows["contribution"].sum() - exact) <= rows["gap"].max() <= 0.01
        size = rows["contribution"].abs().tolist()[:4]
        assert size == sorted(size, reverse=True)


def test_the_change_of_a_feature_is_that_of_its_amounts_in_whole_passes(
    table, nano, dictionary, mutagenesis
):
    row, site = table.iloc[0], dictionary.header.site
    token = mutagenesis.token[6 + row["offset"]]
    ids = mutagenesis.question.read.spans.ids
    copies = torch.from_numpy(np.repeat(ids[None], 4, axis=0))
    copies[:, token] = torch.from_numpy(base_ids(nano))
    # the last token is the base that is asked for, which decides nothing
    amounts = dictionary.amounts(nano.run(copies, capture=[site])[site])[:, :-1, int(row["node"])]
    own = amounts[list(copies[:, token]).index(ids[token])]
    assert row["change"] == pytest.approx(float((amounts - own).sum() / 3), rel=1e-3, abs=1e-4)


def test_no_base_with_an_effect_gives_no_row(nano, dictionary, mutagenesis):
    nothing = type(mutagenesis)(
        mutagenesis.question,
        mutagenesis.value,
        mutagenesis.token,
        mutagenesis.own,
        np.zeros_like(mutagenesis.effect),
        mutagenesis.gradient,
    )
    assert not len(chain(nano, dictionary, nothing, contig_length=50))


def test_a_feature_of_the_same_site_is_no_end_of_a_chain(nano, dictionary):
    question = ask_feature(nano, GENOME, BASE, dictionary, 86, context=40)
    found = mutate(nano, question, MutagenesisConfig(upstream=2))
    with pytest.raises(InputError, match=r"expected a feature of a site above blocks\.5"):
        chain(nano, dictionary, found, contig_length=50, attribution=AttributionConfig(steps=1))


@pytest.mark.parametrize("name", ["n_bases", "n_features"])
def test_numbers_of_rows_are_positive(name):
    with pytest.raises(ConfigError, match=f"{name}: expected at least 1, found 0"):
        ChainConfig(**{name: 0})
