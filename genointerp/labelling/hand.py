"""Labels by hand, in a table of a run; and all labels of a run.

The table is ``hand_labels.tsv``. Whoever changes a label says which one was read before: it is not
changed if somebody else has changed it since.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

from genointerp.annotation.concepts import load_concepts
from genointerp.core.arguments import StrPath
from genointerp.core.errors import ConflictError, InputError, SchemaError
from genointerp.core.lock import only_writer
from genointerp.core.nearest import unknown
from genointerp.core.provenance import Provenance
from genointerp.core.text import clean_field
from genointerp.labelling.label import FeatureLabel, labels_of_table, labels_table
from genointerp.store.feature.run_folder import RunFolder
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.identity import SAE
from genointerp.store.table.labels import LabelFiles, read_labels
from genointerp.store.table.schema.label import LABELS
from genointerp.store.table.table import write_table

PERSON = "person"
"""Source of a label by hand."""

_WAIT_S = 5.0
"""Seconds that a writer waits for another one; a table is written within milliseconds."""

_ByFeature = dict[int, FeatureLabel]


def run_labels(run: StrPath) -> tuple[FeatureLabel, ...]:
    """Return all labels of a run: those of its own step, and those by hand.

    Parameters
    ----------
    run
        Directory of a run.

    Returns
    -------
    tuple of FeatureLabel
        By feature and, of one feature, the leading one first: `leading_labels` keeps that one.
        Empty if the run has no labels.

    Raises
    ------
    InputError
        If it is no directory of a run, or a table is damaged.
    MismatchError
        If a table was made with another dictionary.

    Examples
    --------
    >>> import genointerp as gi
    >>> [one.label for one in gi.run_labels("results/demo")]  # doctest: +SKIP
    """
    folder = RunFolder.open(run)
    table = LabelFiles(folder.labels).read(_features_of(folder))
    return () if table is None else labels_of_table(table)


def hand_labels(run: StrPath) -> dict[int, FeatureLabel]:
    """Return the label by hand of each feature that has one, by feature.

    Errors are those of `run_labels`.

    Examples
    --------
    >>> import genointerp as gi
    >>> gi.hand_labels("results/demo")[82].author  # doctest: +SKIP
    """
    folder = RunFolder.open(run)
    return _read(folder, _features_of(folder))


def add_hand_label(run: StrPath, label: FeatureLabel) -> FeatureLabel:
    """Add a label by hand to a run, and return it as it was written.

    Parameters
    ----------
    run
        Directory of a run.
    label
        Its ``author`` must be given. The date is that of today where it has none; the source is
        *person* whatever it says.

    Raises
    ------
    ConflictError
        If the feature has a label by hand.
    InputError
        If the author is missing, the date is none, or the dictionary has no such feature.
    UnknownNameError
        If the run has no such concept.
    StorageError
        If it cannot be written, or another process keeps the table from being written.

    Examples
    --------
    >>> import genointerp as gi
    >>> label = gi.FeatureLabel(82, "codon position 3", "concept", author="Ada")
    >>> gi.add_hand_label("results/demo", label).date  # doctest: +SKIP
    """
    return _set(run, None, label)


def replace_hand_label(run: StrPath, before: FeatureLabel, label: FeatureLabel) -> FeatureLabel:
    """Replace a label by hand, and return it as it was written.

    Parameters
    ----------
    before
        The label that is to be replaced, as it was read.

    Raises
    ------
    ConflictError
        If somebody else has changed or removed it since.
    InputError, UnknownNameError, StorageError
        As from `add_hand_label`.

    Examples
    --------
    >>> import genointerp as gi
    >>> before = gi.hand_labels("results/demo")[82]  # doctest: +SKIP
    >>> better = gi.FeatureLabel(82, "CDS_phase2", "concept", author="Ada")
    >>> gi.replace_hand_label("results/demo", before, better).author  # doctest: +SKIP
    """
    return _set(run, before, label)


def remove_hand_label(run: StrPath, before: FeatureLabel) -> None:
    """Remove a label by hand.

    Parameters
    ----------
    before
        The label that is to be removed, as it was read.

    Raises
    ------
    ConflictError
        If somebody else has changed or removed it since.
    StorageError
        As from `add_hand_label`.

    Examples
    --------
    >>> import genointerp as gi
    >>> gi.remove_hand_label("results/demo", gi.hand_labels("results/demo")[82])  # doctest: +SKIP
    """

    def removed(known: _ByFeature) -> _ByFeature:
        return {feature: one for feature, one in known.items() if feature != before.feature}

    folder = RunFolder.open(run)
    _edit(folder, _features_of(folder), before.feature, before, removed)


def _set(run: StrPath, before: FeatureLabel | None, label: FeatureLabel) -> FeatureLabel:
    folder = RunFolder.open(run)
    store = _features_of(folder)
    label = _checked(folder, store, label)
    _edit(folder, store, label.feature, before, lambda known: known | {label.feature: label})
    return label


def _edit(
    folder: RunFolder,
    store: FeatureStore,
    feature: int,
    before: FeatureLabel | None,
    change: Callable[[_ByFeature], _ByFeature],
) -> None:
    with only_writer(folder.hand_labels, wait_s=_WAIT_S):
        known = _read(folder, store)
        _check_unchanged(folder.hand_labels, feature, before, known.get(feature))
        record = Provenance({"labels": "by hand"}, {SAE: store.header.sae_sha256})
        write_table(labels_table(change(known).values()), folder.hand_labels, LABELS, record)


def _check_unchanged(
    place: Path, feature: int, before: FeatureLabel | None, now: FeatureLabel | None
) -> None:
    # by their texts: an undefined number of one is not equal to that of the other
    if repr(before) != repr(now):
        expected, found = (
            "none" if one is None else f"{one.label!r} by {one.author} of {one.date}"
            for one in (before, now)
        )
        raise ConflictError(f"{place}: label of feature {feature}", expected, found)


def _read(folder: RunFolder, store: FeatureStore) -> _ByFeature:
    place = folder.hand_labels
    found = labels_of_table(read_labels([place] if place.is_file() else [], store))
    for one in found:
        if one.source != PERSON:
            raise SchemaError(f"{place}: source", PERSON, one.source)
    return {one.feature: one for one in found}


def _features_of(folder: RunFolder) -> FeatureStore:
    return FeatureStore(next(iter(folder.genomes.values())).features)


def _checked(folder: RunFolder, store: FeatureStore, label: FeatureLabel) -> FeatureLabel:
    where = f"label of feature {label.feature}"
    if not 0 <= label.feature < store.n_features:
        expected = f"a feature from 0 to {store.n_features - 1}"
        raise InputError(where, expected, str(label.feature))
    author = _one_field(label.author)
    if not author:
        raise InputError(f"{where}: author", "who says so", "none")
    when = label.date or date.today().isoformat()
    if not _is_date(when):
        raise InputError(f"{where}: date", "a date such as 2026-01-31", repr(when))
    concepts = load_concepts(folder.concepts)
    if label.concept and label.concept not in concepts:
        raise unknown(f"{where}: concept", label.concept, concepts)
    return replace(
        label,
        label=_one_field(label.label),
        author=author,
        explanation=_one_field(label.explanation),
        falsifier=_one_field(label.falsifier),
        source=PERSON,
        date=when,
    )


def _one_field(text: str) -> str:
    """Return a text as the field of a table: as it reads back."""
    return " ".join(clean_field(text).split())


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
