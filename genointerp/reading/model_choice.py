"""The model of a call: its name, a model that is loaded already, or what loads one."""

from dataclasses import dataclass
from functools import partial

from genointerp.model.protocol import DnaModel
from genointerp.model.registry import load_model
from genointerp.reading.parallel import LoadModel

AnyModel = str | DnaModel | LoadModel
"""A name as `load_model` takes it, a model, or what loads one on a device."""


def loader_of(model: AnyModel, *, up_to: str | None = None) -> LoadModel:
    """Return what loads a model on a device; a model that is loaded already stays where it is.

    Parameters
    ----------
    up_to
        Last site that will be asked for, where the model is a name.
    """
    if isinstance(model, str):
        return partial(load_model, model, up_to=up_to)
    return _Loaded(model) if isinstance(model, DnaModel) else model


def loaded(model: AnyModel, *, device: str = "cpu") -> DnaModel:
    """Return a model, loaded on a device unless it is loaded already."""
    return model if isinstance(model, DnaModel) else loader_of(model)(device=device)


@dataclass(frozen=True)
class _Loaded:
    model: DnaModel

    def __call__(self, *, device: str) -> DnaModel:
        return self.model
