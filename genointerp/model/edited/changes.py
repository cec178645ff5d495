"""What an edited model has that its parent lacks: features spliced at a site, changed weights."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from genointerp.core.errors import InputError, SchemaError
from genointerp.core.nearest import unknown
from genointerp.model.edits import FeatureReader, splice
from genointerp.model.hooks import apply_edits
from genointerp.model.hyena.single_nucleotide import SingleNucleotideModel, network_sites
from genointerp.model.protocol import EMBEDDING, DnaModel, Edit
from genointerp.model.transformers.layout import find_sites
from genointerp.model.transformers.model import TransformersModel


@dataclass(frozen=True, eq=False)
class Splices:
    """New amounts of features at a site: ``gain f(x) + value`` instead of ``f(x)``."""

    features: FeatureReader
    gain: Float[Tensor, " feature"]
    value: Float[Tensor, " feature"]

    def at(self, site: str) -> Edit:
        """Return the edit of activations."""
        return splice(site, self.features, gain=self.gain, value=self.value)

    def tensors(self) -> dict[str, Tensor]:
        """Return the numbers by name."""
        return vars(self.features) | {"gain": self.gain, "value": self.value}

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor], *, where: str) -> "Splices":
        """Make splices of tensors that have the names and shapes of :meth:`tensors`.

        Raises
        ------
        SchemaError
            If one is missing, not finite or of another shape.
        """
        names = ("read", "direction", "bias", "threshold", "gain", "value")
        if odd := sorted(set(tensors) ^ set(names)):
            raise SchemaError(where, f"the tensors {', '.join(names)}", ", ".join(odd))
        shape = tensors["read"].shape
        for name in names:
            one = tensors[name]
            expected = shape if name in ("read", "direction") else shape[:1]
            if len(shape) != 2 or one.shape != expected or not _is_finite(one):
                found = f"shape {tuple(one.shape)}" if _is_finite(one) else "others"
                raise SchemaError(f"{where}: {name}", "finite numbers for each feature", found)
        reader = FeatureReader(*(tensors[name] for name in FeatureReader.__dataclass_fields__))
        return cls(reader, tensors["gain"], tensors["value"])


@dataclass(frozen=True, eq=False)
class WeightChange:
    """What is added to a weight: ``left @ right.T``; a bias is a matrix of one column."""

    left: Float[Tensor, "out rank"]
    right: Float[Tensor, "into rank"]

    def added_to(self, weight: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Return the changed weight, in its own dtype and on its own device."""
        left, right = (it.to(weight.device).double() for it in (self.left, self.right))
        return (weight.double() + (left @ right.T).view_as(weight)).to(weight.dtype)


@dataclass(frozen=True, eq=False)
class Changes:
    """Everything that an edited model has of its own; either part may be empty."""

    site: str
    """Site of the splices, and the highest one at which changed weights write."""
    splices: Splices | None = None
    weights: Mapping[str, WeightChange] = field(default_factory=dict)
    """By the name of the weight in the network."""

    def tensors(self) -> dict[str, Tensor]:
        """Return the numbers by the names that they have in a file."""
        own = {} if self.splices is None else self.splices.tensors()
        found = {f"{_SPLICE}{name}": tensor for name, tensor in own.items()}
        for name, change in self.weights.items():
            found |= {f"{_LEFT}{name}": change.left, f"{_RIGHT}{name}": change.right}
        # copies, since a file may not hold one tensor under two names
        return {name: it.detach().cpu().float().clone() for name, it in found.items()}

    @classmethod
    def of(cls, site: str, tensors: Mapping[str, Tensor], *, where: str) -> "Changes":
        """Make changes of what :meth:`tensors` gave.

        Raises
        ------
        SchemaError
            If the tensors are not those of changes.
        """
        own = {
            name.removeprefix(_SPLICE): tensor
            for name, tensor in tensors.items()
            if name.startswith(_SPLICE)
        }
        lefts = [name.removeprefix(_LEFT) for name in tensors if name.startswith(_LEFT)]
        known = {f"{part}{name}" for name in lefts for part in (_LEFT, _RIGHT)}
        if odd := sorted(set(tensors) ^ (known | {f"{_SPLICE}{name}" for name in own})):
            expected = f"tensors {_SPLICE}..., and {_LEFT}... with {_RIGHT}..."
            raise SchemaError(where, expected, ", ".join(odd[:3]))
        weights = {}
        for name in lefts:
            left, right = tensors[f"{_LEFT}{name}"], tensors[f"{_RIGHT}{name}"]
            fits = left.ndim == right.ndim == 2 and left.shape[1] == right.shape[1]
            if not fits or not _is_finite(left) or not _is_finite(right):
                found = f"shapes {tuple(left.shape)} and {tuple(right.shape)}"
                raise SchemaError(f"{where}: {name}", "two finite matrices of one rank", found)
            weights[name] = WeightChange(left, right)
        return cls(site, Splices.of(own, where=where) if own else None, weights)


