"""Read the hits of many features on one universe, block by block.

The block bounds the memory: 6 bytes for each of its `BLOCK_HITS` hits, or for each hit of a single
feature that has more, which may be one at every base read.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int, Int64, UInt16

from genointerp.association.count import kernels
from genointerp.association.count.universe import Universe
from genointerp.core.errors import SchemaError
from genointerp.store.feature.store import STRANDS, FeatureStore, ReadStrand
from genointerp.store.feature.tiles import FeatureSlice

BLOCK_HITS = 16_000_000
"""Most hits in a block, over all strands and genomes; a single feature may have more."""

BLOCK_FEATURES = 256
"""Most features in a block, since its counts hold a number per feature, label and threshold."""

VALUE_OF_CODE = np.arange(kernels.N_CODES, dtype=np.uint16).view(np.float16).astype(np.float64)
"""Activation that each code stands for."""


class Detections(NamedTuple):
    """Cells that features detect, each feature at its own threshold.

    The i-th feature detects the entries of ``cell`` from ``start[i]`` to ``stop[i]`` whose ``code``
    is at least ``reach[i]``. The cells of a feature are in ascending order.
    """

    start: Int64[np.ndarray, " detector"]
    stop: Int64[np.ndarray, " detector"]
    cell: Int[np.ndarray, " hit"]
    code: UInt16[np.ndarray, " hit"]
    reach: Int64[np.ndarray, " detector"]

    def of(self, detector: int) -> "Detections":
        """Return the detections of one feature, as if there were no other."""
        own = slice(detector, detector + 1)
        return self._replace(start=self.start[own], stop=self.stop[own], reach=self.reach[own])


class HitBlock(NamedTuple):
    """Hits of consecutive features in one universe.

    The hits of the i-th feature are ``start[i]`` to ``stop[i]``, in the order of their cells.
    ``place`` holds what ``place_of_cell`` of the reader gives for the cell, and ``code`` the bits
    of the activation as a float16.
    """

    first: int
    start: Int64[np.ndarray, " feature"]
    stop: Int64[np.ndarray, " feature"]
    place: Int[np.ndarray, " hit"]
    code: UInt16[np.ndarray, " hit"]

    @property
    def n_features(self) -> int:
        """Number of features in the block."""
        return len(self.start)

    def detect(
        self, features: Int64[np.ndarray, " detector"], thresholds: Float64[np.ndarray, " detector"]
    ) -> Detections:
        """Return what some of the features detect; ``place`` must be the cell itself."""
        own = features - self.first
        start, stop = self.start[own], self.stop[own]
        return Detections(start, stop, self.place, self.code, reaching_codes(thresholds))


class _Source(NamedTuple):
    """One strand of one genome: the place of each row, or -1, and the rows that have a place."""

    store: FeatureStore
    strand: ReadStrand
    place_of_row: Int[np.ndarray, " row"]
    wanted: Int64[np.ndarray, "interval 2"]


class HitReader:
    """Reader of blocks of hits, which several threads may use at once.

    Parameters
    ----------
    stores
        Features stores, one per genome.
    universe
        The cells whose hits are read.
    place_of_cell
        What to return for the cell of a hit, such as its number or its patch.
    """

    def __init__(
        self,
        stores: Sequence[FeatureStore],
        universe: Universe,
        place_of_cell: Int[np.ndarray, " cell"],
    ) -> None:
        self.sources = list(_sources(stores, universe, place_of_cell))
        self._dtype = place_of_cell.dtype
        self._n_firing = np.sum(
            [store.n_firing(strand) for store in stores for strand in STRANDS], axis=0
        )

    def read(self, features: range) -> HitBlock:
        """Read the hits of consecutive features.

        Raises
        ------
        SchemaError
            If the hits of a file contradict its index, or an activation is not > 0.
        """
        room = self._n_firing[features.start : features.stop]
        stop = np.cumsum(room)
        start = stop - room
        place, code = np.empty(int(room.sum()), self._dtype), np.empty(int(room.sum()), np.uint16)
        position = start.copy()
        for source in self.sources:
            for part in source.store.slices(
                features.start, features.stop, source.strand, source.wanted
            ):
                if not kernels.gather(
                    part.indptr,
                    part.start,
                    part.row,
                    part.value.view(np.uint16),
                    source.place_of_row,
                    position,
                    stop,
                    place,
                    code,
                ):
                    raise _damaged(source, part)
        return HitBlock(features.start, start, position, place, code)


def read_cells(stores: Sequence[FeatureStore], universe: Universe) -> HitReader:
    """Return a reader whose places are the numbers of the cells."""
    dtype = np.int32 if universe.n_cells <= np.iinfo(np.int32).max else np.int64
    return HitReader(stores, universe, np.arange(universe.n_cells, dtype=dtype))


def feature_blocks(stores: Sequence[FeatureStore]) -> list[range]:
    """Divide the features into blocks of bounded size."""
    hits = np.sum([store.n_firing(strand) for store in stores for strand in STRANDS], axis=0)
    end = np.concatenate([[0], np.cumsum(hits)])
    blocks, first = [], 0
    while first < len(hits):
        stop = int(np.searchsorted(end, end[first] + BLOCK_HITS, side="right")) - 1
        stop = min(max(stop, first + 1), first + BLOCK_FEATURES, len(hits))
        blocks.append(range(first, stop))
        first = stop
    return blocks


def reaching_codes(thresholds: Float64[np.ndarray, "..."]) -> Int64[np.ndarray, "..."]:
    """Return the lowest code that reaches each threshold; no code reaches NaN."""
    return np.searchsorted(VALUE_OF_CODE, thresholds, side="left").astype(np.int64)


def _sources(
    stores: Sequence[FeatureStore], universe: Universe, place_of_cell: Int[np.ndarray, " cell"]
) -> Iterator[_Source]:
    # one strand after the other, so that the cells of a feature are in ascending order
    for strand in STRANDS:
        for store, by_strand in zip(stores, universe.covered, strict=True):
            segments = by_strand[strand]
            place = np.full(store.n_rows, -1, place_of_cell.dtype)
            for row, end, position in zip(*segments, strict=True):
                cell = int(position) + (0 if strand == "+" else universe.n_bp)
                place[row:end] = place_of_cell[cell : cell + int(end - row)]
            wanted = np.column_stack([segments.start, segments.end])
            if len(wanted):
                yield _Source(store, strand, place, wanted)


def _damaged(source: _Source, part: FeatureSlice) -> SchemaError:
    where = f"{source.store.path}: hits on {source.strand} from row {part.start}"
    return SchemaError(where, "the hits of the index, on rows of the genome, > 0", "others")
