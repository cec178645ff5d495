"""Summaries of a table of associations, by concept and by feature."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, overload

import numpy as np
import pandas as pd

from genointerp.annotation.concepts import Orientation
from genointerp.core.metric import f1_always_on
from genointerp.feature.query import best_concepts
from genointerp.feature.statistics import feature_statistics
from genointerp.store.feature.store import STRANDS, FeatureStore, ReadStrand
from genointerp.store.table.schema.association import N_COVERED
from genointerp.store.table.schema.feature import FEATURE_SUMMARY
from genointerp.store.table.table import conform

MAX_Q = 0.05
"""Largest q of a pair that is better than chance."""

_OF_BEST = [
    "threshold",
    "precision",
    "recall",
    "f1",
    "auroc",
    "null_f1",
    "q_value",
    "f1_always_on",
]


def best_per_concept(associations: pd.DataFrame) -> pd.DataFrame:
    """Return, for each concept and orientation, the feature with the highest ``f1_fit``.

    It is chosen on fit and never on test; among ties the feature with the lowest number is taken.
    Labels that no feature detects on fit are left out. Every score should be compared with
    ``f1_always_on``, that of a detector that always fires.
    """
    found = associations[associations["f1_fit"] > 0]
    order = found.sort_values(["f1_fit", "feature"], ascending=[False, True], kind="stable")
    best = order.drop_duplicates(["concept", "orientation"])
    labels = associations[["concept", "orientation"]].drop_duplicates()
    best = labels.merge(best, on=["concept", "orientation"], how="inner")[list(found.columns)]
    n_concept = best["n_concept_bp"].to_numpy(np.int64)
    return best.assign(f1_always_on=f1_always_on(n_concept, count_covered(associations)))


def one_per_concept(best: pd.DataFrame) -> pd.DataFrame:
    """Return the orientation of each concept with the highest ``f1_fit``; highest test F1 first.

    For a concept with a strand, this is sense or antisense (`own_orientations`).
    """
    leading = (
        own_orientations(best)
        .sort_values("f1_fit", ascending=False, kind="stable")
        .drop_duplicates("concept")
    )
    return leading.sort_values("f1", ascending=False, kind="stable").reset_index(drop=True)


def own_orientations(table: pd.DataFrame) -> pd.DataFrame:
    """Drop the rows ``both`` of concepts with a strand from a table of labels.

    If one orientation is to stand for a concept, the larger label must not win by its size: for CDS
    on both strands, a detector that always fires has an F1 of .93 in bacteria. The row ``both`` of
    a concept without a strand stays.
    """
    has_strand = table["concept"].isin(table.loc[table["orientation"] == "sense", "concept"])
    return table[~(has_strand & (table["orientation"] == "both"))]


@overload
def is_above_null(pairs: pd.DataFrame) -> "pd.Series[bool]": ...


@overload
def is_above_null(pairs: Mapping[Hashable, Any]) -> bool: ...


def is_above_null(pairs: Any) -> Any:
    """Return which pairs are better on test than chance: F1 above its null, and q <= .05.

    A pair without a null, since it was not tested, is not.

    Parameters
    ----------
    pairs
        Rows of a table with ``f1``, ``null_f1`` and ``q_value``, or one row.

    Examples
    --------
    >>> is_above_null({"f1": 0.5, "null_f1": 0.1, "q_value": 0.01})
    True
    >>> is_above_null({"f1": 0.5, "null_f1": float("nan"), "q_value": float("nan")})
    False
    """
    return (pairs["f1"] > pairs["null_f1"]) & (pairs["q_value"] <= MAX_Q)


def marking_features(
    associations: pd.DataFrame, concept: str, orientation: Orientation, n: int
) -> list[int]:
    """Return the features that mark a label best: at most ``n``, the highest ``f1_fit`` first.

    They are chosen on fit alone. How well they do on test should be compared with ``f1_always_on``,
    see `marks_on_test`.
    """
    is_own = (associations["concept"] == concept) & (associations["orientation"] == orientation)
    own = associations[is_own & (associations["f1_fit"] > 0)]
    best = own.sort_values(["f1_fit", "feature"], ascending=[False, True], kind="stable").head(n)
    return [int(feature) for feature in best["feature"]]


def marks_on_test(
    associations: pd.DataFrame, concept: str, orientation: Orientation, features: Sequence[int]
) -> tuple[list[float], float]:
    """Return the F1 on test of features with a label, and that of a detector that always fires."""
    is_own = (associations["concept"] == concept) & (associations["orientation"] == orientation)
    own = associations[is_own]
    n_concept = own["n_concept_bp"].to_numpy(np.int64)[:1]
    always_on = f1_always_on(n_concept, count_covered(associations))
    f1 = dict(zip(own["feature"].tolist(), own["f1"].tolist(), strict=True))
    return [float(f1[it]) for it in features], float(always_on[0])


def feature_labels(associations: pd.DataFrame) -> pd.DataFrame:
    """Return what features may be called by: `best_concepts`, where the pair is above its null.

    A feature without a row here has no name but its number.
    """
    keys = ["feature", "concept", "orientation"]
    above = associations.loc[is_above_null(associations), keys]
    above = above.rename(columns={"concept": "best_concept"})
    return best_concepts(associations).merge(above, on=list(above), how="inner")


def count_covered(associations: pd.DataFrame) -> int:
    """Return the number of covered (base, reading strand) pairs of test.

    The header of a table states it from version 3 on. For an older table it is derived from the
    scores, and is 0 if nothing was detected on test.
    """
    if N_COVERED in associations.attrs:
        return int(associations.attrs[N_COVERED])
    return _implied_by_enrichment(associations)


def _implied_by_enrichment(associations: pd.DataFrame) -> int:
    """Derive the number of covered pairs of a table of version 1 or 2, which does not state it.

    The ``log2_enrichment`` of every row implies this number; the row with the most expected bases
    in common gives it exactly.
    """
    feature = associations["n_feature_bp"].to_numpy(np.float64)
    concept = associations["n_concept_bp"].to_numpy(np.float64)
    enrichment = associations["log2_enrichment"].to_numpy(np.float64)
    product = np.where(np.isnan(enrichment), 0.0, feature * concept)
    if not product.size or product.max() == 0:
        return 0
    row = int(np.argmax(product))
    observed = float(associations["n_both_bp"].iloc[row]) + 0.5
    return round(float(product[row] / (observed / 2 ** enrichment[row] - 0.5)))


def summarise_features(stores: Sequence[FeatureStore], associations: pd.DataFrame) -> pd.DataFrame:
    """Summarise each feature over all genomes in one row, in the schema ``FEATURE_SUMMARY``.

    Parameters
    ----------
    stores
        Features stores of one dictionary, one per genome.
    associations
        Associations of the same dictionary, from which `best_concepts` takes each feature's best
        concept.

    Notes
    -----
    ``density`` is the number of firing bases over the number of bases read, on both strands of all
    genomes together. ``strand_asymmetry`` is ``(p - m) / (p + m)`` of the densities p on ``+`` and
    m on ``-``, and NaN for a feature that never fires.
    """
    every = pd.concat([feature_statistics(store) for store in stores], ignore_index=True)
    every["total"] = every["mean_activation"].fillna(0.0) * every["n_firing"]
    table = every.groupby("feature").agg({"n_firing": "sum", "max_activation": "max"})
    total = every.groupby("feature")["total"].sum()
    n_firing = table["n_firing"].to_numpy(np.float64)
    n_read = {strand: _bases_read(stores, strand) for strand in STRANDS}
    p, m = (
        every[every["strand"] == strand].groupby("feature")["n_firing"].sum().to_numpy(np.float64)
        / max(n_read[strand], 1)
        for strand in STRANDS
    )
    fires = np.where(n_firing > 0, 1.0, np.nan)
    table = table.assign(
        density=n_firing / max(sum(n_read.values()), 1),
        mean_activation=total.to_numpy() / np.maximum(n_firing, 1) * fires,
        strand_asymmetry=(p - m) / np.where(p + m > 0, p + m, 1.0) * fires,
    ).reset_index()
    n_concept = associations["n_concept_bp"].to_numpy(np.int64)
    always_on = f1_always_on(n_concept, count_covered(associations))
    best = best_concepts(associations).drop(columns="best_f1")
    keys = ["feature", "concept", "orientation"]
    best = best.merge(
        associations.assign(f1_always_on=always_on)[[*keys, *_OF_BEST]],
        left_on=["feature", "best_concept", "orientation"],
        right_on=keys,
    ).drop(columns="concept")
    table = table.merge(best, on="feature", how="left")
    table = table.fillna({"best_concept": "", "orientation": ""})
    own = [column.name for column in FEATURE_SUMMARY.columns if column.status == "REQUIRED"]
    return conform(table[own], FEATURE_SUMMARY, where="features")


def _bases_read(stores: Sequence[FeatureStore], strand: ReadStrand) -> int:
    return sum(interval.length for store in stores for interval in store.coverage(strand))
