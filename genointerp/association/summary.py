"""What a table of associations says of its concepts, of its features and of its universe."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from genointerp.core.metric import f1_always_on
from genointerp.feature.query import best_concepts
from genointerp.feature.statistics import feature_statistics
from genointerp.store.feature.store import STRANDS, FeatureStore, ReadStrand
from genointerp.store.table.schema.association import N_COVERED
from genointerp.store.table.schema.feature import FEATURE_SUMMARY
from genointerp.store.table.table import conform

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

    It is chosen on fit and never on test; of equals the lowest number is taken. Labels that no
    feature detects on fit are left out. ``f1_always_on`` is what any score is to be read beside.
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

    Of a concept with a strand that is sense or antisense (`own_orientations`).
    """
    leading = (
        own_orientations(best)
        .sort_values("f1_fit", ascending=False, kind="stable")
        .drop_duplicates("concept")
    )
    return leading.sort_values("f1", ascending=False, kind="stable").reset_index(drop=True)


def own_orientations(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table of labels without ``both`` of concepts that have a strand.

    Where one orientation stands for a concept, the larger label must not win by its size: the F1
    of a detector that always fires is that of CDS on both strands, .93 in bacteria. ``both`` of a
    concept without strand stays.
    """
    has_strand = table["concept"].isin(table.loc[table["orientation"] == "sense", "concept"])
    return table[~(has_strand & (table["orientation"] == "both"))]


def count_covered(associations: pd.DataFrame) -> int:
    """Return the covered (base, reading strand) pairs of test.

    The header of the table has them from version 3 on; of older tables they are 0 where nothing was
    detected on test.
    """
    if N_COVERED in associations.attrs:
        return int(associations.attrs[N_COVERED])
    return _implied_by_enrichment(associations)


def _implied_by_enrichment(associations: pd.DataFrame) -> int:
    """Return the covered pairs of a table of version 1 or 2, which does not state them.

    Every row's ``log2_enrichment`` implies the same number: the row with the most expected bases
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
    """Return one row for each feature over all genomes, in the schema ``FEATURE_SUMMARY``.

    Parameters
    ----------
    stores
        Features of one dictionary, a store for each genome.
    associations
        Of the same dictionary; gives each feature's best concept, as `best_concepts` finds it.

    Notes
    -----
    ``density`` is the firing bases over the bases read, both strands and all genomes together;
    ``strand_asymmetry`` is ``(p - m) / (p + m)`` of the densities p on ``+`` and m on ``-``, NaN
    where it never fires.
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
    return conform(table[FEATURE_SUMMARY.names], FEATURE_SUMMARY, where="features")


def _bases_read(stores: Sequence[FeatureStore], strand: ReadStrand) -> int:
    return sum(interval.length for store in stores for interval in store.coverage(strand))
