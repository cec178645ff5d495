"""What SAELens wrote before its version 6, against its own formulas of that time."""

import json

import pytest
import torch
from safetensors.torch import save_file

from genointerp.core.errors import SchemaError
from genointerp.sae.formats.registry import FORMATS

D_IN, N_FEATURES, K = 6, 24, 4


def weights(*names, seed=3):
    generator = torch.Generator().manual_seed(seed)
    shapes = {"W_enc": (D_IN, N_FEATURES), "W_dec": (N_FEATURES, D_IN), "b_dec": (D_IN,)}
    return {
        name: torch.randn(shapes.get(name, (N_FEATURES,)), generator=generator) * 0.5
        for name in names
    }


STANDARD = ("W_enc", "W_dec", "b_enc", "b_dec")
GATED = ("W_enc", "W_dec", "b_gate", "b_mag", "r_mag", "b_dec")
ROWS = torch.randn(40, D_IN, generator=torch.Generator().manual_seed(9))


def write(folder, cfg, tensors):
    own = {"d_in": D_IN, "d_sae": N_FEATURES, "dtype": "float32", "hook_name": "blocks.5"}
    cfg = {key: value for key, value in (own | cfg).items() if value != "absent"}
    (folder / "cfg.json").write_text(json.dumps(cfg))
    save_file(tensors, folder / "sae_weights.safetensors")


def as_then(cfg, w, x):
    """Encode and decode as ``SAE`` of SAELens 3 to 5 did."""
    x = x - w["b_dec"] * cfg.get("apply_b_dec_to_input", True)
    if cfg.get("architecture") == "gated":
        is_open = x @ w["W_enc"] + w["b_gate"] > 0
        codes = is_open * torch.relu(x @ (w["W_enc"] * w["r_mag"].exp()) + w["b_mag"])
    else:
        z = x @ w["W_enc"] + w["b_enc"]
        codes = torch.relu(z)
        if cfg.get("activation_fn_str") == "topk" or cfg.get("activation_fn") == "topk":
            top = z.topk(cfg["activation_fn_kwargs"]["k"], dim=-1)
            codes = torch.zeros_like(z).scatter(-1, top.indices, torch.relu(top.values))
        if cfg.get("architecture") == "jumprelu":
            codes = codes * (z > w["threshold"])
    factor = w.get("scaling_factor", w.get("finetuning_scaling_factor", 1.0))
    return codes, (codes * factor) @ w["W_dec"] + w["b_dec"]


TOPK = {"activation_fn_str": "topk", "activation_fn_kwargs": {"k": K}}
READ = {
    "no-architecture": ({"architecture": "absent"}, STANDARD),
    "relu": ({"architecture": "standard", "activation_fn_str": "relu"}, STANDARD),
    "standard-topk": ({"architecture": "standard", **TOPK}, STANDARD),
    "topk": ({"architecture": "topk", **TOPK, "apply_b_dec_to_input": False}, STANDARD),
    "other-key": (
        {"activation_fn": "topk", "activation_fn_kwargs": {"k": K}, "architecture": "standard"},
        STANDARD,
    ),
    "nothing-subtracted": ({"architecture": "standard", "apply_b_dec_to_input": False}, STANDARD),
    "gated": ({"architecture": "gated", "activation_fn_str": "relu"}, GATED),
    "jumprelu": ({"architecture": "jumprelu"}, (*STANDARD, "threshold")),
    "old-flag-of-norms": ({"architecture": "standard", "normalize_activations": False}, STANDARD),
    "scaled": (
        {"architecture": "standard", "finetuning_scaling_factor": True},
        (*STANDARD, "scaling_factor"),
    ),
    "scaled-other-name": (
        {"architecture": "standard", "finetuning_scaling_factor": True},
        (*STANDARD, "finetuning_scaling_factor"),
    ),
}


