"""The bases that two readings have in common, in panels, and the hits on them.

A *cell* is a base of one reading strand that was read in both. Cells are numbered within a panel,
in forward coordinates on either strand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64, UInt

from genointerp.comparison.matching import kernels
from genointerp.genome.runs import common_runs
from genointerp.store.feature.store import STRANDS, FeatureStore, ReadStrand

MOST_CELLS = 1 << 20
"""Cells of a panel, at most: what is rotated, and held in memory, at once."""


class FeatureHits(NamedTuple):
    """Hits of consecutive features; those of the i-th one are ``begin[i]`` to ``begin[i + 1]``."""

    begin: Int64[np.ndarray, " feature1"]
    cell: Int32[np.ndarray, " hit"]
    value: Float32[np.ndarray, " hit"]


class CellHits(NamedTuple):
    """The features that fire on each cell; those of cell t are ``indptr[t]`` to ``indptr[t+1]``."""

    indptr: Int64[np.ndarray, " cell1"]
    feature: UInt[np.ndarray, " hit"]
    value: Float32[np.ndarray, " hit"]

    @property
    def n_bytes(self) -> int:
        """Memory of the arrays."""
        return sum(column.nbytes for column in self)


@dataclass(frozen=True, eq=False)
class Panel:
    """Cells of one genome and one reading strand.

    Parameters
    ----------
    genome
        Number of the genome.
    runs
        Sorted, disjoint runs of global rows, half-open, which are laid one after the other.
    """

    genome: int
    strand: ReadStrand
    runs: Int64[np.ndarray, "run 2"]

    @cached_property
    def _first(self) -> Int64[np.ndarray, " run1"]:
        """First cell of each run, and the number of cells."""
        return np.concatenate([[0], np.cumsum(self.runs[:, 1] - self.runs[:, 0])])

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return int(self._first[-1])

    def rows(self) -> Int64[np.ndarray, " cell"]:
        """Return the global row of each cell."""
        return np.concatenate([np.arange(start, stop) for start, stop in self.runs.tolist()])

    def hits(self, store: FeatureStore, first: int, stop: int) -> FeatureHits:
        """Return the hits of features ``[first, stop)`` on the cells."""
        feature = [np.zeros(0, np.int32)]
        cell, value = [np.zeros(0, np.int32)], [np.zeros(0, np.float32)]
        for part in store.slices(first, stop, self.strand, self.runs):
            low, high = int(part.indptr[0]), int(part.indptr[-1])
            row = part.row[low:high].astype(np.int64) + part.start
            run = np.searchsorted(self.runs[:, 0], row, side="right") - 1
            inside = (run >= 0) & (row < self.runs[run, 1])
            own = np.repeat(np.arange(stop - first, dtype=np.int32), np.diff(part.indptr))
            run, row = run[inside], row[inside]
            feature.append(own[inside])
            cell.append((row - self.runs[run, 0] + self._first[run]).astype(np.int32))
            value.append(part.value[low:high][inside].astype(np.float32))
        # slices come in the order of rows, which the sort keeps within a feature
        begin, order = kernels.order_by(np.concatenate(feature), stop - first)
        return FeatureHits(begin, np.concatenate(cell)[order], np.concatenate(value)[order])

    def firing(self, store: FeatureStore) -> CellHits:
        """Return the features that fire on each cell."""
        hits = self.hits(store, 0, store.n_features)
        kind = np.uint16 if store.n_features <= np.iinfo(np.uint16).max + 1 else np.uint32
        feature = np.repeat(np.arange(store.n_features, dtype=kind), np.diff(hits.begin))
        indptr, order = kernels.order_by(hits.cell, self.n_cells)
        return CellHits(indptr, feature[order], hits.value[order])


def common_panels(*readings: Sequence[FeatureStore]) -> tuple[Panel, ...]:
    """Return the bases that were read in all readings, on each strand of each genome.

    Parameters
    ----------
    readings
        Stores of the same genomes, in the same order.
    """
    panels = []
    for genome, stores in enumerate(zip(*readings, strict=True)):
        for strand in STRANDS:
            runs = reduce(common_runs, [_read_runs(store, strand) for store in stores])
            n_cells = int((runs[:, 1] - runs[:, 0]).sum())
            if n_cells == 0:
                continue
            size = -(-n_cells // -(-n_cells // MOST_CELLS))
            panels += [Panel(genome, strand, part) for part in _cut(runs, size)]
    return tuple(panels)


def is_fit(rows: Int64[np.ndarray, " cell"], block: int) -> Bool[np.ndarray, " cell"]:
    """Return which rows lie in a block of fit: every other block, from the first one on."""
    return np.asarray(rows // block % 2 == 0)


def _read_runs(store: FeatureStore, strand: ReadStrand) -> Int64[np.ndarray, "run 2"]:
    runs = [store.row_range(interval) for interval in store.coverage(strand)]
    # intervals that touch stay apart: contigs do
    return np.array(sorted(runs), dtype=np.int64).reshape(-1, 2)


def _cut(runs: Int64[np.ndarray, "run 2"], size: int) -> list[Int64[np.ndarray, "part 2"]]:
    """Cut runs into parts of ``size`` bases each; the last one has what is left."""
    parts: list[list[tuple[int, int]]] = [[]]
    room = size
    for start, stop in runs.tolist():
        while start < stop:
            if room == 0:
                parts.append([])
                room = size
            end = min(stop, start + room)
            parts[-1].append((start, end))
            room -= end - start
            start = end
    return [np.array(part, dtype=np.int64) for part in parts]
