import json

import numpy as np
import pytest
import torch

from genointerp.core.errors import InputError, SchemaError, UnknownNameError
from genointerp.core.seed import derive_seed
from genointerp.model.hyena.folder import save_model, sha256_weights
from genointerp.model.hyena.network import HyenaConfig, StripedHyena, initialise
from genointerp.model.load_options import LoadOptions
from genointerp.model.presets import PRESETS
from genointerp.model.registry import MODELS, load_model
from tests.tiny_transformers import save_tiny


@pytest.fixture
def folder(tmp_path):
    config = HyenaConfig(
        vocab_size=8,
        d_model=16,
        d_mlp=16,
        mixers=("SE",),
        n_heads=2,
        n_filter_groups=4,
        medium_taps=8,
        short_taps=3,
        n_poles=2,
    )
    network = StripedHyena(config)
    save_model(network, tmp_path / "model", name="tiny", context=64, default_site="blocks.0")
    return tmp_path / "model"


def test_a_saved_model_is_found_again(folder):
    assert load_model(str(folder)).spec.name == "tiny"


def test_a_name_that_is_neither_model_nor_folder_is_refused(tmp_path):
    with pytest.raises(UnknownNameError, match=r"genointerp models` lists, a folder"):
        load_model(str(tmp_path / "none"))


@pytest.mark.parametrize("site", ["blocks.0.foo", "blocks.0.mlp.mixer", "blocks.0.", "blocks"])
def test_a_name_that_is_no_site_is_told_what_one_looks_like(folder, site):
    expected = "expected one like 'blocks.4', 'blocks.4.mixer' or 'blocks.4.mlp'"
    with pytest.raises(InputError, match=rf"site: {expected}, found '{site}'$"):
        load_model(str(folder), up_to=site)


@pytest.mark.parametrize("site", ["blocks.0", "blocks.0.mixer", "blocks.0.mlp"])
def test_a_model_may_end_at_each_kind_of_site(folder, site):
    assert load_model(str(folder), up_to=site).spec.sites == ("blocks.0",)


@pytest.mark.parametrize("option", ["checkpoint", "revision"])
def test_other_weights_for_a_folder_are_refused_not_ignored(folder, option):
    with pytest.raises(InputError, match=rf"{option}: expected none .* found 'other'$"):
        load_model(str(folder), **{option: "other"})


@pytest.mark.parametrize("device", ["nonsense", "cuda:99", "meta"])
def test_a_device_that_is_not_there_is_told_in_one_line(folder, device):
    with pytest.raises(InputError, match=rf"device: expected .* found '{device}'$"):
        load_model(str(folder), device=device)


def test_half_of_the_weights_is_an_error_of_the_file(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(SchemaError, match=r"model\.safetensors: expected safetensors"):
        load_model(str(folder))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"context": None}, "a key 'context' that holds int", id="key"),
        pytest.param({"network": {"d_modell": 16}}, "did you mean 'd_model'", id="network"),
    ],
)
def test_a_configuration_that_is_none_names_the_key(folder, change, message):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(SchemaError if "context" in change else InputError, match=message):
        load_model(str(folder))


def test_weights_of_another_shape_are_refused(folder):
    path = folder / "config.json"
    values = json.loads(path.read_text())
    values["network"]["d_mlp"] = 32
    path.write_text(json.dumps(values))
    with pytest.raises(SchemaError, match=r"expected the parameters .* of shape \(16, 16\)"):
        load_model(str(folder))


def test_a_name_means_one_model():
    assert not set(MODELS) & set(PRESETS)
    assert not any("/" in name for name in (*MODELS, *PRESETS))


@pytest.mark.parametrize("device", ["cpu,cuda:99", "cuda:98,cuda:99"])
def test_each_of_several_devices_must_be_there(folder, device):
    with pytest.raises(InputError, match=r"device: expected .*"):
        load_model(str(folder), device=device)


def test_a_json_file_that_is_no_object_is_refused(folder):
    (folder / "config.json").write_text("[]")
    with pytest.raises(SchemaError, match=r"config\.json: expected a JSON object, found list"):
        load_model(str(folder))


def test_several_devices_are_refused_for_a_folder(folder, monkeypatch):
    monkeypatch.setattr(LoadOptions, "devices", lambda _: (torch.device("cpu"),) * 2)
    with pytest.raises(InputError, match=r"device: expected one .* found 'cuda:0,cuda:1'"):
        load_model(str(folder), device="cuda:0,cuda:1")


def test_random_weights_are_those_before_training_under_an_identity_of_their_own(folder):
    model = load_model(str(folder))
    first, again, other = (load_model(str(folder), random_weights=n) for n in (3, 3, 4))
    assert (first.spec.name, other.spec.name) == ("tiny-random-3", "tiny-random-4")
    assert first.spec.sha256 == again.spec.sha256
    assert len({model.spec.sha256, first.spec.sha256, other.spec.sha256}) == 3
    assert first.spec.sites == model.spec.sites
    for one, same in zip(first.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(one, same)
    weight = first.network.embedding_layer.weight
    assert not torch.equal(weight, model.network.embedding_layer.weight)
    # as the initialisation has it: std 1/sqrt(d_model)
    assert float(weight.std()) == pytest.approx(16**-0.5, rel=0.2)


def test_the_sha256_of_random_weights_is_that_of_the_weights_and_of_all_blocks(folder):
    model = load_model(str(folder), random_weights=3)
    network = StripedHyena(model.network.config)
    initialise(network, torch.Generator().manual_seed(derive_seed(3, "random weights")))
    assert model.spec.sha256 == sha256_weights(network)
    with torch.no_grad():
        network.blocks[0].get_submodule("mlp").l1.weight[0, 0] += 1
    assert model.spec.sha256 != sha256_weights(network)
    part = load_model(str(folder), random_weights=3, up_to="blocks.0.mixer")
    assert part.spec.sha256 == model.spec.sha256


@pytest.mark.parametrize("name", ["evo2_7b", "owner/name"])
def test_random_weights_of_a_model_whose_initialisation_is_not_known_are_refused(name):
    with pytest.raises(InputError, match=f"random_weights: expected a model of .* found {name}$"):
        load_model(name, random_weights=0)


def test_a_seed_below_0_is_refused(folder):
    with pytest.raises(InputError, match="random_weights: expected a seed of 0 or more, found -1"):
        load_model(str(folder), random_weights=-1)


@pytest.mark.parametrize("family", ["llama", "esm"])
def test_random_weights_of_a_folder_of_transformers_are_those_before_training(family, tmp_path):
    pytest.importorskip("transformers")
    save_tiny(family, tmp_path / "it")
    model = load_model(str(tmp_path / "it"))
    first, again, other = (load_model(str(tmp_path / "it"), random_weights=n) for n in (3, 3, 4))
    assert (first.spec.name, other.spec.name) == ("it-random-3", "it-random-4")
    assert first.spec.sha256 == again.spec.sha256
    assert len({model.spec.sha256, first.spec.sha256, other.spec.sha256}) == 3
    assert first.spec.sites == model.spec.sites
    letters = np.frombuffer(b"ACGT" * 6, np.uint8)
    tokens = torch.from_numpy(model.tokenize(letters).ids)[None].long()
    site = model.spec.default_site
    kept = [one.run(tokens, capture=[site])[site] for one in (model, first, again)]
    assert not torch.equal(kept[0], kept[1])
    assert torch.equal(kept[1], kept[2])
