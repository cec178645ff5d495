"""Labels of the features of a run: what each is said to be, by whom, and how well that holds."""

import hashlib
import os
from dataclasses import asdict, replace
from typing import Any

import pandas as pd

from genointerp.annotation.concepts import load_concepts
from genointerp.core.errors import ConflictError
from genointerp.labelling.hand import (
    add_hand_label,
    hand_labels,
    remove_hand_label,
    replace_hand_label,
)
from genointerp.labelling.label import KINDS, ORIENTATIONS, PARTS, FeatureLabel
from genointerp.labelling.quoted import clean
from genointerp.page.run import Run
from genointerp.page.table import Links, PageTable, format_value, page_table
from genointerp.panel.style import visible_text
from genointerp.server.asked import AskedLabel, AskedRemoval
from genointerp.store.feature.run_folder import RunFolder
from genointerp.store.table.labels import with_scores
from genointerp.store.table.schema.column import TableSchema
from genointerp.store.table.schema.label import LABEL_SCORES, LABELS, MOST_LETTERS

State = tuple[tuple[str, int, int, int], ...]
"""What tells the tables of labels from what they were before."""

_MOST_TEXT = 2000
"""Most letters of a text that is written."""

_SHOWN = (
    *("label", "source", "author", "date", "kind", "concept", "orientation", "part", "motif"),
    *("f1", "f1_low", "f1_high", "null_f1", "shuffled_f1", "f1_always_on", "auroc", "q_value"),
    *("confidence", "explanation", "falsifier"),
)

_SCORED = tuple(
    column for column in LABEL_SCORES.columns if column.name not in ("bases", *LABELS.names)
)

_PANEL = TableSchema("labels of a feature", 1, (*LABELS.columns, *_SCORED))
"""Meanings of the columns of the panel."""


class Labels:
    """The labels of a run as they are now, for any number of threads.

    Parameters
    ----------
    run
        The run; its scores are those of when it was read.
    is_read_only
        Whether no label is written, even where the run could be.
    """

    def __init__(self, run: Run, *, is_read_only: bool = False) -> None:
        self._run, self._store = run, run.specimens[0].features
        self.can_write = not is_read_only and os.access(run.path, os.W_OK)
        self._concepts = [*load_concepts(RunFolder.open(run.path).concepts)]

    @property
    def state(self) -> State:
        """What the labels are, without reading them: it changes when they do."""
        files = self._store.labels
        stats = [] if files is None else [(str(path), path.stat()) for path in files.present]
        return tuple((path, it.st_ino, it.st_mtime_ns, it.st_size) for path, it in stats)

    @property
    def table(self) -> pd.DataFrame | None:
        """The labels in the schema ``LABELS``, the leading one of a feature first; None if none."""
        files = self._store.labels
        return None if files is None else files.read(self._store)

    def said(self) -> dict[int, str]:
        """Return who says what each labelled feature is, and how well it holds, in a line each."""
        if self.table is None:
            return {}
        leading = self._with_scores(self.table).drop_duplicates("feature")
        return {int(row["feature"]): _line(row) for row in leading.to_dict("records")}

    def of(self, feature: int) -> PageTable | None:
        """Return the labels of a feature with their scores; None if it has none."""
        if self.table is None:
            return None
        own = self._with_scores(self.table[self.table["feature"] == feature])
        if own.empty:
            return None
        columns = [name for name in _SHOWN if name in own]
        source = "hand_labels.tsv, labels.tsv, label_scores.tsv"
        links = Links(None, is_alone=True)
        return page_table(own[columns], title="", source=source, links=links, schema=_PANEL)

    def form(self, feature: int) -> dict[str, Any]:
        """Return what the form begins with: the label by hand, if there is one, and choices."""
        now = hand_labels(self._run.path).get(feature)
        return {
            "feature": feature,
            "before": fingerprint(now),
            "now": {} if now is None else asdict(now),
            "most_letters": MOST_LETTERS,
            "kinds": KINDS,
            "orientations": ORIENTATIONS,
            "parts": PARTS,
            "concepts": self._concepts,
        }

    def write(self, asked: AskedLabel) -> dict[str, Any]:
        """Add a label by hand, or replace the one that the page has shown; return it.

        Raises
        ------
        ConflictError
            If somebody else has changed it since.
        InputError, UnknownNameError
            If it is no label, as from `genointerp.add_hand_label`.
        """
        now = self._unchanged(asked.feature, asked.before)
        given: dict[str, Any] = {
            name: clean(it, _MOST_TEXT) if isinstance(it, str) else it
            for name, it in vars(asked).items()
            if name != "before"
        }
        if now is None:
            written = add_hand_label(self._run.path, FeatureLabel(**given))
        else:
            # what the form does not ask for, such as a range of GC content, stays
            written = replace_hand_label(self._run.path, now, replace(now, date="", **given))
        return {"feature": written.feature, "label": written.label, "date": written.date}

    def remove(self, asked: AskedRemoval) -> dict[str, Any]:
        """Remove the label by hand that the page has shown; errors are those of `write`."""
        now = self._unchanged(asked.feature, asked.before)
        if now is not None:
            remove_hand_label(self._run.path, now)
        return {"feature": asked.feature}

    def _unchanged(self, feature: int, before: str) -> FeatureLabel | None:
        self._store.check_feature(feature)
        now = hand_labels(self._run.path).get(feature)
        if fingerprint(now) != before:
            found = "none" if now is None else f"{now.label!r} by {now.author} of {now.date}"
            raise ConflictError(f"label of feature {feature}", "the one that was read", found)
        return now

    def _with_scores(self, labels: pd.DataFrame) -> pd.DataFrame:
        scores = self._run.label_scores
        if scores is None:
            return labels
        return with_scores(labels, scores, [column.name for column in _SCORED])


def fingerprint(label: FeatureLabel | None) -> str:
    """Return a text that tells a label from any other one; empty for none."""
    return "" if label is None else hashlib.sha256(repr(label).encode()).hexdigest()[:16]


def _line(row: dict[Any, Any]) -> str:
    by = " ".join(filter(None, [row["source"], row["author"], row["date"]]))
    f1, others = (format_value(row.get(name)) for name in ("f1", "shuffled_f1"))
    score = f"F1 on test {f1}, of labels of other features {others}" if f1 else "no score on test"
    return visible_text(f"{row['label']} ({by}): {score}")
