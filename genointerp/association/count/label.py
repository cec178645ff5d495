"""Labels: the concepts and orientations of each cell of a universe.

Only few of the many possible sets of labels occur, so each cell stores the number of its set (its
*combination*). A count per combination then gives the counts of all labels at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64

from genointerp.annotation.concepts import Orientation
from genointerp.annotation.raster import ElementBases, element_bases
from genointerp.association.count.patch import PatchBuilder, Patches
from genointerp.association.count.universe import Universe
from genointerp.feature.specimen import Specimen
from genointerp.store.feature.store import STRANDS, ReadStrand


class Label(NamedTuple):
    """A concept in one orientation."""

    concept: str
    orientation: Orientation


@dataclass(frozen=True, eq=False)
class LabelledCells:
    """The labels of each cell of a universe.

    Parameters
    ----------
    names
        Names of the labels, which are numbered from 0.
    combination
        Number of the combination of each cell.
    members
        1 where a label belongs to a combination, else 0; in float64, which holds counts of bases
        exactly.
    n_positive
        Number of cells that carry each label.
    patches
        Patches of the cells by their elements; an element counts once as sense and once as
        antisense.
    element_label
        Label of each element. Elements of a concept with a strand in the orientation ``both`` come
        last and are in no patch.
    whole
        For each element in the patches, the element of ``both`` that it is a reading of; -1 if its
        concept has no strand.
    """

    names: tuple[Label, ...]
    combination: Int32[np.ndarray, " cell"]
    members: Float64[np.ndarray, "label combination"]
    n_positive: Int64[np.ndarray, " label"]
    patches: Patches
    element_label: Int64[np.ndarray, " element"]
    whole: Int64[np.ndarray, " drawn"]

    def mask(self, label: int) -> Bool[np.ndarray, " cell"]:
        """Return which cells carry a label."""
        return np.asarray((self.members[label] > 0)[self.combination], dtype=np.bool_)

    @property
    def n_elements(self) -> Int64[np.ndarray, " label"]:
        """Number of elements of each label with at least one covered base."""
        return np.bincount(self.element_label, minlength=len(self.names)).astype(np.int64)


def list_labels(specimens: Sequence[Specimen]) -> tuple[Label, ...]:
    """Return the labels of all genomes, in the order of their concepts.

    A concept with a strand has three labels: its bases when its strand is read (sense), when the
    other strand is read (antisense), and on either (``both``). A concept without a strand has only
    ``both``. A concept without an element in any genome has no label.
    """
    labels: dict[Label, None] = {}
    elements = [specimen.needs("elements") for specimen in specimens]
    for own in elements:
        for concept in own.names:
            for orientation in (*own.orientations(concept), "both"):
                labels[Label(concept, orientation)] = None
    empty = {
        label.concept
        for label in labels
        if not any(label.concept in own.names and len(own.of(label.concept)) for own in elements)
    }
    return tuple(label for label in labels if label.concept not in empty)


def label_cells(
    specimens: Sequence[Specimen],
    universe: Universe,
    names: tuple[Label, ...],
    *,
    n_stretches: int = 1,
) -> LabelledCells:
    """Label the cells of a universe by the elements of each genome.

    Parameters
    ----------
    n_stretches
        Number of stretches of equal length into which patches are divided.
    """
    builder = PatchBuilder(universe, n_stretches)
    owners, known = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    parts, n_elements = readings_of_both(names), 0
    for index, label in enumerate(names):
        if index in parts:
            continue
        cell, element = cells_of(specimens, universe, label)
        found, element = _renumbered(element)
        builder.divide(cell, element + n_elements)
        owners.append(np.full(len(found), index, dtype=np.int64))
        known.append(found)
        n_elements += len(found)
    patches, drawn = builder.build(), np.concatenate(owners)
    number, members = _combinations(patches, drawn, len(names), parts)
    whole, of_whole = _join_readings(drawn, np.concatenate(known), parts)
    combination = number[patches.of_cell]
    sizes = np.bincount(combination, minlength=members.shape[1]).astype(np.float64)
    return LabelledCells(
        names=names,
        combination=combination,
        members=members,
        n_positive=np.rint(members @ sizes).astype(np.int64),
        patches=patches,
        element_label=np.concatenate([drawn, of_whole]),
        whole=whole,
    )


def readings_of_both(names: Sequence[Label]) -> dict[int, tuple[int, int]]:
    """Return the labels sense and antisense of each label ``both`` of a concept with a strand.

    A label ``both`` without its two readings among the names is left out; it is labelled by itself.
    """
    number = {label: index for index, label in enumerate(names)}
    return {
        index: (number[Label(concept, "sense")], number[Label(concept, "antisense")])
        for (concept, orientation), index in number.items()
        if orientation == "both"
        and Label(concept, "sense") in number
        and Label(concept, "antisense") in number
    }


def cells_of(
    specimens: Sequence[Specimen], universe: Universe, label: Label
) -> tuple[Int64[np.ndarray, " base"], Int64[np.ndarray, " base"]]:
    """Return the cells of the elements of a label, and for each the number of its element.

    An element has the same number on both reading strands.
    """
    cells, numbers = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for genome, strand, drawn in readings(label, specimens):
        if not len(universe.covered[genome][strand].start):
            continue
        bases = bases_of(specimens[genome], label, drawn)
        cell, inside = universe.locate(genome, strand, bases.row)
        cells.append(cell)
        numbers.append(bases.element[inside] * len(specimens) + genome)
    return np.concatenate(cells), np.concatenate(numbers)


def bases_of(specimen: Specimen, label: Label, strand: ReadStrand | None) -> ElementBases:
    """Return the bases of the elements of a label's concept on one strand, or on both for None."""
    elements, lengths = specimen.needs("elements"), specimen.features.lengths
    return element_bases(elements, lengths, label.concept, strand=strand)


