"""dictionary_learning: ``ae.pt``, a state of torch, beside ``config.json``.

Matrices are those of ``torch.nn.Linear``, so (n_features, d_in) and (d_in, n_features); all classes
but the JumpReLU one subtract the decoder's bias from what they encode.
"""

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genointerp.core.errors import InputError, MismatchError, SchemaError
from genointerp.core.files import atomic_path, read_json_object
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.config import ArchitectureName
from genointerp.sae.formats.weights import (
    build,
    common_threshold,
    matrix,
    read_pickled,
    take,
    weights_of,
)
from genointerp.sae.matryoshka_batch_topk import MatryoshkaBatchTopK

_CLASSES: dict[str, ArchitectureName] = {
    "AutoEncoder": "relu",
    "GatedAutoEncoder": "gated",
    "JumpReluAutoEncoder": "jumprelu",
    "AutoEncoderTopK": "topk",
    "BatchTopKSAE": "batch_topk",
    "MatryoshkaBatchTopKSAE": "matryoshka_batch_topk",
}
_OF_ARCHITECTURE = {
    **{architecture: name for name, architecture in _CLASSES.items()},
    "tied_batch_topk": "BatchTopKSAE",
    "batch_topk_crosscoder": "BatchTopKSAE",
}
UNSET = -1.0
"""Threshold of a dictionary whose training had not come to estimate one."""


def read_dictionary_learning(folder: Path) -> SparseAutoencoder:
    """Read a dictionary; a threshold that was never estimated is read as 0.

    Raises
    ------
    SchemaError
        If it is of a class that has no counterpart, or its weights are not those of the class.
    """
    path = Path(folder) / "config.json"
    trainer = read_json_object(path, error=InputError).get("trainer")
    name = trainer.get("dict_class") if isinstance(trainer, dict) else None
    if name not in _CLASSES:
        expected = f"'trainer.dict_class' to be one of {', '.join(_CLASSES)}"
        raise SchemaError(str(path), expected, repr(name))
    weights_path = Path(folder) / "ae.pt"
    return from_state(_CLASSES[name], read_pickled(weights_path), str(weights_path))


def write_dictionary_learning(
    sae: SparseAutoencoder, folder: Path, metadata: Mapping[str, Any]
) -> None:
    """Write a dictionary.

    Raises
    ------
    MismatchError
        If the library has no class that computes the same.
    """
    name = _OF_ARCHITECTURE.get(sae.config.architecture)
    if name is None:
        expected = f"one of {', '.join(_OF_ARCHITECTURE)} for dictionary_learning"
        raise MismatchError("architecture", expected, sae.config.architecture)
    trainer = {
        "dict_class": name,
        "k": sae.config.k,
        "activation_dim": sae.d_in,
        "dict_size": sae.n_features,
        "lm_name": metadata["model"],
        "submodule_name": metadata["site"],
    }
    folder = Path(folder)
    with atomic_path(folder / "ae.pt") as temporary:
        torch.save(to_state(sae), temporary)
    with atomic_path(folder / "config.json") as temporary:
        temporary.write_text(json.dumps({"trainer": trainer}, indent=2) + "\n", encoding="utf-8")


def from_state(
    architecture: ArchitectureName, state: dict[str, Tensor], where: str
) -> SparseAutoencoder:
    """Make a dictionary of a state of that library."""
    tensors = dict(state)
    if architecture not in ("jumprelu", "matryoshka_batch_topk"):
        tensors = _of_linear_layers(architecture, state, where)
    counted = architecture in ("topk", "batch_topk", "matryoshka_batch_topk")
    if "threshold" in state:
        threshold = take(state, "threshold", where).clamp_min(0.0)
        n_features = matrix(tensors, "W_dec", where).shape[0]
        tensors["threshold"] = threshold.expand(n_features) if threshold.ndim == 0 else threshold
    return build(
        architecture,
        {name: it for name, it in tensors.items() if name not in ("k", "group_sizes")},
        where,
        k=_count(state, where) if counted else None,
        subtracts_b_dec=architecture != "jumprelu",
        prefixes=_prefixes(take(state, "group_sizes", where)) if "group_sizes" in state else None,
    )


def to_state(sae: SparseAutoencoder) -> dict[str, Tensor]:
    """Return the state that the library's class has for the same dictionary."""
    architecture = sae.config.architecture
    weights = weights_of(sae, subtracts_b_dec=architecture != "jumprelu")
    if architecture == "jumprelu":
        return weights
    counts = {"k": torch.tensor(sae.config.k, dtype=torch.int)}
    if isinstance(sae, MatryoshkaBatchTopK):
        sizes = [b - a for a, b in pairwise((0, *sae.prefix_sizes))]
        counts |= {"group_sizes": torch.tensor(sizes)}
        return weights | counts | {"threshold": common_threshold(sae)}
    encoder, decoder = weights["W_enc"].t(), weights["W_dec"].t()
    layers = {"encoder.weight": encoder.contiguous(), "decoder.weight": decoder.contiguous()}
    if architecture == "relu":
        return layers | {"encoder.bias": weights["b_enc"], "bias": weights["b_dec"]}
    if architecture == "gated":
        biases = {"gate_bias": "b_gate", "mag_bias": "b_mag", "decoder_bias": "b_dec"}
        named = {theirs: weights[ours] for theirs, ours in biases.items()}
        return layers | named | {"r_mag": weights["r_mag"]}
    unset = torch.tensor(UNSET)
    threshold = common_threshold(sae) if sae.has_threshold else unset
    biases_of = {"encoder.bias": weights["b_enc"], "b_dec": weights["b_dec"]}
    return layers | biases_of | counts | {"threshold": threshold}


def _of_linear_layers(
    architecture: ArchitectureName, state: dict[str, Tensor], where: str
) -> dict[str, Tensor]:
    """Return weights in this package's names; a transpose is no copy."""
    tensors = {
        "W_enc": matrix(state, "encoder.weight", where).t(),
        "W_dec": matrix(state, "decoder.weight", where).t(),
    }
    names = {"b_enc": "encoder.bias", "b_dec": "b_dec"}
    if architecture == "relu":
        names = {"b_enc": "encoder.bias", "b_dec": "bias"}
    if architecture == "gated":
        names = {
            "b_gate": "gate_bias", "b_mag": "mag_bias", "r_mag": "r_mag", "b_dec": "decoder_bias",
        }  # fmt: skip
    return tensors | {ours: take(state, theirs, where) for ours, theirs in names.items()}


def _count(state: dict[str, Tensor], where: str) -> int:
    k = take(state, "k", where)
    if k.numel() != 1:
        raise SchemaError(f"{where}: k", "one number", f"shape {tuple(k.shape)}")
    return int(k)


def _prefixes(group_sizes: Tensor) -> tuple[float, ...]:
    share = group_sizes.double().cumsum(0) / group_sizes.double().sum()
    return (*share[:-1].tolist(), 1.0)
