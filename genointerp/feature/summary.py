"""Summarise each feature on a stretch, in memory that does not grow with the stretch."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from genointerp.genome.interval import GenomicInterval
from genointerp.store.feature.store import FeatureStore, ReadStrand
from genointerp.store.feature.tiles import FeatureBlock


class StretchSummary(NamedTuple):
    """Features that fire on a stretch, in ascending order.

    ``first`` and ``last`` are the first and last firing base, counted from the start of the
    stretch. ``total`` is the sum of the activations over the ``n_bases`` firing bases.
    """

    feature: Int64[np.ndarray, " firing"]
    maximum: Float64[np.ndarray, " firing"]
    total: Float64[np.ndarray, " firing"]
    n_bases: Int64[np.ndarray, " firing"]
    first: Int64[np.ndarray, " firing"]
    last: Int64[np.ndarray, " firing"]


def summarise_stretch(
    store: FeatureStore,
    interval: GenomicInterval,
    strand: ReadStrand,
    *,
    feature: int | None = None,
    min_activation: float = 0.0,
) -> StretchSummary:
    """Summarise the features that fire in an interval when ``strand`` is read.

    Parameters
    ----------
    interval
        Interval to summarise; on a circular contig its end may lie beyond the length.
    feature
        Only this feature, if given; reading is then as fast for a genome as for a gene.
    min_activation
        Bases with an activation below this count as silent.
    """
    return summarise_stretches(
        store, (interval,), strand, feature=feature, min_activation=min_activation
    )


def summarise_stretches(
    store: FeatureStore,
    stretches: Sequence[GenomicInterval],
    strand: ReadStrand,
    *,
    feature: int | None = None,
    min_activation: float = 0.0,
) -> StretchSummary:
    """Summarise the features that fire in several intervals together; see `summarise_stretch`.

    Parameters
    ----------
    stretches
        Disjoint intervals of one contig, in ascending order. ``first`` and ``last`` of the summary
        count from the start of the first interval.
    """
    found = _Accumulated(1 if feature is not None else store.n_features)
    for stretch in stretches:
        done = stretch.start - stretches[0].start
        for part in store.parts(stretch):
            start, stop = store.row_range(part)
            if feature is None:
                for block in store.blocks(start, stop, strand):
                    found.add(block.at_least(min_activation), done - start)
            else:
                row, value = store.feature(feature, strand, part)
                loud = value >= min_activation
                found.add_one(row[loud] + (done - start), value[loud])
            done += part.length
    return found.summary(feature or 0)


class _Accumulated:
    def __init__(self, n_features: int) -> None:
        self.maximum = np.zeros(n_features)
        self.total = np.zeros(n_features)
        self.n_bases = np.zeros(n_features, dtype=np.int64)
        self.first = np.zeros(n_features, dtype=np.int64)
        self.last = np.zeros(n_features, dtype=np.int64)

    def add(self, block: FeatureBlock, shift: int) -> None:
        """Add hits that lie after all earlier ones; ``shift`` turns rows into bases."""
        n_bases = np.diff(block.indptr)
        fires = np.flatnonzero(n_bases)
        if not len(fires):
            return
        edges = block.indptr[fires]
        highest = np.maximum.reduceat(block.value, edges)
        self.maximum[fires] = np.maximum(self.maximum[fires], highest)
        self.total[fires] += np.add.reduceat(block.value, edges, dtype=np.float64)
        shift += block.start
        fresh = self.n_bases[fires] == 0
        self.first[fires[fresh]] = block.row[edges[fresh]] + np.int64(shift)
        self.last[fires] = block.row[block.indptr[fires + 1] - 1] + np.int64(shift)
        self.n_bases += n_bases

    def add_one(self, base: np.ndarray, value: np.ndarray) -> None:
        """Add hits of the only feature, which lie after all earlier ones."""
        if not len(base):
            return
        self.maximum[0] = max(self.maximum[0], float(value.max()))
        self.total[0] += value.sum(dtype=np.float64)
        self.first[0] = self.first[0] if self.n_bases[0] else base[0]
        self.last[0] = base[-1]
        self.n_bases[0] += len(base)

    def summary(self, first_feature: int) -> StretchSummary:
        fires = np.flatnonzero(self.n_bases)
        columns = (self.maximum, self.total, self.n_bases, self.first, self.last)
        return StretchSummary(fires + first_feature, *(column[fires] for column in columns))
