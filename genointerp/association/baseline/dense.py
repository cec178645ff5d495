"""Labels of every base of fit and test, and their activations in blocks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int64

from genointerp.association.config import AssociateConfig
from genointerp.association.count.label import LabelledCells, label_cells, list_labels
from genointerp.association.count.universe import Universe, lay_side
from genointerp.association.split import SIDE_NAMES
from genointerp.core.errors import InputError
from genointerp.feature.specimen import Specimen
from genointerp.store.activation.store import ActivationStore
from genointerp.store.contigs import contig_offsets
from genointerp.store.feature.store import STRANDS

BLOCK_BYTES = 64 << 20
"""Most bytes of activations held at once, as float32."""

N_STRETCHES = 16
"""Number of stretches of a side, which belong alternately to its two folds."""


@dataclass(frozen=True, eq=False)
class DenseSide:
    """One side of the split: its cells and their labels."""

    universe: Universe
    labels: LabelledCells

    def label(self, concept: str) -> int:
        """Return the label of a concept as sense, or as ``both`` if it has no strand."""
        return next(
            number
            for number, label in enumerate(self.labels.names)
            if label.concept == concept and label.orientation != "antisense"
        )

    def truth(self, cell: Int64[np.ndarray, " row"]) -> Bool[np.ndarray, "row label"]:
        """Return which labels each cell has."""
        sets = np.ascontiguousarray(self.labels.members.T > 0)
        return np.asarray(sets[self.labels.combination[cell]], dtype=np.bool_)


class DenseRows(NamedTuple):
    """Activations of some cells of one side."""

    cell: Int64[np.ndarray, " row"]
    x: Float32[np.ndarray, "row d_in"]


def dense_sides(
    specimens: Sequence[Specimen], config: AssociateConfig
) -> tuple[DenseSide, DenseSide]:
    """Return fit and test as `associate` divides and labels them.

    Parameters
    ----------
    specimens
        Genomes with the elements of the concepts. Their features may be of any dictionary, since
        only their coverage is used.
    """
    universes = [lay_side(specimens, config, name) for name in SIDE_NAMES]
    names = list_labels(specimens)
    fit, test = (DenseSide(one, label_cells(specimens, one, names)) for one in universes)
    return fit, test


def check_activations(
    specimens: Sequence[Specimen], sides: Sequence[DenseSide]
) -> list[ActivationStore]:
    """Return the activations of each genome, which must cover exactly the bases of the features.

    Raises
    ------
    InputError
        If the activations of a specimen are unknown, tokens are not single bases, or activations
        and features do not cover the same bases.
    MismatchError
        If the widths differ.
    """
    activations = [specimen.needs("activations") for specimen in specimens]
    for own in activations:
        activations[0].identity.check(own.identity, "width")
        if own.has_words:
            expected = "tokens that are bases, since a concept is a set of bases"
            raise InputError(str(own.path), expected, "tokens of several bases")
    for side in sides:
        n_rows = sum(int((cell >= 0).sum()) for cell, _ in _located(activations, side.universe))
        if n_rows != side.universe.n_covered:
            where = ", ".join(str(store.path) for store in activations)
            expected = f"the {side.universe.n_covered} bases of the features, each once"
            raise InputError(where, expected, f"{n_rows} rows")
    return activations


def activation_blocks(
    activations: Sequence[ActivationStore], universe: Universe
) -> Iterator[DenseRows]:
    """Yield the rows of one side, in blocks of at most `BLOCK_BYTES`."""
    for cell, (store, start) in _located(activations, universe):
        inside = cell >= 0
        if inside.any():
            yield DenseRows(cell[inside], store.rows(start, start + len(cell))[inside])


def _located(
    activations: Sequence[ActivationStore], universe: Universe
) -> Iterator[tuple[Int64[np.ndarray, " row"], tuple[ActivationStore, int]]]:
    """Yield the cells of consecutive rows, or -1 off this side, with their store and first row."""
    for genome, store in enumerate(activations):
        if not any(len(part.start) for part in universe.covered[genome].values()):
            continue
        offsets = contig_offsets(store.header.contigs)
        first = np.array([offsets[window.seqid] for window in store.windows], dtype=np.int64)
        is_minus = np.array([window.strand == "-" for window in store.windows], dtype=np.bool_)
        size = max(1, BLOCK_BYTES // (4 * store.d_in))
        for start in range(0, store.n_tokens, size):
            stop = min(start + size, store.n_tokens)
            row = np.arange(start, stop)
            window = np.searchsorted(store.window_offset, row, side="right") - 1
            base = store.token_bases(start, stop).start + first[window]
            cell = np.full(len(row), -1, dtype=np.int64)
            for strand in STRANDS:
                own = np.flatnonzero(is_minus[window] == (strand == "-"))
                located = universe.locate(genome, strand, base[own])
                cell[own[located.inside]] = located.cell
            yield cell, (store, start)


def thinning(n_rows: int, limit: int) -> int:
    """Return an n such that every n-th row gives at most ``limit`` rows: odd, no multiple of 3.

    No position of codons is thus preferred.
    """
    stride = max(1, -(-n_rows // limit))
    while stride > 1 and (stride % 2 == 0 or stride % 3 == 0):
        stride += 1
    return stride


def folds(cell: Int64[np.ndarray, " row"], side: DenseSide) -> Bool[np.ndarray, " row"]:
    """Return which of two folds cells belong to: long stretches, with both strands together."""
    n_bp = side.universe.n_bp
    return np.asarray(cell % n_bp * N_STRETCHES // n_bp % 2 == 1, dtype=np.bool_)
