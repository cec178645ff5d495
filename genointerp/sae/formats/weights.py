"""Shared by the formats: check weights by name and build a dictionary of this package from them.

Some libraries subtract b_dec from x before encoding. That amounts to a bias of the encoder:
``(x - b_dec) W_enc + b_enc = x W_enc + (b_enc - b_dec W_enc)``.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from genointerp.core.errors import ConfigError, SchemaError
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.base import SparseAutoencoder, check_tensors
from genointerp.sae.config import ArchitectureName, SaeConfig
from genointerp.tensor.files import read_state


def read_pickled(path: Path) -> dict[str, Tensor]:
    """Read tensors by name that ``torch.save`` wrote, without running code of the file.

    Raises
    ------
    InputError
        If there is no such file.
    SchemaError
        If it holds anything else.
    """
    state = read_state(path)
    if not isinstance(state, dict) or not all(isinstance(one, Tensor) for one in state.values()):
        raise SchemaError(str(path), "tensors by name", type(state).__name__)
    return {str(name): tensor for name, tensor in state.items()}


def take(tensors: Mapping[str, Tensor], name: str, where: str) -> Float[Tensor, "..."]:
    """Return a tensor in float32.

    Raises
    ------
    SchemaError
        If there is no tensor of that name, or it is not finite.
    """
    if name not in tensors:
        known = ", ".join(sorted(tensors)) or "none"
        raise SchemaError(where, f"a tensor {name!r}", known)
    tensor = tensors[name].float()
    if not bool(torch.isfinite(tensor).all()):
        raise SchemaError(f"{where}: {name}", "finite values", "NaN or infinity")
    return tensor


def check_names(
    tensors: Mapping[str, Tensor], names: Iterable[str], where: str, *, optional: Iterable[str] = ()
) -> None:
    """Refuse a file that lacks a tensor, or holds one that would be ignored here.

    Raises
    ------
    SchemaError
        Naming that tensor.
    """
    expected = [*names]
    for name in expected:
        if name not in tensors:
            known = ", ".join(sorted(tensors)) or "none"
            raise SchemaError(where, f"a tensor {name!r}", known)
    odd = sorted(set(tensors) - {*expected, *optional})
    if odd:
        raise SchemaError(where, f"only the tensors {', '.join(expected)}", ", ".join(odd[:5]))


def matrix(tensors: Mapping[str, Tensor], name: str, where: str) -> Float[Tensor, "rows columns"]:
    """Return a matrix in float32.

    Raises
    ------
    SchemaError
        If there is no tensor of that name, or it is not a matrix.
    """
    tensor = take(tensors, name, where)
    if tensor.ndim != 2:
        raise SchemaError(f"{where}: {name}", "a matrix", f"shape {tuple(tensor.shape)}")
    return tensor


def build(
    architecture: ArchitectureName,
    tensors: Mapping[str, Tensor],
    where: str,
    *,
    k: int | None = None,
    subtracts_b_dec: bool = False,
    prefixes: tuple[float, ...] | None = None,
) -> SparseAutoencoder:
    """Make a dictionary from weights that have the names and shapes of this package.

    Parameters
    ----------
    tensors
        W_enc, W_dec, b_enc (b_gate if gated), b_dec and the other weights of the architecture.
    k
        k of the file; None where the architecture does not use it.
    subtracts_b_dec
        Whether b_dec is subtracted from x before encoding; it then becomes part of the bias.

    Raises
    ------
    SchemaError
        If a tensor is missing, shapes do not fit together or k is more than there are features.
    """
    weights = {name: take(tensors, name, where) for name in tensors}
    n_features, d_out = matrix(tensors, "W_dec", where).shape
    d_in = matrix(tensors, "W_enc", where).shape[0]
    if min(n_features, d_in, d_out) < 1:
        found = f"{n_features} features, {d_in} wide"
        raise SchemaError(where, "a dictionary of one feature or more", found)
    widths = (d_in, d_out) if architecture == "transcoder" else ()
    try:
        config = SaeConfig(
            architecture,
            n_features,
            min(16, n_features) if k is None else k,
            prefixes=SaeConfig.prefixes if prefixes is None else prefixes,
            widths=widths,
        )
    except ConfigError as error:
        raise SchemaError(where, error.expected, f"{error.where} = {error.found}") from error
    sae = make_sae(config, sum(widths) or d_out)
    check_tensors(sae, weights, where=where)
    if subtracts_b_dec:
        _move_bias(weights, sign=-1)
    sae.fill(weights, where=where)
    return sae


def weights_of(sae: SparseAutoencoder, *, subtracts_b_dec: bool) -> dict[str, Tensor]:
    """Return the weights for a library that does, or does not, subtract b_dec before encoding."""
    weights = sae.tensors()
    if subtracts_b_dec:
        _move_bias(weights, sign=1)
    return weights


def common_threshold(sae: SparseAutoencoder) -> Float[Tensor, ""]:
    """Return the one threshold of a BatchTopK dictionary."""
    return sae.threshold.detach().cpu()


def _move_bias(weights: dict[str, Tensor], *, sign: int) -> None:
    moved = weights["b_dec"].double() @ weights["W_enc"].double()
    name = "b_gate" if "b_gate" in weights else "b_enc"
    weights[name] = (weights[name].double() + sign * moved).float()
    if "b_mag" in weights:
        scaled = moved * weights["r_mag"].double().exp()
        weights["b_mag"] = (weights["b_mag"].double() + sign * scaled).float()
