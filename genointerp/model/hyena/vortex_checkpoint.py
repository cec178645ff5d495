"""Weights of Evo 2 as published: one flat dict of tensors, named as in the code of vtx.

Tensors stay in the file until they are copied into the network, so a model is never in memory
twice.
"""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import copyfileobj

import torch
from torch import Tensor, nn

from genointerp.core.errors import SchemaError
from genointerp.core.files import atomic_path, check_is_file
from genointerp.model.device import spread_blocks
from genointerp.model.hyena.network import FLOAT32_PARAMETERS, HyenaConfig, StripedHyena
from genointerp.tensor.files import check_plain

_NOT_WEIGHTS = ("._extra_state", ".filter.t")
"""Endings of entries that are not weights: scales of FP8 matrix products, and a table of lags."""
_COPY_BYTES = 1 << 26


class _Discarded:
    """Stands for the objects that Transformer Engine pickled with the weights, and drops them."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


_STAND_INS = [
    (_Discarded, f"transformer_engine.common.recipe.{name}")
    for name in ("DelayedScaling", "Format", "_FormatHelper")
]


def find_checkpoint(place: Path, name: str) -> Path:
    """Return the file of weights, and join its pieces first if it was published in pieces.

    Parameters
    ----------
    place
        The file, or a folder that holds ``NAME.pt`` or its pieces ``NAME.pt.part0`` and so on.

    Raises
    ------
    SchemaError
        If there is neither, or a piece is missing.
    StorageError
        If the joined file cannot be written next to the pieces.
    """
    path = place / f"{name}.pt" if place.is_dir() else place
    if path.is_file():
        return path
    pieces = {
        int(number): piece
        for piece in path.parent.glob(f"{path.name}.part*")
        if (number := piece.name.removeprefix(f"{path.name}.part")).isdecimal()
    }
    missing = sorted(set(range(max(pieces, default=0) + 1)) - set(pieces))
    if missing:
        expected = f"{path.name}, or its pieces from {path.name}.part0 on"
        found = f"no part{missing[0]}" if pieces else "neither"
        raise SchemaError(str(path.parent), expected, found)
    _join([pieces[number] for number in sorted(pieces)], path)
    return path


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Return the weights by their published names, without those that are derived from others.

    Raises
    ------
    SchemaError
        If the file is not a dict of tensors.
    """
    check_is_file(path, error=SchemaError)
    try:
        with torch.serialization.safe_globals([io.BytesIO, *_STAND_INS]):
            entries = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    except Exception as error:  # torch raises errors of many classes for a damaged file
        found = str(error).partition("\n")[0] or type(error).__name__
        raise SchemaError(str(path), "weights that torch saved", found) from error
    if not isinstance(entries, dict):
        raise SchemaError(str(path), "a dict of tensors", type(entries).__name__)
    kept = {str(key): x for key, x in entries.items() if not str(key).endswith(_NOT_WEIGHTS)}
    for key, x in kept.items():
        if not isinstance(x, Tensor):
            raise SchemaError(str(path), "tensors", f"{key} of {type(x).__name__}")
        check_plain(x, f"{path}: {key}")
    return kept


def make_network(
    config: HyenaConfig,
    weights: dict[str, Tensor],
    *,
    devices: Sequence[torch.device],
    dtype: torch.dtype,
    last_block: int,
    where: str,
) -> StripedHyena:
    """Return a network with these weights, which are removed from the dict one by one.

    Parameters
    ----------
    devices
        Devices for the blocks; the embedding and the final norm are on the first.
    dtype
        Dtype of the weights, except for those that are always float32.
    last_block
        Index of the last block to load; blocks above it are left out.
    where
        File of the weights, for messages.

    Raises
    ------
    SchemaError
        If the weights are not those of the network; the message names the first that differ.
    """
    with torch.device("meta"):
        network = StripedHyena(config)
    _check(network, weights, where)
    del network.blocks[last_block + 1 :]
    sizes = [sum(x.numel() for x in block.parameters()) for block in network.blocks]
    of_block = spread_blocks(sizes, devices)
    for name, tensor in list(_tensors(network)):
        weight = weights.pop(published_name(name))
        if name.endswith("Wqkv.weight"):
            weight = _by_part(weight, config.n_heads)
        kept = torch.float32 if name.endswith(FLOAT32_PARAMETERS) else dtype
        device = of_block[int(name.split(".")[1])] if name.startswith("blocks.") else devices[0]
        weight = weight.to(device, kept)
        owner, _, leaf = name.rpartition(".")
        is_parameter = isinstance(tensor, nn.Parameter)
        value = nn.Parameter(weight, requires_grad=False) if is_parameter else weight
        setattr(network.get_submodule(owner), leaf, value)
    return network


def published_name(name: str) -> str:
    """Return the name of a parameter in published checkpoints.

    Examples
    --------
    >>> published_name("blocks.3.mixer.Wqkv.weight")
    'blocks.3.inner_mha_cls.Wqkv.weight'
    >>> published_name("blocks.2.mixer.filter.log_poles")
    'blocks.2.filter.log_poles'
    """
    block, is_mixer, rest = name.partition(".mixer.")
    if not is_mixer:
        return name
    if rest == "inv_freq":
        rest = "rotary_emb.inv_freq"
    attention = rest.startswith(("Wqkv", "out_proj", "rotary_emb"))
    return f"{block}.inner_mha_cls.{rest}" if attention else f"{block}.{rest}"


def _check(network: StripedHyena, weights: dict[str, Tensor], where: str) -> None:
    # a second copy of the tied embedding, which vtx does not read either
    weights.pop("unembed.weight", None)
    wanted = {published_name(name): tuple(x.shape) for name, x in _tensors(network)}
    missing, odd = sorted(set(wanted) - set(weights)), sorted(set(weights) - set(wanted))
    wrong = [
        f"{key} of shape {tuple(weights[key].shape)} instead of {wanted[key]}"
        for key in sorted(set(wanted) & set(weights))
        if tuple(weights[key].shape) != wanted[key]
    ]
    for what, keys in (("no", missing), ("also", odd), ("", wrong)):
        if keys:
            more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
            found = f"{what} {', '.join(keys[:3])}{more}".strip()
            raise SchemaError(where, "the weights of the configured network", found)


def _tensors(network: StripedHyena) -> Iterator[tuple[str, Tensor]]:
    yield from network.named_parameters()
    yield from network.named_buffers()


def _by_part(rows: Tensor, n_heads: int) -> Tensor:
    """Reorder the rows of a projection from (head, part, d) to (part, head, d)."""
    by_head = rows.view(n_heads, 3, -1, rows.shape[1])
    return by_head.transpose(0, 1).reshape(rows.shape)


def _join(pieces: Sequence[Path], path: Path) -> None:
    with atomic_path(path) as temporary, temporary.open("wb") as out:
        for piece in pieces:
            with piece.open("rb") as handle:
                copyfileobj(handle, out, _COPY_BYTES)
