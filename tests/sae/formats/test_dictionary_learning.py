import json

import pytest
import torch

from genointerp.core.errors import SchemaError
from genointerp.sae.formats.registry import FORMATS
from tests.sae.formats.test_formats import METADATA, make, rows

D_IN, N_FEATURES = 6, 32


def april(norms, dict_class="AutoEncoder", **trainer):
    """Return a configuration and a state whose decoder has columns of some norms."""
    generator = torch.Generator().manual_seed(1)
    decoder = torch.randn(D_IN, N_FEATURES, generator=generator)
    state = {
        "encoder.weight": torch.randn(N_FEATURES, D_IN, generator=generator),
        "encoder.bias": torch.randn(N_FEATURES, generator=generator),
        "decoder.weight": decoder / decoder.norm(dim=0) * norms,
        "bias": torch.randn(D_IN, generator=generator),
    }
    return {"trainer": {"dict_class": dict_class, **trainer}}, state


def write(folder, cfg, state):
    (folder / "config.json").write_text(json.dumps(cfg))
    torch.save(state, folder / "ae.pt")


def normalised(state, x):
    """Encode and decode as their ``AutoEncoder.from_pretrained`` does, by default normalised."""
    norms = state["decoder.weight"].norm(dim=0)
    encoder, bias = state["encoder.weight"] * norms[:, None], state["encoder.bias"] * norms
    codes = torch.relu((x - state["bias"]) @ encoder.t() + bias)
    return codes, codes @ (state["decoder.weight"] / norms).t() + state["bias"]


def test_columns_of_any_norm_become_directions_of_unit_norm(tmp_path):
    cfg, state = april(torch.linspace(0.2, 5, N_FEATURES))
    write(tmp_path, cfg, state)
    sae = FORMATS["dictionary_learning"].read(tmp_path)
    codes, x_hat = normalised(state, rows())
    torch.testing.assert_close(sae.encode(rows()), codes, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(sae(rows()), x_hat, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(sae.W_dec.norm(dim=1), torch.ones(N_FEATURES))


def test_columns_of_unit_norm_are_left_bit_for_bit(tmp_path):
    cfg, state = april(torch.ones(N_FEATURES))
    write(tmp_path, cfg, state)
    sae = FORMATS["dictionary_learning"].read(tmp_path)
    assert torch.equal(sae.W_dec, state["decoder.weight"].t())


def test_a_gated_dictionary_is_taken_as_its_loader_takes_it(tmp_path):
    sae = make("gated")
    with torch.no_grad():
        sae.W_dec.mul_(3)
    FORMATS["dictionary_learning"].write(sae, tmp_path, METADATA)
    found = FORMATS["dictionary_learning"].read(tmp_path)
    torch.testing.assert_close(found.W_dec, sae.W_dec)


@pytest.mark.parametrize(
    ("trainer", "change", "message"),
    [
        ({"activation_dim": 7}, {}, r"trainer.activation_dim: expected 6 as in .* found 7"),
        ({"dict_size": "32"}, {}, r"trainer.dict_size: expected 32 as in .* found '32'"),
        ({}, {"threshold": torch.zeros(())}, "only the tensors .*, found threshold"),
        ({}, {"encoder.bias": torch.zeros(3)}, r"encoder.weight and bias: expected shape \(32,"),
        ({}, {"decoder.weight": torch.zeros(D_IN, N_FEATURES)}, "found 0 of feature 0"),
    ],
)
def test_a_state_that_is_not_that_of_its_configuration_is_refused(
    tmp_path, trainer, change, message
):
    cfg, state = april(torch.full((N_FEATURES,), 2.0), **trainer)
    write(tmp_path, cfg, state | change)
    with pytest.raises(SchemaError, match=message):
        FORMATS["dictionary_learning"].read(tmp_path)


@pytest.mark.parametrize(
    "dict_class", [None, 3, ["AutoEncoder"], "AutoEncoderNew", "CrossCoder"], ids=str
)
def test_a_class_without_a_counterpart_is_refused_by_name(tmp_path, dict_class):
    cfg, state = april(torch.ones(N_FEATURES), dict_class)
    write(tmp_path, cfg, state)
    with pytest.raises(SchemaError, match=r"'trainer.dict_class' to be one of AutoEncoder, "):
        FORMATS["dictionary_learning"].read(tmp_path)


def test_k_may_stand_in_the_configuration_alone_and_must_be_the_same_in_both(tmp_path):
    sae = make("topk")
    FORMATS["dictionary_learning"].write(sae, tmp_path, METADATA)
    state = torch.load(tmp_path / "ae.pt", weights_only=True)
    torch.save({name: it for name, it in state.items() if name != "k"}, tmp_path / "ae.pt")
    found = FORMATS["dictionary_learning"].read(tmp_path)
    torch.testing.assert_close(found.encode(rows()), sae.encode(rows()), rtol=1e-5, atol=1e-5)
    torch.save(state | {"k": torch.tensor(4)}, tmp_path / "ae.pt")
    with pytest.raises(SchemaError, match=r"trainer.k: expected 4 as in .* found 3"):
        FORMATS["dictionary_learning"].read(tmp_path)


def test_groups_that_do_not_add_up_to_the_dictionary_are_refused(tmp_path):
    FORMATS["dictionary_learning"].write(make("matryoshka_batch_topk"), tmp_path, METADATA)
    state = torch.load(tmp_path / "ae.pt", weights_only=True)
    torch.save(state | {"group_sizes": torch.tensor([3, 4])}, tmp_path / "ae.pt")
    with pytest.raises(SchemaError, match=r"group_sizes: expected sizes that add up to 32"):
        FORMATS["dictionary_learning"].read(tmp_path)
