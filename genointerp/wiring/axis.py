"""The axis of a reading: all bases that were read, in the order in which the model read them.

Lags are distances along the reading strand, so that ``-`` is laid in descending coordinates. Unlike
the axis of `genointerp.association.count.universe`, distances on this one are those of the genome:
a base ``lag`` cells after another one is ``lag`` bases downstream of it, or was not read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int64, UInt

from genointerp.genome.interval import GenomicInterval
from genointerp.genome.runs import merge_intervals
from genointerp.store.feature.store import STRANDS, FeatureStore, ReadStrand


class Piece(NamedTuple):
    """Consecutive bases of one contig, laid on consecutive cells in reading order.

    Parameters
    ----------
    genome
        Number of the genome.
    start, stop
        Rows of the genome: global, forward, half-open.
    cell
        Cell of the base that is read first.
    is_own
        False if the bases repeat others, beyond the origin of a circular contig.
    """

    genome: int
    start: int
    stop: int
    cell: int
    is_own: bool


class Firing(NamedTuple):
    """The features that fire on each cell: those of cell t are ``indptr[t]`` to ``indptr[t+1]``.

    ``is_read`` says which cells hold a base that was read, and ``is_own`` which of them do not
    repeat another one.
    """

    indptr: Int64[np.ndarray, " cell1"]
    feature: UInt[np.ndarray, " hit"]
    is_read: Bool[np.ndarray, " cell"]
    is_own: Bool[np.ndarray, " cell"]


@dataclass(frozen=True, eq=False)
class Axis:
    """The bases of several genomes that were read, as cells in the order of one reading strand.

    Parameters
    ----------
    stores
        Features of one dictionary, one store per genome.
    strand
        Strand that is read.
    pieces
        Bases on the axis.
    n_cells
        Length of the axis, with the empty cells between stretches.
    """

    stores: tuple[FeatureStore, ...]
    strand: ReadStrand
    pieces: tuple[Piece, ...]
    n_cells: int

    @property
    def n_features(self) -> int:
        """Size of the dictionary."""
        return self.stores[0].n_features

    @cached_property
    def is_source(self) -> Bool[np.ndarray, " cell"]:
        """Which cells hold a base that was read, without those that repeat one."""
        return self._read(is_opposite=False)[1]

    def firing(self, *, is_opposite: bool = False) -> Firing:
        """Return what fires on each cell.

        Parameters
        ----------
        is_opposite
            Return what fires on the base of each cell when the other strand is read.

        Notes
        -----
        The memory is 2 bytes for each hit (4 above 65,536 features) and 10 for each cell.
        """
        count = np.zeros(self.n_cells, dtype=np.int64)
        for cells, _ in self._hits(is_opposite=is_opposite):
            np.add.at(count, cells, 1)
        indptr = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        kind = np.uint16 if self.n_features <= np.iinfo(np.uint16).max + 1 else np.uint32
        feature = np.zeros(int(indptr[-1]), dtype=kind)
        filled = indptr[:-1].copy()
        for cells, features in self._hits(is_opposite=is_opposite):
            # within a block hits stand by feature: those of one cell are told apart by their rank
            order = np.argsort(cells, kind="stable")
            cells, features = cells[order], features[order]
            own, first, n = np.unique(cells, return_index=True, return_counts=True)
            rank = np.arange(len(cells)) - np.repeat(first, n)
            feature[filled[cells] + rank] = features
            filled[own] += n
        return Firing(indptr, feature, *self._read(is_opposite=is_opposite))

    def hits(
        self, first: int, stop: int, *, is_opposite: bool = False
    ) -> tuple[Int64[np.ndarray, " hit"], Int64[np.ndarray, " feature1"]]:
        """Return the cells on which features ``[first, stop)`` fire, and where each one begins.

        Cells are ascending within a feature, and none repeats another one.
        """
        found: list[list[np.ndarray]] = [[np.zeros(0, np.int64)] for _ in range(first, stop)]
        for genome, store in enumerate(self.stores):
            rows = store.features(first, stop, self._read_strand(is_opposite=is_opposite))
            own = [piece for piece in self.pieces if piece.is_own and piece.genome == genome]
            for number, track in enumerate(found):
                row = rows.feature[rows.indptr[number] : rows.indptr[number + 1]]
                for piece in own:
                    low, high = np.searchsorted(row, [piece.start, piece.stop])
                    track.append(self._cells(piece, row[low:high]))
        tracks = [np.sort(np.concatenate(parts)) for parts in found]
        begin = np.concatenate([[0], np.cumsum([len(track) for track in tracks])]).astype(np.int64)
        return np.concatenate([np.zeros(0, np.int64), *tracks]), begin

    def interval(self, first: int, stop: int) -> tuple[int, GenomicInterval]:
        """Return the genome and the bases of consecutive cells, which belong to one own piece.

        What leaves the piece of the first cell is cut off.
        """
        piece = next(
            it for it in self.pieces if it.is_own and 0 <= first - it.cell < it.stop - it.start
        )
        length = min(stop - first, piece.cell + piece.stop - piece.start - first)
        before = first - piece.cell
        start = piece.start + before if self.strand == "+" else piece.stop - before - length
        store = self.stores[piece.genome]
        seqid = next(name for name, at in reversed(store.offsets.items()) if at <= start)
        at = store.offsets[seqid]
        return piece.genome, GenomicInterval(seqid, start - at, start - at + length, self.strand)

    def _read_strand(self, *, is_opposite: bool) -> ReadStrand:
        return STRANDS[(self.strand == "-") != is_opposite]

    def _cells(self, piece: Piece, rows: Int64[np.ndarray, " base"]) -> Int64[np.ndarray, " base"]:
        """Return the cells of rows of a piece."""
        if self.strand == "+":
            return rows - piece.start + piece.cell
        return piece.stop - 1 - rows + piece.cell

    def _hits(
        self, *, is_opposite: bool
    ) -> Iterator[tuple[Int64[np.ndarray, " hit"], Int64[np.ndarray, " hit"]]]:
        read = self._read_strand(is_opposite=is_opposite)
        for piece in self.pieces:
            for block in self.stores[piece.genome].blocks(piece.start, piece.stop, read):
                feature = np.repeat(np.arange(len(block.indptr) - 1), np.diff(block.indptr))
                yield self._cells(piece, block.row.astype(np.int64) + block.start), feature

    def _read(
        self, *, is_opposite: bool
    ) -> tuple[Bool[np.ndarray, " cell"], Bool[np.ndarray, " cell"]]:
        """Return which cells were read, and which of them are own ones."""
        found = np.zeros((2, self.n_cells), dtype=np.bool_)
        for piece in self.pieces:
            store = self.stores[piece.genome]
            for one in store.coverage(self._read_strand(is_opposite=is_opposite)):
                start, stop = store.row_range(one)
                low, high = max(start, piece.start), min(stop, piece.stop)
                if low < high:
                    ends = self._cells(piece, np.array([low, high - 1]))
                    found[: 1 + piece.is_own, ends.min() : ends.max() + 1] = True
        return found[0], found[1]


def lay_axis(stores: Sequence[FeatureStore], strand: ReadStrand, lags: Sequence[int]) -> Axis:
    """Lay the bases that were read on an axis that keeps distances up to the longest lag.

    Parameters
    ----------
    strand
        Strand whose direction the axis has. A base that was read on the other one alone has a
        cell too.
    lags
        Distances that will be asked for; negative ones are upstream.

    Notes
    -----
    Stretches of a contig keep their distance, or are as far apart as the longest lag. Around the
    origin of a circular contig its bases are repeated. A circular contig that is not longer than
    the lags is laid as a linear one, so that no base is compared with itself.
    """
    lead, reach = max(0, -min(lags)), max(0, *lags)
    pieces: list[Piece] = []
    at = 0
    for genome, store in enumerate(stores):
        for seqid, length in store.lengths.items():
            runs = _reading_runs(store, seqid, strand)
            if not len(runs):
                continue
            is_circular = seqid in store.circular and length > lead + reach
            laid, at = _lay_contig(runs, length if is_circular else 0, lead, reach, at)
            offset = store.offsets[seqid]
            for start, stop, cell, is_own in laid:
                low, high = (start, stop) if strand == "+" else (length - stop, length - start)
                pieces.append(Piece(genome, offset + low, offset + high, cell, is_own))
    return Axis(tuple(stores), strand, tuple(pieces), at)


def _reading_runs(
    store: FeatureStore, seqid: str, strand: ReadStrand
) -> Int64[np.ndarray, "run 2"]:
    """Return what was read of a contig on either strand, counted from where reading begins."""
    both = [
        (one.start, one.end)
        for read in STRANDS
        for one in store.coverage(read)
        if one.seqid == seqid
    ]
    runs = merge_intervals(np.array(both, dtype=np.int64).reshape(-1, 2))
    if strand == "-" and len(runs):
        runs = (store.lengths[seqid] - runs[::-1, ::-1]).copy()
    return runs


def _lay_contig(
    runs: Int64[np.ndarray, "run 2"], circle: int, lead: int, reach: int, at: int
) -> tuple[list[tuple[int, int, int, bool]], int]:
    """Lay the runs of a contig from a cell on; return them and the cell after all.

    Parameters
    ----------
    circle
        Length of a circular contig; 0 for a linear one.
    """
    first, last = int(runs[0, 0]), int(runs[-1, 1])
    laid: list[tuple[int, int, int, bool]] = []
    if circle:
        low = first - lead
        laid += [
            (max(s - circle, low) + circle, e, at + max(s - circle, low) - low, False)
            for s, e in runs.tolist()
            if e - circle > low
        ]
    at += lead
    end = first
    for start, stop in runs.tolist():
        at += min(start - end, reach)
        laid.append((start, stop, at, True))
        at, end = at + stop - start, stop
    if circle:
        laid += [
            (s, min(e + circle, last + reach) - circle, at + s + circle - last, False)
            for s, e in runs.tolist()
            if s + circle < last + reach
        ]
    return laid, at + reach
