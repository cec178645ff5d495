import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from genointerp.command.build.convert import convert as convert_sae
from genointerp.core.errors import (
    InputError,
    MismatchError,
    SchemaError,
    StorageError,
    UnknownNameError,
)
from genointerp.core.files import replacing
from genointerp.sae.architecture.registry import ARCHITECTURES, make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.formats.registry import FORMATS, find_format
from genointerp.sae.io import save_sae

METADATA = {"model": "toy", "model_sha256": "ab" * 32, "site": "blocks.1"}
D_IN, N_FEATURES = 6, 32
HELD = {
    "dictionary_learning": {*ARCHITECTURES} - {"transcoder"},
    "interplm": {"relu", "topk", "batch_topk", "tied_batch_topk", "jumprelu"},
    "saelens": {*ARCHITECTURES},
    "sparsify": {"topk"},
}


def make(architecture):
    widths = {"transcoder": (D_IN, D_IN), "batch_topk_crosscoder": (4, 2)}.get(architecture, ())
    config = SaeConfig(architecture, n_features=N_FEATURES, k=3, widths=widths)
    sae = make_sae(config, sum(widths) or D_IN, seed=1)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in sae.named_parameters():
            if weight.ndim == 1:
                weight.add_(0.3 * torch.randn(weight.shape, generator=generator))
            if name == "threshold":
                weight.abs_()
        if sae.has_threshold:
            sae.threshold.fill_(0.4)
    return sae


def rows(n=50):
    return torch.randn(n, D_IN, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_what_a_format_holds_is_read_back_with_the_same_codes(tmp_path, name, architecture):
    sae = make(architecture)
    if architecture not in HELD[name]:
        with pytest.raises(MismatchError, match=f"architecture: expected .*, found {architecture}"):
            FORMATS[name].write(sae, tmp_path, METADATA)
        return
    FORMATS[name].write(sae, tmp_path, METADATA)
    found = FORMATS[name].read(tmp_path)
    torch.testing.assert_close(found.encode(rows()), sae.encode(rows()), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found(rows()), sae(rows()), rtol=1e-5, atol=1e-5)


def test_dictionaries_that_subtract_their_bias_get_it_into_the_encoder(tmp_path):
    encoder, decoder = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0], [2.0]])
    state = {
        "encoder.weight": encoder,
        "encoder.bias": torch.tensor([0.5]),
        "decoder.weight": decoder,
        "bias": torch.tensor([3.0, 4.0]),
    }
    torch.save(state, tmp_path / "ae.pt")
    (tmp_path / "config.json").write_text(json.dumps({"trainer": {"dict_class": "AutoEncoder"}}))
    sae = FORMATS["dictionary_learning"].read(tmp_path)
    x = torch.tensor([[5.0, 9.0]])
    # (5 - 3) x 1 + 0.5, in units of the norm of (1, 2); times (1, 2), plus (3, 4)
    torch.testing.assert_close(sae.encode(x), torch.tensor([[2.5 * 5**0.5]]))
    torch.testing.assert_close(sae(x), torch.tensor([[5.5, 9.0]]))


def test_saelens_topk_that_ranks_by_activation_times_norm_is_read_with_unit_rows(tmp_path):
    save_sae(make("topk"), tmp_path, METADATA)
    cfg = json.loads((tmp_path / "cfg.json").read_text()) | {"rescale_acts_by_decoder_norm": True}
    (tmp_path / "cfg.json").write_text(json.dumps(cfg))
    path = tmp_path / "sae_weights.safetensors"
    tensors = load_file(path)
    norms = torch.linspace(0.5, 2, N_FEATURES)
    save_file({**tensors, "W_dec": tensors["W_dec"] * norms[:, None]}, path)
    found = FORMATS["saelens"].read(tmp_path)
    z = (rows() @ tensors["W_enc"] + tensors["b_enc"]) * norms
    top = torch.relu(z).topk(3, dim=1)
    expected = torch.zeros_like(z).scatter(1, top.indices, top.values)
    torch.testing.assert_close(found.encode(rows()), expected)
    torch.testing.assert_close(found.W_dec.norm(dim=1), torch.ones(N_FEATURES))


