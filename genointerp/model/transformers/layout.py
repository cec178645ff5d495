"""Layout of transformers networks: where their blocks, mixers and MLPs are."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from genointerp.core.errors import InputError
from genointerp.model.protocol import EMBEDDING

Reads = Literal["left", "both"]


@dataclass(frozen=True)
class Family:
    """Layout of the networks of one ``model_type``.

    Parameters
    ----------
    reads
        As in :class:`~genointerp.model.protocol.ModelSpec`.
    trunk
        Path of the network without its head; empty if the head cannot be separated.
    blocks
        Path of the list of blocks in the trunk.
    mixer, mlp
        Paths in a block of the modules whose output is added to the residual stream.
    writers
        Paths in a block of the linear maps whose output is added to the residual stream, in the
        order of computation.
    unused
        Prefixes of parameters on which neither activations nor likelihoods depend, and which files
        may lack.
    """

    reads: Reads
    trunk: str
    blocks: str
    mixer: str = ""
    mlp: str = ""
    writers: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


_DECODER = Family(
    "left",
    trunk="model",
    blocks="layers",
    mixer="self_attn",
    mlp="mlp",
    writers=("self_attn.o_proj", "mlp.down_proj"),
)

FAMILIES: dict[str, Family] = {
    "llama": _DECODER,
    "mistral": _DECODER,
    # its experts are not one map
    "mixtral": replace(_DECODER, writers=("self_attn.o_proj",)),
    "qwen3": _DECODER,
    "esm": Family(
        "both",
        trunk="esm",
        blocks="encoder.layer",
        # the residual addition follows each of these, in a module around it
        mixer="attention.output.dense",
        mlp="output.dense",
        writers=("attention.output.dense", "output.dense"),
        unused=("esm.contact_head.",),
    ),
    "modernbert": Family(
        "both",
        trunk="model",
        blocks="layers",
        mixer="attn",
        mlp="mlp",
        writers=("attn.Wo", "mlp.Wo"),
    ),
}


def find_trunk(network: nn.Module, family: Family) -> nn.Module:
    """Return the network without its head."""
    return network.get_submodule(family.trunk)


def find_blocks(network: nn.Module, family: Family) -> list[nn.Module]:
    """Return the blocks, first to last."""
    blocks = find_trunk(network, family).get_submodule(family.blocks)
    return list(blocks.children())


def find_sites(network: nn.Module, family: Family) -> dict[str, nn.Module]:
    """Return the module of each site, in the order of a forward pass."""
    return _embedding(network) | {
        name: module
        for index, block in enumerate(find_blocks(network, family))
        for name, module in _sites_of(block, f"blocks.{index}", family)
    }


def _embedding(network: Any) -> dict[str, nn.Module]:  # noqa: ANN401 - a network of transformers
    """Return the embedding as a site; nothing if code of the repository does not name it."""
    try:
        return {EMBEDDING: network.get_input_embeddings()}
    except (AttributeError, NotImplementedError):
        return {}


def _sites_of(block: nn.Module, name: str, family: Family) -> Iterator[tuple[str, nn.Module]]:
    if family.mixer:
        yield f"{name}.mixer", block.get_submodule(family.mixer)
        yield f"{name}.mlp", block.get_submodule(family.mlp)
    yield name, block


def find_family(network: nn.Module, reads: Reads, *, where: str) -> Family:
    """Find the blocks of a network that is Python code of its repository.

    They are the only list of modules with as many items as the configuration has blocks. Their
    output must be the residual stream, which a short run checks as far as possible.

    Raises
    ------
    InputError
        If no list, or several, have that length, or if blocks return the stream in two parts.
    """
    depth = find_depth(network.config, where)
    lists = [
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) == depth
    ]
    if len(lists) != 1:
        raise InputError(where, f"one list of {depth} blocks", ", ".join(lists) or "none")
    family = Family(reads, trunk="", blocks=lists[0])
    _try(network, find_blocks(network, family), where)
    return family


def find_depth(config: Any, where: str) -> int:  # noqa: ANN401 - a configuration of transformers
    """Return the number of blocks in a configuration, even of a network that is foreign code.

    Raises
    ------
    InputError
        If it does not state one.
    """
    for key in ("num_hidden_layers", "n_layer", "n_layers", "num_layers"):
        depth = getattr(config, key, None)
        if isinstance(depth, int):
            return depth
    raise InputError(where, "a configuration that states the number of blocks", "none")


@torch.no_grad()
def _try(network: nn.Module, blocks: list[nn.Module], where: str) -> None:
    outputs: dict[int, object] = {}

    def keep(_module: nn.Module, _inputs: object, output: object, index: int) -> None:
        outputs[index] = output

    handles = [
        block.register_forward_hook(partial(keep, index=i)) for i, block in enumerate(blocks)
    ]
    try:
        network(torch.zeros(1, 8, dtype=torch.int64, device=next(network.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()
    for index in range(len(blocks)):
        first, *rest = _parts(outputs.get(index))
        if first is None or first.ndim != 3 or first.shape[:2] != (1, 8):
            expected = "blocks that give a vector for each token"
            raise InputError(f"{where}: block {index}", expected, type(outputs.get(index)).__name__)
        # blocks like those of Mamba return the part that is still to be added, and the stream
        if any(isinstance(part, Tensor) and part.shape == first.shape for part in rest):
            expected = "a block that returns the residual stream"
            raise InputError(f"{where}: block {index}", expected, "its parts, not yet added")


def _parts(output: object) -> tuple[Tensor | None, ...]:
    parts = output if isinstance(output, tuple | list) else (output,)
    return tuple(part if isinstance(part, Tensor) else None for part in parts) or (None,)
