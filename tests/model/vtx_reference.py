"""The published inference code of Evo 2 (vtx, imported as ``vortex``), made to run on a CPU.

Its modules import flash-attn's CUDA extension and triton at once. Those imports are stubbed, and
the one kernel that is needed, the rotation of queries and keys, is vtx's own plain version.
"""

import importlib
import io
import sys
import warnings
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from types import ModuleType
from unittest.mock import patch

import pytest
import torch

from genointerp.model.hyena.network import HyenaConfig


def vtx_module(name):
    """Import ``vortex.model.NAME``, or skip the test where vtx is not installed."""
    pytest.importorskip("vortex", reason="needs vtx: pip install --no-deps vtx einops")
    if "vortex.ops" not in sys.modules:
        _stub()
    return importlib.import_module(f"vortex.model.{name}")


def write_checkpoint(path, config: HyenaConfig, *, seed=0):
    """Write random weights with the names, dtypes and additional entries of published files."""
    torch.save(published_weights(config, seed=seed), path)


def published_weights(config: HyenaConfig, *, seed=0):
    generator = torch.Generator().manual_seed(seed)
    d, head = config.d_model, config.d_model // config.n_heads

    def normal(*shape, std):
        return (torch.randn(shape, generator=generator) * std).bfloat16()

    weights = {"embedding_layer.weight": normal(config.vocab_size, d, std=1.0)}
    for i, mixer in enumerate(config.mixers):
        block = f"blocks.{i}"
        weights[f"{block}.pre_norm.scale"] = 1 + normal(d, std=0.1)
        weights[f"{block}.post_norm.scale"] = 1 + normal(d, std=0.1)
        for name, shape in (("l1", (config.d_mlp, d)), ("l2", (config.d_mlp, d))):
            weights[f"{block}.mlp.{name}.weight"] = normal(*shape, std=d**-0.5)
        weights[f"{block}.mlp.l3.weight"] = normal(d, config.d_mlp, std=config.d_mlp**-0.5)
        if mixer == "ATT":
            attention = f"{block}.inner_mha_cls"
            weights[f"{attention}.Wqkv.weight"] = normal(3 * d, d, std=d**-0.5)
            weights[f"{attention}.out_proj.weight"] = normal(d, d, std=d**-0.5)
            weights[f"{attention}.out_proj.bias"] = normal(d, std=0.1)
            even = torch.arange(0, head, 2) / head
            # some published files hold them rounded to bfloat16 in a float32 tensor
            frequency = (config.rotary_base**-even).bfloat16().float()
            weights[f"{attention}.rotary_emb.inv_freq"] = frequency
            continue
        weights[f"{block}.projections.weight"] = normal(3 * d, d, std=d**-0.5)
        weights[f"{block}.projections._extra_state"] = io.BytesIO(b"scales of FP8")
        weights[f"{block}.filter.short_filter_weight"] = normal(3 * d, 1, 3, std=0.5)
        weights[f"{block}.out_filter_dense.weight"] = normal(d, d, std=d**-0.5)
        weights[f"{block}.out_filter_dense.bias"] = normal(d, std=0.1)
        if mixer == "LI":
            # time scales from 1 to 1,000 tokens
            decay = torch.logspace(0, -3, config.n_poles).expand(d, -1)
            noise = torch.rand(d, config.n_poles, generator=generator)
            weights[f"{block}.filter.log_poles"] = -(decay * (0.5 + noise))[..., None]
            weights[f"{block}.filter.residues"] = normal(d, config.n_poles, std=0.1).float()
            weights[f"{block}.mixer.mixer.filter.t"] = torch.arange(8.0)[None, None]
        else:
            taps = config.short_taps if mixer == "SE" else config.medium_taps
            weights[f"{block}.filter.h"] = normal(config.n_filter_groups, 1, taps, std=taps**-0.5)
        if mixer != "SE":
            weights[f"{block}.filter.D"] = normal(d, std=1.0)
    weights["norm.scale"] = 1 + normal(d, std=0.1)
    weights["unembed.weight"] = weights["embedding_layer.weight"].clone()
    return weights


