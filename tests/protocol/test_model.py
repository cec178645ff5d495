"""What every DNA model must do; a new model is one more param."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genointerp.core.errors import UnknownNameError
from genointerp.genome.genome import normalise_sequence
from genointerp.model.protocol import DnaModel, Edit
from genointerp.model.registry import MODELS, load_model
from tests.toy_model import ToyDnaModel

LENGTH = 48
bases = st.text("ACGTN", min_size=1, max_size=40).map(
    lambda text: normalise_sequence(text.encode(), where="test")
)
# a model is never changed by a call, so that all examples may share one
shared = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module", params=["toy", *MODELS])
def model(request):
    return ToyDnaModel() if request.param == "toy" else load_model(request.param)


@pytest.fixture(scope="module")
def tokens(model):
    letters = np.random.default_rng(0).choice(np.frombuffer(b"ACGT", np.uint8), (2, LENGTH))
    return torch.from_numpy(np.stack([model.tokenize(row).ids for row in letters]))


def test_a_model_is_of_the_protocol(model):
    assert isinstance(model, DnaModel)
    assert model.spec.default_site in model.spec.sites


@shared
@given(bases)
def test_spans_tile_the_sequence(model, sequence):
    spans = model.tokenize(sequence)
    real = spans.start >= 0
    start, end = spans.start[real], spans.end[real]
    assert start[0] == 0
    assert end[-1] == len(sequence)
    assert (start[1:] == end[:-1]).all()
    assert (end > start).all()


def test_every_site_is_as_wide_as_the_spec_says(model, tokens):
    captured = model.run(tokens, capture=model.spec.sites)
    assert set(captured) == set(model.spec.sites)
    for x in captured.values():
        assert x.shape == (*tokens.shape, model.spec.d_site)


def test_what_is_captured_does_not_depend_on_what_else_is(model, tokens):
    alone = {site: model.run(tokens, capture=[site])[site] for site in model.spec.sites}
    for site, x in model.run(tokens, capture=model.spec.sites).items():
        assert torch.equal(x, alone[site])


def test_activations_and_predictions_know_no_later_base(model, tokens):
    site, half = model.spec.default_site, LENGTH // 2
    changed = tokens.clone()
    changed[:, half:] = (changed[:, half:] + 1) % 4
    before, after = (model.run(x, capture=[site])[site] for x in (tokens, changed))
    torch.testing.assert_close(before[:, :half], after[:, :half], rtol=1e-3, atol=1e-3)
    first, second = model.log_probs(tokens), model.log_probs(changed)
    torch.testing.assert_close(first[:, : half - 1], second[:, : half - 1], rtol=1e-3, atol=1e-3)


def test_probabilities_of_the_four_bases_sum_to_one(model, tokens):
    last = []
    for base in range(4):
        ending = tokens.clone()
        ending[:, -1] = base
        last.append(model.log_probs(ending)[:, -1].exp())
    torch.testing.assert_close(sum(last), torch.ones(len(tokens)))


def test_an_unknown_base_has_no_probability(model):
    ids = torch.from_numpy(model.tokenize(normalise_sequence(b"ACNGT", where="test")).ids)[None]
    assert model.log_probs(ids)[0].isnan().tolist() == [False, True, False, False]


def test_an_edit_acts_and_leaves_the_model_as_it_was(model, tokens):
    before = model.log_probs(tokens)
    silenced = model.log_probs(tokens, edits=[Edit(model.spec.default_site, torch.zeros_like)])
    assert not torch.allclose(silenced, before)
    assert torch.equal(model.log_probs(tokens), before)


def test_an_edit_that_fails_leaves_the_model_as_it_was(model, tokens):
    def fail(x):
        raise KeyError("edit")

    before = model.log_probs(tokens)
    with pytest.raises(KeyError):
        model.log_probs(tokens, edits=[Edit(model.spec.default_site, fail)])
    assert torch.equal(model.log_probs(tokens), before)


def test_an_unknown_site_is_named(model, tokens):
    with pytest.raises(UnknownNameError, match=r"blocks\.99"):
        model.run(tokens, capture=["blocks.99"])
