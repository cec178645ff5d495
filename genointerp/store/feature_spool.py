"""Hits of one strand in plain files: what a features file is built from.

Windows come in any order; reading back is by row, a window at a time.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from genointerp.core.errors import InputError
from genointerp.genome.interval import GenomicInterval

ROW = np.dtype("<u4")
VALUE = np.dtype("<f2")


class SpooledWindow(NamedTuple):
    """Where one window stands in the genome and in the files."""

    start: int
    n_rows: int
    n_hits: int
    row_offset: int
    hit_offset: int
    kept: GenomicInterval


class Spool:
    """Hits of one strand, in the order in which windows came.

    Parameters
    ----------
    folder
        Made here; its owner removes it.
    dtype
        Of feature indices.
    n_features
        Size of the dictionary.
    """

    def __init__(self, folder: Path, dtype: np.dtype[Any], n_features: int) -> None:
        folder.mkdir()
        self.folder = folder
        self.dtype = dtype
        self.per_feature = np.zeros(n_features, dtype=np.int64)
        self.windows: list[SpooledWindow] = []
        self.n_rows = 0
        self.n_hits = 0
        self._files = {name: (folder / name).open("wb") for name in ("count", "feature", "value")}

    def add(
        self,
        kept: GenomicInterval,
        start: int,
        counts: np.ndarray,
        feature: np.ndarray,
        value: np.ndarray,
    ) -> None:
        """Append a window whose first base is global row ``start``; an empty one is nothing."""
        if not len(counts):
            return
        self._files["count"].write(counts.astype("<u4").data)
        self._files["feature"].write(np.ascontiguousarray(feature.astype(self.dtype)).data)
        self._files["value"].write(np.ascontiguousarray(value).data)
        self.per_feature += np.bincount(feature, minlength=len(self.per_feature))
        self.windows.append(
            SpooledWindow(start, len(counts), len(feature), self.n_rows, self.n_hits, kept)
        )
        self.n_rows += len(counts)
        self.n_hits += len(feature)

    def close(self) -> None:
        """Close the files, before reading."""
        for handle in self._files.values():
            handle.close()

    def abandon(self) -> None:
        """Close the files whether or not what they hold can be written."""
        for handle in self._files.values():
            with suppress(OSError):
                handle.close()

    def sort(self) -> None:
        """Put the windows in order of rows; refuse windows that overlap."""
        self.windows.sort(key=lambda window: (window.start, window.n_rows))
        for before, after in zip(self.windows, self.windows[1:], strict=False):
            if before.start + before.n_rows > after.start:
                kept = after.kept
                where = f"{kept.seqid}:{kept.start}-{kept.end} ({kept.strand})"
                found = f"one that begins inside {before.kept.start}-{before.kept.end}"
                raise InputError(where, "windows that do not overlap", found)

    def coverage(self) -> list[GenomicInterval]:
        """Return the bases of the windows as merged intervals."""
        merged: list[GenomicInterval] = []
        for kept in (window.kept for window in self.windows):
            last = merged[-1] if merged else None
            if last is not None and last.seqid == kept.seqid and last.end == kept.start:
                merged[-1] = GenomicInterval(last.seqid, last.start, kept.end, last.strand)
            else:
                merged.append(kept)
        return merged

    def counts(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the first row and the hits per row of each window, by row."""
        if not self.n_rows:
            return
        counts = np.memmap(self.folder / "count", dtype="<u4", mode="r")
        for window in self.windows:
            yield window.start, counts[window.row_offset : window.row_offset + window.n_rows]

    def hits(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the features and values of each window, by row."""
        for _, feature, value in self._windows():
            yield feature, value

    def triples(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield rows, features and values in blocks, by row."""
        for (start, per_row), (_, feature, value) in zip(
            self.counts(), self._windows(), strict=True
        ):
            rows = np.arange(start, start + len(per_row), dtype=ROW)
            yield np.repeat(rows, per_row), feature, value

    def blocks(self, size: int) -> Iterator[np.ndarray]:
        """Yield records of row, feature and value in blocks of at least ``size``, by row."""
        pending: list[np.ndarray] = []
        held = 0
        for row, feature, value in self.triples():
            block = np.empty(len(row), dtype=self.record)
            block["row"], block["feature"], block["value"] = row, feature, value
            pending.append(block)
            held += len(block)
            if held >= size:
                yield np.concatenate(pending)
                pending, held = [], 0
        if held:
            yield np.concatenate(pending)

    @property
    def record(self) -> np.dtype[Any]:
        """Type of a record of ``blocks``."""
        return np.dtype([("row", ROW), ("feature", self.dtype), ("value", VALUE)])

    def _windows(self) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        empty = np.zeros(0, dtype=self.dtype), np.zeros(0, dtype=VALUE)
        feature, value = empty
        if self.n_hits:
            feature = np.memmap(self.folder / "feature", dtype=self.dtype, mode="r")
            value = np.memmap(self.folder / "value", dtype=VALUE, mode="r")
        for window in self.windows:
            low, high = window.hit_offset, window.hit_offset + window.n_hits
            yield window.start, feature[low:high], value[low:high]
