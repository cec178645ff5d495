"""Labels: the concepts and orientations of each cell of a universe.

Few of the many possible sets of labels occur together, so each cell stores the number of its set
(its *combination*). A count for each combination then gives the counts of all labels at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64
from scipy.sparse import coo_array

from genointerp.annotation.concepts import ConceptElements, Orientation
from genointerp.annotation.raster import element_bases
from genointerp.association.universe import Universe
from genointerp.core.errors import MismatchError
from genointerp.store.features import STRANDS, FeatureStore, ReadStrand


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
        The labels, numbered from 0.
    combination
        Number of the set of labels of each cell.
    members
        1 where a label belongs to a combination; float64, in which counts of bases are exact.
    n_positive
        Cells that carry each label.
    element_offset, element
        Elements at each cell in compressed sparse rows; an element counts once for each
        orientation of its concept.
    element_label
        Label of each element.
    """

    names: tuple[Label, ...]
    combination: Int32[np.ndarray, " cell"]
    members: Float64[np.ndarray, "label combination"]
    n_positive: Int64[np.ndarray, " label"]
    element_offset: Int64[np.ndarray, " cell1"]
    element: Int32[np.ndarray, " base"]
    element_label: Int64[np.ndarray, " element"]

    def mask(self, label: int) -> Bool[np.ndarray, " cell"]:
        """Return which cells carry a label."""
        return np.asarray((self.members[label] > 0)[self.combination], dtype=np.bool_)


def list_labels(elements: Sequence[ConceptElements]) -> tuple[Label, ...]:
    """Return the labels of all genomes, in the order of their concepts.

    A concept without a single element in any genome has no label.
    """
    labels: dict[Label, None] = {}
    for genome in elements:
        for concept in genome.names:
            for orientation in genome.orientations(concept):
                labels[Label(concept, orientation)] = None
    empty = {
        label.concept
        for label in labels
        if not any(label.concept in g.names and len(g.of(label.concept)) for g in elements)
    }
    return tuple(label for label in labels if label.concept not in empty)


def label_cells(
    stores: Sequence[FeatureStore],
    elements: Sequence[ConceptElements],
    universe: Universe,
    names: tuple[Label, ...],
) -> LabelledCells:
    """Draw the elements of each genome upon a universe.

    Raises
    ------
    MismatchError
        If elements lie on a sequence that their genome does not have, or beyond its end.
    """
    for store, genome in zip(stores, elements, strict=True):
        _check_genome(store, genome)
    combination = np.zeros(universe.n_cells, dtype=np.int32)
    sets: Bool[np.ndarray, "combination label"] = np.zeros((1, 0), dtype=np.bool_)
    cells, numbers, owners = [], [], []
    n_elements = 0
    for index, label in enumerate(names):
        cell, element = _cells_of(stores, elements, universe, label)
        combination, sets = _split_combinations(combination, sets, cell)
        found, element = np.unique(element, return_inverse=True)
        cells.append(cell)
        numbers.append(element + n_elements)
        owners.append(np.full(len(found), index, dtype=np.int64))
        n_elements += len(found)
    members = sets.T.astype(np.float64)
    sizes = np.bincount(combination, minlength=len(sets)).astype(np.float64)
    offset, element = _by_cell(cells, numbers, universe.n_cells, n_elements)
    return LabelledCells(
        names=names,
        combination=combination,
        members=members,
        n_positive=np.rint(members @ sizes).astype(np.int64),
        element_offset=offset,
        element=element,
        element_label=np.concatenate([np.zeros(0, np.int64), *owners]),
    )


def _check_genome(store: FeatureStore, elements: ConceptElements) -> None:
    table, lengths = elements.table, store.lengths
    for seqid, end in table.groupby("seqid")["end"].max().items():
        where = f"annotation of {store.path}"
        if seqid not in lengths:
            known = ", ".join(list(lengths)[:5])
            raise MismatchError(where, f"elements on {known}", f"elements on {seqid}")
        if end > lengths[str(seqid)]:
            raise MismatchError(where, f"elements within {lengths[str(seqid)]} bp", f"end={end}")


def _cells_of(
    stores: Sequence[FeatureStore],
    elements: Sequence[ConceptElements],
    universe: Universe,
    label: Label,
) -> tuple[Int64[np.ndarray, " base"], Int64[np.ndarray, " base"]]:
    """Return each base of each element of a label, and a number of the element over all genomes."""
    cells, numbers = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for genome, strand, drawn in readings(label, elements):
        bases = element_bases(elements[genome], stores[genome].lengths, label.concept, strand=drawn)
        cell, inside = universe.locate(genome, strand, bases.row)
        cells.append(cell)
        numbers.append(bases.element[inside] * len(stores) + genome)
    return np.concatenate(cells), np.concatenate(numbers)


def readings(
    label: Label, elements: Sequence[ConceptElements]
) -> Iterator[tuple[int, ReadStrand, ReadStrand | None]]:
    """Yield genome, strand that is read and strand of the elements that are positive then."""
    for genome, own in enumerate(elements):
        if label.concept not in own.names:
            continue
        for strand in STRANDS:
            other: ReadStrand = "-" if strand == "+" else "+"
            drawn = {"sense": strand, "antisense": other, "both": None}[label.orientation]
            yield genome, strand, drawn


def _split_combinations(
    combination: Int32[np.ndarray, " cell"],
    sets: Bool[np.ndarray, "combination label"],
    cells: Int64[np.ndarray, " base"],
) -> tuple[Int32[np.ndarray, " cell"], Bool[np.ndarray, "new label1"]]:
    """Divide each combination into the cells that carry one more label and those that do not."""
    doubled = 2 * combination
    doubled[cells] |= 1
    used = np.flatnonzero(np.bincount(doubled, minlength=2 * len(sets)))
    number = np.zeros(2 * len(sets), dtype=np.int32)
    number[used] = np.arange(len(used), dtype=np.int32)
    return number[doubled], np.column_stack([sets[used // 2], used % 2 == 1])


def _by_cell(
    cells: list[np.ndarray], numbers: list[np.ndarray], n_cells: int, n_elements: int
) -> tuple[Int64[np.ndarray, " cell1"], Int32[np.ndarray, " base"]]:
    row = np.concatenate([np.zeros(0, np.int64), *cells]).astype(np.int32)
    column = np.concatenate([np.zeros(0, np.int64), *numbers]).astype(np.int32)
    ones = np.ones(len(row), dtype=np.int8)
    table = coo_array((ones, (row, column)), shape=(n_cells, max(n_elements, 1))).tocsr()
    return table.indptr.astype(np.int64), table.indices.astype(np.int32)
