"""The backtest from files to files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genointerp.annotation.catalogue import annotations_folder
from genointerp.annotation.concepts import load_concepts
from genointerp.annotation.read import read_annotation
from genointerp.association.file import read_split
from genointerp.candidate.backtest import BacktestResult, Subject, backtest
from genointerp.candidate.config import RankConfig
from genointerp.candidate.hidden import Known
from genointerp.core.config import to_mapping
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.genome import Genome
from genointerp.genome.read import read_genome
from genointerp.store.activations import ActivationStore
from genointerp.store.features import FeatureStore
from genointerp.store.table_schemas import ASSOCIATIONS, BACKTEST, BACKTEST_FEATURES, BASELINES
from genointerp.store.tables import check_table_path, read_table, write_table


@dataclass(frozen=True)
class BacktestFiles:
    """What a backtest is made from.

    Parameters
    ----------
    features, annotations
        Of each genome, in one order.
    genomes
        Sequences, in any order.
    associations
        Of the features, with nothing hidden.
    activations, random
        In the order of the features; not needed.
    concepts
        What the associations were made with; the shipped file where None.
    baselines
        Of the same features: tells which classes the model knows.
    """

    features: Sequence[Path]
    annotations: Sequence[Path]
    genomes: Sequence[Path]
    associations: Path
    activations: Sequence[Path] = ()
    random: Sequence[Path] = ()
    concepts: Path | None = None
    baselines: Path | None = None


def backtest_files(
    files: BacktestFiles,
    out: Path,
    *,
    config: RankConfig | None = None,
    progress: Progress = silent,
) -> BacktestResult:
    """Hide each known class in turn; write the classes to ``out`` and their features beside it.

    The second file is that of `features_path`.

    Raises
    ------
    InputError
        If there is not one annotation for each features file.
    MismatchError
        If a sequence is missing.
    """
    config = RankConfig() if config is None else config
    check_table_path(out)
    stores = [FeatureStore(path) for path in files.features]
    concepts = files.concepts or annotations_folder() / "concepts.yaml"
    origin = [ActivationStore(path) for path in files.activations]
    subject = Subject(
        stores,
        read_table(files.associations, ASSOCIATIONS),
        read_split(files.associations),
        [store.windows for store in origin] or None,
    )
    known = _read_known(files, stores, concepts)
    probes = None if files.baselines is None else read_table(files.baselines, BASELINES)
    random = [FeatureStore(path) for path in files.random]
    result = backtest(subject, known, config, random=random, probes=probes, progress=progress)
    inputs = {f"features-{i}": store.sha256 for i, store in enumerate(stores)}
    inputs |= {f"genome-{i}": genome.sha256 for i, genome in enumerate(known.genomes)}
    inputs |= {f"annotations-{i}": sha256_file(path) for i, path in enumerate(files.annotations)}
    inputs |= {f"activations-{i}": store.sha256 for i, store in enumerate(origin)}
    inputs |= {f"random-{i}": store.sha256 for i, store in enumerate(random)}
    inputs |= {"associations": sha256_file(files.associations), "concepts": sha256_file(concepts)}
    if files.baselines is not None:
        inputs["baselines"] = sha256_file(files.baselines)
    provenance = Provenance(to_mapping(config), inputs)
    write_table(result.features, features_path(out), BACKTEST_FEATURES, provenance)
    write_table(result.classes, out, BACKTEST, provenance)
    return result


def features_path(out: Path) -> Path:
    """Return where the features of the classes are written beside the table of classes.

    Examples
    --------
    >>> features_path(Path("backtest.tsv")).name
    'backtest_features.tsv'
    """
    return out.with_name(f"{out.stem}_features{out.suffix}")


def _read_known(files: BacktestFiles, stores: Sequence[FeatureStore], concepts: Path) -> Known:
    if len(files.annotations) != len(stores):
        expected = f"one annotation for each of {len(stores)} features files"
        raise InputError("annotations", expected, str(len(files.annotations)))
    by_sha256 = {genome.sha256: genome for genome in map(read_genome, files.genomes)}
    genomes = [_genome_of(store, by_sha256) for store in stores]
    annotations = [
        read_annotation(path, genome)
        for path, genome in zip(files.annotations, genomes, strict=True)
    ]
    return Known(annotations, genomes, load_concepts(concepts))


def _genome_of(store: FeatureStore, genomes: dict[str, Genome]) -> Genome:
    if store.header.genome_sha256 not in genomes:
        given = ", ".join(next(iter(genome)) for genome in genomes.values()) or "no genome"
        raise MismatchError(str(store.path), f"the genome of {', '.join(store.offsets)}", given)
    return genomes[store.header.genome_sha256]
