"""Version 2 of a features file: hits in tiles of bases, sorted by feature within each tile.

To read a region, the few tiles that it overlaps are read whole; to read a feature, one short slice
of every tile is read. Uncompressed columns are mapped into memory, so that a slice needs no call of
HDF5.
"""

from collections.abc import Callable, Iterable, Iterator, MutableSet
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import h5py
import numpy as np
from jaxtyping import Bool, Float16, Float32, Int64, UInt, UInt16

from genointerp.core.errors import InputError, SchemaError
from genointerp.store.contents import crc32_of
from genointerp.store.feature.digest import SUMS, TILE_SUMS, hit_sums, word_sum
from genointerp.store.hdf5 import checked_dataset

Compression = Literal["none", "zstd"]

TILE_ROWS = 1 << 13
"""Bases of a tile. Longer tiles would slow down reading a region, shorter ones a feature."""

ROW = np.dtype("<u2")
MOST_TILE_ROWS = 1 << 16
VALUE = np.dtype("<f2")
OFFSET = np.dtype("<u4")

_LARGEST = 0x7BFF
"""Bits of the largest finite number of float16."""

CHUNK_HITS = 1 << 13
CHUNK_TILES, CHUNK_OFFSETS = 8, 1 << 11
"""Chunk sizes of a compressed file: of hits, and of offsets by tile and feature."""


class FeatureBlock(NamedTuple):
    """Hits on consecutive bases, by feature and then by row.

    Hits of feature f are ``indptr[f]`` to ``indptr[f + 1]``; ``row`` counts from ``start``, a
    global base index.
    """

    start: int
    indptr: Int64[np.ndarray, " m1"]
    row: UInt16[np.ndarray, " hit"]
    value: Float32[np.ndarray, " hit"]

    def at_least(self, min_activation: float) -> "FeatureBlock":
        """Return the hits whose activation is at least ``min_activation``."""
        return self if min_activation <= 0 else self.take(self.value >= min_activation)

    def take(self, chosen: Bool[np.ndarray, " hit"]) -> "FeatureBlock":
        """Return some of the hits."""
        return FeatureBlock(self.start, *_chosen(self.indptr, self.row, self.value, chosen))


class FeatureSlice(NamedTuple):
    """Hits of consecutive features on consecutive bases, as they are stored and not copied.

    They are sorted by feature and then by row; those of the i-th feature are ``indptr[i]`` to
    ``indptr[i + 1]``. ``row`` counts from ``start``, a global base index.
    """

    start: int
    indptr: Int64[np.ndarray, " m1"]
    row: UInt[np.ndarray, " hit"]
    value: Float16[np.ndarray, " hit"]


class Peaks(NamedTuple):
    """The largest activation of each feature on some bases, and on how many of them it fires."""

    highest: Float32[np.ndarray, " n_features"]
    n_bases: Int64[np.ndarray, " n_features"]


