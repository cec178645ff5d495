"""Exact counts of every feature, label and threshold: one pass over the hits of a features file.

Features are taken in blocks. The hits of a block are gathered tile by tile, each with the patch of
its cell; every count is then a loop over the hits of one feature with tables of the size of the
annotation. Activations are stored in 16 bits, which are ordered as the numbers are, so that
thresholds, ranks and ties are exact.

Memory is bounded by the block: 6 bytes for each of its `BLOCK_HITS` hits (or of those of a single
feature, which may have one at every base read), and by the genome: 12 bytes a base for the patches.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int32, Int64, UInt16

from genointerp.association import kernels
from genointerp.association.label import LabelledCells
from genointerp.association.universe import Universe
from genointerp.core.errors import SchemaError
from genointerp.store.feature_tiles import FeatureSlice
from genointerp.store.features import STRANDS, FeatureStore, ReadStrand

BLOCK_HITS = 16_000_000
"""Hits of all strands and genomes that a block holds at most; a single feature may have more."""

BLOCK_FEATURES = 256
"""Features of a block at most: counts of a block have a number for each, label and threshold."""

_VALUE_OF_CODE = np.arange(kernels.N_CODES, dtype=np.uint16).view(np.float16).astype(np.float64)


class HitBlock(NamedTuple):
    """Hits of consecutive features that lie in one universe.

    Those of the i-th feature are ``start[i]`` to ``stop[i]``; `patch` is that of their cell and
    `code` the bits of their activation, a float16.
    """

    first: int
    start: Int64[np.ndarray, " feature"]
    stop: Int64[np.ndarray, " feature"]
    patch: Int32[np.ndarray, " hit"]
    code: UInt16[np.ndarray, " hit"]

    @property
    def n_features(self) -> int:
        """Features of the block."""
        return len(self.start)


class LevelTally(NamedTuple):
    """Bases detected at each threshold: in all, and in common with each label."""

    n_feature: Int64[np.ndarray, "feature level"]
    n_both: Int64[np.ndarray, "feature label level"]


class StretchTally(NamedTuple):
    """Bases detected in each stretch of the axis at the one threshold of each label."""

    n_feature: Int64[np.ndarray, "feature label stretch"]
    n_both: Int64[np.ndarray, "feature label stretch"]


class RankTally(NamedTuple):
    """Sums over the bases of each label.

    Parameters
    ----------
    rank
        Of their rank by activation among all covered bases, from 1; ties get their mean.
    precision
        Of the share of the label among the bases whose activation is at least theirs.
    """

    rank: Float64[np.ndarray, "feature label"]
    precision: Float64[np.ndarray, "feature label"]


class _Source(NamedTuple):
    """One strand of one genome: the patch of each row, and the rows that have one."""

    store: FeatureStore
    strand: ReadStrand
    patch_of_row: Int32[np.ndarray, " row"]
    wanted: Int64[np.ndarray, "interval 2"]


def feature_blocks(stores: Sequence[FeatureStore]) -> list[range]:
    """Divide the features into blocks of bounded size."""
    hits = np.sum([store.n_firing(strand) for store in stores for strand in STRANDS], axis=0)
    end = np.concatenate([[0], np.cumsum(hits)])
    blocks, first = [], 0
    while first < len(hits):
        stop = int(np.searchsorted(end, end[first] + BLOCK_HITS, side="right")) - 1
        stop = min(max(stop, first + 1), first + BLOCK_FEATURES, len(hits))
        blocks.append(range(first, stop))
        first = stop
    return blocks


class Tally:
    """Counts of features upon one universe. May be used by several threads at once.

    Parameters
    ----------
    stores
        Features of each genome.
    universe, labels
        The cells that count, and what they are.

    Attributes
    ----------
    covered_by_stretch, positive_by_stretch : numpy.ndarray
        Covered cells of each stretch, in all and of each label.
    """

    def __init__(
        self, stores: Sequence[FeatureStore], universe: Universe, labels: LabelledCells
    ) -> None:
        self.labels = labels
        self.n_covered = universe.n_covered
        self._sources = list(_sources(stores, universe, labels))
        self._n_firing = np.sum(
            [store.n_firing(strand) for store in stores for strand in STRANDS], axis=0
        )
        members = labels.members.T > 0
        self._label_offset = np.concatenate([[0], np.cumsum(members.sum(axis=1))]).astype(np.int64)
        self._label = np.nonzero(members)[1].astype(np.int64)
        patches = labels.patches
        self._kind = np.zeros(len(patches), np.int64)
        self._kind[patches.of_cell] = labels.combination
        self.covered_by_stretch, self.positive_by_stretch = self._count_cells()

    def _count_cells(
        self,
    ) -> tuple[Int64[np.ndarray, " stretch"], Int64[np.ndarray, "label stretch"]]:
        """Count the covered cells of each stretch, in all and of each label."""
        patches = self.labels.patches
        size = np.zeros(len(patches), np.int64)
        for source in self._sources:
            known = source.patch_of_row[source.patch_of_row >= 0]
            size += np.bincount(known, minlength=len(patches))
        n_kinds = self.labels.members.shape[1]
        place = self._kind * patches.n_stretches + patches.stretch
        table = np.bincount(place, weights=size, minlength=n_kinds * patches.n_stretches)
        table = table.reshape(n_kinds, patches.n_stretches)
        positive = np.rint(self.labels.members @ table).astype(np.int64)
        return np.rint(table.sum(axis=0)).astype(np.int64), positive

    def read(self, features: range) -> HitBlock:
        """Read the hits of consecutive features.

        Raises
        ------
        SchemaError
            If a file holds other hits than it says, or activations that are not > 0.
        """
        room = self._n_firing[features.start : features.stop]
        stop = np.cumsum(room)
        start = stop - room
        patch, code = np.empty(int(room.sum()), np.int32), np.empty(int(room.sum()), np.uint16)
        position = start.copy()
        for source in self._sources:
            for part in source.store.slices(
                features.start, features.stop, source.strand, source.wanted
            ):
                if not kernels.gather(
                    *(part.indptr, part.start, part.row, part.value.view(np.uint16)),
                    *(source.patch_of_row, position, stop, patch, code),
                ):
                    raise _damaged(source, part)
        return HitBlock(features.start, start, position, patch, code)

    def maxima(self, block: HitBlock) -> Float64[np.ndarray, " feature"]:
        """Return the largest activation of each feature; 0 where it does not fire."""
        code = np.zeros(block.n_features, np.int64)
        kernels.largest(block.start, block.stop, block.code, code)
        return _VALUE_OF_CODE[code]

    def levels(
        self, block: HitBlock, thresholds: Float64[np.ndarray, "feature level"]
    ) -> LevelTally:
        """Count what each feature detects at each of several thresholds, ascending."""
        n_feature = np.zeros(thresholds.shape, np.int64)
        n_both = np.zeros((block.n_features, len(self.labels.names), thresholds.shape[1]), np.int64)
        kernels.count_levels(
            *(*block[1:], _reach(thresholds), self._kind, self._label_offset, self._label),
            *(n_feature, n_both),
        )
        return LevelTally(n_feature, n_both)

    def stretches(
        self,
        block: HitBlock,
        thresholds: Float64[np.ndarray, "feature level"],
        chosen: Int64[np.ndarray, "feature label"],
    ) -> StretchTally:
        """Count what each feature detects at the chosen level of each label, by stretch."""
        patches = self.labels.patches
        shape = (*chosen.shape, patches.n_stretches)
        n_feature, n_both = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        place = patches.stretch * (len(self._label_offset) - 1) + self._kind
        kernels.count_stretches(
            *(*block[1:], _reach(thresholds), chosen, place, self._label_offset, self._label),
            *(n_feature, n_both),
        )
        return StretchTally(n_feature, n_both)

    def elements(
        self, block: HitBlock, thresholds: Float64[np.ndarray, "feature level"]
    ) -> Int64[np.ndarray, "feature label level"]:
        """Count the elements with at least one covered base that the feature detects."""
        labels = self.labels
        n_hit = np.zeros((block.n_features, len(labels.names), thresholds.shape[1]), np.int64)
        kernels.count_elements(
            *(*block[1:], _reach(thresholds), labels.patches.offset, labels.patches.element),
            *(labels.element_label, n_hit),
        )
        return n_hit

    def ranks(self, block: HitBlock) -> RankTally:
        """Sum ranks and precisions over each label; bases where a feature is silent tie at 0."""
        shape = (block.n_features, len(self.labels.names))
        rank, precision = np.zeros(shape), np.zeros(shape)
        kernels.sum_ranks(
            *(*block[1:], self._kind, self._label_offset, self._label, self.labels.n_positive),
            *(max(self.n_covered, 1), rank, precision),
        )
        return RankTally(rank, precision)


def _sources(
    stores: Sequence[FeatureStore], universe: Universe, labels: LabelledCells
) -> Iterator[_Source]:
    for store, by_strand in zip(stores, universe.covered, strict=True):
        for strand in STRANDS:
            segments = by_strand[strand]
            patch = np.full(store.n_rows, -1, np.int32)
            for row, end, position in zip(*segments, strict=True):
                cell = int(position) + (0 if strand == "+" else universe.n_bp)
                patch[row:end] = labels.patches.of_cell[cell : cell + int(end - row)]
            wanted = np.column_stack([segments.start, segments.end])
            if len(wanted):
                yield _Source(store, strand, patch, wanted)


def _reach(
    thresholds: Float64[np.ndarray, "feature level"],
) -> Int64[np.ndarray, "feature level"]:
    """Return the lowest code that reaches each threshold; NaN is never reached."""
    return np.searchsorted(_VALUE_OF_CODE, thresholds, side="left").astype(np.int64)


def _damaged(source: _Source, part: FeatureSlice) -> SchemaError:
    where = f"{source.store.path}: hits on {source.strand} from row {part.start}"
    return SchemaError(where, "as many as it says, on rows of the genome, > 0", "others")
