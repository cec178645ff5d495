"""Training of dictionaries from files: activation stores, or genomes that a model reads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from genointerp.core.arguments import OneOrMorePaths, StrPath, as_paths, as_texts
from genointerp.core.config import read_config
from genointerp.core.errors import InputError
from genointerp.core.progress import progress_bar
from genointerp.genome.read import read_genome
from genointerp.model.device import find_device
from genointerp.reading.harvest import HarvestConfig, HarvestPlan
from genointerp.reading.model_choice import AnyModel, loader_of
from genointerp.reading.parallel import LoadModel
from genointerp.sae import parallel
from genointerp.sae.architecture.registry import ARCHITECTURES
from genointerp.sae.source import ActivationSource
from genointerp.store.activation.reading import StoreSource
from genointerp.store.activation.side_by_side import JOINED, join_sites
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.run_folder import activation_files
from genointerp.training.config import TrainingConfig
from genointerp.training.model_source import ModelSource
from genointerp.training.train import Grid, Runtime, Trained, train_into


def train(
    activations: OneOrMorePaths,
    out: StrPath,
    *,
    n_features: int | None = None,
    k: int | None = None,
    n_tokens: int | None = None,
    config: TrainingConfig | Mapping[str, Any] | StrPath | None = None,
    seed: int | None = None,
    grid: Grid | None = None,
    genome: OneOrMorePaths = (),
    model: AnyModel = "nano",
    site: str | None = None,
    region: str | Iterable[str] = (),
    windows: HarvestConfig | Mapping[str, Any] | StrPath | None = None,
    runtime: Runtime | None = None,
) -> list[Trained]:
    """Train dictionaries on activation stores, read together, or straight from a model.

    Parameters
    ----------
    activations
        Stores of one site of one model; for a transcoder or a crosscoder, of all its sites, the
        input first; or a run directory, for those of the genomes that its dictionary was trained
        on. Empty where a model is to read genomes.
    out
        Folder of the dictionary; of a folder for each dictionary where there is a grid.
    n_features, k
        Number of features, and how many of them may fire on a token; they replace those of
        ``config``.
    n_tokens
        Number of tokens to train on; replaces that of ``config``.
    config
        A `TrainingConfig`, a mapping such as ``{"sae": {"n_features": 512, "k": 8}}`` or YAML; the
        defaults where None.
    seed
        Replaces the seed of the configuration.
    grid
        Values of settings, of which every combination is trained; see
        :func:`genointerp.training.train.train_into`.
    genome
        FASTA or GenBank files that the model reads, in place of stored activations.
    model, site
        What reads the genomes; the model's default site where None.
    region
        Samtools-style, 1-based and closed, of the one genome; the whole of each where empty.
    windows
        How genomes are read, as for `harvest`; how values are stored has no meaning here.
    runtime
        On the CPU and with a progress bar where None.

    Returns
    -------
    list of Trained
        The folder and the final figures of each dictionary.

    Raises
    ------
    ConfigError
        If the configuration has an unknown key or a value out of range.
    InputError
        If there are neither stores nor genomes, or both.
    MismatchError
        If the stores are of different models or sites.

    Examples
    --------
    >>> import genointerp as gi
    >>> trained = gi.train("activations.h5", "sae", n_features=512, k=8)  # doctest: +SKIP
    """
    runtime = Runtime() if runtime is None else runtime
    settings = _settings(config, {"n_features": n_features, "k": k}, n_tokens, seed)
    stores, sequences = activation_files(activations), as_paths(genome)
    if bool(stores) == bool(sequences):
        found = "both" if sequences else "none"
        raise InputError("activations", "stores, or genomes for a model to read", found)
    find_device(runtime.device)
    # before the model is loaded, so that each process loads it on a device of its own
    with (
        parallel.process_group(runtime.device) as own,
        progress_bar("train (tokens)", runtime.progress) as report,
    ):
        source: ActivationSource
        if stores:
            source, origin = _from_stores(stores, settings)
        else:
            read = _Reading(
                sequences,
                loader_of(model, up_to=site),
                site,
                as_texts(region),
                read_config(HarvestConfig, windows),
            )
            source, origin = _from_model(read, settings, own)
        return train_into(
            Path(out),
            source,
            settings,
            origin=origin,
            grid=grid,
            runtime=replace(runtime, device=own, progress=report),
        )


def _settings(
    config: TrainingConfig | Mapping[str, Any] | StrPath | None,
    sae: Mapping[str, int | None],
    n_tokens: int | None,
    seed: int | None,
) -> TrainingConfig:
    """Return a configuration in which the values that are not None replace those of the file."""
    settings = read_config(TrainingConfig, config)
    given: dict[str, Any] = {name: value for name, value in sae.items() if value is not None}
    own = {"n_tokens": n_tokens, "seed": seed}
    changes: dict[str, Any] = {name: value for name, value in own.items() if value is not None}
    if given:
        changes["sae"] = replace(settings.sae, **given)
    return replace(settings, **changes)


class _Reading(NamedTuple):
    """Genomes that a model reads for training."""

    genomes: tuple[Path, ...]
    load: LoadModel
    site: str | None
    regions: tuple[str, ...]
    windows: HarvestConfig


def _from_stores(
    activations: Sequence[Path], settings: TrainingConfig
) -> tuple[StoreSource, dict[str, str]]:
    stores = [ActivationStore(path) for path in activations]
    read, target = stores[0].header, {}
    if ARCHITECTURES[settings.sae.architecture].joins_sites:
        stores = join_sites(stores)
        if settings.sae.architecture == "transcoder":
            # it encodes the first site alone, and is for activations of that one
            target = {"target_site": stores[0].header.site.split(JOINED)[-1]}
        else:
            read = stores[0].header
    source = StoreSource(stores, settings.reading)
    return source, {
        "model": read.model,
        "model_sha256": read.model_sha256,
        "site": read.site,
        **target,
        "activations_sha256": " ".join(store.sha256 for store in stores),
    }


def _from_model(
    reading: _Reading, settings: TrainingConfig, device: str
) -> tuple[ModelSource, dict[str, str]]:
    if reading.regions and len(reading.genomes) > 1:
        raise InputError("region", "one genome that they are of", f"{len(reading.genomes)}")
    genomes = [read_genome(path) for path in reading.genomes]
    model = reading.load(device=device)
    site = model.spec.default_site if reading.site is None else reading.site
    plans = [
        HarvestPlan(
            model.spec,
            genome,
            site,
            reading.windows,
            tuple(genome.regions(reading.regions)),
        )
        for genome in genomes
    ]
    return ModelSource(model, plans, settings.reading), {
        "model": model.spec.name,
        "model_sha256": model.spec.sha256,
        "site": site,
        "genome_sha256": " ".join(genome.sha256 for genome in genomes),
        "regions": " ".join(reading.regions),
        "windows": f"{reading.windows.window} bases, warm-up {reading.windows.warmup}",
    }
