"""`twin`: the random-weight twin of a model that was read, with a dictionary of its own."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from genointerp.command.build.encode import encode
from genointerp.command.build.harvest import harvest
from genointerp.command.build.train import train
from genointerp.core.arguments import OneOrMorePaths, StrPath, as_paths, is_run
from genointerp.core.config import from_mapping
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.files import kind_of_place
from genointerp.core.identity import Identity
from genointerp.core.progress import Progress
from genointerp.genome.read import read_genome
from genointerp.model.protocol import DnaModel
from genointerp.model.registry import load_model
from genointerp.reading.harvest import HarvestConfig
from genointerp.sae.header import TRAIN_CONFIG, read_header
from genointerp.store.activation.store import FORMAT, VERSION, ActivationStore
from genointerp.store.feature.run_folder import RunFolder
from genointerp.store.feature.store import FeatureStore
from genointerp.store.hdf5 import open_checked, text_attribute


class _Read(NamedTuple):
    """One reading that is to be made again: what was read, and how."""

    name: str
    store: ActivationStore
    genome: Path
    regions: tuple[str, ...]
    config: HarvestConfig


def twin(
    activations: OneOrMorePaths,
    out: StrPath,
    *,
    sae: StrPath | None = None,
    genome: OneOrMorePaths = (),
    model: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[FeatureStore]:
    """Read the same genomes with the model's random-weight twin, and train it a dictionary.

    Whatever two models share that their twins share too is composition and architecture: the twin
    is a null of `match` and of `similar`. What is finished is not made again, and a harvest or a
    training that was stopped goes on.

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
        Sequence of each genome, in any order; those of a run.
    model
        Name or folder of the model; where None, the name that the activations have.
    seed
        Seed of the random weights.

    Returns
    -------
    list of FeatureStore
        The features of each genome, in the order of the activations.

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
    reads, settings = _resolved(as_paths(activations), sae, as_paths(genome))
    first = reads[0].store.header
    name = first.model if model is None else model
    known = load_model(name)
    reads[0].store.identity.check(
        Identity(f"model {name}", model=known.spec.name, model_sha256=known.spec.sha256), "model"
    )
    drawn = load_model(name, random_weights=seed)
    if folder.exists() and not folder.is_dir():
        raise InputError(str(folder), "a folder, or nothing yet", kind_of_place(folder))
    folder.mkdir(parents=True, exist_ok=True)
    harvested = [_harvest(read, drawn, folder, progress) for read in reads]
    if not _is_trained(folder / "sae", settings, ActivationStore(harvested[0])):
        train(harvested, folder / "sae", config=settings)
    return [
        _encode(path, folder / "sae", folder / f"{read.name}.features.h5", progress)
        for read, path in zip(reads, harvested, strict=True)
    ]


def _is_trained(sae: Path, settings: Path, store: ActivationStore) -> bool:
    """Say whether a folder has the dictionary of these activations with the same settings."""
    if not (sae / TRAIN_CONFIG).is_file():
        return False
    same = (sae / TRAIN_CONFIG).read_bytes() == settings.read_bytes()
    own, found = store.header, read_header(sae).identity
    return same and (found.model_sha256, found.site) == (own.model_sha256, own.site)


def _encode(activations: Path, sae: Path, out: Path, progress: Progress | None) -> FeatureStore:
    if out.is_file():
        known = FeatureStore(out)
        if known.header.sae_sha256 == read_header(sae).sha256:
            return known
    return encode(activations, sae, out, progress=progress)


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


def _resolved(
    activations: Sequence[Path], sae: StrPath | None, genomes: Sequence[Path]
) -> tuple[list[_Read], Path]:
    """Return what is read again, and the settings of the dictionary."""
    if len(activations) == 1 and is_run(activations[0]):
        run = RunFolder.open(activations[0])
        paths = {name: own.activations for name, own in run.genomes.items()}
        sequences = [own.sequence for own in run.genomes.values()]
        folder = run.sae if sae is None else Path(sae)
    else:
        paths = {path.stem: path for path in activations}
        if len(paths) != len(activations):
            expected = "files of different names, after which what is written is named"
            raise InputError("activations", expected, str(activations[-1]))
        sequences = list(genomes)
        if sae is None:
            raise InputError("sae", "the folder of the dictionary whose settings are used", "none")
        folder = Path(sae)
    settings = folder / TRAIN_CONFIG
    if not settings.is_file():
        expected = f"{TRAIN_CONFIG}, which `train` writes"
        raise InputError(str(folder), expected, "a dictionary without it")
    return [_read(name, path, sequences) for name, path in paths.items()], settings


def _read(name: str, path: Path, sequences: Sequence[Path]) -> _Read:
    store = ActivationStore(path)
    with open_checked(path, FORMAT, VERSION) as file:
        made: dict[str, Any] = json.loads(text_attribute(file, "provenance"))["config"]
    fields = {key: made[key] for key in HarvestConfig.__dataclass_fields__ if key in made}
    config: HarvestConfig = from_mapping(HarvestConfig, fields, where=f"{path}: provenance")
    for sequence in sequences:
        if read_genome(sequence).sha256 == store.header.genome_sha256:
            return _Read(name, store, sequence, tuple(made.get("regions", ())), config)
    known = ", ".join(str(sequence) for sequence in sequences) or "none"
    raise MismatchError(str(path), "its genome among the sequences", known)
