from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.core.errors import InputError, SchemaError, UnknownNameError
from genointerp.sae.architecture.registry import ARCHITECTURES, make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.header import DictionaryHeader
from genointerp.sae.io import save_sae
from genointerp.sae.metrics import firing_scale

METADATA = {"model": "toy", "model_sha256": "ab" * 32, "site": "blocks.1"}
D_IN, N_FEATURES, K = 6, 10, 3
WIDTHS = {"transcoder": (6, 5), "batch_topk_crosscoder": (3, 3)}
SPLICED = sorted(ARCHITECTURES.keys() - WIDTHS.keys())


def dictionary_of(architecture="batch_topk", seed=0):
    """A dictionary of random weights, whose threshold leaves about a third of the features on."""
    widths = WIDTHS.get(architecture, ())
    config = SaeConfig(architecture, n_features=N_FEATURES, k=K, widths=widths)
    sae = make_sae(config, sum(widths) or D_IN, seed=seed)
    with torch.no_grad():
        sae.b_enc.copy_(torch.linspace(-0.2, 0.2, N_FEATURES))
        sae.b_dec.copy_(torch.linspace(-1, 1, len(sae.b_dec)))
        if sae.has_threshold:
            sae.threshold.fill_(0.3)
    header = DictionaryHeader(
        folder=Path("sae"), **METADATA, d_in=sae.d_in, config=config, sha256="c" * 64
    )
    return Dictionary(header, sae)


def rows(*shape, seed=0):
    x = np.random.default_rng(seed).normal(size=(*shape, D_IN)) * 2
    return torch.from_numpy(x.astype(np.float32))


@pytest.mark.parametrize("architecture", SPLICED)
def test_splicing_the_amounts_that_are_there_changes_nothing(architecture):
    dictionary, x = dictionary_of(architecture), rows(3, 5)
    amounts = dictionary.amounts(x)
    assert (amounts > 0).any()
    assert torch.equal(dictionary.splice(x, amounts), x)


@pytest.mark.parametrize("architecture", SPLICED)
def test_splicing_0_for_a_feature_takes_out_exactly_its_amount_along_its_direction(architecture):
    dictionary, x = dictionary_of(architecture), rows(20)
    for feature in range(N_FEATURES):
        amount = dictionary.amounts(x, [feature])
        expected = x - amount * dictionary.direction(feature)
        assert torch.equal(dictionary.splice(x, torch.zeros(20, 1), [feature]), expected)


def test_splicing_is_the_sum_over_features_of_the_change_along_each_direction():
    dictionary, x = dictionary_of(), rows(4)
    wanted, features = torch.rand(4, 3) * 2, [7, 2, 5]
    f = dictionary.sae.encode(x).detach()
    expected = x.double()
    for column, feature in enumerate(features):
        change = wanted[:, column] - f[:, feature]
        expected = expected + change[:, None].double() * dictionary.direction(feature).double()
    found = dictionary.splice(x, wanted, features)
    torch.testing.assert_close(found, expected.float())


@settings(max_examples=20, deadline=None)
@given(share=st.floats(-2, 3), seed=st.integers(0, 100))
def test_splicing_is_linear_in_the_amounts(share, seed):
    dictionary, x = dictionary_of(), rows(4, seed=seed)
    one, other = torch.rand(2, 4, 2, generator=torch.Generator().manual_seed(seed))
    mixed = dictionary.splice(x, share * one + (1 - share) * other, [1, 4])
    first, second = (dictionary.splice(x, amounts, [1, 4]) for amounts in (one, other))
    torch.testing.assert_close(mixed, share * first + (1 - share) * second, rtol=1e-4, atol=1e-4)


def test_nan_leaves_a_feature_as_it_is():
    dictionary, x = dictionary_of(), rows(2)
    amounts = torch.tensor([[1.0, float("nan")], [float("nan"), float("nan")]])
    found = dictionary.splice(x, amounts, [3, 4])
    torch.testing.assert_close(found[:1], dictionary.splice(x[:1], torch.ones(1, 1), [3]))
    assert torch.equal(found[1], x[1])


def test_the_error_is_kept_so_that_all_amounts_give_the_reconstruction_and_the_error():
    dictionary, x = dictionary_of(), rows(5)
    wanted = torch.rand(5, N_FEATURES)
    error = x - dictionary.decode(dictionary.amounts(x))
    found = dictionary.splice(x, wanted)
    torch.testing.assert_close(found, dictionary.decode(wanted) + error, rtol=1e-5, atol=1e-5)


