"""Universes: all covered (base, reading strand) pairs of one side, laid out as an axis of cells.

The covered bases of all genomes are laid end to end on an axis of ``n_bp`` positions. The cell of a
base is its position if it is read on ``+``, and its position plus ``n_bp`` if it is read on ``-``.
Both strands share the axis, so a rotation moves sense and antisense together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int64

from genointerp.association.config import AssociateConfig
from genointerp.association.split import SideName, Stretches, split_stores
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.runs import merge_intervals
from genointerp.store.contigs import contig_offsets
from genointerp.store.feature.store import STRANDS, FeatureStore, ReadStrand


class Segments(NamedTuple):
    """Stretches of global rows of one genome, with the axis position of the first base of each.

    They are sorted, disjoint and half-open.
    """

    start: Int64[np.ndarray, " segment"]
    end: Int64[np.ndarray, " segment"]
    position: Int64[np.ndarray, " segment"]


class Located(NamedTuple):
    """Cells of bases, and which of the bases asked for have one."""

    cell: Int64[np.ndarray, " cell"]
    inside: Bool[np.ndarray, " base"]


@dataclass(frozen=True, eq=False)
class Universe:
    """The cells of one side.

    Parameters
    ----------
    n_bp
        Length of the axis: number of bases covered on at least one strand.
    n_covered
        Number of covered (base, strand) pairs, which is the denominator of rates. ``2 * n_bp`` if
        both strands were read everywhere.
    covered
        Stretches that were read, for each genome and reading strand.
    """

    n_bp: int
    n_covered: int
    covered: tuple[dict[ReadStrand, Segments], ...]

    @property
    def n_cells(self) -> int:
        """Number of cells of the axis, including those of a strand that was not read."""
        return 2 * self.n_bp

    def locate(self, genome: int, strand: ReadStrand, rows: Int64[np.ndarray, " base"]) -> Located:
        """Find the cells of those global rows that were read on a strand and lie on this side."""
        segments = self.covered[genome][strand]
        if not len(segments.start):
            return Located(np.zeros(0, np.int64), np.zeros(len(rows), np.bool_))
        index = np.searchsorted(segments.end, rows, side="right")
        index = np.minimum(index, len(segments.end) - 1)
        inside = (rows >= segments.start[index]) & (rows < segments.end[index])
        index = index[inside]
        position = rows[inside] - segments.start[index] + segments.position[index]
        return Located(position + (0 if strand == "+" else self.n_bp), inside)


def make_universe(parts: Iterable[tuple[FeatureStore, Stretches]]) -> Universe:
    """Lay the covered bases of one side end to end.

    Parameters
    ----------
    parts
        Features store of each genome, with those of its stretches that are on this side.
    """
    covered, n_bp, n_covered = [], 0, 0
    for store, stretches in parts:
        side = _row_intervals(store, stretches)
        by_strand = {
            strand: _common(side, _row_intervals(store, store.coverage(strand)))
            for strand in STRANDS
        }
        either = merge_intervals(np.concatenate(list(by_strand.values())))
        lengths = either[:, 1] - either[:, 0]
        position = n_bp + np.cumsum(lengths) - lengths
        whole = Segments(either[:, 0], either[:, 1], position)
        covered.append({strand: _within(rows, whole) for strand, rows in by_strand.items()})
        n_bp += int(lengths.sum())
        n_covered += sum(int((rows[:, 1] - rows[:, 0]).sum()) for rows in by_strand.values())
    return Universe(n_bp, n_covered, tuple(covered))


def lay_side(specimens: Sequence[Specimen], config: AssociateConfig, side: SideName) -> Universe:
    """Lay out one side of the split of genomes that a configuration states."""
    stores = [specimen.features for specimen in specimens]
    stretches = [getattr(split, side) for split in split_stores(stores, config)]
    return make_universe(zip(stores, stretches, strict=True))


def _row_intervals(
    store: FeatureStore, intervals: Sequence[GenomicInterval]
) -> Int64[np.ndarray, "interval 2"]:
    offsets = contig_offsets(store.header.contigs)
    rows = [(offsets[it.seqid] + it.start, offsets[it.seqid] + it.end) for it in intervals]
    return merge_intervals(np.array(rows, dtype=np.int64).reshape(-1, 2))


def _common(
    a: Int64[np.ndarray, "interval 2"], b: Int64[np.ndarray, "other 2"]
) -> Int64[np.ndarray, "common 2"]:
    found: list[tuple[int, int]] = []
    i = j = 0
    while i < len(a) and j < len(b):
        start, end = max(a[i, 0], b[j, 0]), min(a[i, 1], b[j, 1])
        if start < end:
            found.append((int(start), int(end)))
        if a[i, 1] < b[j, 1]:
            i += 1
        else:
            j += 1
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def _within(rows: Int64[np.ndarray, "interval 2"], whole: Segments) -> Segments:
    index = np.searchsorted(whole.end, rows[:, 0], side="right")
    position = whole.position[index] + rows[:, 0] - whole.start[index]
    return Segments(rows[:, 0], rows[:, 1], position)