_SPLICE, _LEFT, _RIGHT = "splice.", "left.", "right."


def network_of(model: DnaModel) -> nn.Module:
    """Return the network of a model that can be edited.

    Raises
    ------
    InputError
        If it is neither a StripedHyena 2 nor of a family of transformers.
    """
    if isinstance(model, SingleNucleotideModel):
        return model.network
    if isinstance(model, TransformersModel) and model.loaded.family.trunk:
        network: nn.Module = model.loaded.network
        return network
    expected = "a StripedHyena 2, or a model of a family of transformers"
    raise InputError("edit", expected, model.spec.name)


def site_modules(model: DnaModel) -> Mapping[str, nn.Module]:
    """Return the module of each site of a model that can be edited, in the order of computation."""
    network = network_of(model)
    if isinstance(model, SingleNucleotideModel):
        return network_sites(model.network)
    assert isinstance(model, TransformersModel)
    return find_sites(network, model.loaded.family)


@torch.no_grad()
def apply_changes(model: DnaModel, changes: Changes) -> None:
    """Change a model in place, for good; what is above its last loaded block is left out.

    Raises
    ------
    SchemaError
        If the network has no weight of a name or shape, or it is that of an embedding.
    """
    for name, change in changes.weights.items():
        if (weight := _weight(model, name)) is not None:
            weight.data = checked_sum(weight, change, name)
    if changes.splices is not None and changes.site in (modules := site_modules(model)):
        _Permanent(model, changes.splices.at(changes.site)).attach(modules)


@contextmanager
def changed(model: DnaModel, weights: Mapping[str, WeightChange]) -> Iterator[None]:
    """Change weights of a model inside the block; afterwards they are the same, bit by bit."""
    before: dict[str, Tensor] = {}
    try:
        for name, change in weights.items():
            weight = network_of(model).get_parameter(name)
            before[name] = weight.data
            weight.data = checked_sum(weight, change, name)
        yield
    finally:
        for name, data in before.items():
            network_of(model).get_parameter(name).data = data


def checked_sum(weight: Tensor, change: WeightChange, name: str) -> Tensor:
    """Return a changed weight.

    Raises
    ------
    SchemaError
        If the change has other sizes than the weight.
    """
    shape = (len(change.left), len(change.right))
    own = tuple(weight.shape) if weight.ndim > 1 else (len(weight), 1)
    if own != shape:
        raise SchemaError(f"edit of {name}", f"a change of shape {own}", str(shape))
    return change.added_to(weight.data)


def _weight(model: DnaModel, name: str) -> nn.Parameter | None:
    """Return a weight; None if it is of a block that was not loaded."""
    network = network_of(model)
    own = dict(network.named_parameters(remove_duplicate=False))
    embedding = next(site_modules(model)[EMBEDDING].parameters())
    if own.get(name) is embedding:
        raise SchemaError(f"edit of {name}", "a weight that is not tied to the embedding", name)
    if name in own:
        return own[name]
    if any(part.isdecimal() for part in name.split(".")):
        return None
    raise unknown("weight", name, own)


class _Permanent:
    """An edit of a network that acts on every pass, before the edits and captures of that pass.

    Special tokens, which cover no base, are left as they are. A hook at the embedding sees which
    tokens a pass reads; threads do not see the passes of each other.
    """

    def __init__(self, model: DnaModel, edit: Edit) -> None:
        self.edit = edit
        spans = model.tokenize(np.frombuffer(b"ACGT" * 16, np.uint8))
        self.special: Int64[np.ndarray, " special"] = np.unique(spans.ids[spans.start < 0])
        self.read = threading.local()

    def attach(self, modules: Mapping[str, nn.Module]) -> None:
        modules[self.edit.site].register_forward_hook(self._change)
        if len(self.special):
            modules[EMBEDDING].register_forward_hook(self._see)

    def _see(self, _module: nn.Module, inputs: tuple[Any, ...], _output: object) -> None:
        (ids,) = inputs
        self.read.special = torch.isin(ids, torch.from_numpy(self.special).to(ids.device))

    def _change(self, _module: nn.Module, _inputs: object, output: Any) -> object:  # noqa: ANN401
        x, rest = (output, None) if isinstance(output, Tensor) else (output[0], output[1:])
        found = apply_edits(x, [self.edit])
        if len(self.special):
            found = torch.where(self.read.special.to(x.device)[..., None], x, found)
        return found if rest is None else (found, *rest)


def _is_finite(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and bool(tensor.isfinite().all())
