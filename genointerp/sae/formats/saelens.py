"""SAELens: ``cfg.json`` and ``sae_weights.safetensors``, as written by its versions from 3 on.

Before version 6 the activation function was a key of its own, next to the architecture, and
defaults of missing keys were others; such files are read as SAELens 6 migrates them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from genointerp.core.errors import InputError, SchemaError
from genointerp.core.files import read_json_object
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.config import ArchitectureName
from genointerp.sae.formats.weights import build, check_names, matrix, take
from genointerp.tensor.files import read_tensors

_ARCHITECTURES: dict[str, ArchitectureName] = {
    "standard": "relu",
    "topk": "topk",
    "jumprelu": "jumprelu",
    "gated": "gated",
    "transcoder": "transcoder",
    "jumprelu_transcoder": "transcoder",
}
_WEIGHTS = {
    "standard": ("W_enc", "W_dec", "b_enc", "b_dec"),
    "topk": ("W_enc", "W_dec", "b_enc", "b_dec"),
    "jumprelu": ("W_enc", "W_dec", "b_enc", "b_dec", "threshold"),
    "gated": ("W_enc", "W_dec", "b_gate", "b_mag", "r_mag", "b_dec"),
    "transcoder": ("W_enc", "W_dec", "b_enc", "b_dec"),
    "jumprelu_transcoder": ("W_enc", "W_dec", "b_enc", "b_dec", "threshold"),
}
"""The tensors of each architecture; SAELens, too, refuses a file that has others."""
_SCALING = ("scaling_factor", "finetuning_scaling_factor")
"""Names, until version 6, of the factor that multiplies each activation before decoding."""


def read_saelens(folder: Path) -> SparseAutoencoder:
    """Read a dictionary that SAELens wrote.

    Raises
    ------
    SchemaError
        If its architecture, or a transformation of activations, has no counterpart here, or if the
        weights do not fit its configuration.
    """
    path = Path(folder) / "cfg.json"
    cfg = read_json_object(path, error=InputError)
    name = _architecture(cfg, path)
    _check_activations(cfg, path)
    k = _count(cfg, path) if name == "topk" else None
    subtracts = _flag(cfg, "apply_b_dec_to_input", path, otherwise=True)
    rescales = _flag(cfg, "rescale_acts_by_decoder_norm", path, otherwise=False)
    weights_path = Path(folder) / "sae_weights.safetensors"
    tensors, where = read_tensors(weights_path), str(weights_path)
    check_names(tensors, _WEIGHTS[name], where, optional=_SCALING)
    _check_sizes(cfg, tensors, path, where)
    scale = _scaling_factor(cfg, tensors, path, where)
    sae = build(
        _ARCHITECTURES[name],
        _adapted(name, tensors, where),
        where,
        k=k,
        # the b_dec of a transcoder has the width of its output, so it cannot be subtracted
        subtracts_b_dec=subtracts and "transcoder" not in name,
    )
    if name == "topk" and rescales:
        _rescale(sae)
    if scale is not None:
        _scale_directions(sae, scale, where)
    return sae


def _architecture(cfg: Mapping[str, Any], path: Path) -> str:
    """Return the architecture, which before version 6 also depends on the activation function."""
    name = cfg.get("architecture", "standard")
    if not isinstance(name, str) or name not in _ARCHITECTURES:
        expected = f"'architecture' to be one of {', '.join(_ARCHITECTURES)}"
        raise SchemaError(str(path), expected, repr(name))
    key, function = _activation_function(cfg, path)
    if key is None or function == "relu":
        if key is not None and name == "topk":
            raise SchemaError(f"{path}: {key}", "'topk', as the architecture is", "'relu'")
        return name
    if function == "topk" and name in ("standard", "topk"):
        return "topk"
    raise SchemaError(f"{path}: {key}", f"an activation function of {name} here", repr(function))


def _activation_function(cfg: Mapping[str, Any], path: Path) -> tuple[str | None, object]:
    """Return the key of the activation function, of two that were in use, and its value."""
    found = {
        key: cfg[key] for key in ("activation_fn_str", "activation_fn") if cfg.get(key) is not None
    }
    if not found:
        return None, None
    key, function = next(iter(found.items()))
    if any(other != function for other in found.values()):
        raise SchemaError(f"{path}: activation_fn", repr(function), repr(cfg["activation_fn"]))
    return key, function


def _check_activations(cfg: Mapping[str, Any], path: Path) -> None:
    """Refuse transformations of activations that cannot be expressed by weights."""
    # a boolean until version 3: whether training scaled activations to an average norm
    normalise = {False: "none", True: "expected_average_only_in"}
    found = cfg.get("normalize_activations")
    if isinstance(found, bool):
        found = normalise[found]
    if found not in (None, "none"):
        raise SchemaError(f"{path}: normalize_activations", "'none'", repr(found))
    reshape = cfg.get("reshape_activations")
    if reshape is None and any("hook_z" in name or name.endswith("_z") for name in _sites(cfg)):
        reshape = "hook_z"
    if reshape not in (None, "none"):
        raise SchemaError(f"{path}: reshape_activations", "'none'", repr(reshape))


def _sites(cfg: Mapping[str, Any]) -> list[str]:
    metadata = cfg.get("metadata")
    places = [cfg, metadata if isinstance(metadata, dict) else {}]
    names = [place.get(key) for place in places for key in ("hook_name", "hook_point")]
    return [name for name in names if isinstance(name, str)]


def _count(cfg: Mapping[str, Any], path: Path) -> int:
    """Return k, which before version 6 was an argument of the activation function."""
    kwargs = cfg.get("activation_fn_kwargs")
    if kwargs is None:
        kwargs = {}
    if not isinstance(kwargs, dict) or not set(kwargs) <= {"k"}:
        raise SchemaError(f"{path}: activation_fn_kwargs", "only k", repr(kwargs))
    k = cfg.get("k", kwargs.get("k"))
    if type(k) is not int:
        raise SchemaError(f"{path}: k", "a whole number", repr(k))
    if kwargs.get("k", k) != k:
        raise SchemaError(f"{path}: activation_fn_kwargs: k", f"{k} as in k", repr(kwargs["k"]))
    return k


def _flag(cfg: Mapping[str, Any], key: str, path: Path, *, otherwise: bool) -> bool:
    value = cfg.get(key, otherwise)
    if not isinstance(value, bool):
        raise SchemaError(f"{path}: {key}", "true or false", repr(value))
    return value


def _check_sizes(
    cfg: Mapping[str, Any], tensors: Mapping[str, Tensor], path: Path, where: str
) -> None:
    found = tuple(matrix(tensors, "W_enc", where).shape)
    for key, size in zip(("d_in", "d_sae"), found, strict=True):
        if cfg.get(key, size) != size or isinstance(cfg.get(key), bool):
            raise SchemaError(f"{path}: {key}", f"{size} as in {where}", repr(cfg[key]))


def _scaling_factor(
    cfg: Mapping[str, Any], tensors: Mapping[str, Tensor], path: Path, where: str
) -> Float[Tensor, " n_features"] | None:
    """Return the factor of each feature; None if there is none, or if it is 1 throughout."""
    names = [name for name in _SCALING if name in tensors]
    if not names:
        return None
    if len(names) > 1:
        raise SchemaError(where, "one scaling factor", " and ".join(names))
    factor = take(tensors, names[0], where)
    if torch.allclose(factor, torch.ones_like(factor)):
        return None
    if not _flag(cfg, "finetuning_scaling_factor", path, otherwise=False):
        expected = f"true, since {names[0]} in {where} is not 1 throughout"
        raise SchemaError(f"{path}: finetuning_scaling_factor", expected, "false")
    return factor


@torch.no_grad()
def _scale_directions(sae: SparseAutoencoder, factor: Tensor, where: str) -> None:
    if factor.shape != sae.b_enc.shape:
        expected = f"shape {tuple(sae.b_enc.shape)}"
        raise SchemaError(f"{where}: scaling factor", expected, str(tuple(factor.shape)))
    sae.W_dec.mul_(factor[:, None])


@torch.no_grad()
def _rescale(sae: SparseAutoencoder) -> None:
    """Give directions unit norm, so that choosing by activation is choosing by contribution."""
    norm = sae.W_dec.norm(dim=1).clamp_min(torch.finfo(torch.float32).tiny)
    sae.W_enc.mul_(norm)
    sae.b_enc.mul_(norm)
    sae.W_dec.div_(norm[:, None])


def _adapted(name: str, tensors: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    adapted = {key: tensors[key] for key in _WEIGHTS[name]}
    if name == "transcoder":
        adapted["threshold"] = take(tensors, "b_enc", where) * 0
    if "jumprelu" in name:
        # relu is applied before the jump, so a threshold below 0 acts as 0
        adapted["threshold"] = take(tensors, "threshold", where).clamp_min(0.0)
    return adapted
