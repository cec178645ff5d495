"""The model of a call: a name, a loaded model, or a function that loads one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from genointerp.core.arguments import SHIPPED, StrPath, is_run
from genointerp.core.errors import InputError
from genointerp.model.protocol import DnaModel
from genointerp.model.registry import is_listed, load_model
from genointerp.reading.parallel import LoadModel
from genointerp.sae.header import read_header
from genointerp.store.feature.catalogue import SUFFIXES, read_catalogue
from genointerp.store.feature.run_folder import RunFolder
from genointerp.store.feature.store import FeatureStore

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
class RecordedModel:
    """The model that files were made with, whichever it is.

    Parameters
    ----------
    options
        How it is loaded, as options of `load_model`.
    """

    options: Mapping[str, Any] = field(default_factory=dict)

    def load(self, source: StrPath) -> DnaModel:
        """Load the model of `recorded_model`."""
        return load_model(**{**recorded_model(source), **self.options})


def loaded_or_recorded(model: AnyModel | RecordedModel | None, source: StrPath) -> DnaModel:
    """Return a model; where there is none, load that which ``source`` was made with."""
    model = RecordedModel() if model is None else model
    return model.load(source) if isinstance(model, RecordedModel) else loaded(model)


def recorded_model(source: StrPath) -> Mapping[str, Any]:
    """Return what the model of something is loaded by: its name, and options of `load_model`.

    Parameters
    ----------
    source
        A run directory, whose configuration says it; a features file, a catalogue or the folder of
        a dictionary, which know the name alone.

    Raises
    ------
    InputError
        If the name is not one that stands for the same model everywhere, as that of a folder.
    """
    if is_run(source):
        return RunFolder.open(source).model
    if str(source).startswith(SHIPPED) or Path(source).is_dir():
        name = read_header(source).model
    else:
        path = Path(source)
        if path.suffix in SUFFIXES:
            path = next(iter(read_catalogue(path).genomes.values())).features
        name = FeatureStore(path).header.model
    if not is_listed(name):
        expected = f"the model of {source}, since {name!r} is not the name of a listed one"
        raise InputError("model", expected, "none")
    return {"name": name}


@dataclass(frozen=True)
class _Loaded:
    model: DnaModel

    def __call__(self, *, device: str) -> DnaModel:
        return self.model
