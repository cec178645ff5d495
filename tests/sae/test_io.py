import dataclasses
import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from genointerp.core.config import read_config
from genointerp.core.errors import InputError, SchemaError, StorageError
from genointerp.core.files import replacing
from genointerp.core.provenance import sha256_file
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.io import save_sae, save_training
from genointerp.sae.train import train_sae
from tests.sae.sources import array_source, sparse_rows

METADATA = {"model": "toy", "model_sha256": "ab" * 32, "site": "blocks.1"}


@pytest.fixture
def saved(tmp_path):
    sae = make_sae(SaeConfig("batch_topk", n_features=6, k=2), 4)
    sae.threshold.fill_(0.25)
    save_sae(sae, tmp_path / "sae", METADATA)
    return tmp_path / "sae"


def rewrite(saved, change):
    """Change the weights and state their new sha256, so that only the change can be refused."""
    path = saved / "sae_weights.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    cfg = json.loads((saved / "cfg.json").read_text())
    cfg["metadata"]["weights_sha256"] = sha256_file(path)
    (saved / "cfg.json").write_text(json.dumps(cfg))


def test_batch_topk_is_written_as_the_jumprelu_that_it_is_at_inference(saved):
    cfg = json.loads((saved / "cfg.json").read_text())
    assert cfg["architecture"] == "jumprelu"
    assert (cfg["d_in"], cfg["d_sae"], cfg["dtype"]) == (4, 6, "float32")
    assert cfg["apply_b_dec_to_input"] is False
    assert cfg["normalize_activations"] == "none"
    assert cfg["metadata"]["hook_name"] == "blocks.1"
    tensors = load_file(saved / "sae_weights.safetensors")
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    assert shapes == {
        "W_enc": (4, 6), "b_enc": (6,), "W_dec": (6, 4), "b_dec": (4,), "threshold": (6,),
    }  # fmt: skip
    # JumpReLU by its definition, from the file alone
    x = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    z = x @ tensors["W_enc"] + tensors["b_enc"]
    expected = torch.relu(z) * (z > tensors["threshold"])
    torch.testing.assert_close(Dictionary.load(saved).sae.encode(x).detach(), expected)


def test_topk_is_written_with_its_k_and_without_a_threshold(tmp_path):
    save_sae(make_sae(SaeConfig("topk", n_features=6, k=2), 4), tmp_path, METADATA)
    cfg = json.loads((tmp_path / "cfg.json").read_text())
    assert (cfg["architecture"], cfg["k"]) == ("topk", 2)
    assert "threshold" not in load_file(tmp_path / "sae_weights.safetensors")


def test_saving_replaces_the_same_dictionary_alone(saved):
    sae = Dictionary.load(saved).sae
    save_sae(sae, saved, METADATA)
    (saved / "notes.txt").write_text("mine")
    with pytest.raises(StorageError, match=r"expected nothing, or the same result"):
        save_sae(sae, saved, METADATA)
    assert (saved / "notes.txt").read_text() == "mine"
    with replacing():
        save_sae(sae, saved, METADATA)
    names = sorted(path.name for path in saved.iterdir())
    assert names == ["cfg.json", "sae_weights.safetensors"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("b_enc"), r"b_enc: expected a tensor of that name, found none"),
        (
            lambda t: t.update(W_dec=t["W_dec"].t().contiguous()),
            r"expected shapes \(4, 6\) and \(6, ...\), found \(4, 6\) and \(4, 6\)",
        ),
        (lambda t: t.update(b_dec=t["b_dec"].double()), r"b_dec: expected .* of torch.float64"),
        (lambda t: t["W_enc"].fill_(float("nan")), r"W_enc: expected finite values, found NaN"),
        (lambda t: t["threshold"][0].fill_(9), r"threshold: expected one value for all features"),
    ],
)
def test_weights_that_do_not_fit_are_refused(saved, change, message):
    rewrite(saved, change)
    with pytest.raises(SchemaError, match=message):
        Dictionary.load(saved)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"cfg.json: expected JSON"),
        ("{}", r"cfg.json: expected a key 'metadata', found none"),
        ('{"metadata": {"model": "toy"}}', r"expected a key 'metadata.model_sha256', found none"),
    ],
)
def test_a_malformed_configuration_is_refused(saved, text, message):
    (saved / "cfg.json").write_text(text)
    with pytest.raises(SchemaError, match=message):
        Dictionary.load(saved)


def test_a_missing_configuration_is_refused(tmp_path):
    with pytest.raises(SchemaError, match="expected the configuration of a dictionary"):
        Dictionary.load(tmp_path)


def test_weights_of_another_save_are_refused(saved):
    path = saved / "sae_weights.safetensors"
    tensors = load_file(path)
    tensors["b_dec"] += 1
    save_file(tensors, path)
    with pytest.raises(SchemaError, match="expected weights of sha256"):
        Dictionary.load(saved)


def test_truncated_weights_are_refused(saved):
    path = saved / "sae_weights.safetensors"
    path.write_bytes(path.read_bytes()[:40])
    rewritten = json.loads((saved / "cfg.json").read_text())
    rewritten["metadata"]["weights_sha256"] = sha256_file(path)
    (saved / "cfg.json").write_text(json.dumps(rewritten))
    with pytest.raises(SchemaError, match="expected safetensors"):
        Dictionary.load(saved)


def test_k_beyond_the_dictionary_is_refused_on_loading(saved):
    cfg = json.loads((saved / "cfg.json").read_text())
    cfg["metadata"]["sae"]["k"] = 7
    (saved / "cfg.json").write_text(json.dumps(cfg))
    with pytest.raises(SchemaError, match=r"expected a valid 'metadata.sae'.*k: expected 1 to"):
        Dictionary.load(saved)


def test_a_dictionary_must_say_what_it_was_trained_on(tmp_path):
    sae = make_sae(SaeConfig("topk", n_features=6, k=2), 4)
    with pytest.raises(InputError, match="metadata: expected an entry 'site'"):
        save_sae(sae, tmp_path, {"model": "toy", "model_sha256": "ab"})
    assert not list(tmp_path.iterdir())


def test_weights_that_are_not_finite_are_not_written(tmp_path):
    sae = make_sae(SaeConfig("topk", n_features=6, k=2), 4)
    with torch.no_grad():
        sae.b_enc[0] = float("inf")
    with pytest.raises(InputError, match="b_enc: expected finite weights"):
        save_sae(sae, tmp_path, METADATA)


def test_training_is_written_with_its_record_and_twice_the_same(tmp_path):
    config = TrainConfig(
        sae=SaeConfig(n_features=16, k=2), n_tokens=1280, batch_tokens=128, log_every=5
    )
    for name in ("one", "two"):
        result = train_sae(array_source(sparse_rows(1000)), config, metadata=METADATA)
        save_training(result, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == [
        "cfg.json", "density.json", "log.json", "metrics.jsonl", "sae_weights.safetensors",
        "scale.json", "train_config.yaml",
    ]  # fmt: skip
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    written = read_config(TrainConfig, tmp_path / "one" / "train_config.yaml")
    # what the default came to is written down
    assert written == dataclasses.replace(config, learning_rate=0.03 / 16**0.5)
    log = json.loads((tmp_path / "one" / "log.json").read_text())
    assert {"fvu", "l0", "dead_share", "n_tokens", "threshold"} <= set(log)
    assert "seconds" not in log
