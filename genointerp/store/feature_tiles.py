"""Version 2 of a features file: hits once, in tiles of bases, by feature within each tile.

A region reads the few tiles that it meets, whole; a feature reads one short slice of every tile.
Columns that are not compressed are mapped into memory, so that a slice costs no call of HDF5.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import h5py
import numpy as np
from jaxtyping import Bool, Float16, Float32, Int64, UInt, UInt16

from genointerp.core.errors import InputError, SchemaError

Compression = Literal["none", "zstd"]

TILE_ROWS = 1 << 13
"""Bases of a tile. Longer tiles would slow a region down, shorter ones a feature."""

ROW = np.dtype("<u2")
VALUE = np.dtype("<f2")
OFFSET = np.dtype("<u4")

CHUNK_HITS = 1 << 13
CHUNK_TILES, CHUNK_OFFSETS = 8, 1 << 11
"""Chunks of a compressed file: hits, and offsets of some features in some tiles."""


class FeatureBlock(NamedTuple):
    """Hits on consecutive bases, by feature and then by row.

    Those of feature f are ``indptr[f]`` to ``indptr[f + 1]``; ``row`` counts from ``start``, a
    global base index.
    """

    start: int
    indptr: Int64[np.ndarray, " m1"]
    row: UInt16[np.ndarray, " hit"]
    value: Float32[np.ndarray, " hit"]

    def at_least(self, min_activation: float) -> "FeatureBlock":
        """Return the hits whose activation is not lower."""
        return self if min_activation <= 0 else self.take(self.value >= min_activation)

    def take(self, chosen: Bool[np.ndarray, " hit"]) -> "FeatureBlock":
        """Return some of the hits."""
        return FeatureBlock(self.start, *_chosen(self.indptr, self.row, self.value, chosen))


class FeatureSlice(NamedTuple):
    """Hits of consecutive features on consecutive bases as they are stored, not copied.

    By feature and then by row; those of the i-th feature are ``indptr[i]`` to ``indptr[i + 1]``.
    ``row`` counts from ``start``, a global base index.
    """

    start: int
    indptr: Int64[np.ndarray, " m1"]
    row: UInt[np.ndarray, " hit"]
    value: Float16[np.ndarray, " hit"]


class TiledLayout:
    """Reader of the hits of one strand.

    Parameters
    ----------
    group
        ``plus`` or ``minus`` of an open file.
    tile_rows
        Bases of a tile in this file.
    """

    def __init__(self, group: h5py.Group, tile_rows: int) -> None:
        self.group = group
        self.tile_rows = tile_rows
        self.first_row: Int64[np.ndarray, " tile"] = group["tiles/row"][:].astype(np.int64)
        self.hit_offset: Int64[np.ndarray, " tile1"] = group["tiles/hit_offset"][:].astype(np.int64)

    def n_firing(self) -> Int64[np.ndarray, " n_features"]:
        """Return the number of hits of each feature."""
        return np.asarray(self.group["feature_hits"][:], dtype=np.int64)

    def blocks(self, start: int, stop: int) -> Iterator[FeatureBlock]:
        """Yield the hits on rows ``[start, stop)``, a tile at a time, by position."""
        columns = _Columns(self.group)
        for tile in self._tiles(start, stop):
            low, high = self.hit_offset[tile : tile + 2].tolist()
            first = int(self.first_row[tile])
            indptr = columns.offset[tile].astype(np.int64)
            self._check_tile(indptr, high - low, tile)
            row, value = columns.row[low:high], columns.value[low:high]
            if first < start or first + self.tile_rows > stop:
                inside = (row >= max(start - first, 0)) & (row < min(stop - first, 1 << 16))
                indptr, row, value = _chosen(indptr, row, value, inside)
            yield FeatureBlock(first, indptr, row, value.astype(np.float32))

    def slices(
        self, first: int, last: int, wanted: Int64[np.ndarray, "interval 2"]
    ) -> Iterator[FeatureSlice]:
        """Yield the hits of features ``[first, last)``, tile by tile, by position.

        Tiles without a row in the ``wanted`` intervals, which are sorted and disjoint, are left
        out; those yielded are whole.
        """
        columns = _Columns(self.group)
        upto = np.searchsorted(wanted[:, 0], self.first_row + self.tile_rows, side="left")
        passed = np.searchsorted(wanted[:, 1], self.first_row, side="right")
        tiles = np.flatnonzero(upto > passed)
        for tile in tiles.tolist():
            offset = columns.offset[tile, first : last + 1].astype(np.int64)
            if (np.diff(offset) < 0).any():
                raise self._damaged(tile)
            low = int(self.hit_offset[tile] + offset[0])
            high = int(self.hit_offset[tile] + offset[-1])
            row, value = columns.row[low:high], columns.value[low:high]
            yield FeatureSlice(int(self.first_row[tile]), offset - offset[0], row, value)

    def features(
        self, first: int, last: int, start: int, stop: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return ``indptr``, ``row`` and ``value`` of features ``[first, last)`` in these rows."""
        columns = _Columns(self.group)
        tiles = self._tiles(start, stop)
        offset = columns.offset[tiles.start : tiles.stop, first : last + 1].astype(np.int64)
        # of the hits in the order of the file, tile by tile
        edges = self.hit_offset[tiles.start : tiles.stop, None] + offset
        slices = [slice(*edge) for edge in edges[:, [0, -1]].tolist()]
        count = np.diff(offset, axis=1)
        if (count < 0).any():
            raise self._damaged(tiles.start + int((count < 0).any(axis=1).argmax()))
        row = _joined([columns.row[part] for part in slices], ROW).astype(np.int64)
        value = _joined([columns.value[part] for part in slices], VALUE).astype(np.float32)
        row += np.repeat(self.first_row[tiles.start : tiles.stop], count.sum(axis=1))
        feature = np.repeat(np.tile(np.arange(last - first), len(tiles)), count.ravel())
        if len(tiles) and last - first > 1:
            order = np.argsort(feature.astype(np.min_scalar_type(last - first)), kind="stable")
            feature, row, value = feature[order], row[order], value[order]
        if start > 0 or stop < self._end():
            inside = (row >= start) & (row < stop)
            feature, row, value = feature[inside], row[inside], value[inside]
        sizes = np.bincount(feature, minlength=last - first)
        return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), row, value

    def _tiles(self, start: int, stop: int) -> range:
        first = np.searchsorted(self.first_row, start - self.tile_rows, side="right")
        last = np.searchsorted(self.first_row, stop, side="left") if start < stop else first
        return range(int(first), max(int(first), int(last)))

    def _end(self) -> int:
        return int(self.first_row[-1]) + self.tile_rows if len(self.first_row) else 0

    def _check_tile(self, indptr: np.ndarray, n_hits: int, tile: int) -> None:
        if indptr[0] or indptr[-1] != n_hits or (np.diff(indptr) < 0).any():
            raise self._damaged(tile)

    def _damaged(self, tile: int) -> SchemaError:
        where = f"{self.group.file.filename}: {self.group.name[1:]}/tiles/feature_offset: {tile}"
        return SchemaError(where, "offsets that rise to the hits of the tile", "others")