def rewrite(folder, **changes):
    cfg = json.loads((folder / "cfg.json").read_text())
    (folder / "cfg.json").write_text(json.dumps(cfg | changes))


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("saelens", {"architecture": "temporal"}, r"'architecture' to be one of standard, .*"),
        (
            "saelens",
            {"normalize_activations": "layer_norm"},
            r"expected 'none', found 'layer_norm'",
        ),
        ("saelens", {"k": N_FEATURES + 1}, r"expected 1 to n_features = 32, found k = 33"),
        ("saelens", {"k": None}, r"k: expected a whole number, found None"),
        ("saelens", {"k": "3"}, r"k: expected a whole number, found '3'"),
        ("sparsify", {"k": N_FEATURES + 1}, r"expected 1 to n_features = 32, found k = 33"),
        ("sparsify", {"skip_connection": True}, r"skip_connection: expected False, found True"),
        ("sparsify", {"activation": "groupmax"}, r"activation: expected 'topk', found 'groupmax'"),
        ("sparsify", {"k": None}, r"k: expected a whole number, found None"),
    ],
)
def test_what_has_no_counterpart_is_refused(tmp_path, name, changes, message):
    FORMATS[name].write(make("topk"), tmp_path, METADATA)
    rewrite(tmp_path, **changes)
    with pytest.raises(SchemaError, match=message):
        FORMATS[name].read(tmp_path)


def test_a_matrix_of_another_width_is_refused(tmp_path):
    FORMATS["sparsify"].write(make("topk"), tmp_path, METADATA)
    path = tmp_path / "sae.safetensors"
    tensors = load_file(path)
    save_file({**tensors, "W_dec": torch.zeros(N_FEATURES, D_IN + 1)}, path)
    with pytest.raises(SchemaError, match=r"W_enc: expected shape \(7, 32\) .*, found \(6, 32\)"):
        FORMATS["sparsify"].read(tmp_path)


def test_a_state_without_a_weight_names_it(tmp_path):
    FORMATS["interplm"].write(make("relu"), tmp_path, METADATA)
    state = torch.load(tmp_path / "ae.pt", weights_only=True)
    del state["encoder.bias"]
    torch.save(state, tmp_path / "ae.pt")
    with pytest.raises(SchemaError, match=r"ae.pt: expected a tensor 'encoder.bias', found bias"):
        FORMATS["interplm"].read(tmp_path)


def test_interplm_dictionaries_of_inputs_of_one_norm_are_refused(tmp_path):
    FORMATS["interplm"].write(make("relu"), tmp_path, METADATA)
    state = torch.load(tmp_path / "ae.pt", weights_only=True)
    torch.save({**state, "normalize_to_sqrt_d": torch.ones(1)[0] > 0}, tmp_path / "ae.pt")
    with pytest.raises(SchemaError, match="normalize_to_sqrt_d: expected inputs as they are"):
        FORMATS["interplm"].read(tmp_path)


def test_an_interplm_folder_without_a_configuration_is_one_with_relu(tmp_path):
    FORMATS["interplm"].write(make("relu"), tmp_path, METADATA)
    (tmp_path / "config.yaml").unlink()
    (tmp_path / "ae.pt").rename(tmp_path / "ae_normalized.pt")
    assert FORMATS["interplm"].read(tmp_path).config.architecture == "relu"


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_folder_without_files_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="expected a file that can be read, found no file"):
        FORMATS[name].read(tmp_path)


def test_an_unknown_format_names_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"one of dictionary_learning, .*, found 'onnx'"):
        find_format("onnx")


def test_a_folder_of_ours_is_converted(tmp_path):
    sae = make("batch_topk")
    save_sae(sae, tmp_path / "sae", METADATA)
    convert_sae(tmp_path / "sae", tmp_path / "theirs", to="dictionary_learning")
    assert json.loads((tmp_path / "theirs/config.json").read_text())["trainer"]["k"] == 3
    found = FORMATS["dictionary_learning"].read(tmp_path / "theirs")
    torch.testing.assert_close(found(rows()), sae(rows()))


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_dictionary_is_not_converted_into_its_own_folder(tmp_path, name):
    save_sae(make("topk"), tmp_path / "sae", METADATA)
    before = {path.name: path.read_bytes() for path in (tmp_path / "sae").iterdir()}
    (tmp_path / "link").symlink_to(tmp_path / "sae")
    for out in ("sae", "link", "sae/../sae"):
        with pytest.raises(InputError, match="expected a folder other than the one that is read"):
            convert_sae(tmp_path / "sae", tmp_path / out, to=name)
    assert {path.name: path.read_bytes() for path in (tmp_path / "sae").iterdir()} == before


