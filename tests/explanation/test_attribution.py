"""Attribution: by hand on a linear model, against a naive path, and against exact ablation."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from genointerp.core.errors import ConfigError, InputError, MismatchError
from genointerp.explanation import attribution
from genointerp.explanation.attribution import AttributionConfig, Nodes, ablate, attribute
from genointerp.explanation.path import integrate
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.model.protocol import SiteActivations
from genointerp.reading.question import ask_bases, ask_feature, clean_activations
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.header import DictionaryHeader
from tests.model_kinds import make_hyena
from tests.toy_model import ToyDnaModel

N = 90


def dictionary_of(model, site, *, eye=False, n=24):
    """A dictionary with a known identity: the axes, or random directions of which some fire."""
    d = model.spec.d_site
    config = SaeConfig("relu", n_features=d if eye else n, k=4)
    sae = make_sae(config, d, seed=0)
    with torch.no_grad():
        if eye:
            sae.W_dec.copy_(torch.eye(d))
            sae.W_enc.copy_(torch.eye(d))
        else:
            sae.b_dec.copy_(torch.linspace(-0.5, 0.5, d))
    spec = model.spec
    header = DictionaryHeader(Path("sae"), spec.name, spec.sha256, site, d, config, sha256="c" * 64)
    return Dictionary(header, sae)


@pytest.fixture(scope="module")
def genome():
    letters = np.random.default_rng(0).choice(list(b"ACGT"), N).astype(np.uint8)
    letters[:8] = list(b"ACCGGTTN")
    return Genome([Contig("c", letters), Contig("ring", letters[10:60].copy(), circular=True)])


@pytest.fixture(scope="module")
def hyena():
    model = make_hyena(None)
    with torch.no_grad():
        for name, weight in model.network.named_parameters():
            if name.endswith(("l3.weight", "out_filter_dense.weight", "out_proj.weight")):
                weight.mul_(4)
    return model


@pytest.fixture(scope="module")
def question(hyena, genome):
    return ask_bases(hyena, genome, GenomicInterval("c", 60, 61, "+"), context=30)


def test_of_a_linear_model_the_attribution_is_what_each_node_adds(genome):
    model = ToyDnaModel()
    dictionary = dictionary_of(model, "blocks.0", eye=True)
    # C is expected to repeat, and it does: its contrast is 1, all from the C before it
    question = ask_bases(model, genome, GenomicInterval("c", 2, 3, "+"), context=30)
    found = attribute(model, dictionary, question, AttributionConfig(baseline="zero", steps=1))
    expected = np.zeros((2, 8))
    expected[1, 1] = 1.0
    np.testing.assert_allclose(found.features, expected, atol=1e-6)
    np.testing.assert_allclose(found.errors, 0, atol=1e-6)
    assert (found.value, found.baseline_value, found.steps) == (1.0, 0.0, 1)
    # half of the window is C, so that half of its effect is above the mean, and A's is below it
    found = attribute(model, dictionary, question, AttributionConfig(steps=1))
    np.testing.assert_allclose(found.features[1, :2], [1 / 6, 1 / 2], atol=1e-6)
    assert found.change == pytest.approx(found.features.sum(), abs=1e-6)


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize("baseline", ["mean", "shuffle"])
def test_attributions_of_features_and_errors_add_up_to_the_change(hyena, genome, strand, baseline):
    question = ask_bases(hyena, genome, GenomicInterval("c", 50, 53, strand), context=30)
    config = AttributionConfig(baseline=baseline, n_shuffles=2)
    found = attribute(hyena, dictionary_of(hyena, "blocks.1"), question, config)
    assert found.is_complete
    assert abs(found.change) > 0.01
    total = found.features.sum() + found.errors.sum()
    assert abs(total - found.change) == pytest.approx(found.gap, abs=1e-5)
    if baseline != "shuffle":
        assert found.gap <= 1e-3 + 0.01 * abs(found.change)
    assert 0 < found.error_share < 1
    # all but the last token of three is read before one of them is decided
    assert found.features.shape == (32, 24)


def test_the_gap_is_that_of_what_is_listed(hyena, question, monkeypatch):
    def halved(*inputs, **options):
        path = integrate(*inputs, **options)
        return path._replace(gradient=path.gradient / 2)

    monkeypatch.setattr(attribution, "integrate", halved)
    found = attribute(hyena, dictionary_of(hyena, "blocks.1"), question)
    total = found.features.sum(dtype=float) + found.errors.sum(dtype=float)
    assert found.gap == pytest.approx(abs(total - found.change), abs=1e-5)
    assert found.gap > 0.4 * abs(found.change)
    assert not found.is_complete


def test_a_shuffle_changes_the_base_before_that_which_is_asked_for(hyena, genome):
    dictionary = dictionary_of(hyena, "blocks.0")
    config = AttributionConfig(baseline="shuffle", steps=1, most_steps=1)
    question = ask_bases(hyena, genome, GenomicInterval("c", 60, 61, "+"), context=30)
    found = attribute(hyena, dictionary, question, config)
    assert np.abs(found.amounts - found.baseline_amounts)[-1].max() > 0
    question = ask_bases(hyena, genome, GenomicInterval("c", 60, 61, "+"), context=2)
    with pytest.raises(InputError, match="baseline shuffle: expected at least 3 bases before"):
        attribute(hyena, dictionary, question, config)


def test_attribution_is_the_integral_over_amounts_and_error(hyena, question):
    dictionary = dictionary_of(hyena, "blocks.1")
    config = AttributionConfig(steps=5, most_steps=5)
    found = attribute(hyena, dictionary, question, config)
    x = clean_activations(hyena, "blocks.1", question.read.spans.ids)
    f = dictionary.amounts(x[question.nodes])
    e = x[question.nodes] - dictionary.decode(f)
    f0, e0 = f.mean(0).expand_as(f), torch.zeros_like(e)
    total_f, total_e = torch.zeros_like(f), torch.zeros_like(e)
    for k in range(5):
        a = (k + 0.5) / 5
        one = (f0 + a * (f - f0)).requires_grad_()
        other = (e0 + a * (e - e0)).requires_grad_()
        begin = x.clone()
        begin[question.nodes] = dictionary.decode(one) + other
        traced = hyena.trace(question.batch.ids, begin=SiteActivations("blocks.1", begin[None]))
        by_f, by_e = torch.autograd.grad(question.target(traced).sum(), [one, other])
        total_f, total_e = total_f + by_f / 5, total_e + by_e / 5
    np.testing.assert_allclose(found.features, ((f - f0) * total_f).numpy(), atol=1e-5)
    np.testing.assert_allclose(found.errors, ((e - e0) * total_e).sum(1).numpy(), atol=1e-5)


def test_steps_are_doubled_until_the_attributions_add_up(hyena, question):
    dictionary = dictionary_of(hyena, "blocks.1")
    coarse = attribute(hyena, dictionary, question, AttributionConfig(steps=1, most_steps=1))
    finer = attribute(hyena, dictionary, question, AttributionConfig(steps=1, most_steps=64))
    assert not coarse.is_complete
    assert finer.is_complete
    assert finer.steps > 1
    assert finer.gap < coarse.gap


def test_an_attribution_that_does_not_add_up_says_so(hyena, genome):
    # the normalisation of the blocks above is steep near an activation of nothing but the bias
    question = ask_bases(hyena, genome, GenomicInterval("c", 50, 53, "+"), context=30)
    config = AttributionConfig(baseline="zero", most_steps=40)
    found = attribute(hyena, dictionary_of(hyena, "blocks.1"), question, config)
    assert found.steps == 40
    assert found.gap > 1e-3 + 0.01 * abs(found.change)
    assert not found.is_complete


def test_exact_ablation_is_that_of_the_node_alone(hyena, question):
    dictionary = dictionary_of(hyena, "blocks.1")
    found = attribute(hyena, dictionary, question)
    nodes = found.largest(7)
    assert set(zip(nodes.token.tolist(), nodes.feature.tolist(), strict=True)) == set(
        naive_largest(found, 7)
    )
    exact = ablate(hyena, dictionary, found, nodes, batch=3)
    x = clean_activations(hyena, "blocks.1", question.read.spans.ids)
    for token, feature, effect in zip(*nodes, exact, strict=True):
        other = x[None].clone()
        if feature < 0:
            other[0, token] -= torch.from_numpy(found.error[token])
        else:
            amount = float(found.amounts[:, feature].mean() - found.amounts[token, feature])
            other[0, token] += amount * dictionary.directions[feature]
        begin = SiteActivations("blocks.1", other)
        value = question.target(hyena.trace(question.batch.ids, begin=begin))
        assert effect == pytest.approx(found.value - float(value.detach()), abs=1e-5)


def naive_largest(found, n):
    every = {
        **{(t, i): abs(a) for (t, i), a in np.ndenumerate(found.features)},
        **{(t, -1): abs(a) for (t,), a in np.ndenumerate(found.errors)},
    }
    return sorted(every, key=every.__getitem__, reverse=True)[:n]


def test_no_node_without_a_contribution_is_listed(genome):
    model = ToyDnaModel()
    question = ask_bases(model, genome, GenomicInterval("c", 2, 3, "+"), context=30)
    config = AttributionConfig(baseline="zero")
    found = attribute(model, dictionary_of(model, "blocks.0", eye=True), question, config)
    token, feature = found.largest(10)
    assert (token.tolist(), feature.tolist()) == ([1], [1])
    assert (
        len(ablate(model, dictionary_of(model, "blocks.0"), found, Nodes(token[:0], feature[:0])))
        == 0
    )


def test_the_same_sequence_as_counterfactual_attributes_nothing(hyena, question):
    same = replace(question, counterfactual=question.read.spans.ids)
    config = AttributionConfig(baseline="counterfactual")
    found = attribute(hyena, dictionary_of(hyena, "blocks.1"), same, config)
    assert not found.features.any()
    assert not found.errors.any()
    assert (found.change, found.gap, found.is_complete) == (0, 0, True)
    assert np.isnan(found.error_share)


def test_a_counterfactual_is_attributed_where_it_differs(hyena, question):
    ids = question.read.spans.ids.copy()
    ids[20] = ids[19] if ids[19] != ids[20] else ids[18]
    config = AttributionConfig(baseline="counterfactual")
    other = replace(question, counterfactual=ids)
    found = attribute(hyena, dictionary_of(hyena, "blocks.1"), other, config)
    assert found.features[20:].any()
    np.testing.assert_allclose(found.features[:20], 0, atol=1e-6)
    expected = float(question.target(hyena.trace(torch.from_numpy(ids)[None])).detach())
    assert found.baseline_value == pytest.approx(expected, abs=1e-5)


def test_a_feature_is_explained_by_those_of_a_site_below(hyena, genome):
    lower, upper = dictionary_of(hyena, "blocks.0"), dictionary_of(hyena, "blocks.2")
    base = GenomicInterval("c", 60, 61, "-")
    question = ask_feature(hyena, genome, base, upper, 3, context=20)
    found = attribute(hyena, lower, question)
    x = clean_activations(hyena, "blocks.2", question.read.spans.ids)
    sae = upper.sae
    expected = x[20] @ sae.W_enc[:, 3] + sae.b_enc[3]
    assert found.value == pytest.approx(float(expected.detach()), abs=1e-4)
    assert found.is_complete
    assert found.features.shape[0] == 21
    for below in ("blocks.2", "blocks.3"):
        with pytest.raises(
            InputError, match=r"f/3 of blocks.2 at c:61: expected a feature of a site above"
        ):
            attribute(hyena, dictionary_of(hyena, below), question)


@pytest.mark.parametrize(
    ("seqid", "start", "strand", "first", "warmup"),
    [("c", 60, "+", 55, 5), ("c", 60, "-", 61, 5), ("c", 3, "+", 0, 3), ("ring", 2, "+", 47, 5)],
)
def test_tokens_know_their_bases(hyena, genome, seqid, start, strand, first, warmup):
    base = GenomicInterval(seqid, start, start + 1, strand)
    question = ask_bases(hyena, genome, base, context=5)
    length = genome[seqid].length
    places = [question.bases_of(token, length) for token in range(warmup + 1)]
    step = -1 if strand == "-" else 1
    first = first + 4 if strand == "-" else first
    assert [it.start for it in places] == [(first + step * i) % length for i in range(warmup + 1)]
    assert question.asked == warmup
    assert question.last == warmup - 1
    letters = np.concatenate([genome.fetch(place) for place in places])
    np.testing.assert_array_equal(letters, question.passage.bases)


@pytest.mark.parametrize(
    ("start", "end", "strand", "message"),
    [
        pytest.param(0, 1, "+", "expected bases before the first one", id="no-context"),
        pytest.param(89, 90, "-", "expected bases before the first one", id="no-context-minus"),
        pytest.param(7, 8, "+", "expected bases that the model can predict", id="N"),
        pytest.param(89, 91, "+", "expected end <= 90", id="beyond"),
        pytest.param(5, 6, ".", "expected one base at least, on the strand", id="strand"),
    ],
)
def test_bases_that_cannot_be_asked_for_are_refused(hyena, genome, start, end, strand, message):
    with pytest.raises(InputError, match=message):
        ask_bases(hyena, genome, GenomicInterval("c", start, end, strand), context=20)


def test_what_cannot_be_attributed_is_refused(hyena, genome, question):
    base = GenomicInterval("c", 60, 61, "+")

    class Masked(ToyDnaModel):
        spec = replace(ToyDnaModel.spec, reads="both")

    with pytest.raises(InputError, match="model: expected a causal model"):
        ask_bases(Masked(), genome, base, context=20)

    class NoGradients(ToyDnaModel):
        trace = None

    with pytest.raises(InputError, match="model: expected a model that gives gradients"):
        ask_bases(NoGradients(), genome, base, context=20)
    dictionary = dictionary_of(hyena, "blocks.1")
    with pytest.raises(InputError, match="baseline counterfactual: expected a sequence to compare"):
        attribute(hyena, dictionary, question, AttributionConfig(baseline="counterfactual"))
    with pytest.raises(MismatchError, match="sae: expected a site of toy, 8 wide"):
        attribute(ToyDnaModel(), dictionary, question)
    with pytest.raises(InputError, match="expected one base, at which the feature is read"):
        ask_feature(hyena, genome, GenomicInterval("c", 6, 9, "+"), dictionary, 3, context=20)
    with pytest.raises(ConfigError, match="most_steps: expected at least steps=20"):
        AttributionConfig(most_steps=10)
