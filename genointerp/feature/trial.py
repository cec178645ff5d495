"""Trials of sites and dictionaries: the chain from genomes to features, without a workflow.

For the scripts that choose the defaults of the package; what they choose is run by the workflow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float32

from genointerp.activation.harvest import HarvestConfig
from genointerp.activation.tokens import stacked, token_batches
from genointerp.annotation.concepts import ConceptElements, define_elements, load_concepts
from genointerp.annotation.raster import element_bases
from genointerp.annotation.read import read_annotation
from genointerp.core.errors import ConfigError, MismatchError
from genointerp.core.provenance import Provenance
from genointerp.feature.encode import encode_store
from genointerp.feature.slow import SlowConfig, fit_slow_map
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval, parse_region
from genointerp.genome.read import read_genome
from genointerp.genome.windows import Window
from genointerp.model.protocol import DnaModel
from genointerp.sae.config import TrainConfig
from genointerp.sae.io import save_training
from genointerp.sae.source import RowSource
from genointerp.sae.train import TrainLog, train_sae
from genointerp.store.activation_shards import ActivationShards, manifest_sha256
from genointerp.store.activations import ActivationHeader, ActivationStore
from genointerp.store.contigs import ContigInfo, contig_lengths, contig_offsets
from genointerp.store.features import FeatureStore, ReadStrand
from genointerp.store.reading import row_blocks

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
"""What sites and dictionaries are judged by, in the sense orientation where there is one."""

FOLD_WINDOWS = 16
"""Windows of one fold in a row: a probe is not judged on bases beside those it was fitted to."""


@dataclass(frozen=True, eq=False)
class Ground:
    """A genome, the regions of it that are read, and what is known of it."""

    name: str
    genome: Genome
    regions: tuple[GenomicInterval, ...]
    elements: ConceptElements

    @property
    def seqids(self) -> tuple[str, ...]:
        """Names of its sequences."""
        return tuple(self.genome)


def read_ground(name: str, values: Mapping[str, Any]) -> Ground:
    """Read one genome of a resolved run configuration, with the concepts of `CONCEPTS` alone."""
    genome = read_genome(Path(values["sequence"]))
    annotation = read_annotation(Path(values["annotation"]), genome)
    known = load_concepts()
    elements = define_elements(annotation, genome, {key: known[key] for key in CONCEPTS})
    regions = tuple(parse_region(region, genome.lengths) for region in values.get("regions", ()))
    return Ground(name, genome, regions, elements)


def harvest_sites(
    model: DnaModel, ground: Ground, folder: Path, config: HarvestConfig
) -> dict[str, ActivationStore]:
    """Store the activations at every site of a model in one pass; files that exist are read.

    Raises
    ------
    MismatchError
        If a file in the folder is of other windows or another genome.
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
                raise MismatchError(str(path), "activations of these windows", "others")
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
    for batch in token_batches(model, genome, windows, batch_size):
        for site, values in model.run(stacked(batch), capture=model.spec.sites).items():
            for read, kept in zip(batch, values.float().cpu().numpy(), strict=True):
                rows[site].append(kept[read.rows])
    return {site: np.concatenate(parts) for site, parts in rows.items()}


def folds(store: ActivationStore) -> Bool[np.ndarray, " row"]:
    """Return which of two halves each row belongs to: runs of neighbouring windows."""
    window = np.arange(store.n_windows) // FOLD_WINDOWS % 2 == 1
    return np.repeat(window, np.diff(store.window_offset))


def rows_of(
    store: ActivationStore, elements: ConceptElements, concepts: Sequence[str]
) -> Bool[np.ndarray, " row"]:
    """Return which rows, read on the strand of an element, belong to one of some concepts."""
    lengths = contig_lengths(store.header.contigs)
    offsets = contig_offsets(store.header.contigs)
    rows = np.zeros(store.n_tokens, dtype=np.bool_)
    strands: tuple[ReadStrand, ReadStrand] = ("+", "-")
    for strand in strands:
        mask = np.zeros(sum(lengths.values()), dtype=np.bool_)
        for concept in concepts:
            mask[element_bases(elements, lengths, concept, strand=strand).row] = True
        for number, kept in enumerate(store.windows):
            if kept.strand == strand:
                first = offsets[kept.seqid] + kept.start
                inside = mask[first : first + kept.length]
                place = slice(*store.window_offset[number : number + 2].tolist())
                rows[place] = inside[::-1] if strand == "-" else inside
    return rows


class Trial(NamedTuple):
    """A trained dictionary and what it fires on, a store for each genome.

    ``slow_share`` is the share of the variance that the dictionary was given to explain.
    """

    log: TrainLog
    features: list[FeatureStore]
    slow_share: float


@dataclass(frozen=True)
class TrialConfig:
    """How a dictionary is tried."""

    training: TrainConfig = field(default_factory=TrainConfig)
    """Of the dictionary."""
    slow: SlowConfig | None = None
    """Train on the slow part of the activations; on all of them where None."""
    enrich: int = 1
    """How often the rows of RNA genes are given in an epoch."""


def parse_slow(text: str | None) -> SlowConfig | None:
    """Read ``STEP:HALF``.

    Raises
    ------
    ConfigError
        If it is not two whole numbers of at least 1.
    """
    if text is None:
        return None
    step, _, half = text.partition(":")
    if not (step.isdecimal() and half.isdecimal()):
        raise ConfigError("slow", "STEP:HALF, such as 3:10", repr(text))
    return SlowConfig(int(step), int(half))


def try_dictionary(
    fit: ActivationStore,
    stores: Sequence[ActivationStore],
    elements: ConceptElements,
    folder: Path,
    config: TrialConfig,
) -> Trial:
    """Train a dictionary on the activations of one genome and encode several with it.

    Parameters
    ----------
    fit, elements
        To train on, and its elements.
    stores
        To encode, each of another genome.
    folder
        What is made there is overwritten by the next trial.
    """
    x, slow = fit.rows(0, fit.n_tokens), None
    if config.slow is not None:
        slow = fit_slow_map(x, fit.window_offset, config.slow)
        x = slow(x)
    rna = rows_of(fit, elements, ("tRNA", "rRNA")) if config.enrich > 1 else None
    names = ("model", "model_sha256", "site")
    metadata = {name: str(getattr(fit.header, name)) for name in names}
    weight = None if rna is None else 1 + rna * np.int64(config.enrich - 1)
    source = RowSource(x, block=row_blocks(fit), weight=weight)
    result = train_sae(source, config.training, metadata=metadata)
    if slow is not None:
        slow.fold(result.sae)
    save_training(result, folder / "sae")
    features = [
        encode_store([store], folder / "sae", folder / f"features-{number}.h5")
        for number, store in enumerate(stores)
    ]
    return Trial(result.log, features, 1.0 if slow is None else slow.share)
