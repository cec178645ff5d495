"""From the files of the command line to a table of associations."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from genointerp.annotation.catalogue import annotations_folder
from genointerp.association.associate import associate as associate_specimens
from genointerp.association.baseline.config import BaselineConfig
from genointerp.association.baseline.measure import Rivals, measure_baselines
from genointerp.association.config import AssociateConfig
from genointerp.association.inputs import (
    read_elements,
    read_split,
    resolve_split,
    sides_path,
)
from genointerp.association.similarity import compare_sides, pieces_on
from genointerp.association.training_genomes import read_sketch, tell_seen
from genointerp.core.config import to_mapping
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.files import claiming, together
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import find_specimens
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.associations import read_associations_of
from genointerp.store.table.identity import SAE
from genointerp.store.table.schema.association import ASSOCIATIONS, BASELINES, SIDES
from genointerp.store.table.table import check_table_path, is_table_of, write_table

_log = logging.getLogger(__name__)


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
        What the features were made of, and features of rivals as in
        `genointerp.association.baseline.measure.Rivals`; all in any order of genomes.

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
    features, annotations
        In the same order of genomes.
    out
        Associations to write; None where ``baselines`` names some that are there.
    genomes
        Sequences, in any order; each must be the genome of one of the features. Not needed, but
        without one of them there is no matched background, the sides are not compared
        (`compare_sides`, whose table is written to `sides_path`), and an annotation that
        holds the bases too, as GenBank does, is checked against nothing. Where baselines are
        wanted, the model of the sequence needs that of every features file.
    concepts
        Definition of the concepts; the shipped one where None.

    Raises
    ------
    InputError
        If there is not one annotation for each features file; if both ``out`` and associations are
        given, or neither.
    MismatchError
        If a sequence is of none of the features, or the associations are of other features or of
        another configuration.
    """
    config = AssociateConfig() if config is None else config
    baselines = BaselineFiles() if baselines is None else baselines
    if (out is None) == (baselines.associations is None):
        found = "neither" if out is None else "both"
        raise InputError("out", "associations to write (out) or to read (associations)", found)
    for path in (out, baselines.out):
        if path is not None:
            check_table_path(path)
    specimens: Sequence[Specimen] = find_specimens(
        features, genome=genomes, annotations=annotations, activations=baselines.activations
    ).open("annotation", if_known=("sequence",))
    config = resolve_split([specimen.features for specimen in specimens], config)
    concepts = annotations_folder() / "concepts.yaml" if concepts is None else concepts
    specimens = read_elements(specimens, concepts)
    if out is not None:
        table = _write_associations(specimens, out, concepts, config, progress)
    elif baselines.associations is not None:
        table = _read_associations(baselines.associations, specimens, config)
    if baselines.out is not None:
        rivals = Rivals(
            random=[FeatureStore(path) for path in baselines.random],
            other_seed=[FeatureStore(path) for path in baselines.other_seed],
        )
        own = BaselineConfig(seed=config.seed)
        beside = measure_baselines(
            specimens, table, rivals, split=config, config=own, progress=progress
        )
        provenance = _provenance(config, own, rivals, specimens, concepts)
        write_table(beside, baselines.out, BASELINES, provenance)
    return table


def _write_associations(
    specimens: Sequence[Specimen],
    out: Path,
    concepts: Path,
    config: AssociateConfig,
    progress: Progress,
) -> pd.DataFrame:
    """Associate, write the table with the comparison of the sides beside it, and return it."""
    has_sequences = all(specimen.sequence is not None for specimen in specimens)
    inputs = {f"features-{i}": one.features.sha256 for i, one in enumerate(specimens)}
    inputs |= _annotation_inputs(specimens, concepts)
    inputs[SAE] = specimens[0].features.header.sae_sha256
    if has_sequences:
        inputs |= {f"sequence-{i}": one.genome_sha256 for i, one in enumerate(specimens)}
    provenance = Provenance(to_mapping(config), inputs)
    with claiming(out, same=is_table_of(out, ASSOCIATIONS, provenance)), together():
        table = associate_specimens(specimens, config=config, progress=progress)
        write_table(table, out, ASSOCIATIONS, provenance)
        if not has_sequences:
            lacking = "elements are not compared with matched background, nor test with fit"
            _log.warning("no sequences given: %s", lacking)
            return table
        write_table(compare_sides(specimens, config), sides_path(out), SIDES, provenance)
    training = read_sketch()
    for name, pieces in pieces_on(specimens, config, "test").items():
        tell_seen(name, specimens[0].features.header.model, pieces, training)
    return table


def _read_associations(
    path: Path, specimens: Sequence[Specimen], config: AssociateConfig
) -> pd.DataFrame:
    table = read_associations_of(path, [specimen.features for specimen in specimens])
    made_with, wanted = to_mapping(read_split(path)), to_mapping(config)
    for key, value in wanted.items():
        if made_with[key] != value:
            raise MismatchError(f"{path}: {key}", f"{value}, as asked for", str(made_with[key]))
    return table


def _annotation_inputs(specimens: Sequence[Specimen], concepts: Path) -> dict[str, str]:
    files = [specimen.annotation_file for specimen in specimens]
    inputs = {f"annotations-{i}": sha256_file(path) for i, path in enumerate(files) if path}
    return {**inputs, "concepts": sha256_file(concepts)}


def _provenance(
    split: AssociateConfig,
    config: BaselineConfig,
    rivals: Rivals,
    specimens: Sequence[Specimen],
    concepts: Path,
) -> Provenance:
    digests = {
        "features": [specimen.features.sha256 for specimen in specimens],
        "activations": [one.activations.sha256 for one in specimens if one.activations],
        "genome": [one.genome_sha256 for one in specimens if one.sequence],
        "random": [store.sha256 for store in rivals.random],
        "other-seed": [store.sha256 for store in rivals.other_seed],
    }
    inputs = {
        f"{kind}-{number}": sha256
        for kind, found in digests.items()
        for number, sha256 in enumerate(found)
    }
    inputs |= _annotation_inputs(specimens, concepts)
    return Provenance({"split": to_mapping(split), "baselines": to_mapping(config)}, inputs)
