"""The label of each feature, as it is joined to other tables of features."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.core.arguments import StrPath
from genointerp.core.errors import SchemaError
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.identity import table_identity
from genointerp.store.table.neuronpedia import is_explanations, read_explanations
from genointerp.store.table.schema.label import LABELS, UNEXPLAINED
from genointerp.store.table.table import conform, read_table

LABEL = "label"
"""Column that a table of features gets: the leading label, or an empty text."""

SOURCES = ("person", "model", "statistics")
"""Who labels, in the order in which their labels are shown: a person's before all others."""


def read_labels(paths: Sequence[StrPath], store: FeatureStore) -> pd.DataFrame:
    """Read the labels of several tables as one, by feature and, of one feature, the leading first.

    Parameters
    ----------
    paths
        Tables in the schema ``LABELS``, or explanations in the form of Neuronpedia (.jsonl).
    store
        Features of the dictionary that the labels must be of. A table that does not name its
        dictionary is assumed to belong.

    Raises
    ------
    MismatchError
        If a table was made with another dictionary.
    SchemaError
        If it is no table of labels, a source is none of `SOURCES`, or a feature has two labels of
        one source.
    """
    found = []
    for path in map(Path, paths):
        if is_explanations(path):
            found.append(read_explanations(path, store))
            continue
        table_identity(path, LABELS).check(store.identity, "dictionary")
        found.append(read_table(path, LABELS))
    table = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=LABELS.names)
    where = ", ".join(map(str, paths))
    for source in table["source"]:
        if source not in SOURCES:
            raise SchemaError(f"{where}: source", f"one of {', '.join(SOURCES)}", str(source))
    twice = table.loc[table[["feature", "source"]].duplicated()]
    if len(twice):
        row = twice.iloc[0]
        expected = f"one label of source {row['source']} for each feature"
        raise SchemaError(where, expected, f"two of feature {row['feature']}")
    order = [leads(*row) for row in zip(table["source"], table[LABEL], strict=True)]
    rows = table.assign(order=order).sort_values(["feature", "order"], kind="stable")
    return conform(rows.drop(columns="order"), LABELS, where=where)


def leads(source: str, label: str) -> int:
    """Return the rank of a label among those of a feature: the lowest is the one that is shown.

    A language model that found nothing does not hide what was found by statistics.
    """
    is_nothing = source == "model" and label.casefold() == UNEXPLAINED
    return len(SOURCES) if is_nothing else SOURCES.index(source)


def leading_rows(labels: pd.DataFrame) -> pd.DataFrame:
    """Return the row of each feature that is shown, of what `read_labels` returns."""
    return labels.drop_duplicates("feature").reset_index(drop=True)


def scored_bases(label: Mapping[Any, Any]) -> str:
    """Return what of a row in the schema ``LABELS`` says where the feature fires, as one text.

    It is empty if the label names no bases. Scores are of a label as long as it names the same.

    Examples
    --------
    >>> label = dict(concept="tRNA", orientation="sense", part="body", motif="", motif_offset=0)
    >>> scored_bases({**label, "gc_from": float("nan"), "gc_to": float("nan")})
    'tRNA sense body'
    """
    if label["concept"]:
        return f"{label['concept']} {label['orientation']} {label['part']}"
    if label["motif"]:
        return f"motif {label['motif']} {label['motif_offset']:+d}"
    if label["gc_from"] <= label["gc_to"]:
        return f"GC {label['gc_from']:.6g} to {label['gc_to']:.6g}"
    return ""


def with_scores(labels: pd.DataFrame, scores: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Join columns of scores to labels; NaN for a label that was changed since it was scored.

    Parameters
    ----------
    scores
        In the schema ``LABEL_SCORES``.
    names
        Its columns that are joined.
    """
    keys = ["feature", "source", LABEL, "bases"]
    own = labels.assign(bases=[scored_bases(row) for row in labels.to_dict("records")])
    joined = own.merge(scores[[*keys, *names]], on=keys, how="left", validate="many_to_one")
    return joined.drop(columns="bases")


class LabelFiles:
    """The labels of features as their files have them, read again when one of these has changed.

    Parameters
    ----------
    paths
        Tables in the schema ``LABELS``; one that is not there has no labels.
    """

    def __init__(self, paths: Sequence[StrPath]) -> None:
        self.paths = tuple(map(Path, paths))
        self._known: tuple[object, pd.DataFrame | None] = ((), None)
        self._named: tuple[pd.DataFrame | None, Mapping[int, str]] = (None, {})

    @property
    def present(self) -> tuple[Path, ...]:
        """The files that are there."""
        return tuple(path for path in self.paths if path.is_file())

    def read(self, store: FeatureStore) -> pd.DataFrame | None:
        """Return what `read_labels` returns of the files; None if none of them is there."""
        stats = [(str(path), path.stat()) for path in self.present]
        state = [(path, it.st_ino, it.st_mtime_ns, it.st_size) for path, it in stats]
        known, table = self._known
        if known != state:
            table = read_labels(self.present, store) if state else None
            self._known = (state, table)
        return table

    def names(self, store: FeatureStore) -> Mapping[int, str]:
        """Return the leading label of each feature but the unexplained, safe to be shown."""
        table = self.read(store)
        if table is None:
            return {}
        named, names = self._named
        # asked for each feature by itself, of up to tens of thousands
        if named is not table:
            shown = leading_rows(table)
            names = label_texts(shown[shown[LABEL] != UNEXPLAINED])
            self._named = (table, names)
        return names

    def features(self, store: FeatureStore) -> Mapping[str, Sequence[int]]:
        """Return the features that each leading label is that of."""
        found: dict[str, list[int]] = {}
        for feature, text in label_texts(self.read(store)).items():
            found.setdefault(text, []).append(feature)
        return found


def label_texts(labels: pd.DataFrame | None) -> dict[int, str]:
    """Return the leading label of each feature, of what `read_labels` returns."""
    if labels is None:
        return {}
    shown = leading_rows(labels)
    return dict(zip(shown["feature"].tolist(), shown[LABEL].tolist(), strict=True))


def with_labels(table: pd.DataFrame, labels: pd.DataFrame | None) -> pd.DataFrame:
    """Return a table with a column ``feature`` and, last, the leading label of each feature.

    Parameters
    ----------
    labels
        From `read_labels`; None returns the table unchanged.

    Examples
    --------
    >>> table = pd.DataFrame({"feature": [3, 5]})
    >>> labels = pd.DataFrame({"feature": [3, 3], "label": ["tRNA genes", "tRNA"]})
    >>> with_labels(table, labels).to_dict("records")
    [{'feature': 3, 'label': 'tRNA genes'}, {'feature': 5, 'label': ''}]
    """
    if labels is None:
        return table
    found = table["feature"].map(label_texts(labels)).fillna("").astype(object)
    joined = table.assign(**{LABEL: found})
    joined.attrs = table.attrs
    return joined
