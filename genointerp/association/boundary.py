"""Where a feature switches on and off about the ends of a concept's elements."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int64

from genointerp.annotation.concepts import ConceptElements
from genointerp.association import kernels
from genointerp.association.counts import RowTrack
from genointerp.association.label import Label
from genointerp.association.universe import Universe
from genointerp.feature.loci import group_rows
from genointerp.store.features import STRANDS, FeatureStore, ReadStrand


class BoundaryOffset(NamedTuple):
    """Medians over elements, in bp in the direction of the element; NaN where there is none.

    Parameters
    ----------
    start
        From the first base of an element to the base on which the feature switches on: negative
        before it.
    end
        From the last base to the last on which it is still on: positive beyond it.
    """

    start: float
    end: float


class _Parts(NamedTuple):
    """Parts of a label's elements upon one strand of one genome, sorted by their start.

    Rows are global; ``before`` counts the bases of the element upstream of the part, ``reach`` is
    the largest end so far, ``frame`` is as in `ConceptElements`.
    """

    start: Int64[np.ndarray, " part"]
    end: Int64[np.ndarray, " part"]
    reach: Int64[np.ndarray, " part"]
    is_reverse: Bool[np.ndarray, " part"]
    frame: Int64[np.ndarray, " part"]
    before: Int64[np.ndarray, " part"]
    element: Int64[np.ndarray, " part"]


class _Elements(NamedTuple):
    """Elements upon one strand of one genome: their parts, length, and which ends were read."""

    parts: _Parts
    length: Int64[np.ndarray, " element"]
    is_start_read: Bool[np.ndarray, " element"]
    is_end_read: Bool[np.ndarray, " element"]


class Boundaries:
    """Offsets of features from the ends of elements upon one universe.

    Parameters
    ----------
    stores, elements
        Features of each genome, and the elements of the concepts.
    universe
        The cells that count.

    Notes
    -----
    A feature is *on* at consecutive detected bases, whether of the element or not. It switches on
    at the first base of the run that holds the first detected base of the element, and off after
    the last base of the run that holds the last. An element counts for an end if one of its bases
    is detected and that end was read, once for each strand on which it was read. Runs cross
    neither the end of a contig nor the origin. An element without strand is taken forward.
    """

    def __init__(
        self,
        stores: Sequence[FeatureStore],
        elements: Sequence[ConceptElements],
        universe: Universe,
    ) -> None:
        self._stores = stores
        self._elements = elements
        self._universe = universe
        self._known: dict[tuple[Label, int, ReadStrand], _Elements] = {}

    def offset(self, tracks: Sequence[RowTrack], threshold: float, label: Label) -> BoundaryOffset:
        """Return the offsets of a feature that detects at a threshold."""
        starts, ends = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for track in tracks:
            lying = _lying(label, track.strand)
            if label.concept not in self._elements[track.genome].names:
                continue
            known = self._find(label, track.genome, track.strand, lying)
            first, last = self._switches(track, threshold, known)
            is_hit = first < _NONE
            starts.append(first[is_hit & known.is_start_read])
            ends.append((last - known.length + 1)[is_hit & known.is_end_read])
        return BoundaryOffset(*(_median(np.concatenate(found)) for found in (starts, ends)))

    def _switches(
        self, track: RowTrack, threshold: float, known: _Elements
    ) -> tuple[Int64[np.ndarray, " element"], Int64[np.ndarray, " element"]]:
        """Return where the feature switches on and off, counted from the start of each element."""
        inside = self._universe.locate(track.genome, track.strand, track.row).inside
        row = track.row[inside & (track.value >= threshold)]
        offsets = np.array(list(self._stores[track.genome].offsets.values()), dtype=np.int64)
        first, last = group_rows(row, offsets, merge_gap=0)
        sizes = last - first + 1
        n_elements = len(known.length)
        # the first and the last detected base, and the ends of the runs that hold them
        on, off = np.full((2, n_elements), _NONE), np.full((2, n_elements), -_NONE)
        kernels.find_switches(
            *(row, np.repeat(row[first], sizes), np.repeat(row[last], sizes), *known.parts),
            *(on, off),
        )
        return on[1], off[1]

    def _find(
        self, label: Label, genome: int, strand: ReadStrand, lying: ReadStrand | None
    ) -> _Elements:
        key = (label, genome, strand)
        if key not in self._known:
            table = self._elements[genome].of(label.concept)
            if lying is not None:
                table = table[table["strand"].isin([lying, "."])]
            self._known[key] = self._lay(table, genome, strand)
        return self._known[key]

    def _lay(self, table: pd.DataFrame, genome: int, strand: ReadStrand) -> _Elements:
        """Return the elements of a table as rows."""
        table = table.sort_values(["element", "part"], kind="stable")
        offsets = self._stores[genome].offsets
        shift = np.array([offsets[seqid] for seqid in table["seqid"]], dtype=np.int64)
        start, end = (table[name].to_numpy(np.int64) + shift for name in ("start", "end"))
        is_reverse = (table["strand"] == "-").to_numpy(np.bool_)
        _, first, element = np.unique(
            table["element"].to_numpy(np.int64), return_index=True, return_inverse=True
        )
        upto = np.cumsum(end - start)
        before = upto - (end - start)
        before -= before[first][element] if len(first) else 0
        last = np.append(first[1:], len(table))[: len(first)] - 1
        row_first = np.where(is_reverse, end - 1, start)[first]
        row_last = np.where(is_reverse, start, end - 1)[last]
        order = np.argsort(start, kind="stable")
        frame = table["frame"].to_numpy(np.int64)
        parts = _Parts(
            start=start[order],
            end=end[order],
            reach=np.maximum.accumulate(end[order]),
            is_reverse=is_reverse[order],
            frame=frame[order],
            before=before[order],
            element=element.astype(np.int64)[order],
        )
        is_read = (
            self._universe.locate(genome, strand, row).inside for row in (row_first, row_last)
        )
        return _Elements(parts, (before + end - start)[last], *is_read)


_NONE = np.iinfo(np.int64).max // 2


def _lying(label: Label, strand: ReadStrand) -> ReadStrand | None:
    """Return the strand of the elements that a reading is positive for; None for all."""
    if label.orientation == "both":
        return None
    plus, minus = STRANDS
    other = minus if strand == plus else plus
    return strand if label.orientation == "sense" else other


def _median(values: Int64[np.ndarray, " element"]) -> float:
    return float(np.median(values)) if len(values) else float("nan")
