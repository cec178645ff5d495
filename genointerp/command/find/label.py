"""`label`: say what each feature is, from what is measured of it on fit."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from genointerp.association.associate import associate as associate_specimens
from genointerp.association.config import AssociateConfig
from genointerp.association.inputs import AnyConcepts, read_elements, read_split, resolve_split
from genointerp.core.arguments import OneOrMorePaths, StrPath, as_path
from genointerp.core.config import changed, read_config, to_mapping
from genointerp.core.errors import InputError
from genointerp.core.files import atomic_path, check_replaceable, claiming, together
from genointerp.core.progress import Progress, progress_bar, status_line
from genointerp.core.provenance import Provenance
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import (
    OneOrMoreFeatures,
    SpecimenFiles,
    find_specimens,
    total_inputs,
)
from genointerp.labelling.ask import (
    LABEL_PROMPT,
    ModelLabels,
    estimate_labels,
    label_by_model,
)
from genointerp.labelling.backdrop import make_backdrop
from genointerp.labelling.config import LabelConfig
from genointerp.labelling.endpoint.budget import Estimate
from genointerp.labelling.endpoint.config import EndpointConfig
from genointerp.labelling.endpoint.endpoint import Endpoint
from genointerp.labelling.evidence import Evidence, gather_evidence
from genointerp.labelling.label import labels_table
from genointerp.labelling.statistical import label_statistically
from genointerp.store.table.identity import SAE
from genointerp.store.table.schema.label import LABEL_REQUESTS, LABELS
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
    endpoint: EndpointConfig | Mapping[str, Any] | StrPath | None = None,
    offline: bool = False,
    evidence_out: StrPath | None = None,
    seed: int | None = None,
    show: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Label every feature that fires on fit, by statistics; nothing of test is read.

    See :func:`genointerp.labelling.statistical.label_statistically`; with ``endpoint`` a language
    model labels them as well, see :func:`genointerp.labelling.ask.label_by_model`.

    Parameters
    ----------
    features
        Features files, a catalogue, a run directory, or one of these that is open.
    out
        The labels are written there too, as .tsv, .csv, .parquet or .json; with ``endpoint`` what
        became of each request is written next to them, as ``.requests`` of the same name.
    genome, annotations
        Sequence and annotation of each genome, unless a catalogue or a run names them.
    associations
        Table of these features, whose fit and test are kept; a catalogue and a run name their own.
        Without one, fit and test are alternate blocks, as `associate` has them.
    concepts
        Their definition: a YAML file, or what `load_concepts` returns.
    config
        A mapping such as ``{"min_gain": 0.2}``, or YAML.
    endpoint
        A language model, whose labels stand next to those of statistics: a mapping such as
        ``{"base_url": "http://127.0.0.1:8080/v1", "model": "some-model"}``, or YAML.
    offline
        Whether to take its replies from the cache alone.
    evidence_out
        What was measured of each feature is written there, a line of JSON for each.
    seed
        Random seed of what is drawn; replaces that of ``config``.
    show
        Called with the estimate of what the language model costs, before it is asked.

    Returns
    -------
    pandas.DataFrame
        A row for each feature and source, in the schema ``LABELS``.

    Raises
    ------
    InputError
        If a sequence or an annotation is not known, or a file is missing or damaged.
    MismatchError
        If the files do not belong together.
    EndpointError, BudgetError
        If the language model does not answer, or the budget does not suffice. What was answered is
        kept, and is not paid again.

    Examples
    --------
    >>> import genointerp as gi
    >>> labels = gi.label("results/demo")  # doctest: +SKIP
    >>> labels[["feature", "label", "confidence"]]  # doctest: +SKIP
    """
    place, beside = as_path(out), as_path(evidence_out)
    if place is not None:
        check_table_path(place)
    if beside is not None:
        check_replaceable(beside, same=False)
        if beside == place:
            raise InputError("evidence_out", "another file than that of the labels", str(beside))
    asked = endpoint_of(endpoint, offline=offline)
    task = _read_task(
        features, genome, annotations, associations, concepts, _settings(config, seed), asked
    )
    if place is None:
        return _labelled(task, beside, show, progress)[0]
    with _claiming(place, task), together():
        table, by_model = _labelled(task, beside, show, progress)
        write_table(table, place, LABELS, task.record)
        if by_model is not None:
            write_table(by_model.requests, requests_of(place), LABEL_REQUESTS, task.record)
    return table