def test_gradients_flow_to_the_amounts_along_the_directions_and_to_x_unchanged():
    dictionary, x = dictionary_of(), rows(3).requires_grad_()
    wanted, upstream = torch.rand(3, 2, requires_grad=True), rows(3, seed=1)
    dictionary.splice(x, wanted, [4, 0]).backward(upstream)
    torch.testing.assert_close(wanted.grad, upstream @ dictionary.directions[[4, 0]].T)
    assert torch.equal(x.grad, upstream)


def test_what_was_spliced_is_not_what_is_read_again():
    dictionary, x = dictionary_of(), rows(50)
    once = dictionary.splice(x, torch.full((50, 1), 2.0), [0])
    read = dictionary.amounts(once, [0])
    assert not torch.allclose(read, torch.full((50, 1), 2.0), atol=1e-3)
    twice = dictionary.splice(once, torch.full((50, 1), 2.0), [0])
    assert not torch.allclose(once, twice, atol=1e-3)


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_amounts_are_the_codes_of_the_encoder_whatever_the_shape_of_the_rows(architecture):
    dictionary = dictionary_of(architecture)
    x = rows(3, 4)[..., : dictionary.header.d_in]
    dense = dictionary.sae.encode(x.reshape(12, -1)).detach()
    assert torch.equal(dictionary.amounts(x), dense.reshape(3, 4, N_FEATURES))
    assert torch.equal(dictionary.amounts(x, [8, 1]), dense.reshape(3, 4, -1)[..., [8, 1]])
    assert dictionary.amounts(x[0, 0]).shape == (N_FEATURES,)
    assert dictionary.amounts(x, []).shape == (3, 4, 0)


def test_activations_keep_their_type():
    dictionary, x = dictionary_of(), rows(4).to(torch.bfloat16)
    found = dictionary.splice(x, torch.zeros(4, 1), [2])
    assert found.dtype == torch.bfloat16
    expected = x.float() - dictionary.amounts(x, [2]) * dictionary.direction(2)
    assert torch.equal(found, expected.to(torch.bfloat16))


@pytest.mark.parametrize("architecture", sorted(WIDTHS))
def test_a_dictionary_that_reads_and_writes_different_things_cannot_be_spliced(architecture):
    dictionary = dictionary_of(architecture)
    x = rows(2)[:, : dictionary.header.d_in]
    with pytest.raises(InputError, match=f"reconstructs what it reads, found a {architecture}"):
        dictionary.splice(x, torch.zeros(2, 1), [0])


def test_a_feature_that_there_is_not_is_refused():
    dictionary = dictionary_of()
    for ask in (
        lambda: dictionary.direction(10),
        lambda: dictionary.scale(-1),
        lambda: dictionary.amounts(rows(2), [0, 10]),
    ):
        with pytest.raises(UnknownNameError, match="expected a feature from 0 to 9"):
            ask()


def test_a_dictionary_is_read_as_it_was_written(tmp_path):
    written = dictionary_of()
    save_sae(written.sae, tmp_path / "sae", METADATA | {"feature_names": {"tRNA": 4}})
    found = Dictionary.load(tmp_path / "sae")
    assert torch.equal(found.directions, written.directions)
    assert torch.equal(found.amounts(rows(9)), written.amounts(rows(9)))
    assert found.header.feature_names == {"tRNA": 4}
    with pytest.raises(InputError, match=r"sae: expected a dictionary whose scale was measured"):
        found.scale(0)
    (tmp_path / "sae" / "scale.json").write_text("[1.0, 2.0]")
    with pytest.raises(SchemaError, match="expected 10 numbers, one for each feature, found 2"):
        Dictionary.load(tmp_path / "sae")


def test_the_scale_is_the_percentile_of_the_activations_above_0():
    dictionary, x = dictionary_of(), rows(3000)
    scales = firing_scale(dictionary.sae, [part.numpy() for part in torch.split(x, 700)])
    f = dictionary.sae.encode(x).detach().double().numpy()
    for feature in range(N_FEATURES):
        expected = np.percentile(f[:, feature][f[:, feature] > 0], 99.9)
        np.testing.assert_allclose(scales[feature], expected, rtol=1e-12)
        assert replace(dictionary, scales=scales).scale(feature) == scales[feature]
    silent = firing_scale(dictionary.sae, [np.full((1, D_IN), -1e3, np.float32)])
    assert np.isnan(silent[(dictionary.amounts(torch.full((D_IN,), -1e3)) == 0).numpy()]).all()
    assert np.isnan(firing_scale(dictionary.sae, [])).all()
