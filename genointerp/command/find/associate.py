"""Every feature against every concept, chosen on fit and measured on test."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.association.associate import associate as associate_specimens
from genointerp.association.baseline.config import BaselineConfig
from genointerp.association.baseline.measure import Rivals, measure_baselines
from genointerp.association.config import AssociateConfig, read_associate_config
from genointerp.association.inputs import (
    AnyConcepts,
    read_elements,
    read_split,
    resolve_split,
    sides_path,
)
from genointerp.association.similarity import compare_sides, pieces_on
from genointerp.association.training_genomes import read_sketch, tell_seen
from genointerp.core.arguments import OneOrMorePaths, StrPath, as_path, as_paths, as_texts
from genointerp.core.config import to_mapping
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.files import claiming, together
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.associations import read_associations_of
from genointerp.store.table.identity import SAE
from genointerp.store.table.schema.association import ASSOCIATIONS, BASELINES, SIDES
from genointerp.store.table.table import check_table_path, is_table_of, write_table

_log = logging.getLogger(__name__)


def associate(
    features: OneOrMoreFeatures,
    out: StrPath | None = None,
    *,
    annotations: OneOrMorePaths = (),
    genome: OneOrMorePaths = (),
    test: str | Iterable[str] = (),
    concepts: AnyConcepts = None,
    config: AssociateConfig | Mapping[str, Any] | StrPath | None = None,
    seed: int | None = None,
    baselines_out: StrPath | None = None,
    associations: StrPath | None = None,
    activations: OneOrMorePaths = (),
    random_features: OneOrMorePaths = (),
    other_features: OneOrMorePaths = (),
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Compare every feature with every concept, in either orientation.

    Threshold and pair are chosen on the fit side; every score after ``f1_fit`` is measured on test.

    Parameters
    ----------
    features
        Features files, a catalogue, a run directory, or one of these that is open.
    out
        The associations are written there too: .parquet, .tsv, .csv or .json. Next to them goes the
        comparison of the sides, of `compare_sides`, where every sequence is known.
    annotations
        GFF3 or GenBank of each genome, in the order of the features, unless a catalogue or a run
        names them.
    genome
        FASTA or GenBank of each genome, in any order. Without one of them there is no matched
        background, the sides are not compared, and an annotation that holds the bases too, as
        GenBank does, is checked against nothing. Baselines need it for the model of the sequence.
    test
        Sequences, or genomes by their features files, of the test side; alternate blocks of each
        contig where there are none.
    concepts
        Their definition: a YAML file, or what `load_concepts` returns. Where None, what a specimen
        has already, else the definition of the run, else the shipped one.
    config
        A mapping such as ``{"n_shifts": 99}``, YAML, or the ``split`` of a run. ``test`` and
        ``seed`` replace its own.
    seed
        Random seed of the circular shifts.
    baselines_out
        What needs no dictionary is measured as well, and this table is written.
    associations
        Associations of these features that were made before with the same configuration, for the
        baselines, in place of ``out``.
    activations, random_features, other_features
        For the baselines, each in any order of the genomes: activations that the features were made
        of, and the features of the rivals of
        :class:`genointerp.association.baseline.measure.Rivals`.

    Returns
    -------
    pandas.DataFrame
        The associations, a row for each feature, concept and orientation.

    Raises
    ------
    InputError
        If an annotation is not known; if files of baselines are given and no table of them; if
        associations are both to be written and to be read, or neither where there are baselines.
    MismatchError
        If a sequence is of none of the features, or the associations are of other features or of
        another configuration.

    Examples
    --------
    >>> import genointerp as gi
    >>> run = gi.open_run("results/demo")  # doctest: +SKIP
    >>> associations = gi.associate(run, concepts="mine.yaml", config=run.split)  # doctest: +SKIP
    """
    settings = read_associate_config(config, test=as_texts(test), seed=seed)
    rivals = {
        "activations": activations,
        "random_features": random_features,
        "other_features": other_features,
    }
    out, beside, known = as_path(out), as_path(baselines_out), as_path(associations)
    _check_wanted(out, beside, known, {name: as_paths(paths) for name, paths in rivals.items()})
    files = find_specimens(
        features, genome=genome, annotations=annotations, activations=activations
    )
    settings = resolve_split(files.features, settings)
    specimens, origin = read_elements(files, concepts)
    if known is not None:
        table = _read_associations(known, specimens, settings)
    else:
        with progress_bar("associate (features)", progress) as report:
            table = _make_associations(specimens, out, origin, settings, report)
    if beside is not None:
        others = Rivals(
            random=[FeatureStore(path) for path in as_paths(random_features)],
            other_seed=[FeatureStore(path) for path in as_paths(other_features)],
        )
        own = BaselineConfig(seed=settings.seed)
        with progress_bar("baselines (detectors)", progress) as report:
            found = measure_baselines(
                specimens, table, others, split=settings, config=own, progress=report
            )
        provenance = _provenance(settings, own, others, specimens, origin)
        write_table(found, beside, BASELINES, provenance)
    return table


def _check_wanted(
    out: Path | None, beside: Path | None, known: Path | None, rivals: Mapping[str, Sequence[Path]]
) -> None:
    given = [*(["associations"] if known else []), *(name for name in rivals if rivals[name])]
    if beside is None and given:
        expected = f"a table to write, where {given[0].replace('_', ' ')} are given"
        raise InputError("baselines_out", expected, "none")
    if beside is not None and (out is None) == (known is None):
        found = "neither" if out is None else "both"
        raise InputError("out", "associations to write (out) or to read (associations)", found)
    for path in (out, beside):
        if path is not None:
            check_table_path(path)


def _make_associations(
    specimens: Sequence[Specimen],
    out: Path | None,
    concepts: Mapping[str, str],
    config: AssociateConfig,
    progress: Progress,
) -> pd.DataFrame:
    """Associate; write the table, if it is wanted, next to the comparison of the sides."""
    if out is None:
        return associate_specimens(specimens, config=config, progress=progress)
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


def _annotation_inputs(
    specimens: Sequence[Specimen], concepts: Mapping[str, str]
) -> dict[str, str]:
    files = [specimen.annotation_file for specimen in specimens]
    inputs = {f"annotations-{i}": sha256_file(path) for i, path in enumerate(files) if path}
    return {**inputs, **concepts}


def _provenance(
    split: AssociateConfig,
    config: BaselineConfig,
    rivals: Rivals,
    specimens: Sequence[Specimen],
    concepts: Mapping[str, str],
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
