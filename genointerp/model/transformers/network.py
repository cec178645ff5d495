"""Load the network of a transformers model onto its devices, and account for every weight."""

import logging
import re
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from genointerp.core.errors import InputError, SchemaError
from genointerp.core.seed import derive_seed
from genointerp.model.attention import AttentionBackend
from genointerp.model.device import spread_blocks
from genointerp.model.transformers.attention import implementation_name
from genointerp.model.transformers.layout import FAMILIES, find_blocks
from genointerp.model.transformers.source import Source

_log = logging.getLogger(__name__)
_BLOCK = re.compile(r"(^|\.)layers?\.\d+\.")
"""Names of weights of a block; those above the last wanted block are left over on purpose."""
# classes of errors that transformers raises for files that do not fit together
_UNFIT = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError)


def read_config(source: Source) -> Any:  # noqa: ANN401 - a configuration of transformers
    """Return the configuration of a model, with caches switched off.

    Raises
    ------
    SchemaError
        If the file is not a configuration of transformers.
    """
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(
            source.folder, trust_remote_code=source.has_python, local_files_only=True
        )
    except (*_UNFIT, StrictDataclassError) as error:
        where = str(source.folder / "config.json")
        raise SchemaError(where, "a configuration of transformers", _line(error)) from error
    config.use_cache = False
    return config


def load_network(
    source: Source,
    config: Any,  # noqa: ANN401 - a configuration of transformers
    backend: AttentionBackend,
    *,
    devices: Sequence[torch.device],
    dtype: torch.dtype,
) -> Any:  # noqa: ANN401 - a network of transformers
    """Load the weights of a model into a network for inference.

    Parameters
    ----------
    config
        Configuration; blocks beyond its depth are not loaded.
    devices
        Devices over which the blocks are spread.

    Raises
    ------
    SchemaError
        If the files lack weights of the network, or hold them in other shapes.
    InputError
        If there are several devices and accelerate is not installed.
    """
    causal, kind = source.reads == "left", _kind(source)
    options: dict[str, Any] = {"trust_remote_code": source.has_python}
    if not source.has_python:
        own = implementation_name(backend) if causal else backend.transformers_name
        options["attn_implementation"] = own
    if len(devices) > 1:
        _check_devices(source)
        with torch.device("meta"):
            skeleton = kind.from_config(config, trust_remote_code=source.has_python)
        options["device_map"] = place(skeleton, source, devices)
    try:
        with _quiet():
            network, report = kind.from_pretrained(
                source.folder,
                config=config,
                dtype=dtype,
                local_files_only=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # checked below, by name
                **options,
            )
    except torch.OutOfMemoryError:
        raise
    except (*_UNFIT, SafetensorError) as error:
        expected = f"weights of {type(config).__name__} as configured"
        raise SchemaError(str(source.folder), expected, _line(error)) from error
    _check_weights(network, source, report)
    network.eval().requires_grad_(requires_grad=False)
    return network if len(devices) > 1 else network.to(devices[0])


def draw_network(
    source: Source,
    config: Any,  # noqa: ANN401 - a configuration of transformers
    backend: AttentionBackend,
    *,
    seed: int,
) -> Any:  # noqa: ANN401 - a network of transformers
    """Return a network with the weights that transformers begins a training with, in float32."""
    causal = source.reads == "left"
    own = implementation_name(backend) if causal else backend.transformers_name
    with torch.random.fork_rng(devices=[]), _quiet():
        torch.manual_seed(derive_seed(seed, "random weights"))
        network = _kind(source).from_config(config, attn_implementation=own)
    return network.float().eval().requires_grad_(requires_grad=False)


def _kind(source: Source) -> Any:  # noqa: ANN401 - a class of transformers
    import transformers

    causal = source.reads == "left"
    return transformers.AutoModelForCausalLM if causal else transformers.AutoModelForMaskedLM


def place(
    network: Any,  # noqa: ANN401 - a network of transformers
    source: Source,
    devices: Sequence[torch.device],
) -> dict[str, torch.device]:
    """Return the device of each part: blocks in equal shares, embeddings first, head last.

    A head that shares its weights with the embedding is on the same device.
    """
    family = FAMILIES[source.config["model_type"]]
    blocks = find_blocks(network, family)
    sizes = [sum(weight.numel() for weight in block.parameters()) for block in blocks]
    homes = dict(zip(blocks, spread_blocks(sizes, devices), strict=True))
    shared = network.get_input_embeddings().weight
    parts: dict[str, torch.device] = {}
    home = devices[0]
    for name, module in network.named_modules():
        if module in homes:
            home = parts[name] = homes[module]
        elif _is_part(module, homes) and not any(name.startswith(f"{part}.") for part in parts):
            tied = any(weight is shared for weight in module.parameters())
            parts[name] = devices[0] if tied else home
    return parts


def _is_part(module: nn.Module, blocks: Container[nn.Module]) -> bool:
    """Say whether a module has tensors of its own, or no modules in it, and contains no blocks."""
    if any(inner in blocks for inner in module.modules()):
        return False
    own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    return bool(own) or not any(True for _ in module.children())


def _check_devices(source: Source) -> None:
    if source.has_python:
        expected = "one device for a network whose code came with its weights"
        raise InputError("device", expected, "several")
    if find_spec("accelerate") is None:
        expected = 'the package accelerate (pip install "genointerp[transformers]")'
        raise InputError("several devices", expected, "it is not installed")


def _check_weights(network: Any, source: Source, report: Any) -> None:  # noqa: ANN401
    """Refuse missing weights, which transformers would draw at random; warn of extra ones."""
    unused = () if source.has_python else FAMILIES[source.config["model_type"]].unused
    odd = [f"no {key}" for key in sorted(report["missing_keys"]) if not key.startswith(unused)]
    odd += [
        f"{key} of shape {tuple(found)}, not {tuple(wanted)}"
        for key, found, wanted in sorted(report["mismatched_keys"])
        if not key.startswith(unused)
    ]
    if odd:
        expected = f"the weights of a {type(network).__name__} as configured"
        raise SchemaError(str(source.folder), expected, "; ".join(odd[:3]))
    over = sorted(key for key in report["unexpected_keys"] if not _BLOCK.search(key))
    if over:
        names = ", ".join(over[:3]) + (", ..." if len(over) > 3 else "")
        _log.warning("%s: weights that the network does not use: %s", source.name, names)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from reporting what is checked here, and from drawing progress bars."""
    from transformers.utils import logging as theirs

    verbosity, bars = theirs.get_verbosity(), theirs.is_progress_bar_enabled()
    theirs.set_verbosity_error()
    theirs.disable_progress_bar()
    try:
        yield
    finally:
        theirs.set_verbosity(verbosity)
        if bars:
            theirs.enable_progress_bar()


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