def label_cost(
    features: OneOrMoreFeatures,
    endpoint: EndpointConfig | Mapping[str, Any] | StrPath | None,
    *,
    genome: OneOrMorePaths = (),
    annotations: OneOrMorePaths = (),
    associations: StrPath | None = None,
    concepts: AnyConcepts = None,
    config: LabelConfig | Mapping[str, Any] | StrPath | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Estimate:
    """Return what labels by a language model would cost; parameters are those of `label`.

    Evidence is gathered, and nothing is asked or written.

    Raises
    ------
    InputError
        If no endpoint is given, and as `label`.
    """
    if endpoint is None:
        raise InputError("endpoint", "the configuration of a language model", "none")
    asked = changed(read_config(EndpointConfig, endpoint), offline=True)
    task = _read_task(
        features, genome, annotations, associations, concepts, _settings(config, seed), asked
    )
    with Endpoint(asked) as opened:
        return estimate_labels(_evidence(task, progress), task.concepts, opened)


def requests_of(out: Path) -> Path:
    """Return where it is written what became of the requests to a language model."""
    return out.with_name(f"{out.stem}.requests{out.suffix}")


class _Task(NamedTuple):
    """What is labelled, and how."""

    specimens: Sequence[Specimen]
    split: AssociateConfig
    config: LabelConfig
    endpoint: EndpointConfig | None
    record: Provenance

    @property
    def concepts(self) -> tuple[str, ...]:
        return self.specimens[0].needs("elements").names


def _settings(
    config: LabelConfig | Mapping[str, Any] | StrPath | None, seed: int | None
) -> LabelConfig:
    return changed(read_config(LabelConfig, config), seed=seed)


def endpoint_of(
    given: EndpointConfig | Mapping[str, Any] | StrPath | None, *, offline: bool
) -> EndpointConfig | None:
    """Return the configuration of a language model, if one is given.

    Raises
    ------
    InputError
        If replies are to be taken from a cache, and none is given.
    """
    if given is None:
        if offline:
            raise InputError("offline", "an endpoint whose replies are in a cache", "none")
        return None
    return changed(read_config(EndpointConfig, given), offline=True if offline else None)


def _read_task(
    features: OneOrMoreFeatures,
    genome: OneOrMorePaths,
    annotations: OneOrMorePaths,
    associations: StrPath | None,
    concepts: AnyConcepts,
    config: LabelConfig,
    endpoint: EndpointConfig | None,
) -> _Task:
    files = find_specimens(features, genome=genome, annotations=annotations)
    split = known_split(files, associations)
    specimens, origin = read_elements(files, concepts)
    for specimen in specimens:
        specimen.needs("sequence")
    own = {"label": to_mapping(config), "split": to_mapping(split)}
    if endpoint is not None:
        own["endpoint"] = {**asked_of(endpoint), "prompt": LABEL_PROMPT}
    dictionary = {SAE: specimens[0].features.header.sae_sha256}
    record = Provenance(own, {**total_inputs(specimens), **dictionary, **origin})
    return _Task(specimens, split, config, endpoint, record)


def asked_of(endpoint: EndpointConfig) -> dict[str, Any]:
    """Return what a reply depends on."""
    names = ("base_url", "model", "max_tokens", "temperature", "seed", "leave_out")
    known = to_mapping(endpoint)
    return {name: known[name] for name in names}


@contextmanager
def _claiming(out: Path, task: _Task) -> Iterator[None]:
    requests = requests_of(out)
    if task.endpoint is not None:
        check_replaceable(requests, same=is_table_of(requests, LABEL_REQUESTS, task.record))
    with claiming(out, same=is_table_of(out, LABELS, task.record)):
        yield


def known_split(files: SpecimenFiles, associations: StrPath | None) -> AssociateConfig:
    """Return fit and test of associations that are given or known, else alternate blocks."""
    path = files.associations if associations is None else Path(associations)
    if path is not None:
        return read_split(path)
    return resolve_split(files.features, AssociateConfig())


def _labelled(
    task: _Task,
    evidence_out: Path | None,
    show: Callable[[str], None] | None,
    progress: Progress | None,
) -> tuple[pd.DataFrame, ModelLabels | None]:
    if task.endpoint is None:
        evidence, by_model = _evidence(task, progress), None
    else:
        # opened first: a missing key is no matter of minutes
        with Endpoint(task.endpoint) as endpoint:
            evidence = _evidence(task, progress)
            by_model = _by_model(task, evidence, endpoint, show, progress)
    if evidence_out is not None:
        write_evidence(evidence_out, evidence, task.record)
    with progress_bar("labels (groups of features)", progress) as report:
        labels = label_statistically(
            task.specimens, evidence, task.split, task.config, progress=report
        )
    said = () if by_model is None else by_model.labels
    return labels_table([*labels, *said]), by_model


def _by_model(
    task: _Task,
    evidence: Mapping[int, Evidence],
    endpoint: Endpoint,
    show: Callable[[str], None] | None,
    progress: Progress | None,
) -> ModelLabels:
    with status_line(show) as line:
        estimate = estimate_labels(evidence, task.concepts, endpoint)
        line.show(f"labels by {endpoint.config.model}: {estimate}")
    with progress_bar("labels by a language model (features)", progress) as report:
        return label_by_model(evidence, task.concepts, endpoint, progress=report)


def _evidence(task: _Task, progress: Progress | None) -> dict[int, Evidence]:
    specimens, split, config = task.specimens, task.split, task.config
    with progress_bar("concepts on fit (features)", progress) as report:
        on_fit = associate_specimens(
            specimens, config=split, matched=False, measured_on="fit", progress=report
        )
    backdrop = make_backdrop(specimens, split, motif_length=config.motif_length, seed=config.seed)
    with progress_bar("evidence (features)", progress) as report:
        return gather_evidence(specimens, on_fit, backdrop, config, progress=report)


def write_evidence(out: Path, evidence: Mapping[int, Evidence], record: Provenance) -> None:
    """Write evidence as lines of JSON: a header with the provenance, then one for each feature."""
    header = {"format": "genointerp::evidence", "format-version": 1}
    with atomic_path(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(json.dumps({**header, "provenance": json.loads(record.as_json())}) + "\n")
        for one in evidence.values():
            file.write(json.dumps(one.as_json(), ensure_ascii=True) + "\n")
