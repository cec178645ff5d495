"""Rows of the table of baselines: each kind of detector and its scores, for each label."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from genointerp.association.baseline.dense import DenseSide
from genointerp.association.baseline.dense_counts import UNDEFINED, DenseScore, SignedColumn
from genointerp.core import metric
from genointerp.store.table.schema.association import BASELINES
from genointerp.store.table.table import conform

DETECTORS = (
    "always_on",
    "neuron",
    "principal_component",
    "independent_component",
    "mean_difference",
    "linear_probe",
    "kmer_gc_phase",
    "random_weights",
    "feature_there",
    "other_seed",
    "feature",
)
"""Names of the detectors, in the order of the rows of each label."""


class Found(NamedTuple):
    """The detector of one kind for one label, and its scores."""

    score: DenseScore
    n_concept_bp: int
    which: str = ""
    sign: int = 1
    note: str = ""


Rows = dict[str, list[Found]]
"""Results by detector, and then by label of test."""


def always_on_rows(fit: DenseSide, test: DenseSide) -> list[Found]:
    """Return the rows of the detector that fires everywhere."""
    n_concept, n_covered = test.labels.n_positive, test.universe.n_covered
    n = np.full(len(n_concept), n_covered)
    f1_fit = metric.f1_always_on(fit.labels.n_positive, fit.universe.n_covered)
    f1 = metric.f1_always_on(n_concept, n_covered)
    known = n_concept > 0
    precision = np.where(known, metric.precision(n_concept, n), np.nan)
    # all bases are tied, so each has the mean rank
    ranks = n_concept * (n_covered + 1) / 2
    auroc = metric.auroc(ranks, n_concept, n_covered)
    average = metric.average_precision(n_concept * precision, n_concept)
    mcc = metric.mcc(n_concept, n, n_concept, n_covered)
    recall = metric.recall(n_concept, n_concept)
    columns = (f1_fit, precision, recall, f1, auroc, average, mcc)
    values = np.column_stack(columns).tolist()
    return [
        Found(DenseScore(float("nan"), *row), int(size))
        for row, size in zip(values, n_concept, strict=True)
    ]


def dense_rows(
    found: Iterable[DenseScore], test: DenseSide, columns: Sequence[SignedColumn] | None = None
) -> list[Found]:
    """Return the rows of dense detectors, one per label, with the columns chosen, if any."""
    rows = []
    for label, score in enumerate(found):
        n = int(test.labels.n_positive[label])
        if columns is None or np.isnan(score.f1_fit):
            rows.append(Found(score, n))
        else:
            rows.append(Found(score, n, str(columns[label].column), columns[label].sign))
    return rows


def feature_rows(best: pd.DataFrame, test: DenseSide) -> list[Found]:
    """Return the rows of the best features, one per label."""
    found = {(row["concept"], row["orientation"]): row for row in best.to_dict("records")}
    return [
        feature_row(found.get((label.concept, label.orientation)), int(n))
        for label, n in zip(test.labels.names, test.labels.n_positive, strict=True)
    ]


def feature_row(row: Mapping[Hashable, Any] | None, n_concept_bp: int) -> Found:
    """Convert a row of associations; None means that no feature was chosen."""
    if row is None:
        return Found(UNDEFINED, n_concept_bp, note="no feature detects it on fit")
    # older files of associations have fewer scores
    score = DenseScore(**{name: float(row.get(name, np.nan)) for name in DenseScore._fields})
    return Found(score, int(row["n_concept_bp"]), str(row["feature"]))


def baseline_frame(rows: Rows, test: DenseSide) -> pd.DataFrame:
    """Return the table of the measured detectors, label by label, in the order of `DETECTORS`."""
    records = [
        {
            "concept": label.concept,
            "orientation": label.orientation,
            "detector": name,
            **found._asdict(),
            **found.score._asdict(),
        }
        for number, label in enumerate(test.labels.names)
        for name in DETECTORS
        if name in rows
        for found in [rows[name][number]]
    ]
    frame = pd.DataFrame(records, columns=BASELINES.names)
    return conform(frame, BASELINES, where="baselines")
