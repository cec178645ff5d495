"""Statistics of how often and how strongly each feature fires, by reading strand."""

from itertools import pairwise

import numpy as np
import pandas as pd

from genointerp.store.feature.store import STRANDS, FeatureStore, ReadStrand

_BLOCK_HITS = 4_000_000


def feature_statistics(store: FeatureStore) -> pd.DataFrame:
    """Return statistics of each feature and strand in one row, in the schema ``FEATURES``.

    Hits are streamed, so the memory does not grow with the genome.

    Notes
    -----
    ``density = n_firing / bases read on that strand``; ``mean_activation`` is over firing bases.
    """
    return pd.concat([_of_strand(store, strand) for strand in STRANDS], ignore_index=True)


def _of_strand(store: FeatureStore, strand: ReadStrand) -> pd.DataFrame:
    n_firing = store.n_firing(strand)
    n_read = sum(interval.length for interval in store.coverage(strand))
    largest = np.zeros(store.n_features)
    total = np.zeros(store.n_features)
    bounds = _blocks(n_firing)
    for start, stop in pairwise(bounds):
        rows = store.features(start, stop, strand)
        fires = np.diff(rows.indptr) > 0
        if fires.any():
            first = rows.indptr[:-1][fires]
            largest[start:stop][fires] = np.maximum.reduceat(rows.value, first)
            total[start:stop][fires] = np.add.reduceat(rows.value.astype(np.float64), first)
    with np.errstate(invalid="ignore"):
        mean = total / n_firing
    return pd.DataFrame(
        {
            "feature": np.arange(store.n_features),
            "strand": strand,
            "n_firing": n_firing,
            "density": n_firing / n_read if n_read else np.full(store.n_features, np.nan),
            "max_activation": largest,
            "mean_activation": mean,
        }
    )


def _blocks(n_firing: np.ndarray) -> list[int]:
    bounds, held = [0], 0
    for feature, hits in enumerate(n_firing.tolist()):
        if held and held + hits > _BLOCK_HITS:
            bounds.append(feature)
            held = 0
        held += hits
    return [*bounds, len(n_firing)]
