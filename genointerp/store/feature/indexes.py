"""Version 1 of a features file, which is no longer written: hits by base, and again by feature."""

from collections.abc import Iterator

import h5py
import numpy as np
from jaxtyping import Int64

from genointerp.core.errors import SchemaError
from genointerp.store.feature.tiles import FeatureBlock, FeatureSlice, Peaks, check_values
from genointerp.store.hdf5 import checked_dataset

_BLOCK_ROWS = 1 << 13


class IndexedLayout:
    """Reader of the hits of one strand, with the methods of ``TiledLayout``."""

    def __init__(self, group: h5py.Group, n_rows: int) -> None:
        self.group = group
        self.n_rows = n_rows

    def n_firing(self) -> Int64[np.ndarray, " n_features"]:
        """Return the number of hits of each feature."""
        return np.diff(self.group["by_feature/indptr"][:].astype(np.int64))

    def blocks(self, start: int, stop: int) -> Iterator[FeatureBlock]:
        """Yield the hits on rows ``[start, stop)`` by position, a few thousand rows at a time."""
        n_features = self.group["by_feature/indptr"].shape[0] - 1
        base = self.group["by_base"]
        for first in range(start, stop, _BLOCK_ROWS):
            indptr = base["indptr"][first : min(first + _BLOCK_ROWS, stop) + 1].astype(np.int64)
            low, high = int(indptr[0]), int(indptr[-1])
            row = np.repeat(np.arange(len(indptr) - 1, dtype=np.uint16), np.diff(indptr))
            feature = base["feature"][low:high]
            order = np.argsort(feature, kind="stable")
            sizes = np.bincount(feature, minlength=n_features)[:n_features]
            edges = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
            stored = base["value"][low:high]
            self._check(indptr, feature, n_features, stored)
            yield FeatureBlock(first, edges, row[order], stored[order].astype(np.float32))

    def slices(
        self, first: int, last: int, wanted: Int64[np.ndarray, "interval 2"]
    ) -> Iterator[FeatureSlice]:
        """Yield the hits of features ``[first, last)`` on the whole genome, if any are wanted."""
        if not len(wanted):
            return
        group = self.group["by_feature"]
        indptr = group["indptr"][first : last + 1].astype(np.int64)
        hits = slice(int(indptr[0]), int(indptr[-1]))
        row, value = group["row"][hits], group["value"][hits]
        self._check(indptr, row, self.n_rows, value)
        yield FeatureSlice(0, indptr - indptr[0], row, value)

    def features(
        self, first: int, last: int, start: int, stop: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return ``indptr``, ``row`` and ``value`` of features ``[first, last)`` in these rows."""
        group = self.group["by_feature"]
        indptr = group["indptr"][first : last + 1].astype(np.int64)
        low, high = int(indptr[0]), int(indptr[-1])
        row = group["row"][low:high].astype(np.int64)
        stored = group["value"][low:high]
        self._check(indptr, row, self.n_rows, stored)
        value = stored.astype(np.float32)
        inside = (row >= start) & (row < stop)
        edges = np.concatenate([[0], np.cumsum(inside)])[indptr - low].astype(np.int64)
        return edges, row[inside], value[inside]

    def peaks(self, start: int, stop: int) -> Peaks:
        """Return the largest activation of each feature on rows ``[start, stop)``."""
        n_features = self.group["by_feature/indptr"].shape[0] - 1
        highest, n_bases = np.zeros(n_features, np.float32), np.zeros(n_features, np.int64)
        for block in self.blocks(start, stop):
            feature = np.repeat(np.arange(n_features), np.diff(block.indptr))
            np.maximum.at(highest, feature, block.value)
            n_bases += np.diff(block.indptr)
        return Peaks(highest, n_bases)

    def _check(self, indptr: np.ndarray, key: np.ndarray, most: int, value: np.ndarray) -> None:
        """Refuse hits that no writer would have left; this version has no checksums."""
        where = f"{self.group.file.filename}: {self.group.name[1:]}"
        check_values(value, where)
        rises = np.ones(len(key), dtype=bool)
        rises[1:] = key[1:] > key[:-1]
        starts = indptr[:-1] - indptr[0]
        rises[starts[starts < len(key)]] = True
        if (np.diff(indptr) < 0).any() or key.max(initial=0) >= most or not rises.all():
            raise SchemaError(where, f"hits in rising order, below {most}", "others")


def check_indexed(group: h5py.Group, n_rows: int, n_features: int) -> None:
    """Refuse indexes and columns whose shapes do not fit together."""
    number = "u2" if n_features <= np.iinfo(np.uint16).max else "u4"
    for index, size, key in (("by_base", n_rows, number), ("by_feature", n_features, "u4")):
        indptr = checked_dataset(group, f"{index}/indptr", "i8", (size + 1,))
        n_hits = int(indptr[-1])
        column = "feature" if index == "by_base" else "row"
        for name, kind in (("value", "f2"), (column, key)):
            checked_dataset(group, f"{index}/{name}", kind, (n_hits,))
