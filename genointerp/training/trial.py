"""Trials of sites and of dictionaries: the chain from genomes to features, without a workflow.

Scripts use them to choose the defaults of the package, which the workflow then runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32

from genointerp.annotation.concepts import ConceptElements, define_elements, load_concepts
from genointerp.annotation.read import read_annotation
from genointerp.core.errors import ConfigError, MismatchError
from genointerp.core.files import replacing
from genointerp.core.provenance import Provenance
from genointerp.feature.encode import encode_store
from genointerp.feature.specimen import Specimen
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.read import read_genome
from genointerp.genome.windows import Window
from genointerp.model.protocol import DnaModel
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.run import Wanted, run_passages
from genointerp.reading.tokens import genome_passages
from genointerp.sae.final import TrainLog
from genointerp.sae.io import save_training
from genointerp.store.activation.reading import StoreSource
from genointerp.store.activation.shards import ActivationShards, manifest_sha256
from genointerp.store.activation.store import ActivationHeader, ActivationStore
from genointerp.store.contigs import ContigInfo
from genointerp.store.feature.store import FeatureStore
from genointerp.training.config import SlowPart, TrainingConfig
from genointerp.training.train import train_source

CONCEPTS = (
    "tRNA",
    "rRNA",
    "CDS",
    "CDS_phase0",
    "CDS_phase1",
    "CDS_phase2",
    "start_codon",
    "intergenic",
)
"""Concepts by which sites and dictionaries are judged, in sense orientation if they have one."""


@dataclass(frozen=True, eq=False)
class Ground:
    """A genome, the regions to read of it, and its elements."""

    name: str
    genome: Genome
    regions: tuple[GenomicInterval, ...]
    elements: ConceptElements

    @property
    def seqids(self) -> tuple[str, ...]:
        """Names of its sequences."""
        return tuple(self.genome)

    def specimen(self, features: FeatureStore, activations: ActivationStore) -> Specimen:
        """Return the genome as a specimen, with its features and their activations."""
        return Specimen(
            self.name,
            features,
            sequence=self.genome,
            elements=self.elements,
            activations=activations,
        )


def read_ground(name: str, values: Mapping[str, Any]) -> Ground:
    """Read one genome of a resolved run configuration, with only the concepts of `CONCEPTS`."""
    genome = read_genome(Path(values["sequence"]))
    annotation = read_annotation(Path(values["annotation"]), genome)
    known = load_concepts()
    elements = define_elements(annotation, genome, {key: known[key] for key in CONCEPTS})
    regions = tuple(genome.regions(values.get("regions", ())))
    return Ground(name, genome, regions, elements)


def harvest_sites(
    model: DnaModel, ground: Ground, folder: Path, config: HarvestConfig
) -> dict[str, ActivationStore]:
    """Store the activations at every site of a model in one pass; existing files are reused.

    Raises
    ------
    MismatchError
        If an existing file is of other windows or of another genome.
    """
    windows = config.windows(model.spec, ground.genome, ground.regions)
    kept = [window.kept for window in windows]
    provenance = Provenance({"sites": "all"}, {"model": model.spec.sha256})
    stores, writers = {}, {}
    for site in model.spec.sites:
        header = ActivationHeader(
            model=model.spec.name,
            model_sha256=model.spec.sha256,
            site=site,
            d_in=model.spec.d_site,
            genome_sha256=ground.genome.sha256,
            encoding=config.encoding_for(model.spec),
            contigs=ContigInfo.of(ground.genome),
        )
        path = folder / f"{model.spec.sha256[:8]}.{ground.name}.{site}.h5"
        if path.exists():
            stores[site] = ActivationStore(path)
            expected = manifest_sha256(header, kept, provenance)
            if stores[site].manifest_sha256 != expected:
                raise MismatchError(str(path), "activations of these windows", "other ones")
        else:
            writers[site] = ActivationShards(path, header, kept, provenance)
    for shard in sorted({shard for writer in writers.values() for shard in writer.pending()}):
        numbers = next(iter(writers.values())).shard_windows(shard)
        chosen = [windows[index] for index in numbers]
        for site, rows in _read_all(model, ground.genome, chosen, config.batch).items():
            if site in writers:
                writers[site].write_shard(shard, rows)
    stores |= {site: writer.finish() for site, writer in writers.items()}
    return {site: stores[site] for site in model.spec.sites}


def _read_all(
    model: DnaModel, genome: Genome, windows: Sequence[Window], batch_size: int
) -> dict[str, Float32[np.ndarray, "row d_in"]]:
    rows: dict[str, list[np.ndarray]] = {site: [] for site in model.spec.sites}
    passages, wanted = genome_passages(genome, windows), Wanted(model.spec.sites)
    for found in run_passages(model, passages, wanted, size=batch_size):
        for site, parts in rows.items():
            parts += [kept.rows.float().cpu().numpy() for kept in found.kept(site)]
    return {site: np.concatenate(parts) for site, parts in rows.items()}


class ReadGround(NamedTuple):
    """A genome with its activations at one site."""

    ground: Ground
    activations: ActivationStore


class Trial(NamedTuple):
    """A trained dictionary's figures, and the genomes encoded with it."""

    log: TrainLog
    specimens: list[Specimen]


def parse_slow_part(text: str) -> SlowPart:
    """Parse ``STEP:HALF:N_FEATURES:K``.

    Raises
    ------
    ConfigError
        If it is not four whole numbers, each at least 1.
    """
    numbers = text.split(":")
    if len(numbers) != 4 or not all(number.isdecimal() for number in numbers):
        raise ConfigError("slow part", "STEP:HALF:N_FEATURES:K, such as 3:10:64:4", repr(text))
    return SlowPart(*map(int, numbers))


def try_dictionary(
    fit: ActivationStore, grounds: Sequence[ReadGround], folder: Path, config: TrainingConfig
) -> Trial:
    """Train a dictionary on the activations of one genome and encode several with it.

    Parameters
    ----------
    fit
        Activations to train on, as `genointerp train` does.
    grounds
        Genomes to encode.
    folder
        Folder for the files; the next trial overwrites them.
    """
    names = ("model", "model_sha256", "site")
    metadata = {name: str(getattr(fit.header, name)) for name in names}
    (result,) = train_source(StoreSource([fit], config.reading), [config], metadata=metadata)
    with replacing():
        save_training(result, folder / "sae")
        specimens = [
            ground.specimen(
                encode_store([store], folder / "sae", folder / f"features-{number}.h5"), store
            )
            for number, (ground, store) in enumerate(grounds)
        ]
    return Trial(result.log, specimens)
