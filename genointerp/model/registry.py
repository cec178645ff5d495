"""Models by name: those that this package loads without transformers, and the presets."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Literal

from genointerp.core.errors import InputError, SchemaError, UnknownNameError
from genointerp.core.files import read_json_object
from genointerp.core.nearest import suggested
from genointerp.model.edited.folder import is_edited, load_edited, parent_files
from genointerp.model.hyena.evo2 import EVO2, LICENCE, hub_id, load_evo2
from genointerp.model.hyena.folder import load_folder
from genointerp.model.load_options import LoadOptions
from genointerp.model.presets import PRESETS
from genointerp.model.protocol import DnaModel
from genointerp.model.tuned import as_tuned, is_tuned, read_tuning

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class ModelEntry:
    """One line of the registry.

    Parameters
    ----------
    summary
        Description of the model in one line.
    load
        Function from the name and the options to the model.
    context
        Longest window, in bases, that it was trained on.
    licence
        Licence of the weights.
    source
        ``shipped`` with this package, or the hub repository of the weights.
    tokenizer
        Kind of its tokenizer.
    reads
        As in :class:`~genointerp.model.protocol.ModelSpec`.
    """

    summary: str
    load: Callable[[str, LoadOptions], DnaModel]
    context: int
    licence: str
    source: str = "shipped"
    tokenizer: str = "char"
    reads: Literal["left", "both"] = "left"


def load_model(  # noqa: PLR0913 - each is a choice of the user
    name: str,
    *,
    device: str = "cpu",
    dtype: str | None = None,
    attention: str | None = None,
    require_flash: bool = False,
    revision: str | None = None,
    trust_remote_code: bool = False,
    checkpoint: str | Path | None = None,
    up_to: str | None = None,
    random_weights: int | None = None,
    of_parent: bool = False,
) -> DnaModel:
    """Load a model; see :class:`~genointerp.model.load_options.LoadOptions` for the options.

    Parameters
    ----------
    name
        Name that ``genointerp models`` lists; a folder that ``save_model``, ``genointerp edit``,
        ``genointerp tune`` or ``save_pretrained`` of transformers wrote; or a hub repository, with
        a slash.

    Raises
    ------
    UnknownNameError
        If the name is none of these.
    InputError
        If the model cannot be loaded with these options: because of a device, an attention kernel
        or a package that is missing, weights that cannot be downloaded, or Python code that was not
        trusted.
    SchemaError
        If files of the model are missing or do not fit each other.
    """
    options = LoadOptions(
        device=device,
        dtype=dtype,
        attention=attention,
        require_flash=require_flash,
        revision=revision,
        trust_remote_code=trust_remote_code,
        checkpoint=None if checkpoint is None else Path(checkpoint),
        up_to=up_to,
        random_weights=random_weights,
        of_parent=of_parent,
    )
    return load(name, options)


def model_files(name: str, options: LoadOptions) -> dict[str, Path] | None:
    """Return the files that a model is loaded from, by their names in its folder.

    They are None for a model whose published weights are not copied, such as Evo 2, which is always
    loaded by its name.

    Raises
    ------
    InputError
        If the files cannot be found or downloaded.
    SchemaError
        If files of the model are missing.
    """
    if name in MODELS:
        is_shipped = MODELS[name].source == "shipped"
        return parent_files(_weights_folder(name)) if is_shipped else None
    if name not in PRESETS and Path(name).is_dir():
        return parent_files(Path(name))
    from genointerp.model.transformers.source import find_source

    return parent_files(find_source(name, options).folder)


def is_listed(name: str) -> bool:
    """Say whether a name stands for the same model everywhere: a listed one, or one of the hub."""
    return name in MODELS or name in PRESETS or _HUB_ID.fullmatch(name) is not None


def load(name: str, options: LoadOptions) -> DnaModel:
    """Load a model by the options of :func:`load_model`."""
    if name not in MODELS and name not in PRESETS and is_edited(Path(name)):
        return load_edited(Path(name), options, load)
    if name not in MODELS and name not in PRESETS and is_tuned(Path(name)):
        return _load_tuned(Path(name), options)
    options.refuse_of_parent(name)
    if name in MODELS:
        return MODELS[name].load(name, options)
    if name in PRESETS:
        return _load_transformers(name, options)
    if Path(name).is_dir():
        return _load_local(Path(name), options)
    if _HUB_ID.fullmatch(name):
        return _load_transformers(name, options)
    listed = "a name that `genointerp models` lists"
    expected = f"{listed}, a folder of weights, or a hub repository like owner/name"
    raise UnknownNameError("model", expected, suggested(name, [*MODELS, *PRESETS]))


def _load_local(folder: Path, options: LoadOptions) -> DnaModel:
    """Load a folder; a ``config.json`` of transformers has a ``model_type``, ours does not."""
    config = folder / "config.json"
    if config.is_file() and "model_type" in read_json_object(config, error=SchemaError):
        return _load_transformers(str(folder), options)
    return load_folder(folder, options)


def _load_tuned(folder: Path, options: LoadOptions) -> DnaModel:
    """Load a folder with weights that were tuned; random ones in their place have no parent."""
    record = read_tuning(folder)
    for name in ("checkpoint", "revision"):
        if getattr(options, name) is not None:
            raise InputError(name, f"none for the tuned model in {folder}", "one")
    if options.random_weights is not None:
        options.refuse_of_parent(f"{folder} with random weights")
        return _load_local(folder, options)
    own = replace(options, of_parent=False)
    if record.preset:
        model = _load_transformers(record.preset, replace(own, checkpoint=folder))
    else:
        model = _load_local(folder, own)
    return as_tuned(model, folder, record, of_parent=options.of_parent)


def _load_transformers(name: str, options: LoadOptions) -> DnaModel:
    from genointerp.model.transformers.loading import load_transformers

    if not Path(name).is_dir():
        options.refuse_random_weights(name)
    return load_transformers(name, options)


def _load_shipped(name: str, options: LoadOptions) -> DnaModel:
    return load_folder(_weights_folder(name), options)


def _weights_folder(name: str) -> Path:
    return Path(str(resources.files("genointerp.model"))) / "weights" / name


MODELS: dict[str, ModelEntry] = {
    "nano": ModelEntry(
        summary="StripedHyena 2, 1.4 M parameters, 39 bacterial and archaeal genomes, no Bacilli",
        load=_load_shipped,
        context=8192,
        licence="MIT",
    ),
    "small": ModelEntry(
        summary="StripedHyena 2, 6.3 M parameters, grown from nano on the same genomes",
        load=_load_shipped,
        context=8192,
        licence="MIT",
    ),
    **{
        name: ModelEntry(
            summary=preset.summary,
            load=load_evo2,
            context=preset.context,
            licence=LICENCE,
            source=hub_id(name),
        )
        for name, preset in EVO2.items()
    },
}
