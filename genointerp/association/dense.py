"""Detectors that have a value at every base: neurons, principal components, probes.

What a single feature reaches is to be read beside them, so they are counted and scored by the very
code that counts and scores features.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from genointerp.annotation.concepts import ConceptElements
from genointerp.association import scores
from genointerp.association.config import AssociateConfig
from genointerp.association.counts import CellTrack, count_levels, rank_sums
from genointerp.association.label import LabelledCells, label_cells, list_labels
from genointerp.association.split import split_genomes
from genointerp.association.universe import Universe, make_universe
from genointerp.core.errors import InputError
from genointerp.store.activations import ActivationStore
from genointerp.store.contigs import contig_offsets
from genointerp.store.features import FeatureStore, ReadStrand

_TAIL = np.logspace(-5, -2, 25)
_MIDDLE = np.linspace(0.02, 0.98, 49)
SHARES = np.concatenate([[0.0], _TAIL, _MIDDLE, 1 - _TAIL[::-1]])
"""Shares of the rows of fit that lie below the thresholds tried; dense where concepts are rare."""

CHOICE_ROWS = 300_000
"""Rows of fit on which a detector is chosen from many; its threshold is chosen on all of them."""


@dataclass(frozen=True, eq=False)
class DenseSide:
    """Rows of activations on one side of the split, and what they are.

    Parameters
    ----------
    labels
        Of the cells of the side.
    n_covered
        Covered (base, strand) pairs: the rows.
    cell
        Cell of each row.
    """

    labels: LabelledCells
    n_covered: int
    cell: Int64[np.ndarray, " row"]

    def label(self, concept: str) -> int:
        """Return the label of a concept in its own orientation: sense, or both without strand."""
        return next(
            number
            for number, label in enumerate(self.labels.names)
            if label.concept == concept and label.orientation != "antisense"
        )

    def truth(self, label: int) -> Bool[np.ndarray, " row"]:
        """Return which rows carry a label."""
        return np.asarray(self.labels.mask(label)[self.cell], dtype=np.bool_)


class DenseScore(NamedTuple):
    """A detector at the threshold chosen on fit; every score after ``f1_fit`` is of test."""

    threshold: float
    f1_fit: float
    precision: float
    recall: float
    f1: float
    auroc: float


class SignedColumn(NamedTuple):
    """A column of a matrix of detectors, read upward (``sign`` 1) or downward (-1)."""

    column: int
    sign: int


def dense_sides(
    features: Sequence[FeatureStore],
    activations: Sequence[ActivationStore],
    elements: Sequence[ConceptElements],
    config: AssociateConfig,
) -> tuple[DenseSide, DenseSide]:
    """Return fit and test as `associate` would divide and label them.

    Parameters
    ----------
    features
        Of any dictionary on these activations: they tell what was read.

    Raises
    ------
    InputError
        If tokens are not bases, or rows of one genome belong to both sides.
    """
    splits = split_genomes([store.header.contigs for store in features], config)
    names = list_labels(elements)
    sides = []
    for name in ("fit", "test"):
        universe = make_universe(features, [getattr(split, name) for split in splits])
        labels = label_cells(features, elements, universe, names)
        sides.append(_dense_side(activations, labels, universe))
    return sides[0], sides[1]


def _dense_side(
    stores: Sequence[ActivationStore], labels: LabelledCells, universe: Universe
) -> DenseSide:
    cells = []
    for genome, store in enumerate(stores):
        if not any(len(part.start) for part in universe.covered[genome].values()):
            continue
        for strand, rows in _reading_rows(store):
            cell, inside = universe.locate(genome, strand, rows)
            if not inside.all():
                raise InputError(str(store.path), "rows of the universe", "others")
            cells.append(cell)
    cell = np.concatenate([np.zeros(0, np.int64), *cells])
    return DenseSide(labels, universe.n_covered, cell)


def _reading_rows(
    store: ActivationStore,
) -> Iterator[tuple[ReadStrand, Int64[np.ndarray, " bp"]]]:
    """Yield the global base of each row of each window, in reading order."""
    offsets = contig_offsets(store.header.contigs)
    for kept in store.windows:
        offset = offsets[kept.seqid]
        rows = np.arange(offset + kept.start, offset + kept.end, dtype=np.int64)
        if kept.strand == "-":
            yield "-", rows[::-1]
        else:
            yield "+", rows


def thresholds_of(values: Float32[np.ndarray, " row"]) -> Float64[np.ndarray, " level"]:
    """Return the thresholds tried for a detector, ascending: quantiles of its values on fit."""
    return np.unique(np.quantile(values, SHARES).astype(np.float32)).astype(np.float64)


def choose_columns(
    matrix: Float32[np.ndarray, "row column"], side: DenseSide
) -> list[SignedColumn]:
    """Choose for each label the column and the sign with the highest F1 on fit.

    Notes
    -----
    From every n-th row, n being the lowest odd number not divisible by 3 (codons have a period)
    that leaves at most `CHOICE_ROWS`.
    """
    stride = _stride(len(matrix))
    thinned = matrix[::stride]
    cell = side.cell[::stride]
    n_labels = len(side.labels.names)
    n_positive = np.array([int(side.truth(i)[::stride].sum()) for i in range(n_labels)])
    best = np.full(n_labels, -1.0)
    chosen = [SignedColumn(0, 1)] * n_labels
    for column in range(matrix.shape[1]):
        for sign in (1, -1):
            values = np.ascontiguousarray(sign * thinned[:, column])
            counts = count_levels(CellTrack(cell, values), thresholds_of(values), side.labels)
            f1 = scores.f1(counts.n_both, counts.n_feature[None, :], n_positive[:, None])
            top = np.nan_to_num(f1).max(axis=1)
            for label in np.flatnonzero(top > best).tolist():
                chosen[label] = SignedColumn(column, sign)
            best = np.maximum(best, top)
    return chosen


def score_dense(
    fit_values: Float32[np.ndarray, " fit_row"],
    test_values: Float32[np.ndarray, " test_row"],
    label: int,
    fit: DenseSide,
    test: DenseSide,
) -> DenseScore:
    """Choose the threshold of a detector for a label on fit, and score it on test.

    Of thresholds with equal F1 the lowest is taken, as for features.
    """
    grid = thresholds_of(fit_values)
    counts = count_levels(CellTrack(fit.cell, fit_values), grid, fit.labels)
    f1 = scores.f1(counts.n_both[label], counts.n_feature, fit.labels.n_positive[[label]])
    level = int(np.argmax(np.nan_to_num(f1)))
    track = CellTrack(test.cell, test_values)
    found = count_levels(track, grid[[level]], test.labels)
    both, detected = found.n_both[label], found.n_feature
    positive = test.labels.n_positive[[label]]
    ranks = rank_sums(track, test.labels, test.n_covered)[[label]]
    return DenseScore(
        threshold=float(grid[level]),
        f1_fit=float(f1[level]),
        precision=float(scores.precision(both, detected)[0]),
        recall=float(scores.recall(both, positive)[0]),
        f1=float(scores.f1(both, detected, positive)[0]),
        auroc=float(scores.auroc(ranks, positive, test.n_covered)[0]),
    )


def _stride(n_rows: int) -> int:
    stride = max(1, -(-n_rows // CHOICE_ROWS))
    while stride > 1 and (stride % 2 == 0 or stride % 3 == 0):
        stride += 1
    return stride
