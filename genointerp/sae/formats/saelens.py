"""SAELens: ``cfg.json`` and ``sae_weights.safetensors``, as its version 6 writes them."""

from pathlib import Path

import torch
from torch import Tensor

from genointerp.core.errors import InputError, SchemaError
from genointerp.core.files import read_json_object
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.config import ArchitectureName
from genointerp.sae.formats.weights import build, read_safetensors, take

_ARCHITECTURES: dict[str, ArchitectureName] = {
    "standard": "relu",
    "topk": "topk",
    "jumprelu": "jumprelu",
    "gated": "gated",
    "transcoder": "transcoder",
    "jumprelu_transcoder": "transcoder",
}
_NEUTRAL = {"normalize_activations": "none", "reshape_activations": "none"}


def read_saelens(folder: Path) -> SparseAutoencoder:
    """Read a dictionary that SAELens wrote.

    Raises
    ------
    SchemaError
        If it is of an architecture, or transforms activations in a way, that has no counterpart.
    """
    path = Path(folder) / "cfg.json"
    cfg = read_json_object(path, error=InputError)
    name = cfg.get("architecture")
    if name not in _ARCHITECTURES:
        expected = f"'architecture' to be one of {', '.join(_ARCHITECTURES)}"
        raise SchemaError(str(path), expected, repr(name))
    for key, neutral in _NEUTRAL.items():
        if cfg.get(key, neutral) not in (neutral, None):
            raise SchemaError(f"{path}: {key}", repr(neutral), repr(cfg[key]))
    if name == "topk" and type(cfg.get("k")) is not int:
        raise SchemaError(f"{path}: k", "a whole number", repr(cfg.get("k")))
    weights_path = Path(folder) / "sae_weights.safetensors"
    tensors = read_safetensors(weights_path)
    where = str(weights_path)
    sae = build(
        _ARCHITECTURES[name],
        _adapted(name, tensors, where),
        where,
        k=cfg["k"] if name == "topk" else None,
        subtracts_b_dec=bool(cfg.get("apply_b_dec_to_input", False)),
    )
    if name == "topk" and cfg.get("rescale_acts_by_decoder_norm", False):
        _rescale(sae)
    return sae


@torch.no_grad()
def _rescale(sae: SparseAutoencoder) -> None:
    """Choose by activation times norm of the direction: give directions unit norm."""
    norm = sae.W_dec.norm(dim=1).clamp_min(torch.finfo(torch.float32).tiny)
    sae.W_enc.mul_(norm)
    sae.b_enc.mul_(norm)
    sae.W_dec.div_(norm[:, None])


def _adapted(name: str, tensors: dict[str, Tensor], where: str) -> dict[str, Tensor]:
    adapted = dict(tensors)
    if name == "transcoder":
        adapted["threshold"] = take(tensors, "b_enc", where) * 0
    if "jumprelu" in name:
        # relu comes before the jump, so that a threshold below 0 acts as 0
        adapted["threshold"] = take(tensors, "threshold", where).clamp_min(0.0)
    return adapted
