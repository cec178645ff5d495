"""Folders of weights in this package's format: ``config.json`` and ``model.safetensors``."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from genointerp.core.config import from_mapping, to_mapping
from genointerp.core.errors import InputError, SchemaError
from genointerp.core.files import atomic_path, read_json_object, together
from genointerp.core.provenance import sha256_file
from genointerp.core.seed import derive_seed
from genointerp.model.attention import choose_backend
from genointerp.model.hyena.network import HyenaConfig, StripedHyena, initialise, set_dtype
from genointerp.model.hyena.single_nucleotide import SingleNucleotideModel, use_backend
from genointerp.model.load_options import LoadOptions
from genointerp.model.protocol import DnaModel, ModelSpec
from genointerp.model.tokenizer.base import nano_tokenizer
from genointerp.tensor.files import read_tensors, write_tensors

MOST_BLOCKS = 1000
"""Most blocks of a network; Evo 2 with 40 billion parameters has 50."""
MOST_TOKENS = 1 << 31
"""Most tokens of a context; that of Evo 2 is a million."""


def load_folder(folder: Path, options: LoadOptions) -> DnaModel:
    """Load a model from a folder; its weights are float32 unless the options say otherwise.

    Raises
    ------
    InputError
        If the options name weights other than those of the folder, or several devices.
    SchemaError
        If a file is missing, or the weights do not fit the configured network.
    """
    for name in ("checkpoint", "revision"):
        if (other := getattr(options, name)) is not None:
            expected = f"none for a model whose weights are in its own folder {folder}"
            raise InputError(name, expected, repr(str(other)))
    if len(options.devices()) > 1:
        expected = "one device for a model of a folder, which is small"
        raise InputError("device", expected, repr(options.device))
    network, values = load_network(folder), _read_config(folder / "config.json")
    name, sha256 = values["name"], sha256_file(folder / "model.safetensors")
    if options.random_weights is not None:
        network = untrained(network.config, seed=options.random_weights)
        name, sha256 = f"{name}-random-{options.random_weights}", sha256_weights(network)
    config = network.config
    if config.vocab_size <= max(nano_tokenizer().base_ids.values()):
        expected = f"a vocab_size above {max(nano_tokenizer().base_ids.values())}, the ids of bases"
        raise SchemaError(str(folder / "config.json"), expected, str(config.vocab_size))
    device, dtype = options.devices()[0], options.torch_dtype(otherwise="float32")
    backend = choose_backend(
        device,
        dtype,
        wanted=options.attention,
        require_flash=options.require_flash,
        head_width=config.d_model // config.n_heads,
    )
    del network.blocks[options.last_block(len(config.mixers)) + 1 :]
    set_dtype(network, dtype)
    use_backend(network, backend)
    sites = tuple(f"blocks.{i}" for i in range(len(network.blocks)))
    default_site = values["default_site"]
    spec = ModelSpec(
        name=name,
        sha256=sha256,
        sites=sites,
        default_site=default_site if default_site in sites else sites[-1],
        d_site=config.d_model,
        context=values["context"],
        attention_backend=backend.name,
        dtype=str(dtype).removeprefix("torch."),
        chunked=True,
        licence=str(values.get("licence", "")),
    )
    return SingleNucleotideModel(network.to(device), spec, nano_tokenizer())


def untrained(config: HyenaConfig, *, seed: int) -> StripedHyena:
    """Return a network with random weights, as training begins with them."""
    network = StripedHyena(config)
    initialise(network, torch.Generator().manual_seed(derive_seed(seed, "random weights")))
    return network


def sha256_weights(network: nn.Module) -> str:
    """Return the sha256 of the name, shape and float32 values of every parameter."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.float().cpu().numpy().tobytes())
    return digest.hexdigest()


def load_network(folder: Path) -> StripedHyena:
    """Load the bare network of a folder that :func:`save_model` wrote, in float32.

    Raises
    ------
    SchemaError
        As from :func:`load_folder`.
    """
    config_path, weights_path = folder / "config.json", folder / "model.safetensors"
    for path in (config_path, weights_path):
        if not path.is_file():
            raise SchemaError(str(folder), f"a model folder with {path.name}", "none")
    values = _read_config(config_path)["network"]
    config = from_mapping(HyenaConfig, values, where=f"{config_path}: network")
    if len(config.mixers) > MOST_BLOCKS:
        found = str(len(config.mixers))
        raise SchemaError(f"{config_path}: mixers", f"at most {MOST_BLOCKS} blocks", found)
    state = {
        name: tensor.float()
        for name, tensor in read_tensors(weights_path, error=SchemaError).items()
    }
    _check(config, state, weights_path)
    network = StripedHyena(config)
    network.load_state_dict(state)
    return network


def _read_config(path: Path) -> dict[str, Any]:
    values = read_json_object(path, error=SchemaError)
    keys = {"name": str, "context": int, "default_site": str, "network": dict}
    for key, kind in keys.items():
        if type(values.get(key)) is not kind:
            expected = f"a key {key!r} that holds {kind.__name__}"
            raise SchemaError(str(path), expected, repr(values.get(key)))
    if not 1 <= values["context"] <= MOST_TOKENS:
        expected = f"a length from 1 to {MOST_TOKENS} tokens"
        raise SchemaError(f"{path}: context", expected, repr(values["context"]))
    return values


def _check(config: HyenaConfig, state: dict[str, Tensor], path: Path) -> None:
    """Refuse the weights of another network, before memory is allocated for the configured one."""
    try:
        with torch.device("meta"):
            own = StripedHyena(config).state_dict()
    except (RuntimeError, TypeError) as error:
        # a size that is too large for torch
        found = " ".join(str(error).split())[:200]
        raise SchemaError(f"{path.parent}: network", "sizes of a network", found) from error
    odd = sorted(set(state) ^ set(own)) or [
        f"{key} of shape {tuple(state[key].shape)}"
        for key in own
        if state[key].shape != own[key].shape
    ]
    if odd:
        expected = "the parameters of the configured network"
        raise SchemaError(str(path), expected, ", ".join(odd[:3]))
    for name, tensor in state.items():
        if not bool(torch.isfinite(tensor).all()):
            raise SchemaError(f"{path}: {name}", "finite values", "NaN or infinity")


def save_model(
    network: StripedHyena,
    folder: Path,
    *,
    name: str,
    context: int,
    default_site: str,
    licence: str = "",
    half: bool = False,
) -> None:
    """Write a network as a folder that :func:`load_folder` reads.

    Parameters
    ----------
    half
        Whether to store matrices as float16, which halves the file. Everything else is float32.
    """
    network_config = to_mapping(network.config)
    config = {
        "name": name,
        "context": context,
        "default_site": default_site,
        "licence": licence,
        "network": network_config,
    }
    state = {
        key: tensor.half() if half and key.endswith(".weight") else tensor.contiguous()
        for key, tensor in network.state_dict().items()
    }
    with together():
        with atomic_path(folder / "model.safetensors") as temporary:
            write_tensors(state, temporary)
        with atomic_path(folder / "config.json") as temporary:
            temporary.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
