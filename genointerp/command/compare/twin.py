"""`twin`: the random-weight twin of a model that was read, with a dictionary of its own."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py

from genointerp.command.build.encode import encode
from genointerp.command.build.harvest import harvest
from genointerp.command.build.train import train
from genointerp.core.arguments import OneOrMorePaths, StrPath, as_paths, is_run
from genointerp.core.config import from_mapping
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.files import kind_of_place
from genointerp.core.identity import Identity
from genointerp.core.nearest import suggested
from genointerp.core.progress import Progress
from genointerp.genome.read import read_genome
from genointerp.model.protocol import DnaModel
from genointerp.model.registry import load_model
from genointerp.reading.harvest import HarvestConfig
from genointerp.sae.header import CONFIG, TRAIN_CONFIG, read_cfg, read_header
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.run_folder import RunFolder
from genointerp.store.feature.store import FeatureStore
from genointerp.store.hdf5 import text_attribute
from genointerp.training.train import Runtime


class _Read(NamedTuple):
    """One reading that is to be made again: what was read, how, and whether it is trained on."""

    name: str
    store: ActivationStore
    genome: Path
    regions: tuple[str, ...]
    config: HarvestConfig
    is_fit: bool


class _Asked(NamedTuple):
    """All readings, the settings of the dictionary, and how the model is loaded."""

    reads: Sequence[_Read]
    settings: Path
    model: Mapping[str, Any]


def twin(
    activations: OneOrMorePaths,
    out: StrPath,
    *,
    sae: StrPath | None = None,
    genome: OneOrMorePaths = (),
    model: str | None = None,
    device: str = "cpu",
    seed: int = 0,
    progress: Progress | None = None,
) -> list[FeatureStore]:
    """Read the same genomes with the model's random-weight twin, and train it a dictionary.

    Whatever two models share that their twins share too is composition and architecture: the twin
    is a null of `match` and of `similar`. What is finished is not made again; where what it was
    made from has changed, it is refused, or replaced with ``--force``. A harvest or a training that
    was stopped goes on.

    Parameters
    ----------
    activations
        Activations of each genome, as `harvest` wrote them; or a run directory.
    out
        Folder. It gets ``sae``, and for each genome ``NAME.activations.h5`` and
        ``NAME.features.h5``.
    sae
        Folder of the dictionary whose settings are used, which `train` wrote; that of a run.
    genome
        Sequence of each genome, in any order. Those of a run are known; names of some of its
        genomes leave out others, but not those that its dictionary was trained on.
    model
        Name or folder of the model; where None, that of the run, or the name that the activations
        have.
    device
        Where the model and the dictionary run, as torch names it.
    seed
        Seed of the random weights alone: the dictionary keeps the seed of its settings. Two seeds
        are thus two networks, under dictionaries that begin alike.

    Returns
    -------
    list of FeatureStore
        The features of each genome, in the order of the activations. The dictionary is trained on
        all of them, or, of a run, on those that the dictionary of the run was trained on.

    Raises
    ------
    InputError
        If a sequence or the dictionary is not known, or its folder holds no settings of a training.
    MismatchError
        If the activations are of another model, or a sequence is of none of them.

    Examples
    --------
    >>> import genointerp as gi
    >>> stores = gi.twin("results/demo", "twin")  # doctest: +SKIP
    >>> gi.match("a.h5", "b.h5", twin_a=stores[0].path)  # doctest: +SKIP
    """
    folder = Path(out)
    reads, settings, own = _resolved(as_paths(activations), sae, as_paths(genome))
    options = {"name": reads[0].store.header.model, **own} if model is None else {"name": model}
    known = load_model(**options, device=device)
    reads[0].store.identity.check(
        Identity(f"model {options['name']}", model=known.spec.name, model_sha256=known.spec.sha256),
        "model",
    )
    drawn = load_model(**options, device=device, random_weights=seed)
    if folder.exists() and not folder.is_dir():
        raise InputError(str(folder), "a folder, or nothing yet", kind_of_place(folder))
    folder.mkdir(parents=True, exist_ok=True)
    harvested = [_harvest(read, drawn, folder, progress) for read in reads]
    fit = [path for read, path in zip(reads, harvested, strict=True) if read.is_fit]
    if not _is_trained(folder / "sae", settings, fit):
        train(fit, folder / "sae", config=settings, runtime=Runtime(device))
    return [
        _encode(path, folder / "sae", folder / f"{read.name}.features.h5", device, progress)
        for read, path in zip(reads, harvested, strict=True)
    ]


def _is_trained(sae: Path, settings: Path, activations: Sequence[Path]) -> bool:
    """Say whether a folder has the dictionary of these activations with the same settings."""
    if not (sae / CONFIG).is_file() or not (sae / TRAIN_CONFIG).is_file():
        return False
    same = (sae / TRAIN_CONFIG).read_bytes() == settings.read_bytes()
    wanted = " ".join(ActivationStore(path).sha256 for path in activations)
    return same and read_cfg(sae / CONFIG)["metadata"].get("activations_sha256") == wanted


def _encode(
    activations: Path, sae: Path, out: Path, device: str, progress: Progress | None
) -> FeatureStore:
    made_from = {read_header(sae).sha256, ActivationStore(activations).sha256}
    if out.is_file() and made_from <= {*_provenance(out)["inputs"].values()}:
        return FeatureStore(out)
    return encode(activations, sae, out, device=device, progress=progress)


def _harvest(read: _Read, model: DnaModel, folder: Path, progress: Progress | None) -> Path:
    path = folder / f"{read.name}.activations.h5"
    harvest(
        read.genome,
        path,
        model,
        site=read.store.header.site,
        region=read.regions,
        config=read.config,
        progress=progress,
    )
    return path


def _resolved(activations: Sequence[Path], sae: StrPath | None, genomes: Sequence[Path]) -> _Asked:
    """Return what is read again, and how."""
    options: Mapping[str, Any] = {}
    if len(activations) == 1 and is_run(activations[0]):
        run = RunFolder.open(activations[0])
        fit = run.fit
        paths = {name: run.genomes[name].activations for name in _named(run, genomes)}
        sequences = [run.genomes[name].sequence for name in paths]
        folder = run.sae if sae is None else Path(sae)
        options = _model_of(run)
    else:
        paths = {path.stem: path for path in activations}
        if len(paths) != len(activations):
            expected = "files of different names, after which what is written is named"
            raise InputError("activations", expected, str(activations[-1]))
        sequences = list(genomes)
        if sae is None:
            raise InputError("sae", "the folder of the dictionary whose settings are used", "none")
        folder, fit = Path(sae), tuple(paths)
    settings = folder / TRAIN_CONFIG
    if not settings.is_file():
        expected = f"{TRAIN_CONFIG}, which `train` writes"
        raise InputError(str(folder), expected, "a dictionary without it")
    reads = [_read(name, path, sequences, fit) for name, path in paths.items()]
    return _Asked(reads, settings, options)


def _named(run: RunFolder, names: Sequence[Path]) -> list[str]:
    """Return the genomes of a run that are read: those named, if any are, and those of fit."""
    named = {str(name) for name in names}
    for name in sorted(named - {*run.genomes}):
        expected = f"one of {', '.join(run.genomes)}, the genomes of the run"
        raise InputError("genome", expected, suggested(name, run.genomes))
    return [name for name in run.genomes if not named or name in named | {*run.fit}]


def _model_of(run: RunFolder) -> dict[str, Any]:
    """Return how the model of a run is loaded, with paths that do not depend on the folder."""
    found = dict(run.model)
    name = str(found.get("name", ""))
    if "/" in name and (run.path / name).is_dir():
        found["name"] = str(run.path / name)
    if "checkpoint" in found:
        found["checkpoint"] = run.path / found["checkpoint"]
    return found


def _provenance(path: Path) -> dict[str, Any]:
    """Return what activations or features were made from."""
    with h5py.File(path) as file:
        found: dict[str, Any] = json.loads(text_attribute(file, "provenance"))
    return found


def _read(name: str, path: Path, sequences: Sequence[Path], fit: Sequence[str]) -> _Read:
    store = ActivationStore(path)
    made: dict[str, Any] = _provenance(path)["config"]
    fields = {key: made[key] for key in HarvestConfig.__dataclass_fields__ if key in made}
    config: HarvestConfig = from_mapping(HarvestConfig, fields, where=f"{path}: provenance")
    for sequence in sequences:
        if read_genome(sequence).sha256 == store.header.genome_sha256:
            regions = tuple(made.get("regions", ()))
            return _Read(name, store, sequence, regions, config, name in fit)
    known = ", ".join(str(sequence) for sequence in sequences) or "none"
    raise MismatchError(str(path), "its genome among the sequences", known)
