"""From the files of the command line to a table of associations."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from genointerp.annotation.catalogue import annotations_folder
from genointerp.association.associate import associate as associate_stores
from genointerp.association.baseline.config import BaselineConfig
from genointerp.association.baseline.measure import Rivals, measure_baselines
from genointerp.association.config import AssociateConfig
from genointerp.association.inputs import (
    define_known,
    read_elements,
    read_sequences,
    read_split,
    resolve_split,
    sides_path,
)
from genointerp.association.similarity import compare_sides, pieces_on
from genointerp.association.split import split_stores
from genointerp.association.training_genomes import read_sketch, tell_seen
from genointerp.core.config import to_mapping
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.files import claiming, together
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.genome import Genome
from genointerp.genome.read import read_genome
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.associations import read_associations_of
from genointerp.store.table.identity import SAE
from genointerp.store.table.schemas import ASSOCIATIONS, BASELINES, SIDES
from genointerp.store.table.table import check_table_path, is_table_of, write_table

_log = logging.getLogger(__name__)


def associate_files(
    features: Sequence[Path],
    annotations: Sequence[Path],
    out: Path,
    *,
    genomes: Sequence[Path] = (),
    concepts: Path | None = None,
    config: AssociateConfig | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Associate features files with annotation files, write the table and return it.

    Parameters
    ----------
    features, annotations
        In the same order of genomes.
    genomes
        Sequences, in any order; each must be the genome of one of the features. Not needed, but
        without one of them there is no matched background, the sides are not compared
        (`compare_sides`, whose table is written to `sides_path`), and an annotation that
        holds the bases too, as GenBank does, is checked against nothing.
    concepts
        Definition of the concepts; the shipped one where None.

    Raises
    ------
    InputError
        If there is not one annotation for each features file.
    MismatchError
        If a sequence is of none of the features.
    """
    config = AssociateConfig() if config is None else config
    check_table_path(out)
    stores = [FeatureStore(path) for path in features]
    config = resolve_split(stores, config)
    concepts = annotations_folder() / "concepts.yaml" if concepts is None else concepts
    known = read_sequences(stores, genomes)
    elements = define_known(stores, annotations, known, concepts)
    sequences = [known[sha] for sha in (s.header.genome_sha256 for s in stores) if sha in known]
    given = sequences if len(sequences) == len(stores) else None
    inputs = {f"features-{i}": store.sha256 for i, store in enumerate(stores)}
    inputs |= {f"annotations-{i}": sha256_file(path) for i, path in enumerate(annotations)}
    inputs["concepts"] = sha256_file(concepts)
    inputs[SAE] = stores[0].header.sae_sha256
    if given is not None:
        inputs |= {f"sequence-{i}": genome.sha256 for i, genome in enumerate(given)}
    provenance = Provenance(to_mapping(config), inputs)
    with claiming(out, same=is_table_of(out, ASSOCIATIONS, provenance)), together():
        table = associate_stores(
            stores, elements, sequences=given, config=config, progress=progress
        )
        write_table(table, out, ASSOCIATIONS, provenance)
        if given is None:
            lacking = "elements are not compared with matched background, nor test with fit"
            _log.warning("no sequences given: %s", lacking)
            return table
        splits = split_stores(stores, config)
        write_table(compare_sides(stores, given, splits), sides_path(out), SIDES, provenance)
    training = read_sketch()
    for name, pieces in pieces_on(stores, given, splits, "test").items():
        tell_seen(name, stores[0].header.model, pieces, training)
    return table


@dataclass(frozen=True)
class BaselineFiles:
    """Files of what features are measured beside.

    Parameters
    ----------
    out
        The table to write; None where nothing is to be measured.
    associations
        Of these features, made before with the same configuration; computed where None.
    activations, random, other_seed
        As in `genointerp.association.baseline.measure.Rivals`, in any order of genomes.

    Raises
    ------
    InputError
        If files are given and no table to write.
    """

    out: Path | None = None
    associations: Path | None = None
    activations: Sequence[Path] = ()
    random: Sequence[Path] = ()
    other_seed: Sequence[Path] = ()

    def __post_init__(self) -> None:
        given = [
            name
            for name in ("associations", "activations", "random", "other_seed")
            if getattr(self, name)
        ]
        if self.out is None and given:
            expected = f"a table to write, where {given[0].replace('_', ' ')} are given"
            raise InputError("baselines", expected, "none")


