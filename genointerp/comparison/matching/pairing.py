"""Two readings of the same bases: sums of products of all pairs of features, in blocks."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, UInt

from genointerp.association.threads import MAX_THREADS, spread
from genointerp.comparison.matching import kernels
from genointerp.comparison.matching.bases import CellHits, FeatureHits, Panel, common_panels, is_fit
from genointerp.core.errors import InputError
from genointerp.store.feature.store import FeatureStore

BLOCK_SUMS = 1 << 25
"""Sums that are in memory at once, by feature of the one and of the other reading."""

KEPT_BYTES = 1 << 32
"""Memory for the hits of the other reading. What does not fit is read again for each block."""

BLOCK_BP = 16_384
"""Bases of a block: what is drawn for intervals, and what fit and test consist of."""

MOST_GROUPS = 512
"""Most blocks that are drawn; on longer genomes blocks are longer."""

_CHUNK = 1 << 13
_SMALL_ROW = 1 << 12
# the sums of one feature fit in the smallest cache up to about this many; above, one feature after
# the other is faster than one chunk of cells after the other


class BlockHits(NamedTuple):
    """Hits of features ``[first, stop)`` of one reading on each panel."""

    first: int
    stop: int
    panels: tuple[FeatureHits, ...]


class Pairing:
    """Features of two readings of the same genomes, on the bases that were read in both.

    Parameters
    ----------
    own, other
        Stores of one dictionary each, one store per genome, in the same order.
    panels
        The bases, if not all that were read in both.

    Raises
    ------
    InputError
        If no base was read in both.
    """

    def __init__(
        self,
        own: Sequence[FeatureStore],
        other: Sequence[FeatureStore],
        panels: Sequence[Panel] | None = None,
    ) -> None:
        self.own, self.other = tuple(own), tuple(other)
        self.panels = common_panels(own, other) if panels is None else tuple(panels)
        if not self.panels:
            where = str(self.other[0].path)
            raise InputError(where, f"bases that were read in {self.own[0].path} too", "none")
        self._kept: dict[int, CellHits] = {}
        self._n_bytes = 0

    @property
    def n_own(self) -> int:
        """Size of the dictionary of the own reading."""
        return self.own[0].n_features

    @property
    def n_other(self) -> int:
        """Size of the dictionary of the other reading."""
        return self.other[0].n_features

    @property
    def n_cells(self) -> int:
        """Number of cells of all panels."""
        return sum(panel.n_cells for panel in self.panels)

    def swapped(self) -> "Pairing":
        """Return the same bases with the readings exchanged."""
        return Pairing(self.other, self.own, self.panels)

    def blocks(self, *, most: int = BLOCK_SUMS) -> list[tuple[int, int]]:
        """Return the blocks of own features, ``[first, stop)``, whose sums fit in memory."""
        size = max(1, most // self.n_other)
        return [(first, min(first + size, self.n_own)) for first in range(0, self.n_own, size)]

    def load(self, first: int, stop: int) -> BlockHits:
        """Return the hits of own features ``[first, stop)``."""
        hits = tuple(panel.hits(self.own[panel.genome], first, stop) for panel in self.panels)
        return BlockHits(first, stop, hits)

    def firing(self, number: int) -> CellHits:
        """Return what the other reading fires with on each cell of a panel."""
        if number in self._kept:
            return self._kept[number]
        panel = self.panels[number]
        found = panel.firing(self.other[panel.genome])
        if self._n_bytes + found.n_bytes <= KEPT_BYTES:
            self._kept[number] = found
            self._n_bytes += found.n_bytes
        return found

    def sums(
        self, block: BlockHits, shifts: Sequence[int] | None = None
    ) -> Float64[np.ndarray, "feature n_other"]:
        """Return the sum over all cells of the product of each pair.

        Parameters
        ----------
        shifts
            By how many cells the other reading is rotated on each panel; None means not at all.
        """
        into = np.zeros((block.stop - block.first, self.n_other))
        for number, hits in enumerate(block.panels):
            shift = 0 if shifts is None else shifts[number] % self.panels[number].n_cells
            self._add(hits, self.firing(number), shift, into)
        return into

    def of_fit(self, block: BlockHits) -> BlockHits:
        """Return the hits on the cells of fit."""
        parts = []
        for panel, hits in zip(self.panels, block.panels, strict=True):
            chosen = is_fit(panel.rows(), BLOCK_BP)[hits.cell]
            n_before = np.concatenate([[0], np.cumsum(chosen)])
            parts.append(FeatureHits(n_before[hits.begin], hits.cell[chosen], hits.value[chosen]))
        return block._replace(panels=tuple(parts))

    def _add(
        self,
        hits: FeatureHits,
        firing: CellHits,
        shift: int,
        into: Float64[np.ndarray, "feature n_other"],
    ) -> None:
        chunk = _CHUNK if self.n_other <= _SMALL_ROW else len(firing.indptr)
        # parts of about as many hits each
        n_parts = min(8 * MAX_THREADS, len(into))
        wanted = np.linspace(0, len(hits.cell), n_parts + 1)
        edge = np.unique(np.concatenate([[0], np.searchsorted(hits.begin, wanted), [len(into)]]))

        def add(part: tuple[int, int]) -> None:
            low, high = part
            begin = hits.begin[low : high + 1]
            columns = begin, hits.cell, hits.value, firing.indptr, firing.feature, firing.value
            kernels.add_products(*columns, shift, chunk, into[low:high])

        edge = edge[edge <= len(into)]
        spread(add, list(zip(edge[:-1].tolist(), edge[1:].tolist(), strict=True)))


class Groups:
    """Blocks of the genomes, which are drawn with all that was read of them on both strands.

    Parameters
    ----------
    stores
        Features of the genomes, in order.
    """

    def __init__(self, stores: Sequence[FeatureStore]) -> None:
        lengths = [store.n_rows for store in stores]
        self.bp = BLOCK_BP
        while sum(-(-n // self.bp) for n in lengths) > max(MOST_GROUPS, len(lengths)):
            self.bp *= 2
        counts = [-(-n // self.bp) for n in lengths]
        self._first = np.concatenate([[0], np.cumsum(counts)])

    @property
    def n(self) -> int:
        """Number of blocks."""
        return int(self._first[-1])

    def of(self, panel: Panel) -> Int64[np.ndarray, " cell"]:
        """Return the block of each cell of a panel."""
        return np.asarray(panel.rows() // self.bp + self._first[panel.genome])

    def sizes(self, panels: Sequence[Panel]) -> Int64[np.ndarray, " group"]:
        """Return the number of cells in each block."""
        sizes = np.zeros(self.n, dtype=np.int64)
        for panel in panels:
            sizes += np.bincount(self.of(panel), minlength=self.n)
        return sizes

    def classes(
        self, panels: Sequence[Panel], classes: Sequence[UInt[np.ndarray, " _"]], n_classes: int
    ) -> Int64[np.ndarray, "group class"]:
        """Return the number of cells of each class in each block."""
        n = np.zeros(self.n * n_classes, dtype=np.int64)
        for panel, kind in zip(panels, classes, strict=True):
            n += np.bincount(self.of(panel) * n_classes + kind, minlength=len(n))
        return n.reshape(self.n, n_classes)
