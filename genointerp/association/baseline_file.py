"""From the files of the command line to associations and to what they are measured beside."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from genointerp.annotation.catalogue import annotations_folder
from genointerp.association.baseline import Rivals, measure_baselines
from genointerp.association.baseline_config import BaselineConfig
from genointerp.association.config import AssociateConfig
from genointerp.association.file import associate_files, read_elements, read_split, resolve_split
from genointerp.core.config import to_mapping
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.genome import Genome
from genointerp.genome.read import read_genome
from genointerp.store.activations import ActivationStore
from genointerp.store.belonging import read_associations_of
from genointerp.store.features import FeatureStore
from genointerp.store.table_schemas import BASELINES
from genointerp.store.tables import check_table_path, write_table


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
        As in `genointerp.association.baseline.Rivals`, in any order of genomes.

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


def associate_beside(  # noqa: PLR0913 - each is a file or a choice of the user
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

    Others are those of `genointerp.association.file.associate_files`.

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
