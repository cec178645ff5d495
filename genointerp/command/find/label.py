"""`label`: say what each feature is, from what is measured of it on fit."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.association.associate import associate as associate_specimens
from genointerp.association.config import AssociateConfig
from genointerp.association.inputs import AnyConcepts, read_elements, read_split, resolve_split
from genointerp.core.arguments import OneOrMorePaths, StrPath, as_path
from genointerp.core.config import read_config, to_mapping
from genointerp.core.errors import InputError
from genointerp.core.files import atomic_path, check_replaceable, claiming, together
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.provenance import Provenance
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import (
    OneOrMoreFeatures,
    SpecimenFiles,
    find_specimens,
    total_inputs,
)
from genointerp.labelling.backdrop import make_backdrop
from genointerp.labelling.config import LabelConfig
from genointerp.labelling.evidence import Evidence, gather_evidence
from genointerp.labelling.label import labels_table
from genointerp.labelling.statistical import label_statistically
from genointerp.store.table.identity import SAE
from genointerp.store.table.schema.label import LABELS
from genointerp.store.table.table import check_table_path, is_table_of, write_table


def label(
    features: OneOrMoreFeatures,
    out: StrPath | None = None,
    *,
    genome: OneOrMorePaths = (),
    annotations: OneOrMorePaths = (),
    associations: StrPath | None = None,
    concepts: AnyConcepts = None,
    config: LabelConfig | Mapping[str, Any] | StrPath | None = None,
    evidence_out: StrPath | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Label every feature that fires on fit, by statistics; nothing of test is read.

    See :func:`genointerp.labelling.statistical.label_statistically`.

    Parameters
    ----------
    features
        Features files, a catalogue, a run directory, or one of these that is open.
    out
        The labels are written there too, as .tsv, .csv, .parquet or .json.
    genome, annotations
        Sequence and annotation of each genome, unless a catalogue or a run names them.
    associations
        Table of these features, whose fit and test are kept; a catalogue and a run name their own.
        Without one, fit and test are alternate blocks, as `associate` has them.
    concepts
        Their definition: a YAML file, or what `load_concepts` returns.
    config
        A mapping such as ``{"min_gain": 0.2}``, or YAML.
    evidence_out
        What was measured of each feature is written there, a line of JSON for each.
    seed
        Random seed of what is drawn; replaces that of ``config``.

    Returns
    -------
    pandas.DataFrame
        A row for each feature, in the schema ``LABELS``.

    Raises
    ------
    InputError
        If a sequence or an annotation is not known, or a file is missing or damaged.
    MismatchError
        If the files do not belong together.

    Examples
    --------
    >>> import genointerp as gi
    >>> labels = gi.label("results/demo")  # doctest: +SKIP
    >>> labels[["feature", "label", "confidence"]]  # doctest: +SKIP
    """
    settings = read_config(LabelConfig, config)
    settings = settings if seed is None else LabelConfig(**{**to_mapping(settings), "seed": seed})
    place, beside = as_path(out), as_path(evidence_out)
    if place is not None:
        check_table_path(place)
    if beside is not None:
        check_replaceable(beside, same=False)
        if beside == place:
            raise InputError("evidence_out", "another file than that of the labels", str(beside))
    files = find_specimens(features, genome=genome, annotations=annotations)
    split = known_split(files, associations)
    specimens, origin = read_elements(files, concepts)
    for specimen in specimens:
        specimen.needs("sequence")
    own = {"label": to_mapping(settings), "split": to_mapping(split)}
    dictionary = {SAE: specimens[0].features.header.sae_sha256}
    record = Provenance(own, {**total_inputs(specimens), **dictionary, **origin})
    if place is None:
        return _labelled(specimens, split, settings, beside, record, progress)
    with claiming(place, same=is_table_of(place, LABELS, record)), together():
        table = _labelled(specimens, split, settings, beside, record, progress)
        write_table(table, place, LABELS, record)
    return table


def known_split(files: SpecimenFiles, associations: StrPath | None) -> AssociateConfig:
    """Return fit and test of associations that are given or known, else alternate blocks."""
    path = files.associations if associations is None else Path(associations)
    if path is not None:
        return read_split(path)
    return resolve_split(files.features, AssociateConfig())


def _labelled(
    specimens: Sequence[Specimen],
    split: AssociateConfig,
    config: LabelConfig,
    evidence_out: Path | None,
    record: Provenance,
    progress: Progress | None,
) -> pd.DataFrame:
    with progress_bar("concepts on fit (features)", progress) as report:
        on_fit = associate_specimens(
            specimens, config=split, matched=False, measured_on="fit", progress=report
        )
    backdrop = make_backdrop(specimens, split, motif_length=config.motif_length, seed=config.seed)
    with progress_bar("evidence (features)", progress) as report:
        evidence = gather_evidence(specimens, on_fit, backdrop, config, progress=report)
    if evidence_out is not None:
        write_evidence(evidence_out, evidence, record)
    with progress_bar("labels (groups of features)", progress) as report:
        labels = label_statistically(specimens, evidence, split, config, progress=report)
    return labels_table(labels)


def write_evidence(out: Path, evidence: Mapping[int, Evidence], record: Provenance) -> None:
    """Write evidence as lines of JSON: a header with the provenance, then one for each feature."""
    header = {"format": "genointerp::evidence", "format-version": 1}
    with atomic_path(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(json.dumps({**header, "provenance": json.loads(record.as_json())}) + "\n")
        for one in evidence.values():
            file.write(json.dumps(one.as_json(), ensure_ascii=True) + "\n")
