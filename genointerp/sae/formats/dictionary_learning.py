"""dictionary_learning: ``ae.pt``, a state of torch, next to ``config.json``.

Matrices are those of ``torch.nn.Linear``: (n_features, d_in) and (d_in, n_features). All classes
except the JumpReLU one subtract the decoder's bias from what they encode.
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
from genointerp.sae.architecture.matryoshka_batch_topk import MatryoshkaBatchTopK
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.config import ArchitectureName
from genointerp.sae.formats.weights import (
    build,
    check_names,
    common_threshold,
    matrix,
    read_pickled,
    take,
    weights_of,
)
from genointerp.tensor.files import write_state

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
_NAMES: dict[ArchitectureName, tuple[str, ...]] = {
    "relu": ("encoder.weight", "encoder.bias", "decoder.weight", "bias"),
    "gated": (
        "encoder.weight",
        "decoder.weight",
        "decoder_bias",
        "r_mag",
        "gate_bias",
        "mag_bias",
    ),
    "jumprelu": ("W_enc", "b_enc", "W_dec", "b_dec", "threshold"),
    "topk": ("encoder.weight", "encoder.bias", "decoder.weight", "b_dec", "k"),
    "batch_topk": ("encoder.weight", "encoder.bias", "decoder.weight", "b_dec", "k"),
    "matryoshka_batch_topk": ("W_enc", "b_enc", "W_dec", "b_dec", "k", "group_sizes"),
}
"""The tensors of each architecture; the library, too, refuses a file that has others."""
_OPTIONAL: dict[ArchitectureName, tuple[str, ...]] = {
    name: ("threshold",) for name in ("topk", "batch_topk", "matryoshka_batch_topk")
}
UNSET = -1.0
"""Stored threshold of a dictionary whose training ended before one was estimated."""


def read_dictionary_learning(folder: Path) -> SparseAutoencoder:
    """Read a dictionary as its class in that library does, including the defaults of the class.

    An ``AutoEncoder`` gets decoder columns of unit norm, as from its own loader; the other classes
    are taken as they are stored. A threshold that was never estimated is read as 0.

    Raises
    ------
    SchemaError
        If its class has no counterpart here, or its weights do not fit the class or the
        configuration.
    """
    path = Path(folder) / "config.json"
    trainer = read_json_object(path, error=InputError).get("trainer")
    name = trainer.get("dict_class") if isinstance(trainer, dict) else None
    if not isinstance(trainer, dict) or not isinstance(name, str) or name not in _CLASSES:
        expected = f"'trainer.dict_class' to be one of {', '.join(_CLASSES)}"
        raise SchemaError(str(path), expected, repr(name))
    weights_path = Path(folder) / "ae.pt"
    where, architecture = str(weights_path), _CLASSES[name]
    state = _with_count(trainer, read_pickled(weights_path), architecture, path)
    if name == "AutoEncoder":
        state = _with_unit_columns(state, where)
    sae = from_state(architecture, state, where)
    for key, size in (("activation_dim", sae.d_in), ("dict_size", sae.n_features)):
        if trainer.get(key, size) != size:
            raise SchemaError(f"{path}: trainer.{key}", f"{size} as in {where}", repr(trainer[key]))
    return sae


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
    with atomic_path(folder) as made:
        made.mkdir()
        write_state(to_state(sae), made / "ae.pt")
        (made / "config.json").write_text(
            json.dumps({"trainer": trainer}, indent=2) + "\n", encoding="utf-8"
        )


def from_state(
    architecture: ArchitectureName, state: dict[str, Tensor], where: str
) -> SparseAutoencoder:
    """Make a dictionary from a state of that library.

    Raises
    ------
    SchemaError
        If its tensors are not those of the class.
    """
    check_names(state, _NAMES[architecture], where, optional=_OPTIONAL.get(architecture, ()))
    tensors = dict(state)
    if architecture not in ("jumprelu", "matryoshka_batch_topk"):
        tensors = _of_linear_layers(architecture, state, where)
    counted = architecture in ("topk", "batch_topk", "matryoshka_batch_topk")
    n_features = matrix(tensors, "W_dec", where).shape[0]
    if "threshold" in state:
        threshold = take(state, "threshold", where).clamp_min(0.0)
        tensors["threshold"] = threshold.expand(n_features) if threshold.ndim == 0 else threshold
    return build(
        architecture,
        {name: it for name, it in tensors.items() if name not in ("k", "group_sizes")},
        where,
        k=_count(state, where) if counted else None,
        subtracts_b_dec=architecture != "jumprelu",
        prefixes=(
            _prefixes(take(state, "group_sizes", where), n_features, where)
            if architecture == "matryoshka_batch_topk"
            else None
        ),
    )


def to_state(sae: SparseAutoencoder) -> dict[str, Tensor]:
    """Return the state of the library's class for the same dictionary."""
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


