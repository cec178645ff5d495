"""Where a feature switches on and off relative to the ends of a concept's elements."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64

from genointerp.association.count.hits import Detections
from genointerp.association.count.label import Label
from genointerp.association.count.universe import Universe
from genointerp.association.null import kernels as null_kernels
from genointerp.feature.specimen import Specimen
from genointerp.store.feature.store import STRANDS, FeatureStore, ReadStrand


class BoundaryOffsets(NamedTuple):
    """Medians over elements, in bp along the direction of the element; NaN without elements.

    Parameters
    ----------
    start
        Offset from the first base of an element to the base on which the feature switches on;
        negative if upstream of it.
    end
        Offset from the last base of an element to the last base on which the feature is on;
        positive if downstream of it.
    """

    start: Float64[np.ndarray, " detector"]
    end: Float64[np.ndarray, " detector"]


class _Parts(NamedTuple):
    """Parts of a label's elements on one strand of one genome, sorted by their start.

    Rows are global. ``before`` counts the bases of the element upstream of the part, ``reach`` is
    the largest end so far, and ``frame`` is as in `ConceptElements`.
    """

    start: Int64[np.ndarray, " part"]
    end: Int64[np.ndarray, " part"]
    reach: Int64[np.ndarray, " part"]
    is_reverse: Bool[np.ndarray, " part"]
    frame: Int64[np.ndarray, " part"]
    before: Int64[np.ndarray, " part"]
    element: Int64[np.ndarray, " part"]


class _Elements(NamedTuple):
    """Elements on one strand of one genome: their parts, lengths, and which ends were read."""

    parts: _Parts
    length: Int64[np.ndarray, " element"]
    is_start_read: Bool[np.ndarray, " element"]
    is_end_read: Bool[np.ndarray, " element"]


class _Axis(NamedTuple):
    """The part of the axis that belongs to one genome.

    ``first`` is its first position. ``row`` is the global row of each position, and ``is_apart``
    whether it does not follow the one before it: another contig begins, or bases between the two
    are not on this side.
    """

    first: int
    row: Int64[np.ndarray, " bp"]
    is_apart: Bool[np.ndarray, " bp"]


class Boundaries:
    """Offsets of features from the ends of elements on one universe.

    Parameters
    ----------
    specimens
        Genomes with the elements of the concepts.
    universe
        The cells that count.

    Notes
    -----
    A feature is *on* along a run of consecutive detected bases, inside the element or outside. It
    switches on at the first base of the run that holds the first detected base of the element, and
    off after the last base of the run that holds the last detected base. An element counts for an
    end if one of its bases is detected and this end was read, once for each strand on which it was
    read. Runs cross neither the end of a contig nor the origin. An element without a strand is
    treated as forward.
    """

    def __init__(
        self,
        specimens: Sequence[Specimen],
        universe: Universe,
    ) -> None:
        self._specimens = specimens
        self._universe = universe
        self._axis = [_lay_axis(one.features, universe, i) for i, one in enumerate(specimens)]
        self._known: dict[tuple[Label, int, ReadStrand], _Elements] = {}

    def offsets(self, detected: Detections, label: Label) -> BoundaryOffsets:
        """Return the offsets of detectors from the ends of a label's elements."""
        n = len(detected.start)
        none = np.zeros((n, 0), np.int64), np.zeros((n, 0), np.bool_)
        starts, ends = [none], [none]
        for genome, axis in enumerate(self._axis):
            if label.concept not in self._specimens[genome].needs("elements").names:
                continue
            for strand in STRANDS:
                known = self._find(label, genome, strand, _lying(label, strand))
                on, off = self._switches(detected, strand, known, axis)
                is_hit = on < _NONE
                starts.append((on, is_hit & known.is_start_read))
                ends.append((off - known.length + 1, is_hit & known.is_end_read))
        return BoundaryOffsets(_medians(starts), _medians(ends))

    def _switches(
        self, detected: Detections, strand: ReadStrand, known: _Elements, axis: _Axis
    ) -> tuple[Int64[np.ndarray, "detector element"], Int64[np.ndarray, "detector element"]]:
        """Return where detectors switch on and off, counted from the start of each element."""
        shift = axis.first + STRANDS.index(strand) * self._universe.n_bp
        shape = (len(detected.start), len(known.length))
        on, off = np.full(shape, _NONE), np.full(shape, -_NONE)
        places = (shift, shift + len(axis.row), shift)
        null_kernels.find_all_switches(
            *detected, places, axis.row, axis.is_apart, tuple(known.parts), on, off
        )
        return on, off

    def _find(
        self, label: Label, genome: int, strand: ReadStrand, lying: ReadStrand | None
    ) -> _Elements:
        key = (label, genome, strand)
        if key not in self._known:
            table = self._specimens[genome].needs("elements").of(label.concept)
            if lying is not None:
                table = table[table["strand"].isin([lying, "."])]
            self._known[key] = self._lay(table, genome, strand)
        return self._known[key]

    def _lay(self, table: pd.DataFrame, genome: int, strand: ReadStrand) -> _Elements:
        """Convert the elements of a table to global rows."""
        table = table.sort_values(["element", "part"], kind="stable")
        offsets = self._specimens[genome].features.offsets
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
    """Return the strand of the elements that count when a strand is read; None for both."""
    if label.orientation == "both":
        return None
    plus, minus = STRANDS
    other = minus if strand == plus else plus
    return strand if label.orientation == "sense" else other


def _lay_axis(store: FeatureStore, universe: Universe, genome: int) -> _Axis:
    """Describe the part of the axis that belongs to a genome."""
    covered = [segments for segments in universe.covered[genome].values() if len(segments.start)]
    size = [segments.end - segments.start for segments in covered]
    ends = [segments.position + n for segments, n in zip(covered, size, strict=True)]
    first = min((int(segments.position[0]) for segments in covered), default=0)
    row = np.zeros(max((int(end[-1]) for end in ends), default=0) - first, np.int64)
    for segments in covered:
        for start, end, position in zip(*segments, strict=True):
            row[position - first : position - first + end - start] = np.arange(start, end)
    contig = np.searchsorted(np.array(list(store.offsets.values())), row, side="right")
    is_apart = np.ones(len(row), np.bool_)
    is_apart[1:] = (np.diff(row) != 1) | (np.diff(contig) != 0)
    return _Axis(first, row, is_apart)


def _medians(
    found: Sequence[tuple[Int64[np.ndarray, "detector _"], Bool[np.ndarray, "detector _"]]],
) -> Float64[np.ndarray, " detector"]:
    """Return for each detector the median of the values that count; NaN if there are none."""
    values, counted = (np.concatenate(column, axis=1) for column in zip(*found, strict=True))
    n = counted.sum(axis=1)
    ordered = np.sort(np.where(counted, values, _NONE), axis=1)
    # an additional column, so that there is one if there are no elements
    ordered = np.column_stack([ordered, np.full(len(ordered), _NONE)])
    middle = np.stack([np.maximum(n - 1, 0) // 2, n // 2], axis=1)
    mean = np.take_along_axis(ordered, middle, axis=1).astype(np.float64).mean(axis=1)
    return np.where(n > 0, mean, np.nan)