class TiledLayout:
    """Reader of the hits of one strand.

    Parameters
    ----------
    group
        Group ``plus`` or ``minus`` of an open file.
    tile_rows
        Bases of a tile in this file.
    n_rows
        Bases of the genome.
    sound
        Tiles whose checksum was found to be right; further ones are added.

    Raises
    ------
    SchemaError
        If the tiles are not in order. Methods that read a tile raise it too, if the tile does not
        have the checksum that was written or holds values that no tile can hold.

    Notes
    -----
    The checksum of a tile is compared if the tile is read whole, or if part of a feature is read in
    it. A feature on the whole genome is read as a short slice of each tile, so its own sum is
    compared instead, if the file has one.
    """

    def __init__(
        self, group: h5py.Group, tile_rows: int, n_rows: int, sound: MutableSet[int]
    ) -> None:
        self.group = group
        self.tile_rows = tile_rows
        self.n_rows = n_rows
        self.first_row: Int64[np.ndarray, " tile"] = group["tiles/row"][:]
        self.hit_offset: Int64[np.ndarray, " tile1"] = group["tiles/hit_offset"][:]
        self._sound = sound
        check_tiles(group, self.first_row, self.hit_offset, tile_rows, n_rows)

    def n_firing(self) -> Int64[np.ndarray, " n_features"]:
        """Return the number of hits of each feature."""
        return np.asarray(self.group["feature_hits"][:], dtype=np.int64)

    def blocks(self, start: int, stop: int) -> Iterator[FeatureBlock]:
        """Yield the hits on rows ``[start, stop)`` by position, one tile at a time."""
        columns = self._columns
        for tile in self._tiles(start, stop):
            low, high = self.hit_offset[tile : tile + 2].tolist()
            first = int(self.first_row[tile])
            offset, row, value = (
                columns.offset[tile],
                columns.row[low:high],
                columns.value[low:high],
            )
            if tile not in self._sound:
                self._check_tile(tile, offset, row, value)
            indptr = offset.astype(np.int64)
            if first < start or first + self.tile_rows > stop:
                inside = (row >= max(start - first, 0)) & (row < min(stop - first, 1 << 16))
                indptr, row, value = _chosen(indptr, row, value, inside)
            yield FeatureBlock(first, indptr, row, value.astype(np.float32))

    def slices(
        self, first: int, last: int, wanted: Int64[np.ndarray, "interval 2"]
    ) -> Iterator[FeatureSlice]:
        """Yield the hits of features ``[first, last)`` by position, one tile at a time.

        Tiles without a row in the ``wanted`` intervals, which are sorted and disjoint, are left
        out; other tiles are yielded whole.
        """
        columns = self._columns
        upto = np.searchsorted(wanted[:, 0], self.first_row + self.tile_rows, side="left")
        passed = np.searchsorted(wanted[:, 1], self.first_row, side="right")
        tiles = np.flatnonzero(upto > passed)
        for tile in tiles.tolist():
            self._check_tiles(columns, range(tile, tile + 1))
            offset = columns.offset[tile, first : last + 1].astype(np.int64)
            low = int(self.hit_offset[tile] + offset[0])
            high = int(self.hit_offset[tile] + offset[-1])
            row, value = columns.row[low:high], columns.value[low:high]
            yield FeatureSlice(int(self.first_row[tile]), offset - offset[0], row, value)

    def features(
        self, first: int, last: int, start: int, stop: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return ``indptr``, ``row`` and ``value`` of features ``[first, last)`` in these rows."""
        columns = self._columns
        tiles = self._tiles(start, stop)
        is_summed = last - first == 1 and start == 0 and stop >= self._end() and SUMS in self.group
        if not is_summed:
            self._check_tiles(columns, tiles)
        offset = columns.offset[tiles.start : tiles.stop, first : last + 1].astype(np.int64)
        # edges of the features in each tile, as numbers of hits in the file
        edges = self.hit_offset[tiles.start : tiles.stop, None] + offset
        slices = [slice(*edge) for edge in edges[:, [0, -1]].tolist()]
        count = np.diff(offset, axis=1)
        if is_summed:
            self._check_offsets(offset, tiles)
        row = _joined([columns.row[part] for part in slices], ROW).astype(np.int64)
        stored = _joined([columns.value[part] for part in slices], VALUE)
        row += np.repeat(self.first_row[tiles.start : tiles.stop], count.sum(axis=1))
        if is_summed:
            self._check_feature(first, row, stored)
        value = stored.astype(np.float32)
        feature = np.repeat(np.tile(np.arange(last - first), len(tiles)), count.ravel())
        if len(tiles) and last - first > 1:
            order = np.argsort(feature.astype(np.min_scalar_type(last - first)), kind="stable")
            feature, row, value = feature[order], row[order], value[order]
        if start > 0 or stop < self._end():
            inside = (row >= start) & (row < stop)
            feature, row, value = feature[inside], row[inside], value[inside]
        sizes = np.bincount(feature, minlength=last - first)
        return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), row, value

    def peaks(self, start: int, stop: int) -> Peaks:
        """Return the largest activation of each feature on rows ``[start, stop)``.

        Notes
        -----
        The bits of positive half-precision numbers are in the order of the numbers. So integers are
        compared, with 0 in the place of what lies outside, and no hit is copied.
        """
        columns = self._columns
        n_features = columns.offset.shape[1] - 1
        highest, n_bases = np.zeros(n_features, np.uint16), np.zeros(n_features, np.int64)
        tiles = self._tiles(start, stop)
        self._check_tiles(columns, tiles)
        for tile in tiles:
            low, high = self.hit_offset[tile : tile + 2].tolist()
            first = int(self.first_row[tile])
            row, bits = columns.row[low:high], columns.value[low:high].view(np.uint16)
            offset = columns.offset[tile].astype(np.int64)
            fires = np.flatnonzero(np.diff(offset))
            if not len(fires):
                continue
            inside = np.ones(len(row), np.uint16)
            if first < start or first + self.tile_rows > stop:
                inside = (row >= max(start - first, 0)) & (row < min(stop - first, 1 << 16))
                inside = inside.astype(np.uint16)
                bits = bits * inside
            edges = offset[fires]
            highest[fires] = np.maximum(highest[fires], np.maximum.reduceat(bits, edges))
            # a tile has at most 65,536 bases, one hit on each
            n_bases[fires] += np.add.reduceat(inside, edges, dtype=np.uint32)
        return Peaks(highest.view(np.float16).astype(np.float32), n_bases)

    def _tiles(self, start: int, stop: int) -> range:
        first = np.searchsorted(self.first_row, start - self.tile_rows, side="right")
        last = np.searchsorted(self.first_row, stop, side="left") if start < stop else first
        return range(int(first), max(int(first), int(last)))

    def _end(self) -> int:
        if not len(self.first_row):
            return 0
        return min(int(self.first_row[-1]) + self.tile_rows, self.n_rows)

    def _check_tiles(self, columns: "_Columns", tiles: range) -> None:
        """Check the whole of each tile from which a part is to be read."""
        for tile in tiles:
            if tile not in self._sound:
                low, high = self.hit_offset[tile : tile + 2].tolist()
                hits = columns.row[low:high], columns.value[low:high]
                self._check_tile(tile, columns.offset[tile], *hits)

    def _check_tile(
        self, tile: int, offset: np.ndarray, row: np.ndarray, value: np.ndarray
    ) -> None:
        first = int(self.first_row[tile])
        n_rows = min(self.tile_rows, self.n_rows - first)
        where = f"{self._where}/tile {tile} (rows {first} to {first + n_rows})"
        if offset[0] or offset[-1] != len(row) or (offset[1:] < offset[:-1]).any():
            raise self._disordered(tile)
        check_values(value, where)
        if row.max(initial=0) >= n_rows:
            raise SchemaError(where, f"rows below {n_rows}", str(row.max()))
        checksum, known = self._checksums
        if checksum((offset, row, value)) != known[tile]:
            raise SchemaError(where, "the checksum that was written", "another one")
        self._sound.add(tile)

    def _check_offsets(self, offset: np.ndarray, tiles: range) -> None:
        n_hits = np.diff(self.hit_offset[tiles.start : tiles.stop + 1])
        wrong = (offset[:, 1] < offset[:, 0]) | (offset[:, 1] > n_hits)
        if wrong.any():
            raise self._disordered(tiles.start + int(wrong.argmax()))

    def _check_feature(self, feature: int, row: np.ndarray, value: np.ndarray) -> None:
        where = f"{self._where}: feature {feature}"
        check_values(value, where)
        total = hit_sums(row, value).sum()
        n_hits = self.group["feature_hits"][feature]
        if len(row) != n_hits or total != self.group[SUMS][feature]:
            raise SchemaError(where, f"the {n_hits} hits that were written", "other hits")

    @cached_property
    def _columns(self) -> "_Columns":
        return _Columns(self.group)

    @cached_property
    def _checksums(self) -> tuple[Callable[[Iterable[np.ndarray]], int], np.ndarray]:
        """Return the function that computes the checksum of a tile, and the stored checksums."""
        if TILE_SUMS in self.group:
            return word_sum, self.group[TILE_SUMS][:]
        return crc32_of, self.group["tiles/crc32"][:]

    @property
    def _where(self) -> str:
        return f"{self.group.file.filename}: {self.group.name[1:]}"

    def _disordered(self, tile: int) -> SchemaError:
        where = f"{self._where}/tiles/feature_offset: {tile}"
        expected = "offsets that rise from 0 to the number of hits of the tile"
        return SchemaError(where, expected, "other offsets")


class _Columns:
    """The large datasets of a strand, mapped into memory if they are not compressed."""

    def __init__(self, group: h5py.Group) -> None:
        self.offset = mapped(group["tiles/feature_offset"])
        self.row = mapped(group["hits/row"])
        self.value = mapped(group["hits/value"])


def mapped(dataset: h5py.Dataset) -> Any:  # noqa: ANN401
    """Memory-map an uncompressed dataset; return a compressed one unchanged."""
    place = dataset.id.get_offset()
    if dataset.chunks is not None or place is None:
        return dataset
    name, shape = dataset.file.filename, dataset.shape
    # a plain array over the mapping, since slices of np.memmap are far slower
    return np.asarray(np.memmap(name, dataset.dtype, mode="r", offset=place, shape=shape))


def check_tiled(group: h5py.Group, n_features: int, tile_rows: int, n_rows: int) -> None:
    """Refuse datasets whose types and shapes do not fit together, or tiles out of order."""
    first = checked_dataset(group, "tiles/row", "i8", (None,))
    n_tiles = len(first)
    hits = checked_dataset(group, "tiles/hit_offset", "i8", (n_tiles + 1,))[:]
    check_tiles(group, first[:], hits, tile_rows, n_rows)
    n_hits = int(hits[-1])
    expected: dict[str, tuple[Any, tuple[int, ...]]] = {
        "tiles/feature_offset": (OFFSET, (n_tiles, n_features + 1)),
        "tiles/crc32": ("u4", (n_tiles,)),
        "hits/row": (ROW, (n_hits,)),
        "hits/value": (VALUE, (n_hits,)),
        "feature_hits": ("i8", (n_features,)),
    }
    expected |= {
        name: ("u8", (size,))
        for name, size in ((SUMS, n_features), (TILE_SUMS, n_tiles))
        if name in group
    }
    for name, (kind, shape) in expected.items():
        checked_dataset(group, name, kind, shape)


def check_tiles(
    group: h5py.Group, first: np.ndarray, hits: np.ndarray, tile_rows: int, n_rows: int
) -> None:
    """Refuse tiles that are not in the order of the genome, or whose hits are not in order."""
    where = f"{group.file.filename}: {group.name[1:]}/tiles"
    outside = len(first) and (first[0] < 0 or first[-1] >= n_rows)
    if outside or (first[1:] <= first[:-1]).any() or (first % tile_rows).any():
        expected = f"rising multiples of {tile_rows} in the genome"
        raise SchemaError(f"{where}/row", expected, "other rows")
    if hits[0] or (hits[1:] < hits[:-1]).any():
        raise SchemaError(f"{where}/hit_offset", "offsets that rise from 0", "other offsets")


def check_values(value: np.ndarray, where: str) -> None:
    """Refuse stored activations that no feature can have: NaN, infinity, 0 and below."""
    bits = value.view(np.uint16)
    # read as integers, the finite numbers above 0 are those from 1 to _LARGEST
    if bits.min(initial=1) < 1 or bits.max(initial=1) > _LARGEST:
        raise SchemaError(where, "finite activations > 0", _first_wrong(value))


def _first_wrong(value: np.ndarray) -> str:
    return str(value[~(np.isfinite(value) & (value > 0))][0])


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
    """Register with HDF5 the filter that reads compressed files.

    Raises
    ------
    InputError
        If the filter is not installed.
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
    # taking by index is several times faster than indexing by a mask
    index = np.flatnonzero(chosen)
    return before[indptr].astype(np.int64), row.take(index), value.take(index)


def _joined(parts: list[np.ndarray], dtype: np.dtype[Any]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0, dtype)