def _with_count(
    trainer: Mapping[str, Any], state: dict[str, Tensor], architecture: ArchitectureName, path: Path
) -> dict[str, Tensor]:
    """Add the k of the configuration to the state, where early versions did not store it.

    Raises
    ------
    SchemaError
        If the two differ, which the library refuses too.
    """
    k = trainer.get("k")
    if "k" not in _NAMES[architecture] or k is None:
        return state
    if type(k) is not int or not 0 < k < 1 << 31:
        raise SchemaError(f"{path}: trainer.k", "a whole number above 0", repr(k))
    where = str(path.with_name("ae.pt"))
    if "k" in state and (stored := _count(state, where)) != k:
        raise SchemaError(f"{path}: trainer.k", f"{stored} as in {where}", str(k))
    return {"k": torch.tensor(k)} | state


def _with_unit_columns(state: dict[str, Tensor], where: str) -> dict[str, Tensor]:
    """Return the state after ``AutoEncoder.normalize_decoder``: the reconstruction is the same.

    Raises
    ------
    SchemaError
        If a column is zero: it has no direction, and the library fails on it.
    """
    check_names(state, _NAMES["relu"], where)
    encoder, decoder = (matrix(state, f"{name}.weight", where) for name in ("encoder", "decoder"))
    bias, norms = take(state, "encoder.bias", where), decoder.double().norm(dim=0)
    if len(norms) != len(encoder) or bias.shape != norms.shape:
        expected = f"shape ({len(norms)}, ...) as decoder.weight has columns"
        found = f"{tuple(encoder.shape)} and {tuple(bias.shape)}"
        raise SchemaError(f"{where}: encoder.weight and bias", expected, found)
    if torch.allclose(norms, torch.ones_like(norms)):
        return state
    if not bool((norms > 0).all()):
        found = f"0 of feature {int(norms.argmin())}"
        raise SchemaError(f"{where}: decoder.weight", "columns of a norm above 0", found)
    return state | {
        "encoder.weight": (encoder.double() * norms[:, None]).float(),
        "encoder.bias": (bias.double() * norms).float(),
        "decoder.weight": (decoder.double() / norms).float(),
    }


def _of_linear_layers(
    architecture: ArchitectureName, state: dict[str, Tensor], where: str
) -> dict[str, Tensor]:
    """Return weights by the names of this package; transposes are views, not copies."""
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


def _prefixes(group_sizes: Tensor, n_features: int, where: str) -> tuple[float, ...]:
    if group_sizes.ndim != 1 or int(group_sizes.sum()) != n_features:
        found = f"{tuple(group_sizes.shape)} that add up to {int(group_sizes.sum())}"
        raise SchemaError(f"{where}: group_sizes", f"sizes that add up to {n_features}", found)
    share = group_sizes.double().cumsum(0) / group_sizes.double().sum()
    return (*share[:-1].tolist(), 1.0)
