"""Rival dictionaries, of random weights or another seed, scored in the same way as ours."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from genointerp.association.associate import associate
from genointerp.association.baseline.dense import DenseSide
from genointerp.association.baseline.dense_counts import LEVELS, DenseCounts, DenseScore, value_keys
from genointerp.association.config import AssociateConfig
from genointerp.association.summary import best_per_concept
from genointerp.feature.specimen import Specimen, under_others
from genointerp.store.feature.store import STRANDS, FeatureStore

_SILENT = 1 << 15
"""Key of 0, which is the value of a feature where it does not fire."""


def open_rivals(
    specimens: Sequence[Specimen], rivals: Sequence[FeatureStore], *, random_weights: bool
) -> list[Specimen]:
    """Return the genomes under a rival dictionary, after checking that it is one.

    Raises
    ------
    MismatchError
        If the site or a genome differs; if the model has the same weights although they must be
        random, or other weights although they must be the same; if the dictionary is the same.
    """
    found, own = under_others(specimens, rivals), specimens[0].features.identity
    for rival in rivals:
        own.check(rival.identity, "site")
        compare = own.check_differs if random_weights else own.check
        compare(rival.identity, "model")
        own.check_differs(rival.identity, "dictionary")
    return found


def best_of(rivals: Sequence[Specimen], split: AssociateConfig) -> pd.DataFrame:
    """Return the best feature of each label, chosen on fit and measured on test."""
    # significance is not needed
    quick = replace(split, n_shifts=1, top_per_concept=0)
    return best_per_concept(associate(rivals, config=quick, matched=False))


def score_features(
    stores: Sequence[FeatureStore], best: pd.DataFrame, side: DenseSide
) -> dict[tuple[str, str], tuple[int, DenseScore]]:
    """Score chosen features at their thresholds on one side, which may cover less than was read.

    Parameters
    ----------
    stores
        Features stores, in the order of the genomes of the side.
    best
        Rows of associations, with the columns ``feature, concept, orientation, threshold, f1_fit``.

    Returns
    -------
    dict
        Feature and score, by concept and orientation.
    """
    number = {(label.concept, label.orientation): i for i, label in enumerate(side.labels.names)}
    names = list(zip(best["concept"], best["orientation"], strict=True))
    known = [row for row, name in enumerate(names) if name in number]
    counts = DenseCounts(np.array([number[names[row]] for row in known], dtype=np.int64))
    features = best["feature"].to_numpy(np.int64)[known]
    for detector, feature in enumerate(features.tolist()):
        _count_feature(counts, detector, stores, feature, side)
    thresholds = best["threshold"].to_numpy(np.float64)[known]
    # a feature detects only where it fires, even at a threshold of 0
    keys = np.maximum(value_keys(thresholds.astype(np.float32)).astype(np.int64), _SILENT + 1)
    found = counts.score(keys, best["f1_fit"].to_numpy(np.float64)[known])
    return {
        names[row]: (feature, score._replace(threshold=threshold))
        for row, feature, score, threshold in zip(
            known, features.tolist(), found, thresholds.tolist(), strict=True
        )
    }


def _count_feature(
    counts: DenseCounts,
    detector: int,
    stores: Sequence[FeatureStore],
    feature: int,
    side: DenseSide,
) -> None:
    mask = side.labels.mask(int(counts.label[detector]))
    n_all, n_both = counts.n_all[detector], counts.n_both[detector]
    for genome, store in enumerate(stores):
        for strand in STRANDS:
            track = store.feature(feature, strand)
            cell, inside = side.universe.locate(genome, strand, track.row)
            key = value_keys(track.value[inside])
            n_all += np.bincount(key, minlength=LEVELS)
            n_both += np.bincount(key[mask[cell]], minlength=LEVELS)
    n_all[_SILENT] += side.universe.n_covered - n_all.sum()
    n_both[_SILENT] += int(side.labels.n_positive[counts.label[detector]]) - n_both.sum()