class _Columns:
    """The large datasets of a strand, mapped into memory where they can be."""

    def __init__(self, group: h5py.Group) -> None:
        self.offset = mapped(group["tiles/feature_offset"])
        self.row = mapped(group["hits/row"])
        self.value = mapped(group["hits/value"])


def mapped(dataset: h5py.Dataset) -> Any:  # noqa: ANN401
    """Return a dataset as an array that is read as it is sliced; itself where it is compressed."""
    place = dataset.id.get_offset()
    if dataset.chunks is not None or place is None:
        return dataset
    name, shape = dataset.file.filename, dataset.shape
    # a plain array over the mapping: slices of np.memmap cost far more
    return np.asarray(np.memmap(name, dataset.dtype, mode="r", offset=place, shape=shape))


def check_tiled(group: h5py.Group, n_features: int) -> None:
    """Refuse datasets whose shapes do not fit together."""
    n_tiles = group["tiles/row"].shape[0]
    hits = group["tiles/hit_offset"]
    n_hits = int(hits[-1]) if hits.shape == (n_tiles + 1,) else 0
    expected: dict[str, tuple[int, ...]] = {
        "tiles/hit_offset": (n_tiles + 1,),
        "tiles/feature_offset": (n_tiles, n_features + 1),
        "tiles/crc32": (n_tiles,),
        "hits/row": (n_hits,),
        "hits/value": (n_hits,),
        "feature_hits": (n_features,),
    }
    for name, shape in expected.items():
        if group[name].shape != shape:
            where = f"{group.file.filename}: {group.name[1:]}/{name}"
            raise SchemaError(where, f"shape {shape}", str(group[name].shape))


def storage_options(compression: Compression, chunks: tuple[int, ...]) -> dict[str, Any]:
    """Return the arguments of ``create_dataset`` that store a large column.

    Raises
    ------
    InputError
        If the compressor is not installed.
    """
    if compression == "none":
        return {}
    load_compressor(Path("compression"))
    import hdf5plugin

    return {"chunks": chunks, **hdf5plugin.Bitshuffle(cname="zstd", clevel=3)}


def load_compressor(where: Path) -> None:
    """Make what compressed files are read with known to HDF5.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        import hdf5plugin  # noqa: F401
    except ImportError as error:
        expected = 'hdf5plugin for zstd (pip install "genointerp[compression]")'
        raise InputError(str(where), expected, "none") from error


def _chosen(
    indptr: np.ndarray, row: np.ndarray, value: np.ndarray, chosen: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    before = np.zeros(len(chosen) + 1, dtype=np.uint32)
    np.cumsum(chosen, dtype=np.uint32, out=before[1:])
    # several times faster than indexing by a mask
    index = np.flatnonzero(chosen)
    return before[indptr].astype(np.int64), row.take(index), value.take(index)


def _joined(parts: list[np.ndarray], dtype: np.dtype[Any]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0, dtype)