def associate(
    features: Sequence[Path],
    annotations: Sequence[Path],
    out: Path | None,
    *,
    baselines: BaselineFiles | None = None,
    genomes: Sequence[Path] = (),
    concepts: Path | None = None,
    config: AssociateConfig | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Associate features with annotations, measure what they stand beside, and return the former.

    Parameters
    ----------
    out
        Associations to write; None where ``baselines`` names some that are there.
    genomes
        Where baselines are wanted, the model of the sequence needs that of every features file.

    Others are those of `genointerp.command.associate.associate_files`.

    Raises
    ------
    InputError
        If both ``out`` and associations are given, or neither.
    MismatchError
        If the associations are of other features or of another configuration.
    """
    config = AssociateConfig() if config is None else config
    baselines = BaselineFiles() if baselines is None else baselines
    if (out is None) == (baselines.associations is None):
        found = "neither" if out is None else "both"
        raise InputError("out", "associations to write (out) or to read (associations)", found)
    if baselines.out is not None:
        check_table_path(baselines.out)
    config = resolve_split([FeatureStore(path) for path in features], config)
    if out is not None:
        table = associate_files(
            features,
            annotations,
            out,
            genomes=genomes,
            concepts=concepts,
            config=config,
            progress=progress,
        )
    elif baselines.associations is not None:
        table = _read_associations(baselines.associations, features, config)
    if baselines.out is not None:
        stores = [FeatureStore(path) for path in features]
        elements = read_elements(stores, annotations, genomes=genomes, concepts=concepts)
        rivals = _read_rivals(stores, baselines, genomes)
        own = BaselineConfig(seed=config.seed)
        beside = measure_baselines(
            stores, elements, table, rivals, split=config, config=own, progress=progress
        )
        provenance = _provenance(config, own, rivals, stores, annotations, concepts)
        write_table(beside, baselines.out, BASELINES, provenance)
    return table


def _read_associations(
    path: Path, features: Sequence[Path], config: AssociateConfig
) -> pd.DataFrame:
    table = read_associations_of(path, [FeatureStore(one) for one in features])
    made_with, wanted = to_mapping(read_split(path)), to_mapping(config)
    for key, value in wanted.items():
        if made_with[key] != value:
            raise MismatchError(f"{path}: {key}", f"{value}, as asked for", str(made_with[key]))
    return table


def _read_rivals(
    stores: Sequence[FeatureStore], files: BaselineFiles, genomes: Sequence[Path]
) -> Rivals:
    activations = {
        store.header.genome_sha256: store for store in map(ActivationStore, files.activations)
    }
    sequences: dict[str, Genome] = {}
    for path in genomes:
        genome = read_genome(path)
        sequences[genome.sha256] = genome
    for kind, known in (("activations", activations), ("genome", sequences)):
        missing = [store for store in stores if store.header.genome_sha256 not in known]
        if known and missing:
            raise InputError(kind, f"that of each features file, {missing[0].path} too", "none")
    own = [store.header.genome_sha256 for store in stores]
    return Rivals(
        activations=[activations[sha256] for sha256 in own] if activations else [],
        genomes=[sequences[sha256] for sha256 in own] if sequences else [],
        random=[FeatureStore(path) for path in files.random],
        other_seed=[FeatureStore(path) for path in files.other_seed],
    )


def _provenance(
    split: AssociateConfig,
    config: BaselineConfig,
    rivals: Rivals,
    stores: Sequence[FeatureStore],
    annotations: Sequence[Path],
    concepts: Path | None,
) -> Provenance:
    kinds: dict[str, Sequence[FeatureStore | ActivationStore | Genome]] = {
        "features": stores,
        "activations": rivals.activations,
        "genome": rivals.genomes,
        "random": rivals.random,
        "other-seed": rivals.other_seed,
    }
    inputs = {
        f"{kind}-{number}": each.sha256
        for kind, files in kinds.items()
        for number, each in enumerate(files)
    }
    inputs |= {f"annotations-{i}": sha256_file(path) for i, path in enumerate(annotations)}
    inputs["concepts"] = sha256_file(
        annotations_folder() / "concepts.yaml" if concepts is None else concepts
    )
    return Provenance({"split": to_mapping(split), "baselines": to_mapping(config)}, inputs)