@pytest.mark.parametrize("held", sorted(FORMATS))
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_dictionary_replaces_the_same_one_alone_or_whatever_it_is_told_to(tmp_path, name, held):
    save_sae(make("topk"), tmp_path / "sae", METADATA)
    convert_sae(tmp_path / "sae", tmp_path / "out", to=held)
    assert {path.name for path in (tmp_path / "out").iterdir()} == FORMATS[held].files
    if name == held:
        convert_sae(tmp_path / "sae", tmp_path / "out", to=name)
        return
    with pytest.raises(StorageError, match=r"expected nothing, or the same result"):
        convert_sae(tmp_path / "sae", tmp_path / "out", to=name)
    FORMATS[held].read(tmp_path / "out")
    with replacing():
        convert_sae(tmp_path / "sae", tmp_path / "out", to=name)
    assert {path.name for path in (tmp_path / "out").iterdir()} == FORMATS[name].files


@pytest.mark.parametrize(
    ("name", "found"),
    [("decoder_bias", (D_IN + 1,)), ("r_mag", (N_FEATURES + 1,)), ("r_mag", None)],
)
def test_weights_of_a_wrong_shape_are_refused_before_a_bias_is_moved(tmp_path, name, found):
    FORMATS["dictionary_learning"].write(make("gated"), tmp_path, METADATA)
    state = torch.load(tmp_path / "ae.pt", weights_only=True)
    state |= {name: torch.tensor(1.0) if found is None else torch.zeros(found)}
    torch.save(state, tmp_path / "ae.pt")
    with pytest.raises(SchemaError, match=r"(b_dec|r_mag): expected shape "):
        FORMATS["dictionary_learning"].read(tmp_path)


def test_a_vector_where_a_matrix_must_be_is_refused(tmp_path):
    FORMATS["dictionary_learning"].write(make("topk"), tmp_path, METADATA)
    state = torch.load(tmp_path / "ae.pt", weights_only=True)
    for name, wrong in (("encoder.weight", torch.zeros(3)), ("k", torch.zeros(2))):
        torch.save(state | {name: wrong}, tmp_path / "ae.pt")
        with pytest.raises(SchemaError, match=rf"{name}: expected (a matrix|one number), found sh"):
            FORMATS["dictionary_learning"].read(tmp_path)


def test_a_saelens_state_without_a_bias_names_it(tmp_path):
    save_sae(make("topk"), tmp_path, METADATA)
    rewrite(tmp_path, apply_b_dec_to_input=True)
    path = tmp_path / "sae_weights.safetensors"
    tensors = load_file(path)
    del tensors["b_enc"]
    save_file(tensors, path)
    with pytest.raises(SchemaError, match="expected a tensor 'b_enc', found W_dec, W_enc, b_dec"):
        FORMATS["saelens"].read(tmp_path)


class PublishedInterplm(torch.nn.Module):
    """The layers of the published InterPLM dictionaries, by their names there."""

    def __init__(self):
        super().__init__()
        self.bias = torch.nn.Parameter(torch.randn(D_IN))
        self.encoder = torch.nn.Linear(D_IN, N_FEATURES)
        self.decoder = torch.nn.Linear(N_FEATURES, D_IN, bias=False)
        self.register_buffer("activation_rescale_factor", torch.full((N_FEATURES,), 7.0))

    def forward(self, x):
        return self.decoder(torch.relu(self.encoder(x - self.bias))) + self.bias


def test_a_dictionary_of_the_layers_that_interplm_published_is_read_and_written(tmp_path):
    torch.manual_seed(0)
    theirs = PublishedInterplm()
    torch.save(theirs.state_dict(), tmp_path / "ae_normalized.pt")
    ours = FORMATS["interplm"].read(tmp_path)
    torch.testing.assert_close(ours(rows()), theirs(rows()), rtol=1e-5, atol=1e-5)
    FORMATS["interplm"].write(make("relu"), tmp_path / "ours", METADATA)
    state = torch.load(tmp_path / "ours/ae.pt", weights_only=True)
    assert not state.pop("normalize_to_sqrt_d")
    theirs.load_state_dict(state)
    torch.testing.assert_close(theirs(rows()), make("relu")(rows()), rtol=1e-5, atol=1e-5)
