"""Footprints: stretches of consecutive bases that each element of a label covers on the axis.

They are moved elsewhere when elements are compared with matched background.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from genointerp.association.count.label import Label, bases_of, readings
from genointerp.association.count.universe import Universe
from genointerp.feature.specimen import Specimen
from genointerp.genome.letters import known_bases
from genointerp.genome.runs import runs_of
from genointerp.store.feature.store import STRANDS, FeatureStore

PLUS, MINUS, BOTH = 0, 1, 2


class Footprints(NamedTuple):
    """Stretches of the elements of one label, ordered by element.

    Parameters
    ----------
    element
        Number of the element that each stretch belongs to, from 0.
    start, length
        First position on the axis, and number of bases from the first to the last.
    strand
        Strand on which the stretch is read: `PLUS`, `MINUS`, or `BOTH` if it is the same on either.
    step
        3 if only every third base from the first on belongs to a stretch, otherwise 1.
    """

    element: Int64[np.ndarray, " stretch"]
    start: Int64[np.ndarray, " stretch"]
    length: Int64[np.ndarray, " stretch"]
    strand: Int64[np.ndarray, " stretch"]
    step: int

    @property
    def n_elements(self) -> int:
        """Number of elements with a covered base."""
        return int(self.element.max(initial=-1)) + 1

    @property
    def n_cells(self) -> Int64[np.ndarray, " stretch"]:
        """Number of cells of each stretch."""
        strands = np.where(self.strand == BOTH, 2, 1)
        return np.asarray(((self.length - 1) // self.step + 1) * strands, dtype=np.int64)


class Places(NamedTuple):
    """Half-open runs of the axis on which a stretch may be placed, longest first."""

    start: Int64[np.ndarray, " run"]
    end: Int64[np.ndarray, " run"]


def find_footprints(specimens: Sequence[Specimen], universe: Universe, label: Label) -> Footprints:
    """Find the stretches of each element of a label that were read on the side of a universe."""
    step = _step(specimens, label)
    columns = ("element", "start", "length", "strand")
    found: list[np.ndarray] = [np.zeros((0, len(columns)), np.int64)]
    for genome, strand, drawn in readings(label, specimens):
        bases = bases_of(specimens[genome], label, drawn)
        cell, inside = universe.locate(genome, strand, bases.row)
        number = bases.element[inside] * len(specimens) + genome
        runs = _runs(number, bases.row[inside], cell % universe.n_bp, step)
        side = np.full(len(runs), STRANDS.index(strand), np.int64)
        found.append(np.column_stack([runs, side]))
    rows = np.unique(np.concatenate(found), axis=0)
    is_twin = np.zeros(len(rows), dtype=np.bool_)
    is_twin[1:] = (rows[1:, :3] == rows[:-1, :3]).all(axis=1)
    rows[:-1][is_twin[1:], 3] = BOTH
    rows = rows[~is_twin]
    _, number = np.unique(rows[:, 0], return_inverse=True)
    return Footprints(number.astype(np.int64), rows[:, 1], rows[:, 2], rows[:, 3], step)


def open_cells(
    footprints: Footprints, free: Bool[np.ndarray, "strand bp"]
) -> Bool[np.ndarray, "strand bp"]:
    """Return the free cells that lie in no element of the label.

    If only every third base of an element counts, the bases between them are taken as covered too.

    Parameters
    ----------
    free
        Cells as `free_cells` returns them.
    """
    is_open = free.copy()
    for strand in (PLUS, MINUS):
        own = (footprints.strand == strand) | (footprints.strand == BOTH)
        steps = np.zeros(free.shape[1] + 1, dtype=np.int64)
        np.add.at(steps, footprints.start[own], 1)
        np.add.at(steps, (footprints.start + footprints.length)[own], -1)
        is_open[strand] &= np.cumsum(steps[:-1]) == 0
    return is_open


def find_places(is_open: Bool[np.ndarray, "strand bp"]) -> list[Places]:
    """Find the runs of open cells on ``+``, on ``-`` and on both."""
    return [_longest_first(cells) for cells in (*is_open, is_open.all(axis=0))]


def axis_bases(specimens: Sequence[Specimen], universe: Universe) -> UInt8[np.ndarray, " bp"]:
    """Return the forward base at each position of the axis."""
    axis = np.zeros(universe.n_bp, dtype=np.uint8)
    for specimen, covered in zip(specimens, universe.covered, strict=True):
        bases = specimen.letters()
        for segments in covered.values():
            for start, end, position in zip(*segments, strict=True):
                axis[position : position + end - start] = bases[start:end]
    return axis


def free_cells(
    stores: Sequence[FeatureStore], universe: Universe, bases: UInt8[np.ndarray, " bp"]
) -> Bool[np.ndarray, "strand bp"]:
    """Return the cells that were read and whose base is known, without the last of each segment.

    Segments are laid end to end on the axis, and one may continue from contig to contig. The last
    base of each segment and of each contig is given up, so that no stretch spans two of them.
    """
    free = np.zeros((2, universe.n_bp), dtype=np.bool_)
    for covered in universe.covered:
        for index, strand in enumerate(STRANDS):
            segments = covered[strand]
            for start, end, position in zip(*segments, strict=True):
                free[index, position : position + end - start - 1] = True
    for genome, store in enumerate(stores):
        last = np.cumsum([contig.length for contig in store.header.contigs], dtype=np.int64) - 1
        for strand in STRANDS:
            free.reshape(-1)[universe.locate(genome, strand, last).cell] = False
    free &= known_bases(bases)
    return free


def _step(specimens: Sequence[Specimen], label: Label) -> int:
    every = (specimen.needs("elements") for specimen in specimens)
    concept = next(own.concepts[label.concept] for own in every if label.concept in own.names)
    return 3 if concept.bases.startswith("codon_position") else 1


def _runs(
    element: Int64[np.ndarray, " base"],
    row: Int64[np.ndarray, " base"],
    position: Int64[np.ndarray, " base"],
    step: int,
) -> Int64[np.ndarray, "run 3"]:
    """Return element, first position and length of each run of bases ``step`` rows apart."""
    if not len(row):
        return np.zeros((0, 3), np.int64)
    # parts of a joined element may share bases, as in a programmed frameshift
    _, order = np.unique(element * (int(row.max()) + 1) + row, return_index=True)
    element, row, position = element[order], row[order], position[order]
    is_first = np.ones(len(row), dtype=np.bool_)
    is_first[1:] = (np.diff(element) != 0) | (np.diff(row) != step) | (np.diff(position) != step)
    first = np.flatnonzero(is_first)
    last = np.concatenate([first[1:], [len(row)]]) - 1
    return np.column_stack([element[first], position[first], position[last] - position[first] + 1])


def _longest_first(usable: Bool[np.ndarray, " bp"]) -> Places:
    start, end = runs_of(usable).T
    order = np.argsort(start - end, kind="stable")
    return Places(start[order], end[order])
