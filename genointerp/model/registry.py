"""Models by name: an explicit dict, each entry a folder of weights or a way to load them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from genointerp.core.config import from_mapping, to_mapping
from genointerp.core.errors import SchemaError, UnknownNameError
from genointerp.core.files import atomic_path, read_text
from genointerp.core.provenance import sha256_file
from genointerp.model.attention import backend_name
from genointerp.model.device import find_device
from genointerp.model.hyena import HyenaConfig, StripedHyena
from genointerp.model.protocol import DnaModel, ModelSpec
from genointerp.model.single_nucleotide import SingleNucleotideModel


@dataclass(frozen=True)
class ModelEntry:
    """One line of the registry.

    Parameters
    ----------
    summary
        What the model is, in a line.
    load
        From the name and a device to the model.
    """

    summary: str
    load: Callable[[str, torch.device], DnaModel]


def load_model(name: str, *, device: str = "cpu") -> DnaModel:
    """Load a model by its registered name, or from a folder that :func:`save_model` wrote.

    Raises
    ------
    UnknownNameError
        If the name is neither.
    InputError
        If this machine has no such device.
    """
    place = find_device(device)
    if name in MODELS:
        return MODELS[name].load(name, place)
    if Path(name).is_dir():
        return load_folder(Path(name), place)
    known = ", ".join(MODELS)
    raise UnknownNameError("model", f"one of {known}, or a folder of weights", name)


def load_folder(folder: Path, device: torch.device) -> DnaModel:
    """Load ``config.json`` and ``model.safetensors`` from a folder.

    Raises
    ------
    SchemaError
        If a file is missing or the weights are not of the configured network.
    """
    network = load_network(folder)
    values = _read_config(folder / "config.json")
    spec = ModelSpec(
        name=values["name"],
        sha256=sha256_file(folder / "model.safetensors"),
        sites=tuple(f"blocks.{i}" for i in range(len(network.blocks))),
        default_site=values["default_site"],
        d_site=network.config.d_model,
        context=values["context"],
        attention_backend=backend_name(device),
    )
    return SingleNucleotideModel(network, spec, device)


def load_network(folder: Path) -> StripedHyena:
    """Load the bare network of a folder that :func:`save_model` wrote, in float32.

    Raises
    ------
    SchemaError
        As :func:`load_folder`.
    """
    config_path, weights_path = folder / "config.json", folder / "model.safetensors"
    for path in (config_path, weights_path):
        if not path.is_file():
            raise SchemaError(str(folder), f"a model folder with {path.name}", "none")
    network_config = _read_config(config_path)["network"]
    config = from_mapping(HyenaConfig, network_config, where=f"{config_path}: network")
    network = StripedHyena(config)
    _fill(network, weights_path)
    return network


def _read_config(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(read_text(path, error=SchemaError))
    except json.JSONDecodeError as error:
        raise SchemaError(str(path), "JSON", str(error)) from error
    keys = {"name": str, "context": int, "default_site": str, "network": dict}
    for key, kind in keys.items():
        if not isinstance(values, dict) or not isinstance(values.get(key), kind):
            found = repr(values.get(key)) if isinstance(values, dict) else type(values).__name__
            raise SchemaError(str(path), f"a key {key!r} that holds {kind.__name__}", found)
    return dict(values)


def _fill(network: StripedHyena, path: Path) -> None:
    try:
        state = {key: tensor.float() for key, tensor in load_file(path).items()}
    except SafetensorError as error:
        raise SchemaError(str(path), "safetensors", str(error)) from error
    own = network.state_dict()
    odd = sorted(set(state) ^ set(own)) or [
        f"{key} of shape {tuple(state[key].shape)}"
        for key in own
        if state[key].shape != own[key].shape
    ]
    if odd:
        expected = "the parameters of the configured network"
        raise SchemaError(str(path), expected, ", ".join(odd[:3]))
    network.load_state_dict(state)


def save_model(
    network: StripedHyena,
    folder: Path,
    *,
    name: str,
    context: int,
    default_site: str,
    half: bool = False,
) -> None:
    """Write a network as a folder that :func:`load_folder` reads.

    Parameters
    ----------
    half
        Store matrices as float16, which halves the file; all else, and everything otherwise, is
        float32.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network_config = to_mapping(network.config)
    config = {
        "name": name,
        "context": context,
        "default_site": default_site,
        "network": network_config,
    }
    with atomic_path(folder / "model.safetensors") as temporary:
        state = {
            key: tensor.half() if half and key.endswith(".weight") else tensor.contiguous()
            for key, tensor in network.state_dict().items()
        }
        save_file(state, temporary)
    with atomic_path(folder / "config.json") as temporary:
        temporary.write_text(json.dumps(config, indent=2) + "\n")


def _load_shipped(name: str, device: torch.device) -> DnaModel:
    return load_folder(Path(str(resources.files("genointerp.model"))) / "weights" / name, device)


MODELS: dict[str, ModelEntry] = {
    "nano": ModelEntry(
        summary="StripedHyena 2, 1.4 M parameters, 39 bacterial and archaeal genomes, no Bacilli",
        load=_load_shipped,
    ),
}
