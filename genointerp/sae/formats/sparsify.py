"""sparsify (EleutherAI): ``cfg.json`` and ``sae.safetensors``; TopK, and b_dec is subtracted."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genointerp.core.errors import InputError, MismatchError, SchemaError
from genointerp.core.files import atomic_path, read_json_object
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.formats.weights import build, matrix, take, weights_of
from genointerp.tensor.files import read_tensors, write_tensors

_OWN = {"activation": "topk", "skip_connection": False, "transcode": False}
"""Values that the configuration of a TopK dictionary must have; they are its defaults."""


def read_sparsify(folder: Path) -> SparseAutoencoder:
    """Read a dictionary.

    Raises
    ------
    SchemaError
        If it is a transcoder, has a skip connection or chooses features in groups.
    """
    path = Path(folder) / "cfg.json"
    cfg = read_json_object(path, error=InputError)
    for key, own in _OWN.items():
        if cfg.get(key, own) != own:
            raise SchemaError(f"{path}: {key}", repr(own), repr(cfg[key]))
    if type(cfg.get("k")) is not int:
        raise SchemaError(f"{path}: k", "a whole number", repr(cfg.get("k")))
    weights_path = Path(folder) / "sae.safetensors"
    tensors, where = read_tensors(weights_path), str(weights_path)
    weights = {
        "W_enc": matrix(tensors, "encoder.weight", where).t(),
        "b_enc": take(tensors, "encoder.bias", where),
        "W_dec": take(tensors, "W_dec", where),
        "b_dec": take(tensors, "b_dec", where),
    }
    return build("topk", weights, where, k=cfg["k"], subtracts_b_dec=True)


def write_sparsify(sae: SparseAutoencoder, folder: Path, metadata: Mapping[str, Any]) -> None:
    """Write a TopK dictionary.

    Raises
    ------
    MismatchError
        If it is of another architecture.
    """
    if sae.config.architecture != "topk":
        raise MismatchError("architecture", "topk for sparsify", sae.config.architecture)
    weights = weights_of(sae, subtracts_b_dec=True)
    tensors = {
        "encoder.weight": weights["W_enc"].t().contiguous(),
        "encoder.bias": weights["b_enc"],
        "W_dec": weights["W_dec"],
        "b_dec": weights["b_dec"],
    }
    cfg = {
        **_OWN,
        "num_latents": sae.n_features,
        "k": sae.config.k,
        "d_in": sae.d_in,
        "model": metadata["model"],
        "hookpoint": metadata["site"],
    }
    with atomic_path(folder) as made:
        made.mkdir()
        write_tensors(tensors, made / "sae.safetensors")
        (made / "cfg.json").write_text(json.dumps(cfg, indent=2) + "\n", encoding="utf-8")