@pytest.mark.parametrize(("cfg", "names"), READ.values(), ids=READ)
def test_codes_and_reconstructions_are_those_of_the_time(tmp_path, cfg, names):
    tensors = weights(*names)
    write(tmp_path, cfg, tensors)
    codes, x_hat = as_then(cfg, tensors, ROWS)
    sae = FORMATS["saelens"].read(tmp_path)
    torch.testing.assert_close(sae.encode(ROWS), codes, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(sae(ROWS), x_hat, rtol=1e-5, atol=1e-5)
    if "topk" in str(cfg):
        assert int((sae.encode(ROWS) > 0).sum(dim=1).max()) <= K


def test_a_scaling_factor_of_ones_changes_nothing(tmp_path):
    tensors = weights(*STANDARD)
    write(tmp_path, {}, tensors | {"scaling_factor": torch.ones(N_FEATURES)})
    _, x_hat = as_then({}, tensors, ROWS)
    torch.testing.assert_close(FORMATS["saelens"].read(tmp_path)(ROWS), x_hat)


REFUSED = {
    "tanh": ({"activation_fn_str": "tanh-relu"}, STANDARD, r"activation_fn_str: .*'tanh-relu'"),
    "tanh-other-key": ({"activation_fn": "tanh-relu"}, STANDARD, r"activation_fn: .*'tanh-relu'"),
    "gated-topk": (
        {"architecture": "gated", **TOPK},
        GATED,
        r"activation_fn_str: expected an activation function of gated here, found 'topk'",
    ),
    "jumprelu-topk": (
        {"architecture": "jumprelu", **TOPK},
        (*STANDARD, "threshold"),
        r"activation_fn_str: .* of jumprelu here, found 'topk'",
    ),
    "topk-with-relu": (
        {"architecture": "topk", "activation_fn_str": "relu", "k": K},
        STANDARD,
        r"activation_fn_str: expected 'topk', as the architecture is, found 'relu'",
    ),
    "two-functions": (
        {"activation_fn_str": "relu", "activation_fn": "topk"},
        STANDARD,
        r"activation_fn: expected 'relu', found 'topk'",
    ),
    "function-of-another-type": ({"activation_fn_str": ["topk"]}, STANDARD, "activation_fn_str"),
    "topk-without-k": ({"activation_fn_str": "topk"}, STANDARD, r"k: expected a whole number"),
    "two-k": (
        {"architecture": "topk", **TOPK, "k": K + 1},
        STANDARD,
        r"activation_fn_kwargs: k: expected 5 as in k, found 4",
    ),
    "other-arguments": (
        {"activation_fn_str": "topk", "activation_fn_kwargs": {"k": K, "postact_fn": "tanh"}},
        STANDARD,
        r"activation_fn_kwargs: expected only k",
    ),
    "norm-of-training": ({"normalize_activations": True}, STANDARD, "expected_average_only_in"),
    "norm-of-each-row": (
        {"normalize_activations": "constant_norm_rescale"},
        STANDARD,
        "constant_norm_rescale",
    ),
    "heads": ({"hook_name": "blocks.5.attn.hook_z"}, STANDARD, r"reshape_.*found 'hook_z'"),
    "heads-old-key": ({"hook_point": "blocks.5.attn.hook_z"}, STANDARD, r"found 'hook_z'"),
    "heads-of-6": ({"reshape_activations": "hook_z"}, STANDARD, r"found 'hook_z'"),
    "scaled-unannounced": (
        {},
        (*STANDARD, "scaling_factor"),
        r"finetuning_scaling_factor: expected true, since scaling_factor",
    ),
    "two-scalings": (
        {"finetuning_scaling_factor": True},
        (*STANDARD, "scaling_factor", "finetuning_scaling_factor"),
        r"expected one scaling factor",
    ),
    "a-tensor-more": (
        {},
        (*STANDARD, "threshold"),
        r"only the tensors W_enc, W_dec, b_enc, b_dec, found thr",
    ),
    "a-tensor-less": ({"architecture": "jumprelu"}, STANDARD, r"expected a tensor 'threshold'"),
    "other-sizes": ({"d_sae": N_FEATURES + 1}, STANDARD, r"d_sae: expected 24 as in .* found 25"),
    "sizes-of-no-number": ({"d_in": "six"}, STANDARD, r"d_in: expected 6 as in .* found 'six'"),
    "flag-of-no-truth": ({"apply_b_dec_to_input": "no"}, STANDARD, "expected true or false"),
    "architecture-of-no-text": ({"architecture": {"a": 1}}, STANDARD, "'architecture' to be one"),
}


@pytest.mark.parametrize(("cfg", "names", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_exactly_is_refused_by_name(tmp_path, cfg, names, message):
    write(tmp_path, {"architecture": "standard"} | cfg, weights(*names))
    with pytest.raises(SchemaError, match=message):
        FORMATS["saelens"].read(tmp_path)
