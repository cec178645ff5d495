"""Loci: the intervals in which one feature fires."""

import numpy as np
import pandas as pd

from genointerp.core.errors import InputError
from genointerp.store.features import STRANDS, FeatureStore, ReadStrand
from genointerp.store.tables import LOCI, conform


def firing_intervals(
    store: FeatureStore,
    feature: int,
    strand: ReadStrand,
    *,
    merge_gap: int = 0,
    min_activation: float = 0.0,
) -> pd.DataFrame:
    """Return the loci of one feature on one strand, in the schema ``LOCI``, by position.

    Parameters
    ----------
    merge_gap
        Firing bases with at most so many silent bases between them are one locus. Loci do not
        cross the end of a contig, nor the origin of a circular one.
    min_activation
        Bases whose activation does not exceed it count as silent.

    Raises
    ------
    InputError
        If ``merge_gap`` is negative.
    UnknownNameError
        If the dictionary has no such feature.
    """
    if merge_gap < 0:
        raise InputError("merge_gap", "0 or more bases", str(merge_gap))
    track = store.feature(feature, strand)
    loud = track.value > min_activation
    row, value = track.row[loud], track.value[loud].astype(np.float64)
    names = list(store.offsets)
    offsets = np.array(list(store.offsets.values()), dtype=np.int64)
    # of contigs without bases, which share an offset, the last is the one that has them
    contig = np.searchsorted(offsets, row, side="right") - 1
    fresh = np.ones(len(row), dtype=bool)
    fresh[1:] = (np.diff(row) > merge_gap + 1) | (np.diff(contig) > 0)
    first = np.flatnonzero(fresh)
    if not len(first):
        return _table([], np.zeros((2, 0), np.int64), strand, np.zeros((2, 0)), first)
    last = np.append(first[1:], len(row)) - 1
    count = last - first + 1
    place = np.stack([row[first], row[last] + 1]) - offsets[contig[first]]
    activation = np.stack(
        [np.maximum.reduceat(value, first), np.add.reduceat(value, first) / count]
    )
    return _table([names[i] for i in contig[first]], place, strand, activation, count)


def top_loci(
    store: FeatureStore,
    feature: int,
    *,
    n: int = 20,
    merge_gap: int = 0,
    min_activation: float = 0.0,
) -> pd.DataFrame:
    """Return the ``n`` loci with the largest activation over both strands, strongest first."""
    tables = [
        firing_intervals(store, feature, strand, merge_gap=merge_gap, min_activation=min_activation)
        for strand in STRANDS
    ]
    table = pd.concat(tables, ignore_index=True)
    order = np.argsort(-table["max_activation"].to_numpy(), kind="stable")[:n]
    return table.iloc[order].reset_index(drop=True)


def _table(
    seqid: list[str],
    place: np.ndarray,
    strand: ReadStrand,
    activation: np.ndarray,
    count: np.ndarray,
) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "seqid": pd.Series(seqid, dtype=object),
            "start": place[0],
            "end": place[1],
            "strand": pd.Series([strand] * len(seqid), dtype=object),
            "max_activation": activation[0],
            "mean_activation": activation[1],
            "n_firing": count,
        }
    )
    return conform(frame, LOCI, where="loci")
