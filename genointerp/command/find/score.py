"""`score`: hold labels to bases that no labeller saw."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from genointerp.association.config import AssociateConfig
from genointerp.association.inputs import AnyConcepts, read_elements
from genointerp.command.find.label import known_split
from genointerp.core.arguments import OneOrMorePaths, StrPath, as_path
from genointerp.core.config import read_config, to_mapping
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.nearest import unknown
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens, total_inputs
from genointerp.labelling.config import ScoreConfig
from genointerp.labelling.label import FeatureLabel, labels_of_table
from genointerp.labelling.score import score_labels
from genointerp.labelling.summary import summarise_labels
from genointerp.store.table.schema.label import LABEL_SCORES, LABEL_SUMMARY, LABELS
from genointerp.store.table.summarised import SummarisedTable
from genointerp.store.table.table import check_table_path, read_provenance, read_table


class LabelScores(NamedTuple):
    """Scores of labels: one row for each label, and a summary by source with controls."""

    table: pd.DataFrame
    summary: pd.DataFrame


def score(
    features: OneOrMoreFeatures,
    labels: StrPath | pd.DataFrame,
    out: StrPath | None = None,
    *,
    genome: OneOrMorePaths = (),
    annotations: OneOrMorePaths = (),
    associations: StrPath | None = None,
    concepts: AnyConcepts = None,
    random_scores: StrPath | None = None,
    config: ScoreConfig | Mapping[str, Any] | StrPath | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> LabelScores:
    """Score labels on test, next to the labels of other features.

    See :func:`genointerp.labelling.score.score_labels` and
    :func:`genointerp.labelling.summary.summarise_labels`.

    Parameters
    ----------
    features
        Features files, a catalogue, a run directory, or one of these that is open.
    labels
        Table that `label` returned or wrote, or another in the schema ``LABELS``.
    out
        The scores are written there too, as .tsv, .csv, .parquet or .json, and next to them the
        summary, as ``.summary`` of the same name.
    genome, annotations
        Sequence and annotation of each genome, unless a catalogue or a run names them.
    associations
        Table of these features, whose fit and test are kept; a catalogue and a run name their own.
    concepts
        Their definition: a YAML file, or what `load_concepts` returns.
    random_scores
        Scores, made in the same way, of statistical labels of features that should mean nothing:
        those of a model with random weights. They become a row of the summary.
    config
        A mapping such as ``{"n_shuffled": 50}``, or YAML.
    seed
        Random seed of what is drawn; replaces that of ``config``.

    Returns
    -------
    LabelScores
        ``table`` has a row for each label, ``summary`` one for each source and control.

    Raises
    ------
    InputError
        If a sequence or an annotation is not known, or a file is missing or damaged.
    MismatchError
        If a label is of a feature that the dictionary does not have.

    Examples
    --------
    >>> import genointerp as gi
    >>> found = gi.score("results/demo", "labels.tsv")  # doctest: +SKIP
    >>> found.summary  # doctest: +SKIP
    """
    settings = read_config(ScoreConfig, config)
    settings = settings if seed is None else ScoreConfig(**{**to_mapping(settings), "seed": seed})
    place = as_path(out)
    if place is not None:
        check_table_path(place)
    table = labels if isinstance(labels, pd.DataFrame) else read_table(labels, LABELS)
    given = labels_of_table(table)
    files = find_specimens(features, genome=genome, annotations=annotations)
    _check_features(given, files.features[0].n_features)
    random = None if random_scores is None else read_table(random_scores, LABEL_SCORES)
    split = known_split(files, associations)
    if not isinstance(labels, pd.DataFrame):
        _check_split(Path(labels), split)
    specimens, origin = read_elements(files, concepts)
    _check_concepts(given, specimens)
    inputs = {**total_inputs(specimens), **origin}
    if not isinstance(labels, pd.DataFrame):
        inputs["labels"] = sha256_file(Path(labels))
    if random_scores is not None:
        inputs["random-scores"] = sha256_file(Path(random_scores))
    own = {"score": to_mapping(settings), "split": to_mapping(split)}
    record = Provenance(own, inputs)

    def scored() -> LabelScores:
        with progress_bar("score (groups of features)", progress) as report:
            found = score_labels(specimens, given, split, settings, progress=report)
        return LabelScores(found, summarise_labels(found, random, settings))

    if place is None:
        return scored()
    written = SummarisedTable(place, LABEL_SCORES, LABEL_SUMMARY, record)
    with written.claiming():
        found = scored()
        written.write(found.table, found.summary)
    return found


def _check_features(labels: Sequence[FeatureLabel], n_features: int) -> None:
    """Refuse no labels at all, and labels of features that the dictionary does not have."""
    if not labels:
        raise InputError("labels", "one label or more", "none")
    for one in labels:
        if not 0 <= one.feature < n_features:
            expected = f"features of a dictionary of {n_features}"
            raise MismatchError("labels", expected, f"feature {one.feature}")


def _check_concepts(labels: Sequence[FeatureLabel], specimens: Sequence[Specimen]) -> None:
    """Refuse labels of concepts that no specimen has."""
    known = {name: None for one in specimens for name in one.needs("elements").names}
    for one in labels:
        if one.concept and one.concept not in known:
            raise unknown(f"label of feature {one.feature}: concept", one.concept, known)


def _check_split(labels: Path, split: AssociateConfig) -> None:
    """Refuse labels that were chosen on other bases of fit; those of a person say none."""
    made = (read_provenance(labels, LABELS).get("config") or {}).get("split")
    if made is not None and made != to_mapping(split):
        expected = "labels that were chosen on the same fit and test (`associations` tells them)"
        raise MismatchError(str(labels), expected, "others")
