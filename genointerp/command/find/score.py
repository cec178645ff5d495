"""`score`: hold labels to bases that no labeller saw."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from genointerp.association.config import AssociateConfig
from genointerp.association.inputs import AnyConcepts, read_elements
from genointerp.command.find.label import asked_of, endpoint_of, known_split
from genointerp.core.arguments import OneOrMorePaths, StrPath, as_path, as_paths
from genointerp.core.config import changed, read_config, to_mapping
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.files import together
from genointerp.core.nearest import unknown
from genointerp.core.progress import Progress, progress_bar, status_line
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens, total_inputs
from genointerp.labelling.config import ScoreConfig
from genointerp.labelling.endpoint.budget import Estimate
from genointerp.labelling.endpoint.config import EndpointConfig
from genointerp.labelling.endpoint.endpoint import Endpoint
from genointerp.labelling.judged.judge import (
    estimate_judging,
    judge,
    judging_trials,
    summarise_judged,
)
from genointerp.labelling.judged.question import PROMPTS, Trial
from genointerp.labelling.label import FeatureLabel, labels_of_table
from genointerp.labelling.score import score_labels
from genointerp.labelling.summary import summarise_labels
from genointerp.store.table.labels import read_labels
from genointerp.store.table.neuronpedia import is_explanations
from genointerp.store.table.schema.label import (
    JUDGED_SCORES,
    JUDGED_SUMMARY,
    LABEL_SCORES,
    LABEL_SUMMARY,
    LABELS,
)
from genointerp.store.table.summarised import SummarisedTable
from genointerp.store.table.table import check_table_path, read_provenance, read_table


class LabelScores(NamedTuple):
    """Scores of labels.

    Parameters
    ----------
    table
        A row for each label.
    summary
        A row for each source and control.
    judged
        What a language model makes of labels and of controls, a row for each feature and task; None
        if none was asked.
    judged_summary
        Its means; None if none was asked.
    """

    table: pd.DataFrame
    summary: pd.DataFrame
    judged: pd.DataFrame | None = None
    judged_summary: pd.DataFrame | None = None


def score(
    features: OneOrMoreFeatures,
    labels: OneOrMorePaths | pd.DataFrame,
    out: StrPath | None = None,
    *,
    genome: OneOrMorePaths = (),
    annotations: OneOrMorePaths = (),
    associations: StrPath | None = None,
    concepts: AnyConcepts = None,
    random_scores: StrPath | None = None,
    config: ScoreConfig | Mapping[str, Any] | StrPath | None = None,
    endpoint: EndpointConfig | Mapping[str, Any] | StrPath | None = None,
    offline: bool = False,
    seed: int | None = None,
    show: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> LabelScores:
    """Score labels on test, next to the labels of other features.

    See :func:`genointerp.labelling.score.score_labels` and
    :func:`genointerp.labelling.summary.summarise_labels`; with ``endpoint`` a language model judges
    labels as well, see :func:`genointerp.labelling.judged.judge.judge`.

    Parameters
    ----------
    features
        Features files, a catalogue, a run directory, or one of these that is open.
    labels
        Table that `label` returned or wrote, or another in the schema ``LABELS``; or several files
        with labels of different sources.
    out
        The scores are written there too, as .tsv, .csv, .parquet or .json, and next to them the
        summary, as ``.summary`` of the same name; with ``endpoint`` also ``.judged`` and
        ``.judged.summary``.
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
    endpoint
        A language model that judges where features fire: a mapping such as
        ``{"base_url": "http://127.0.0.1:8080/v1", "model": "some-model"}``, or YAML.
    offline
        Whether to take its replies from the cache alone.
    seed
        Random seed of what is drawn; replaces that of ``config``.
    show
        Called with the estimate of what the language model costs, before it is asked.

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
    EndpointError, BudgetError
        If the language model does not answer, or the budget does not suffice. What was answered is
        kept, and is not paid again.

    Examples
    --------
    >>> import genointerp as gi
    >>> found = gi.score("results/demo", "labels.tsv")  # doctest: +SKIP
    >>> found.summary  # doctest: +SKIP
    """
    place = as_path(out)
    if place is not None:
        check_table_path(place)
    asked = endpoint_of(endpoint, offline=offline)
    settings = changed(read_config(ScoreConfig, config), seed=seed)
    random = None if random_scores is None else read_table(random_scores, LABEL_SCORES)
    task = _read_task(
        features, labels, genome, annotations, associations, concepts, settings, asked
    )
    if random_scores is not None:
        inputs = {**task.record.inputs, "random-scores": sha256_file(Path(random_scores))}
        task = task._replace(record=Provenance(task.record.config, inputs))
    if place is None:
        return _scored(task, random, show, progress)
    scores, judgement = _places(place, task.record)
    with ExitStack() as stack:
        stack.enter_context(scores.claiming())
        if asked is not None:
            stack.enter_context(judgement.claiming())
        stack.enter_context(together())
        found = _scored(task, random, show, progress)
        scores.write(found.table, found.summary)
        if found.judged is not None and found.judged_summary is not None:
            judgement.write(found.judged, found.judged_summary)
    return found


def score_cost(
    features: OneOrMoreFeatures,
    labels: OneOrMorePaths | pd.DataFrame,
    endpoint: EndpointConfig | Mapping[str, Any] | StrPath | None,
    *,
    genome: OneOrMorePaths = (),
    annotations: OneOrMorePaths = (),
    associations: StrPath | None = None,
    concepts: AnyConcepts = None,
    config: ScoreConfig | Mapping[str, Any] | StrPath | None = None,
    seed: int | None = None,
) -> Estimate:
    """Return what a language model that judges would cost; parameters are those of `score`.

    Nothing is asked or written.

    Raises
    ------
    InputError
        If no endpoint is given, and as `score`.
    """
    if endpoint is None:
        raise InputError("endpoint", "the configuration of a language model", "none")
    asked = changed(read_config(EndpointConfig, endpoint), offline=True)
    settings = changed(read_config(ScoreConfig, config), seed=seed)
    task = _read_task(
        features, labels, genome, annotations, associations, concepts, settings, asked
    )
    with Endpoint(asked) as opened:
        return estimate_judging(_trials(task), opened, settings.judged)


class _Task(NamedTuple):
    """What is scored, and how."""

    specimens: Sequence[Specimen]
    labels: tuple[FeatureLabel, ...]
    split: AssociateConfig
    config: ScoreConfig
    endpoint: EndpointConfig | None
    record: Provenance


def _read_task(
    features: OneOrMoreFeatures,
    labels: OneOrMorePaths | pd.DataFrame,
    genome: OneOrMorePaths,
    annotations: OneOrMorePaths,
    associations: StrPath | None,
    concepts: AnyConcepts,
    config: ScoreConfig,
    endpoint: EndpointConfig | None,
) -> _Task:
    files = find_specimens(features, genome=genome, annotations=annotations)
    paths = () if isinstance(labels, pd.DataFrame) else as_paths(labels)
    table = labels if isinstance(labels, pd.DataFrame) else read_labels(paths, files.features[0])
    given = labels_of_table(table)
    _check_features(given, files.features[0].n_features)
    split = known_split(files, associations)
    for path in paths:
        _check_split(path, split)
    specimens, origin = read_elements(files, concepts)
    _check_concepts(given, specimens)
    inputs = {**total_inputs(specimens), **origin}
    for number, path in enumerate(paths):
        inputs[f"labels-{number}"] = sha256_file(path)
    own = {"score": to_mapping(config), "split": to_mapping(split)}
    if endpoint is not None:
        for specimen in specimens:
            specimen.needs("sequence")
            specimen.needs("annotation")
        own["endpoint"] = {**asked_of(endpoint), "prompts": list(PROMPTS.values())}
    return _Task(specimens, given, split, config, endpoint, Provenance(own, inputs))


def _trials(task: _Task) -> list[Trial]:
    return judging_trials(
        task.specimens, task.labels, task.split, task.config.judged, seed=task.config.seed
    )


def _scored(
    task: _Task,
    random: pd.DataFrame | None,
    show: Callable[[str], None] | None,
    progress: Progress | None,
) -> LabelScores:
    judged = None
    if task.endpoint is not None:
        # opened first: a missing key is no matter of minutes
        with Endpoint(task.endpoint) as endpoint:
            judged = _judged(task, endpoint, show, progress)
    with progress_bar("score (groups of features)", progress) as report:
        found = score_labels(task.specimens, task.labels, task.split, task.config, progress=report)
    scores = LabelScores(found, summarise_labels(found, random, task.config))
    if judged is None:
        return scores
    n, seed = task.config.judged.n_draws, task.config.seed
    means = summarise_judged(judged, n_draws=n, seed=seed)
    return scores._replace(judged=judged, judged_summary=means)


def _judged(
    task: _Task,
    endpoint: Endpoint,
    show: Callable[[str], None] | None,
    progress: Progress | None,
) -> pd.DataFrame:
    trials, config = _trials(task), task.config.judged
    with status_line(show) as line:
        estimate = estimate_judging(trials, endpoint, config)
        line.show(f"scores by {endpoint.config.model}: {estimate}")
    with progress_bar("scores by a language model (questions)", progress) as report:
        return judge(trials, endpoint, config, seed=task.config.seed, progress=report)


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
    if is_explanations(labels):
        return
    made = (read_provenance(labels, LABELS).get("config") or {}).get("split")
    if made is not None and made != to_mapping(split):
        expected = "labels that were chosen on the same fit and test (`associations` tells them)"
        raise MismatchError(str(labels), expected, "others")


def _places(out: Path, record: Provenance) -> tuple[SummarisedTable, SummarisedTable]:
    """Return where the scores are written, and those that a language model judged."""
    judged = out.with_name(f"{out.stem}.judged{out.suffix}")
    return (
        SummarisedTable(out, LABEL_SCORES, LABEL_SUMMARY, record),
        SummarisedTable(judged, JUDGED_SCORES, JUDGED_SUMMARY, record),
    )
