"""Version 1 of a features file: hits twice, by base and by feature. Read, no longer written."""

from collections.abc import Iterator

import h5py
import numpy as np
from jaxtyping import Int64

from genointerp.core.errors import SchemaError
from genointerp.store.feature_tiles import FeatureBlock, FeatureSlice

_BLOCK_ROWS = 1 << 13


class IndexedLayout:
    """Reader of the hits of one strand, with the methods of ``TiledLayout``."""

    def __init__(self, group: h5py.Group) -> None:
        self.group = group

    def n_firing(self) -> Int64[np.ndarray, " n_features"]:
        """Return the number of hits of each feature."""
        return np.diff(self.group["by_feature/indptr"][:].astype(np.int64))

    def blocks(self, start: int, stop: int) -> Iterator[FeatureBlock]:
        """Yield the hits on rows ``[start, stop)``, some thousand rows at a time, by position."""
        n_features = self.group["by_feature/indptr"].shape[0] - 1
        base = self.group["by_base"]
        for first in range(start, stop, _BLOCK_ROWS):
            indptr = base["indptr"][first : min(first + _BLOCK_ROWS, stop) + 1].astype(np.int64)
            low, high = int(indptr[0]), int(indptr[-1])
            row = np.repeat(np.arange(len(indptr) - 1, dtype=np.uint16), np.diff(indptr))
            feature = base["feature"][low:high]
            order = np.argsort(feature, kind="stable")
            sizes = np.bincount(feature, minlength=n_features)
            edges = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
            value = base["value"][low:high].astype(np.float32)
            yield FeatureBlock(first, edges, row[order], value[order])

    def slices(
        self, first: int, last: int, wanted: Int64[np.ndarray, "interval 2"]
    ) -> Iterator[FeatureSlice]:
        """Yield the hits of features ``[first, last)`` on the whole genome, if any is wanted."""
        if not len(wanted):
            return
        group = self.group["by_feature"]
        indptr = group["indptr"][first : last + 1].astype(np.int64)
        hits = slice(int(indptr[0]), int(indptr[-1]))
        yield FeatureSlice(0, indptr - indptr[0], group["row"][hits], group["value"][hits])

    def features(
        self, first: int, last: int, start: int, stop: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return ``indptr``, ``row`` and ``value`` of features ``[first, last)`` in these rows."""
        group = self.group["by_feature"]
        indptr = group["indptr"][first : last + 1].astype(np.int64)
        low, high = int(indptr[0]), int(indptr[-1])
        row = group["row"][low:high].astype(np.int64)
        value = group["value"][low:high].astype(np.float32)
        inside = (row >= start) & (row < stop)
        edges = np.concatenate([[0], np.cumsum(inside)])[indptr - low].astype(np.int64)
        return edges, row[inside], value[inside]


def check_indexed(group: h5py.Group, n_rows: int, n_features: int) -> None:
    """Refuse indexes and columns whose shapes do not fit together."""
    where = f"{group.file.filename}: {group.name[1:]}"
    for index, size in (("by_base", n_rows), ("by_feature", n_features)):
        indptr = group[f"{index}/indptr"]
        if indptr.shape != (size + 1,):
            raise SchemaError(f"{where}/{index}/indptr", f"shape ({size + 1},)", str(indptr.shape))
        n_hits = int(indptr[-1])
        for column in ("value", "feature" if index == "by_base" else "row"):
            shape = group[f"{index}/{column}"].shape
            if shape != (n_hits,):
                raise SchemaError(f"{where}/{index}/{column}", f"shape ({n_hits},)", str(shape))
