"""Training of dictionaries from files: activation stores, or genomes that a model reads."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from genointerp.core.config import read_config
from genointerp.core.errors import InputError
from genointerp.genome.read import read_genome
from genointerp.model.device import find_device
from genointerp.reading.harvest import HarvestConfig, HarvestPlan
from genointerp.reading.parallel import LoadModel
from genointerp.sae import parallel
from genointerp.sae.architecture.registry import ARCHITECTURES
from genointerp.store.activation.reading import StoreSource
from genointerp.store.activation.side_by_side import JOINED, join_sites
from genointerp.store.activation.store import ActivationStore
from genointerp.training.config import TrainingConfig
from genointerp.training.model_source import ModelSource
from genointerp.training.train import Grid, Runtime, Trained, train_into


@dataclass(frozen=True)
class ModelReading:
    """Genomes that a model reads for training, in place of stored activations.

    Parameters
    ----------
    genomes
        FASTA or GenBank files.
    load
        Makes the model.
    site
        The model's default where None.
    regions
        Samtools-style, 1-based and closed, of the one genome; the whole of each where empty.
    windows
        As for `harvest`; how values are stored has no meaning here.
    """

    genomes: Sequence[Path]
    load: LoadModel
    site: str | None = None
    regions: Sequence[str] = ()
    windows: HarvestConfig = field(default_factory=HarvestConfig)


def train(
    activations: Sequence[Path],
    out: Path,
    *,
    reading: ModelReading | None = None,
    config: Path | None = None,
    grid: Grid | None = None,
    seed: int | None = None,
    runtime: Runtime | None = None,
) -> list[Trained]:
    """Train dictionaries on activation stores, read together, or straight from a model.

    See :func:`genointerp.training.train.train_into`.

    Parameters
    ----------
    activations
        Stores of one site of one model; for a transcoder or a crosscoder, of all its sites, the
        input first. Empty where a model is to read genomes.
    reading
        The model and the genomes, where there are no stores.
    config
        YAML of a `TrainingConfig`; the defaults where None.
    seed
        Replaces the seed of the configuration.

    Raises
    ------
    ConfigError
        If the configuration has an unknown key or a value out of range.
    InputError
        If there are neither stores nor genomes, or both.
    MismatchError
        If the stores are of different models or sites.
    """
    runtime = Runtime() if runtime is None else runtime
    settings = read_config(TrainingConfig, config)
    if seed is not None:
        settings = replace(settings, seed=seed)
    genomes = () if reading is None else reading.genomes
    if bool(activations) == bool(genomes):
        found = "both" if genomes else "none"
        raise InputError("activations", "stores, or genomes for a model to read", found)
    find_device(runtime.device)
    # before the model is loaded, so that each process loads it on a device of its own
    with parallel.process_group(runtime.device) as own:
        source, origin = (
            _from_model(reading, settings, own)
            if reading is not None and genomes
            else _from_stores(activations, settings)
        )
        return train_into(
            out,
            source,
            settings,
            origin=origin,
            grid=grid,
            runtime=replace(runtime, device=own),
        )


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
    reading: ModelReading, settings: TrainingConfig, device: str
) -> tuple[ModelSource, dict[str, str]]:
    if reading.regions and len(reading.genomes) > 1:
        raise InputError("regions", "one genome that they are of", f"{len(reading.genomes)}")
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
