"""Count exactly for every feature, label and threshold, in one pass over the hits.

Features are taken in blocks. The hits of a block are gathered tile by tile, each with the patch of
its cell. Every count is then a loop over the hits of one feature, with tables of the size of the
annotation. Activations are stored in 16 bits, which are ordered as their values are, so thresholds,
ranks and ties are exact.

Sense and antisense of a concept share few bases or none, and ``both`` is their union. To avoid
counting a hit twice for ``both``, hits are counted by *atom* (sense alone, antisense alone, both
readings at once, or a label that is not a union), and a label is the sum of its atoms.

The memory is 6 bytes for each of the `BLOCK_HITS` hits of a block, or for each hit of a single
feature that has more (which may be one at every base read), and 12 bytes per base of the genome for
the patches.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from genointerp.association.count import kernels
from genointerp.association.count.hits import VALUE_OF_CODE, HitBlock, HitReader, reaching_codes
from genointerp.association.count.label import LabelledCells, readings_of_both
from genointerp.association.count.universe import Universe
from genointerp.store.feature.store import FeatureStore


class LevelTally(NamedTuple):
    """Number of bases detected at each threshold: in all, and in common with each label."""

    n_feature: Int64[np.ndarray, "feature level"]
    n_both: Int64[np.ndarray, "feature label level"]


class StretchTally(NamedTuple):
    """Number of bases detected in each stretch of the axis, at one threshold per label."""

    n_feature: Int64[np.ndarray, "feature label stretch"]
    n_both: Int64[np.ndarray, "feature label stretch"]


class RankTally(NamedTuple):
    """Sums over the bases of each label.

    Parameters
    ----------
    rank
        Sum of the ranks of these bases by activation among all covered bases, from 1; ties get
        their mean rank.
    precision
        Sum over these bases of the share of the label among all bases whose activation is at least
        as high.
    """

    rank: Float64[np.ndarray, "feature label"]
    precision: Float64[np.ndarray, "feature label"]


class Tally:
    """Counts of features on one universe, which several threads may use at once.

    Parameters
    ----------
    stores
        Features stores, one per genome.
    universe, labels
        The cells that count, and their labels.

    Attributes
    ----------
    covered_by_stretch, positive_by_stretch : numpy.ndarray
        Number of covered cells in each stretch: in all, and of each label.
    """

    def __init__(
        self, stores: Sequence[FeatureStore], universe: Universe, labels: LabelledCells
    ) -> None:
        self.labels = labels
        self.n_covered = universe.n_covered
        self._reader = HitReader(stores, universe, labels.patches.of_cell)
        self._order, atoms, self._is_part = _find_atoms(labels)
        self._atoms, self._parts = _sparse_rows(atoms.T), _sparse_rows(self._is_part)
        patches = labels.patches
        self._kind = np.zeros(len(patches), np.int64)
        self._kind[patches.of_cell] = labels.combination
        self.covered_by_stretch, self.positive_by_stretch = self._count_cells()

    def _count_cells(
        self,
    ) -> tuple[Int64[np.ndarray, " stretch"], Int64[np.ndarray, "label stretch"]]:
        """Count the covered cells in each stretch: in all, and of each label."""
        patches = self.labels.patches
        size = np.zeros(len(patches), np.int64)
        for source in self._reader.sources:
            known = source.place_of_row[source.place_of_row >= 0]
            size += np.bincount(known, minlength=len(patches))
        n_kinds = self.labels.members.shape[1]
        place = self._kind * patches.n_stretches + patches.stretch
        table = np.bincount(place, weights=size, minlength=n_kinds * patches.n_stretches)
        table = table.reshape(n_kinds, patches.n_stretches)
        positive = np.rint(self.labels.members @ table).astype(np.int64)
        return np.rint(table.sum(axis=0)).astype(np.int64), positive

    def read(self, features: range) -> HitBlock:
        """Read the hits of consecutive features, each with the patch of its cell.

        Raises
        ------
        SchemaError
            If the hits of a file contradict its index, or an activation is not > 0.
        """
        return self._reader.read(features)

    def maxima(self, block: HitBlock) -> Float64[np.ndarray, " feature"]:
        """Return the largest activation of each feature; 0 if it does not fire."""
        code = np.zeros(block.n_features, np.int64)
        kernels.largest(block.start, block.stop, block.code, code)
        return VALUE_OF_CODE[code]

    def levels(
        self, block: HitBlock, thresholds: Float64[np.ndarray, "feature level"]
    ) -> LevelTally:
        """Count what each feature detects at each of several ascending thresholds."""
        n_feature = np.zeros(thresholds.shape, np.int64)
        of_atom = np.zeros((block.n_features, len(self._order), thresholds.shape[1]), np.int64)
        kernels.count_levels(
            *block[1:], reaching_codes(thresholds), self._kind, *self._atoms, n_feature, of_atom
        )
        n_both = np.empty_like(of_atom)
        for label, own in enumerate(self._is_part):
            n_both[:, label] = of_atom[:, own].sum(axis=1)
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
        kernels.count_stretches(
            *block[1:],
            reaching_codes(thresholds),
            chosen,
            patches.stretch,
            self._kind,
            *self._atoms,
            *self._parts,
            n_feature,
            n_both,
        )
        return StretchTally(n_feature, n_both)

    def elements(
        self, block: HitBlock, thresholds: Float64[np.ndarray, "feature level"]
    ) -> Int64[np.ndarray, "feature label level"]:
        """Count the elements with at least one covered base that the feature detects."""
        labels = self.labels
        n_hit = np.zeros((block.n_features, len(labels.names), thresholds.shape[1]), np.int64)
        kernels.count_elements(
            *block[1:],
            reaching_codes(thresholds),
            labels.patches.offset,
            labels.patches.element,
            labels.element_label,
            labels.whole,
            n_hit,
        )
        return n_hit

    def ranks(self, block: HitBlock) -> RankTally:
        """Sum ranks and precisions over each label; bases where a feature is silent tie at 0."""
        n_atoms, order = self._is_part.shape[1], self._order
        rank, precision = np.zeros((2, block.n_features, len(order)))
        kernels.sum_ranks(
            *block[1:],
            self._kind,
            *self._atoms,
            n_atoms,
            len(readings_of_both(self.labels.names)),
            self.labels.n_positive[order],
            max(self.n_covered, 1),
            rank,
            precision,
        )
        number = np.argsort(order)
        return RankTally(rank[:, number], precision[:, number])


class _SparseRows(NamedTuple):
    """Columns in which each row of a table is true; those of row i begin at ``offset[i]``."""

    offset: Int64[np.ndarray, " row1"]
    column: Int64[np.ndarray, " entry"]


def _sparse_rows(table: Bool[np.ndarray, "row column"]) -> _SparseRows:
    offset = np.concatenate([[0], np.cumsum(table.sum(axis=1))]).astype(np.int64)
    return _SparseRows(offset, np.nonzero(table)[1].astype(np.int64))


def _find_atoms(
    labels: LabelledCells,
) -> tuple[
    Int64[np.ndarray, " label"],
    Bool[np.ndarray, "atom combination"],
    Bool[np.ndarray, "label atom"],
]:
    """Return the order of labels and atoms, the atoms of combinations, and the atoms of labels.

    The order is that of `kernels.sum_ranks`. The i-th atom is the i-th label in this order, alone;
    where this label is a ``both``, the atom is what is sense and antisense at once.
    """
    has = labels.members > 0
    pairs = readings_of_both(labels.names)
    sense, antisense = (np.array([pair[k] for pair in pairs.values()], np.int64) for k in range(2))
    both = np.array(list(pairs), np.int64)
    others = np.setdiff1d(np.arange(len(has)), np.concatenate([sense, antisense, both]))
    order = np.concatenate([sense, antisense, both, others]).astype(np.int64)
    alone, opposite = has[sense] & ~has[antisense], has[antisense] & ~has[sense]
    atoms = np.concatenate([alone, opposite, has[sense] & has[antisense], has[others]])
    is_part = np.zeros((len(has), len(has)), dtype=np.bool_)
    is_part[order, np.arange(len(has))] = True
    n = len(both)
    is_part[sense, 2 * n + np.arange(n)] = is_part[antisense, 2 * n + np.arange(n)] = True
    is_part[both, np.arange(n)] = is_part[both, n + np.arange(n)] = True
    return order, np.asarray(atoms, dtype=np.bool_), is_part
