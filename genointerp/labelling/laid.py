"""The cells that labels name on one side of the genomes."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Complex128, Int64, UInt8

from genointerp.association.count.label import Label, cells_of
from genointerp.association.count.universe import Universe
from genointerp.association.null.significance import Shifts
from genointerp.feature.specimen import Specimen
from genointerp.genome.letters import base_codes, reverse_complement_codes
from genointerp.genome.runs import runs_of
from genointerp.labelling.executable import NamedBases, sequence_mask, with_named
from genointerp.store.contigs import contig_offsets
from genointerp.store.feature.store import STRANDS

_AROUND = 128
"""Bases on either side of a piece that are looked at too; more than any motif or window needs."""


class _Piece(NamedTuple):
    """A covered stretch of one contig and strand, and its first cell."""

    genome: int
    contig: int
    strand: str
    start: int
    end: int
    cell: int


class NamedCells(NamedTuple):
    """The cells that a label names.

    Parameters
    ----------
    mask
        Whether it names each cell of the axis.
    cell, element
        Cells of its elements, and for each the number of its element, from 0 on. An element of both
        orientations has cells of both strands.
    """

    mask: Bool[np.ndarray, " cell"]
    cell: Int64[np.ndarray, " base"]
    element: Int64[np.ndarray, " base"]

    @property
    def n_elements(self) -> int:
        """Number of elements with a cell."""
        return int(self.element.max(initial=-1)) + 1

    def n_hit(self, detected: Bool[np.ndarray, " cell"]) -> int:
        """Return the number of elements with a detected cell."""
        hit = np.zeros(self.n_elements, np.bool_)
        hit[self.element[detected[self.cell]]] = True
        return int(hit.sum())


class LaidBases:
    """The bases of labels on the cells of one side.

    Parameters
    ----------
    specimens
        Genomes with the elements of the concepts; with their sequences where they are needed.
    universe
        Cells of the side.
    named
        All that will be asked for.
    """

    def __init__(
        self, specimens: Sequence[Specimen], universe: Universe, named: Iterable[NamedBases]
    ) -> None:
        self.universe = universe
        self._specimens = list(specimens)
        self._named = [with_named(specimen, named) for specimen in specimens]

    def cells(self, named: NamedBases) -> NamedCells:
        """Return the cells that are named."""
        if named.concept:
            label = Label(named.name, named.orientation)
            cell, element = cells_of(self._named, self.universe, label)
            mask = np.zeros(self.universe.n_cells, np.bool_)
            mask[cell] = True
            _, number = np.unique(element, return_inverse=True)
            return NamedCells(mask, cell, number.astype(np.int64).reshape(-1))
        mask = self._sequence_cells(named)
        # an element is a run of cells; none reaches from one strand into the other
        runs = np.concatenate([runs_of(half) + start for half, start in self._halves(mask)])
        length = runs[:, 1] - runs[:, 0]
        return NamedCells(mask, np.flatnonzero(mask), np.repeat(np.arange(len(runs)), length))

    def _halves(
        self, mask: Bool[np.ndarray, " cell"]
    ) -> list[tuple[Bool[np.ndarray, " half"], int]]:
        n_bp = self.universe.n_bp
        return [(mask[:n_bp], 0), (mask[n_bp:], n_bp)]

    def _sequence_cells(self, named: NamedBases) -> Bool[np.ndarray, " cell"]:
        mask = np.zeros(self.universe.n_cells, np.bool_)
        for piece in self._pieces:
            own = self._codes[piece.genome][piece.contig]
            # what lies before or behind the piece may be part of a motif, or of a window of GC
            low, high = max(piece.start - _AROUND, 0), min(piece.end + _AROUND, len(own))
            codes = own[low:high]
            if piece.strand == "+":
                found = sequence_mask(named, codes)
            else:
                found = sequence_mask(named, reverse_complement_codes(codes))[::-1]
            inner = found[piece.start - low : piece.end - low]
            mask[piece.cell : piece.cell + len(inner)] = inner
        return mask

    @cached_property
    def _pieces(self) -> list["_Piece"]:
        """The covered stretches of each contig and strand, with their first cell."""
        pieces = []
        for genome, specimen in enumerate(self._specimens):
            offsets = contig_offsets(specimen.features.header.contigs)
            lengths = specimen.features.lengths
            for strand in STRANDS:
                shift = 0 if strand == "+" else self.universe.n_bp
                segments = self.universe.covered[genome][strand]
                for row, end, position in zip(*(it.tolist() for it in segments), strict=True):
                    for number, (seqid, offset) in enumerate(offsets.items()):
                        first = max(row, offset)
                        last = min(end, offset + lengths[seqid])
                        if first < last:
                            cell = position + shift + first - row
                            place = (genome, number, strand, first - offset, last - offset)
                            pieces.append(_Piece(*place, cell))
        return pieces

    @cached_property
    def _codes(self) -> list[list[UInt8[np.ndarray, " _"]]]:
        """Codes of each contig of each genome, in the order of the rows."""
        return [
            [
                base_codes(specimen.needs("sequence")[seqid].sequence)
                for seqid in contig_offsets(specimen.features.header.contigs)
            ]
            for specimen in self._specimens
        ]


class Rotations:
    """Counts of common cells under rotations of what a label names, along the axis.

    Both strands are rotated together, as in the null of associations, by the same shifts.
    """

    def __init__(self, n_bp: int, shifts: Shifts) -> None:
        self._n_bp = n_bp
        multiples = np.arange(shifts.first, shifts.first + shifts.n + 1)
        multiples = multiples[multiples != 0]
        self._at = (multiples * shifts.step) % n_bp

    def spectrum(
        self, mask: Bool[np.ndarray, " cell"]
    ) -> Complex128[np.ndarray, "strand frequency"]:
        """Return the spectrum of cells, by strand."""
        halves = mask.reshape(2, self._n_bp).astype(np.float64)
        return np.asarray(np.fft.rfft(halves, axis=1), dtype=np.complex128)

    def counts(
        self,
        detected: Bool[np.ndarray, " cell"],
        named: Complex128[np.ndarray, "strand frequency"],
    ) -> Int64[np.ndarray, " rotation"]:
        """Return how many detected cells are named under each rotation.

        Notes
        -----
        ``sum_x detected(x) named(x - s)`` for every s at once, by the convolution theorem; counts
        come out exact when rounded.
        """
        product = (self.spectrum(detected) * np.conj(named)).sum(axis=0)
        every = np.fft.irfft(product, self._n_bp)
        return np.asarray(np.rint(every[self._at]), dtype=np.int64)
