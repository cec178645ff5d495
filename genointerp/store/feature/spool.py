"""Spool the hits of one strand to plain files, from which a features file is then built.

Windows are added in any order and read back by row, one at a time.
"""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from genointerp.core.errors import InputError
from genointerp.genome.interval import GenomicInterval, format_region
from genointerp.store.feature.tiles import VALUE

COUNT = np.dtype("<u4")
_FILES = ("count", "feature", "value")


class SpooledWindow(NamedTuple):
    """Place of one window in the genome and in the files."""

    start: int
    n_rows: int
    n_hits: int
    row_offset: int
    hit_offset: int
    kept: GenomicInterval


class SpooledPiece(NamedTuple):
    """Consecutive rows from ``start`` on: counts of hits, and the hits by row, then by feature."""

    start: int
    counts: np.ndarray
    feature: np.ndarray
    value: np.ndarray


class Spool:
    """Hits of one strand, in the order in which windows were added.

    Parameters
    ----------
    folder
        Folder to make for the files; the caller removes it.
    dtype
        Type of feature indices.
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
        self._files = {name: (folder / name).open("wb") for name in _FILES}

    def add(
        self,
        kept: GenomicInterval,
        start: int,
        counts: np.ndarray,
        feature: np.ndarray,
        value: np.ndarray,
    ) -> None:
        """Append a window whose first base is global row ``start``; ignore an empty one."""
        if not len(counts):
            return
        self._files["count"].write(counts.astype(COUNT).data)
        self._files["feature"].write(np.ascontiguousarray(feature.astype(self.dtype)).data)
        self._files["value"].write(np.ascontiguousarray(value).data)
        self.per_feature += np.bincount(feature, minlength=len(self.per_feature))
        self.windows.append(
            SpooledWindow(start, len(counts), len(feature), self.n_rows, self.n_hits, kept)
        )
        self.n_rows += len(counts)
        self.n_hits += len(feature)

    def close(self) -> None:
        """Close the files before they are read."""
        for handle in self._files.values():
            handle.close()

    def abandon(self) -> None:
        """Close the files, even if their buffers cannot be written."""
        for handle in self._files.values():
            with suppress(OSError):
                handle.close()

    def sort(self) -> None:
        """Sort the windows by row, and refuse windows that overlap."""
        self.windows.sort(key=lambda window: (window.start, window.n_rows))
        for before, after in zip(self.windows, self.windows[1:], strict=False):
            if before.start + before.n_rows > after.start:
                kept = after.kept
                where = f"{format_region(kept)} ({kept.strand})"
                found = f"one that begins inside {format_region(before.kept)}"
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

    def pieces(self, tile_rows: int) -> Iterator[SpooledPiece]:
        """Yield the hits of the windows by row, cut at the ends of tiles of ``tile_rows`` rows."""
        with ExitStack() as stack:
            files = [stack.enter_context((self.folder / name).open("rb")) for name in _FILES]
            for window in self.windows:
                row, hit = window.start, window.hit_offset
                while row < window.start + window.n_rows:
                    stop = min(row - row % tile_rows + tile_rows, window.start + window.n_rows)
                    place = window.row_offset + row - window.start
                    counts = _read(files[0], COUNT, place, stop - row)
                    n_hits = int(counts.sum(dtype=np.int64))
                    feature = _read(files[1], self.dtype, hit, n_hits)
                    yield SpooledPiece(row, counts, feature, _read(files[2], VALUE, hit, n_hits))
                    row, hit = stop, hit + n_hits


def _read(file: BinaryIO, dtype: np.dtype[Any], place: int, number: int) -> np.ndarray:
    file.seek(place * dtype.itemsize)
    return np.fromfile(file, dtype, number)
