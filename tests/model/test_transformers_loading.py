"""Where models of transformers come from, what they are refused for, and what is recorded."""

import hashlib
import importlib.util
import json
import logging
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from genointerp.core.errors import InputError, SchemaError, UnknownNameError
from genointerp.model.presets import PRESETS
from genointerp.model.protocol import EMBEDDING
from genointerp.model.registry import load_model
from tests.tiny_tokenizers import as_bases, random_text
from tests.tiny_transformers import save_tiny, save_tokenizer

transformers = pytest.importorskip(
    "transformers", reason='needs pip install "genointerp[transformers]"'
)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return save_tiny("mixtral", tmp_path_factory.mktemp("saved") / "tiny")


@pytest.fixture
def folder(saved, tmp_path):
    """A copy that a test may spoil."""
    copy = tmp_path / "tiny"
    copy.mkdir()
    for path in saved.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    return copy


def change(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def tokens_of(model):
    return torch.from_numpy(model.tokenize(as_bases(random_text(40))).ids)[None]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def test_a_folder_is_known_by_its_name_and_the_sha256_of_its_weights(saved):
    spec = load_model(str(saved)).spec
    assert (spec.name, spec.revision, spec.licence) == ("tiny", "", "")
    assert spec.sha256 == sha256((saved / "model.safetensors").read_bytes())


def test_weights_in_several_files_are_hashed_in_the_order_of_their_names(saved, tmp_path):
    folder = save_tiny("mixtral", tmp_path, max_shard_size="30KB")
    files = sorted(folder.glob("model-*.safetensors"))
    assert len(files) > 1
    lines = "".join(f"{sha256(path.read_bytes())}  {path.name}\n" for path in files)
    model, whole = load_model(str(folder)), load_model(str(saved))
    assert model.spec.sha256 == sha256(lines.encode())
    tokens = tokens_of(model)
    assert torch.equal(model.log_probs(tokens), whole.log_probs(tokens))


def test_older_weights_of_torch_are_read(folder):
    whole = load_model(str(folder))
    weights = load_file(folder / "model.safetensors")
    torch.save(weights, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    model = load_model(str(folder))
    assert model.spec.sha256 == sha256((folder / "pytorch_model.bin").read_bytes())
    tokens = tokens_of(model)
    assert torch.equal(model.log_probs(tokens), whole.log_probs(tokens))


def test_a_preset_may_be_read_from_a_local_folder(tmp_path):
    folder = save_tiny("mistral", tmp_path)
    change(folder, sliding_window=None, auto_map={"AutoModelForCausalLM": "modeling.Unneeded"})
    spec = load_model("genomeocean-500m", checkpoint=folder).spec
    preset = PRESETS["genomeocean-500m"]
    assert (spec.name, spec.licence, spec.context) == (preset.name, preset.licence, preset.context)
    by_hub_id = load_model(preset.hub_id, checkpoint=folder).spec
    assert by_hub_id == spec


def test_a_masked_network_is_no_checkpoint_of_a_causal_preset(tmp_path):
    folder = save_tiny("esm", tmp_path)
    expected = r"config\.json: expected a network that reads 'left', as marindna does, found 'esm'$"
    with pytest.raises(SchemaError, match=expected):
        load_model("marindna", checkpoint=folder)


def test_a_causal_network_is_no_checkpoint_of_a_masked_preset(saved):
    with pytest.raises(SchemaError, match="reads 'both', as modernbert-dna-37m does, found 'mixtr"):
        load_model("modernbert-dna-37m", checkpoint=saved)


@pytest.mark.parametrize(
    ("name", "family", "message"),
    [
        ("genos-1.2b", "mixtral", "expected 12 blocks, as genos-1.2b has, found 4$"),
        ("modernbert-dna-37m", "modernbert", "expected a width of 256, .*-37m has, found 32$"),
    ],
)
def test_a_checkpoint_of_another_size_is_refused(tmp_path, name, family, message):
    folder = save_tiny(family, tmp_path)
    with pytest.raises(SchemaError, match=rf"config\.json: {message}"):
        load_model(name, checkpoint=folder)


def test_a_checkpoint_of_the_size_of_its_preset_is_read(saved, monkeypatch):
    preset = replace(PRESETS["genos-1.2b"], n_blocks=4, d_site=32)
    monkeypatch.setitem(PRESETS, preset.name, preset)
    spec = load_model(preset.name, checkpoint=saved, up_to="blocks.1").spec
    assert (spec.name, spec.sites, spec.d_site) == (preset.name, ("blocks.0", "blocks.1"), 32)


def test_a_checkpoint_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"checkpoint: expected a folder .*none$"):
        load_model("genos-1.2b", checkpoint=tmp_path / "none")


def test_a_local_folder_has_no_revision(saved):
    with pytest.raises(InputError, match="revision: expected a repository of the hub"):
        load_model(str(saved), revision="v2")


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """A hub cache of our own, without the hub."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def test_weights_that_are_not_here_cannot_be_had_offline(offline):
    expected = r"owner/name: expected weights that can be downloaded, or `hf download owner/name"
    with pytest.raises(InputError, match=expected) as caught:
        load_model("owner/name")
    assert "\n" not in str(caught.value)


def test_what_was_downloaded_before_is_found_and_its_commit_recorded(offline, saved):
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = offline / "models--owner--name"
    snapshot = repository / "snapshots" / commit
    snapshot.mkdir(parents=True)
    entries = {}
    for path in saved.iterdir():
        (snapshot / path.name).write_bytes(path.read_bytes())
        entries[path.name] = path.stat().st_size
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    spec = load_model("owner/name").spec
    assert (spec.name, spec.revision) == ("owner/name", commit)


def test_a_name_without_a_slash_is_no_repository():
    with pytest.raises(UnknownNameError, match="or a hub repository like owner/name"):
        load_model("genos")


def test_without_transformers_the_extra_is_named(saved, monkeypatch):
    found = importlib.util.find_spec

    def find_spec(name, package=None):
        return None if name == "transformers" else found(name, package)

    monkeypatch.setattr("genointerp.model.transformers.loading.find_spec", find_spec)
    with pytest.raises(InputError, match=r'pip install "genointerp\[transformers\]"'):
        load_model(str(saved))


def test_a_kind_of_model_that_is_not_known_is_refused(folder):
    change(folder, model_type="bert")
    expected = r"config\.json: expected one of the kinds of model llama, .*, found 'bert'"
    with pytest.raises(InputError, match=expected):
        load_model(str(folder))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"model_type": 3}, "'model_type' that holds a str, found 3", id="kind"),
        pytest.param({"hidden_size": "wide"}, "a configuration of transformers", id="type"),
        pytest.param({"hidden_size": 64}, "of shape .* not", id="shape"),
        pytest.param({"num_hidden_layers": 5}, r"no model\.layers\.4", id="depth"),
        pytest.param({"vocab_size": 7}, "at most 7 tokens", id="vocabulary"),
    ],
)
def test_a_configuration_that_does_not_fit_says_why(folder, values, message):
    change(folder, **values)
    with pytest.raises(SchemaError, match=message):
        load_model(str(folder))


def test_a_folder_without_weights_is_refused(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(SchemaError, match=r"expected weights \(model\*\.safetensors or"):
        load_model(str(folder))


def test_half_of_the_weights_is_an_error_of_the_folder(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(SchemaError, match="expected weights of MixtralConfig"):
        load_model(str(folder))


def test_a_weight_that_is_missing_is_never_drawn_at_random(folder):
    path = folder / "model.safetensors"
    weights = load_file(path)
    del weights["model.norm.weight"]
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(SchemaError, match=r"a MixtralForCausalLM .*, found no model\.norm\.weight"):
        load_model(str(folder))


def test_weights_without_a_use_are_told(folder, caplog):
    path = folder / "model.safetensors"
    weights = load_file(path)
    save_file(weights | {"spare.weight": torch.ones(3)}, path, metadata={"format": "pt"})
    with caplog.at_level(logging.WARNING, logger="genointerp"):
        load_model(str(folder))
    assert caplog.messages == ["tiny: weights that the network does not use: spare.weight"]


def test_blocks_that_are_left_out_on_purpose_are_not_told(saved, caplog):
    with caplog.at_level(logging.WARNING):
        load_model(str(saved), up_to="blocks.0")
    assert caplog.messages == []


@pytest.mark.parametrize("site", ["blocks.4", "norm", "blocks.x"])
def test_a_site_that_no_block_has_cannot_be_the_last(saved, site):
    with pytest.raises(InputError, match=f"site: expected .*'{site}'"):
        load_model(str(saved), up_to=site)


def test_a_flash_kernel_that_is_required_is_not_here(saved):
    with pytest.raises(InputError, match=r"attention backend: .*the device is cpu"):
        load_model(str(saved), require_flash=True)
    with pytest.raises(InputError, match="flash-attn is not installed"):
        load_model(str(saved), attention="flash_attention_2")


def test_a_dtype_is_one_of_three(saved):
    with pytest.raises(InputError, match="expected one of float32, bfloat16, float16"):
        load_model(str(saved), dtype="int8")


CODE = """
from transformers import LlamaConfig, LlamaForCausalLM


class OwnConfig(LlamaConfig):
    model_type = "own"


class OwnModel(LlamaForCausalLM):
    config_class = OwnConfig
"""
# blocks that hand on two parts, to be added by the next one, as Mamba's do
SPLIT = (
    CODE
    + """
    def __init__(self, config):
        super().__init__(config)
        first, second, *_ = self.model.layers
        first.register_forward_hook(lambda module, args, out: (args[0], out - args[0]))
        second.register_forward_pre_hook(lambda module, args: (sum(args[0]),))
"""
)
# a table that is computed in the first pass and kept, as rotary tables often are
KEEPING = (
    CODE
    + """
    table = None

    def __init__(self, config):
        super().__init__(config)
        self.model.embed_tokens.register_forward_hook(self.scale)

    def scale(self, module, args, out):
        if self.table is None:
            self.table = self.lm_head.weight[0].exp()
        return out * self.table
"""
)


@pytest.fixture
def with_code(tmp_path, monkeypatch):
    """A repository whose network is Python code of its own; the code is cached beside it."""
    monkeypatch.setattr(transformers.dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "m"))
    folder = tmp_path / "own"
    folder.mkdir()
    config = transformers.LlamaConfig(
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=16,
        vocab_size=8,
        bos_token_id=1,
        eos_token_id=None,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    save_tokenizer("letters", folder)
    (folder / "modeling_own.py").write_text(CODE)
    auto_map = {"AutoConfig": "OwnConfig", "AutoModelForCausalLM": "OwnModel"}
    auto_map = {key: f"modeling_own.{name}" for key, name in auto_map.items()}
    change(folder, model_type="own", auto_map=auto_map)
    return folder


def test_code_of_a_repository_is_not_run_unasked(with_code):
    (with_code / "modeling_own.py").write_text("raise AssertionError('run')")
    with pytest.raises(InputError, match=r"expected trust_remote_code, .* no such permission"):
        load_model(str(with_code))
    with pytest.raises(InputError, match=r"model caduceus-ph-131k: expected trust_remote_code"):
        load_model("caduceus-ph-131k")


def test_code_that_is_trusted_gives_its_residual_stream(with_code):
    model = load_model(str(with_code), trust_remote_code=True)
    assert model.spec.sites == ("blocks.0", "blocks.1", "blocks.2")
    assert (model.spec.attention_backend, model.spec.chunked) == ("remote code", False)
    tokens = tokens_of(model)
    own = transformers.LlamaForCausalLM.from_pretrained(
        with_code, config=transformers.LlamaConfig.from_pretrained(with_code)
    )
    with torch.no_grad():
        expected = own(tokens, output_hidden_states=True)
    found = model.run(tokens, capture=["blocks.1"])["blocks.1"]
    torch.testing.assert_close(found, expected.hidden_states[2])
    log_p = expected.logits[:, :-1, 3:7].log_softmax(-1)
    chosen = log_p.gather(2, tokens[:, 1:, None] - 3)[..., 0]
    torch.testing.assert_close(model.log_probs(tokens), chosen)
    with pytest.raises(InputError, match="whose cache is known to be exact"):
        model.prefill(tokens, chunk=4, capture=["blocks.1"])


def test_code_that_keeps_what_it_computed_has_gradients_later(with_code):
    (with_code / "modeling_own.py").write_text(KEEPING)
    model = load_model(str(with_code), trust_remote_code=True)
    plain = model.run(tokens_of(model), capture=["blocks.1"])["blocks.1"]
    traced = model.trace(tokens_of(model), capture=[EMBEDDING, "blocks.1"])
    assert torch.equal(traced.activations["blocks.1"], plain)
    (found,) = torch.autograd.grad(traced.logits.sum(), traced.activations[EMBEDDING])
    assert found.any()


@pytest.mark.parametrize("option", [{"require_flash": True}, {"attention": "sdpa"}])
def test_the_kernel_of_foreign_code_cannot_be_chosen(with_code, option):
    with pytest.raises(InputError, match="expected no choice, since the network is Python code"):
        load_model(str(with_code), trust_remote_code=True, **option)


def test_foreign_code_of_another_depth_than_its_preset_is_refused(with_code):
    expected = r"config\.json: expected 32 blocks, as evo-1-8k-base has, found 3$"
    with pytest.raises(SchemaError, match=expected):
        load_model("evo-1-8k-base", checkpoint=with_code, trust_remote_code=True)


def test_foreign_blocks_that_do_not_return_the_stream_are_refused(with_code):
    (with_code / "modeling_own.py").write_text(SPLIT)
    with pytest.raises(InputError, match=r"block 0: expected a block that returns the residual"):
        load_model(str(with_code), trust_remote_code=True)


@pytest.mark.parametrize(
    ("family", "tied", "expected"),
    [
        ("llama", False, {"model.embed_tokens": 0, "model.norm": 1, "lm_head": 1}),
        ("llama", True, {"model.embed_tokens": 0, "model.norm": 1, "lm_head": 0}),
        ("esm", True, {"esm.embeddings": 0, "esm.encoder.emb_layer_norm_after": 1, "lm_head": 0}),
        ("modernbert", False, {"model.embeddings.tok_embeddings": 0, "model.final_norm": 1}),
    ],
)
def test_parts_of_a_network_are_placed_on_devices_in_order(tmp_path, family, tied, expected):
    from genointerp.model.load_options import LoadOptions
    from genointerp.model.transformers.network import place
    from genointerp.model.transformers.source import find_source
    from tests.tiny_transformers import CAUSAL

    folder = save_tiny(family, tmp_path)
    change(folder, tie_word_embeddings=tied)
    source = find_source(str(folder), LoadOptions())
    kind = "AutoModelForCausalLM" if family in CAUSAL else "AutoModelForMaskedLM"
    config = transformers.AutoConfig.from_pretrained(folder)
    with torch.device("meta"):
        network = getattr(transformers, kind).from_config(config)
    devices = [torch.device("cuda:0"), torch.device("cuda:1")]
    parts = place(network, source, devices)
    assert {name: devices.index(parts[name]) for name in expected} == expected
    blocks = [parts[name].index for name in parts if name.endswith(("0", "1", "2", "3"))]
    assert blocks == [0, 0, 1, 1]
    tensors = [name for name, _ in (*network.named_parameters(), *network.named_buffers())]
    for tensor in tensors:
        assert sum(tensor.startswith(f"{part}.") for part in parts) == 1


def test_a_network_of_foreign_code_cannot_be_spread(with_code, monkeypatch):
    from genointerp.model.load_options import LoadOptions

    two = (torch.device("cpu"), torch.device("cpu"))
    monkeypatch.setattr(LoadOptions, "devices", lambda self: two)
    with pytest.raises(InputError, match="expected one device for a network whose code"):
        load_model(str(with_code), trust_remote_code=True)


def test_without_accelerate_a_network_cannot_be_spread(saved, monkeypatch):
    from genointerp.model.load_options import LoadOptions

    two = (torch.device("cpu"), torch.device("cpu"))
    monkeypatch.setattr(LoadOptions, "devices", lambda self: two)
    monkeypatch.setattr("genointerp.model.transformers.network.find_spec", lambda name: None)
    with pytest.raises(InputError, match="expected the package accelerate"):
        load_model(str(saved))


@pytest.mark.parametrize("family", ["mistral", "esm", "modernbert"])
def test_a_network_in_placed_parts_is_the_network(tmp_path, monkeypatch, family):
    from genointerp.model.load_options import LoadOptions

    pytest.importorskip("accelerate", reason='needs pip install "genointerp[transformers]"')
    folder = save_tiny(family, tmp_path)
    whole = load_model(str(folder))
    two = (torch.device("cpu"), torch.device("cpu"))
    monkeypatch.setattr(LoadOptions, "devices", lambda self: two)
    spread = load_model(str(folder))
    assert spread.spec == whole.spec
    tokens = tokens_of(whole)
    expected, found = (m.run(tokens, capture=["blocks.3"])["blocks.3"] for m in (whole, spread))
    assert torch.equal(found, expected)