def readings(
    label: Label, specimens: Sequence[Specimen]
) -> Iterator[tuple[int, ReadStrand, ReadStrand | None]]:
    """Yield genome, reading strand, and the strand of the elements that then count; None: both."""
    for genome, specimen in enumerate(specimens):
        if label.concept not in specimen.needs("elements").names:
            continue
        for strand in STRANDS:
            other: ReadStrand = "-" if strand == "+" else "+"
            drawn = {"sense": strand, "antisense": other, "both": None}[label.orientation]
            yield genome, strand, drawn


def _renumbered(
    element: Int64[np.ndarray, " base"],
) -> tuple[Int64[np.ndarray, " element"], Int64[np.ndarray, " base"]]:
    """Renumber the elements that have a base from 0 on; return their old and new numbers."""
    is_used = np.zeros(int(element.max(initial=-1)) + 1, dtype=np.bool_)
    is_used[element] = True
    number = np.cumsum(is_used) - 1
    return np.flatnonzero(is_used).astype(np.int64), number[element].astype(np.int64)


def _join_readings(
    label: Int64[np.ndarray, " drawn"],
    name: Int64[np.ndarray, " drawn"],
    parts: dict[int, tuple[int, int]],
) -> tuple[Int64[np.ndarray, " drawn"], Int64[np.ndarray, " whole"]]:
    """Give the elements of labels ``both`` numbers after all others, and return their labels too.

    Parameters
    ----------
    label, name
        Labels and names of the elements in the patches; an element has the same name in every
        orientation.
    """
    whole, owners = np.full(len(label), -1, dtype=np.int64), [np.zeros(0, np.int64)]
    n_elements = len(label)
    for both, readings in parts.items():
        own = np.flatnonzero(np.isin(label, readings))
        found, number = np.unique(name[own], return_inverse=True)
        whole[own] = n_elements + number
        owners.append(np.full(len(found), both, dtype=np.int64))
        n_elements += len(found)
    return whole, np.concatenate(owners)


def _combinations(
    patches: Patches,
    element_label: Int64[np.ndarray, " drawn"],
    n_labels: int,
    parts: dict[int, tuple[int, int]],
) -> tuple[Int32[np.ndarray, " patch"], Float64[np.ndarray, "label combination"]]:
    """Return the combination of each patch, and the labels of each combination."""
    has = np.zeros((len(patches), n_labels), dtype=np.bool_)
    owner = np.repeat(np.arange(len(patches)), np.diff(patches.offset))
    has[owner, element_label[patches.element]] = True
    for both, (sense, antisense) in parts.items():
        has[:, both] = has[:, sense] | has[:, antisense]
    # an additional bit, so that there is something to compare if there is no label
    packed = np.packbits(np.column_stack([has, np.ones(len(has), np.bool_)]), axis=1)
    _, first, number = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    return number.reshape(-1).astype(np.int32), has[first].T.astype(np.float64)
