"""The model of a call: a name, a loaded model, or a function that loads one."""

from dataclasses import dataclass
from functools import partial

from genointerp.model.protocol import DnaModel
from genointerp.model.registry import load_model
from genointerp.reading.parallel import LoadModel

AnyModel = str | DnaModel | LoadModel
"""A name for `load_model`, a loaded model, or a function that loads one on a device."""


def loader_of(model: AnyModel, *, up_to: str | None = None) -> LoadModel:
    """Return a function that loads a model on a device; a loaded model stays on its own.

    Parameters
    ----------
    up_to
        Last site that will be read, if the model is a name.
    """
    if isinstance(model, str):
        return partial(load_model, model, up_to=up_to)
    return _Loaded(model) if isinstance(model, DnaModel) else model


def loaded(model: AnyModel, *, device: str = "cpu") -> DnaModel:
    """Return a model, and load it on a device unless it is already loaded."""
    return model if isinstance(model, DnaModel) else loader_of(model)(device=device)


@dataclass(frozen=True)
class _Loaded:
    model: DnaModel

    def __call__(self, *, device: str) -> DnaModel:
        return self.model
