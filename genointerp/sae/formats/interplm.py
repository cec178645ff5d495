"""InterPLM (Simon and Zou 2024): ``ae.pt``, a state of torch, next to ``config.yaml``.

Its classes come from dictionary_learning, with two more entries: the largest activation of each
feature, by which values are divided for display only, and whether inputs are scaled to one norm.
``config.yaml`` is a pickle in YAML: it is searched for the name of the trainer, not loaded.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genointerp.core.errors import InputError, MismatchError, SchemaError
from genointerp.core.files import atomic_path, read_text
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.config import ArchitectureName
from genointerp.sae.formats.dictionary_learning import from_state, to_state
from genointerp.sae.formats.weights import matrix, read_pickled, take
from genointerp.tensor.files import write_state

_TRAINERS: dict[str, ArchitectureName] = {
    "ReLUTrainerConfig": "relu",
    "TopKTrainerConfig": "topk",
    "BatchTopKTrainerConfig": "batch_topk",
    "JumpReLUTrainerConfig": "jumprelu",
}
_OF_ARCHITECTURE = {
    **{architecture: name for name, architecture in _TRAINERS.items()},
    "tied_batch_topk": "BatchTopKTrainerConfig",
}
NORMALISED = "ae_normalized.pt"
"""Weights that are read instead of ``ae.pt`` if both are there."""
_FILES = (NORMALISED, "ae.pt")
_RESCALE, _NORMALISE = "activation_rescale_factor", "normalize_to_sqrt_d"


def read_interplm(folder: Path) -> SparseAutoencoder:
    """Read a dictionary; one without ``config.yaml`` is taken for a ReLU one, as published.

    Raises
    ------
    SchemaError
        If the trainer has no counterpart here, or inputs are scaled to one norm.
    """
    folder = Path(folder)
    path = next((folder / name for name in _FILES if (folder / name).is_file()), folder / "ae.pt")
    state, where = read_pickled(path), str(path)
    if bool(state.pop(_NORMALISE, torch.tensor(False))):  # noqa: FBT003 - a value, not a flag
        raise SchemaError(f"{where}: {_NORMALISE}", "inputs as they are", "inputs of one norm")
    state.pop(_RESCALE, None)
    architecture = _architecture(folder / "config.yaml")
    return from_state(architecture, _in_place(architecture, state, where), where)


def write_interplm(sae: SparseAutoencoder, folder: Path, metadata: Mapping[str, Any]) -> None:
    """Write a dictionary; its ``config.yaml`` names only the trainer.

    Raises
    ------
    MismatchError
        If the library has no class that computes the same.
    """
    name = _OF_ARCHITECTURE.get(sae.config.architecture)
    if name is None:
        expected = f"one of {', '.join(_OF_ARCHITECTURE)} for InterPLM"
        raise MismatchError("architecture", expected, sae.config.architecture)
    state = to_state(sae)
    if sae.config.architecture == "jumprelu":
        state = {
            "encoder.weight": state["W_enc"].t().contiguous(),
            "encoder.bias": state["b_enc"],
            "decoder.weight": state["W_dec"].t().contiguous(),
            "decoder.bias": state["b_dec"],
            "threshold": state["threshold"],
        }
    state |= {_RESCALE: torch.ones(sae.n_features), _NORMALISE: torch.tensor(False)}  # noqa: FBT003
    config = f"# {metadata['model']}, {metadata['site']}\ntrainer: {name}\n"
    with atomic_path(folder) as made:
        made.mkdir()
        write_state(state, made / "ae.pt")
        (made / "config.yaml").write_text(config, encoding="utf-8")


def _architecture(path: Path) -> ArchitectureName:
    if not path.is_file():
        return "relu"
    found = re.findall(r"\b(\w+TrainerConfig)\b", read_text(path, error=InputError))
    known = [name for name in found if name in _TRAINERS]
    if not known:
        raise SchemaError(str(path), f"one of {', '.join(_TRAINERS)}", ", ".join(found) or "none")
    return _TRAINERS[known[0]]


def _in_place(
    architecture: ArchitectureName, state: dict[str, Tensor], where: str
) -> dict[str, Tensor]:
    """Return the state as dictionary_learning has it, whose JumpReLU has no linear layers."""
    if architecture != "jumprelu":
        return state
    return {
        "W_enc": matrix(state, "encoder.weight", where).t(),
        "b_enc": take(state, "encoder.bias", where),
        "W_dec": matrix(state, "decoder.weight", where).t(),
        "b_dec": take(state, "decoder.bias", where),
        "threshold": take(state, "threshold", where),
    }