@contextmanager
def on_cpu():
    """Let vtx's code believe that it has a CUDA device to switch to."""
    with (
        patch.object(torch.cuda, "device", lambda _: nullcontext()),
        patch.object(torch.cuda, "is_available", lambda: False),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message=".*CUDA is not available")
        yield


def load_reference(path, config: HyenaConfig, *, dtype=torch.float32):
    """Return vtx's network with the weights of a file, loaded by vtx's own code."""
    model, utils = vtx_module("model"), vtx_module("utils")
    with on_cpu():
        network = model.StripedHyena(utils.dotdict(vtx_config(config)))
        utils.load_checkpoint(network, str(path))
    network.eval()
    return network.float() if dtype == torch.float32 else network


def vtx_config(config: HyenaConfig):
    """Return what vtx calls a shape, with the settings that all published Evo 2 share."""
    kinds = {"ATT": "attn_layer_idxs", "SE": "hcs_layer_idxs"}
    kinds |= {"MR": "hcm_layer_idxs", "LI": "hcl_layer_idxs"}
    blocks = {
        key: [i for i, mixer in enumerate(config.mixers) if mixer == kind]
        for kind, key in kinds.items()
    }
    shape = asdict(config)
    return blocks | {
        "model_name": "tiny",
        "vocab_size": shape["vocab_size"],
        "hidden_size": shape["d_model"],
        "num_filters": shape["d_model"],
        "inner_mlp_size": shape["d_mlp"],
        "num_layers": len(config.mixers),
        "num_attention_heads": shape["n_heads"],
        "hcl_filter_groups": shape["d_model"],
        "hcm_filter_groups": shape["n_filter_groups"],
        "hcs_filter_groups": shape["n_filter_groups"],
        "hcm_filter_length": shape["medium_taps"],
        "hcs_filter_length": shape["short_taps"],
        "short_filter_length": 3,
        "short_filter_bias": False,
        "state_size": shape["n_poles"],
        "eps": shape["eps"],
        "rotary_emb_base": shape["rotary_base"],
        "rotary_emb_scaling_factor": shape["rotary_scale"],
        "use_interpolated_rotary_pos_emb": shape["rotary_scale"] != 1.0,
        "proj_groups": 1,
        "column_split_hyena": False,
        "column_split": True,
        "interleave": True,
        "evo2_style_activations": True,
        "model_parallel_size": 1,
        "tie_embeddings": True,
        "mha_out_proj_bias": True,
        "hyena_out_proj_bias": True,
        "hyena_flip_x1x2": False,
        "qkv_proj_bias": False,
        "use_fp8_input_projections": False,
        "use_flash_attn": False,
        "use_flash_rmsnorm": False,
        "use_flash_depthwise": False,
        "use_flashfft": False,
        "final_norm": True,
        "inference_mode": True,
        "prefill_style": "fft",
        "mlp_activation": "gelu",
    }


def _stub():
    ops, embedding = ModuleType("vortex.ops"), ModuleType("vortex.ops.embedding")
    rotary, log = ModuleType("vortex.ops.embedding.rotary"), ModuleType("vortex.logging")
    rotary.apply_rotary = _apply_rotary
    # the real one opens a log file in the working directory
    log.activations_logger, log.enable_activations_logging = None, None
    for module in (ops, embedding, rotary, log):
        sys.modules[module.__name__] = module


def _apply_rotary(x, cos, sin, *, seqlen_offsets, interleaved, inplace, **_):
    plain = sys.modules["vortex.model.rotary"].apply_rotary_emb_torch
    last = seqlen_offsets + x.shape[1]
    angles = (table[seqlen_offsets:last].float() for table in (cos, sin))
    turned = plain(x.float(), *angles, interleaved).to(x.dtype)
    return x.copy_(turned) if inplace else turned
