"""Patches: cells of one stretch of the axis that all belong to the same elements.

A genome has millions of cells but only some ten thousand patches, so the elements and labels of a
cell can be looked up in tables that stay in the processor's cache.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32, Int64

from genointerp.association.count import kernels
from genointerp.association.count.universe import Universe

_STEP = 1 << 20
"""Number of bases moved at once; it bounds memory and changes no count."""


@dataclass(frozen=True, eq=False)
class Patches:
    """A partition of the cells of a universe.

    Parameters
    ----------
    of_cell
        Patch of each cell.
    stretch
        Stretch of the axis in which each patch lies. Stretches are of equal length and hold the
        cells of both strands.
    n_stretches
        Number of stretches.
    offset, element
        Elements of each patch, as compressed sparse rows.
    """

    of_cell: Int32[np.ndarray, " cell"]
    stretch: Int32[np.ndarray, " patch"]
    n_stretches: int
    offset: Int64[np.ndarray, " patch1"]
    element: Int32[np.ndarray, " member"]

    def __len__(self) -> int:
        return len(self.stretch)


class PatchBuilder:
    """Builder of patches, which are divided by one list of elements after another.

    Notes
    -----
    This is the refinement of a partition: a base of an element moves from its patch to the
    successor of that patch for this element, which is created for the first such base. The time is
    linear in the bases of all elements.
    """

    def __init__(self, universe: Universe, n_stretches: int = 1) -> None:
        stretch = np.arange(universe.n_bp) * n_stretches // max(universe.n_bp, 1)
        self._patch: Int32[np.ndarray, " cell"] = np.tile(stretch.astype(np.int32), 2)
        self._n_stretches = n_stretches
        self._n_patches = n_stretches
        self._parent: list[np.ndarray] = []
        self._owner: list[np.ndarray] = []

    def divide(self, cell: Int64[np.ndarray, " base"], element: Int64[np.ndarray, " base"]) -> None:
        """Divide patches by elements; the bases of one element must be consecutive."""
        for first in range(0, len(cell), _STEP):
            part = slice(first, first + _STEP)
            n_bases = len(cell[part])
            n_most = self._n_patches + n_bases
            stamp, successor = np.full(n_most, -1, np.int64), np.empty(n_most, np.int32)
            parent, owner = np.empty(n_bases, np.int32), np.empty(n_bases, np.int32)
            n = kernels.refine(
                self._patch,
                cell[part],
                element[part],
                self._n_patches,
                stamp,
                successor,
                parent,
                owner,
            )
            self._parent.append(parent[:n].copy())
            self._owner.append(owner[:n].copy())
            self._n_patches += n

    def build(self) -> Patches:
        """Return the patches that hold a cell."""
        kept = np.flatnonzero(np.bincount(self._patch, minlength=self._n_patches))
        number = np.zeros(self._n_patches, np.int32)
        number[kept] = np.arange(len(kept), dtype=np.int32)
        parent = np.concatenate([np.zeros(0, np.int32), *self._parent])
        owner = np.concatenate([np.zeros(0, np.int32), *self._owner])
        size, root = np.zeros(len(kept), np.int64), np.zeros(len(kept), np.int32)
        chain = (kept, parent, owner, self._n_stretches, size, root)
        element = np.empty(kernels.unroll(*chain, np.empty(0, np.int32)), np.int32)
        kernels.unroll(*chain, element)
        return Patches(
            of_cell=number[self._patch],
            stretch=root,
            n_stretches=self._n_stretches,
            offset=np.concatenate([[0], np.cumsum(size)]).astype(np.int64),
            element=element,
        )
