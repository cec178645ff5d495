"""Write a features file out of core: windows come in any order, and tiles are written in order.

Hits are spooled to plain files next to the output, which take as much space as the output will.
Each tile is then read, sorted by feature and written. Memory does not grow with the genome.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import h5py
import numpy as np
from jaxtyping import Float32, Int64, UInt64

from genointerp.core.config import check_choice
from genointerp.core.errors import ConfigError, InputError
from genointerp.core.feature_names import check_feature_names
from genointerp.core.lock import only_writer
from genointerp.core.provenance import Provenance
from genointerp.genome.interval import GenomicInterval, format_region
from genointerp.store.contents import CONTENTS, contents_sha256, crc32_of
from genointerp.store.contigs import check_inside, contig_offsets, write_contigs, write_intervals
from genointerp.store.feature.digest import LARGE, SUMS, add_sums, word_sum
from genointerp.store.feature.spool import Spool, SpooledPiece
from genointerp.store.feature.store import (
    FORMAT,
    GROUPS,
    STRANDS,
    VERSION,
    FeatureHeader,
    ReadStrand,
)
from genointerp.store.feature.tiles import (
    CHUNK_HITS,
    CHUNK_OFFSETS,
    CHUNK_TILES,
    MOST_TILE_ROWS,
    OFFSET,
    ROW,
    TILE_ROWS,
    VALUE,
    Compression,
    storage_options,
)
from genointerp.store.hdf5 import create, writing

_SMALLEST = np.float16(2.0**-24)


class FeatureWriter:
    """Writer of a features file, which appears when the ``with`` block ends without an error.

    Parameters
    ----------
    path
        File to make.
    header, provenance
        Header and provenance of the file.
    compression
        ``zstd`` makes the file smaller and queries slower; it needs the extra ``compression``.
    tile_rows
        Number of bases of a tile, at most 65,536.

    Notes
    -----
    Values are stored as float16, rounded to nearest. Values below its smallest subnormal number
    (2^-24) are stored as that number, so that a feature that fired stays > 0.

    Raises
    ------
    ConfigError
        If the compression is unknown, or ``tile_rows`` is out of range.
    StorageError
        If the disk is full, or another process writes the same file; an older file at ``path``
        remains.
    """

    def __init__(
        self,
        path: Path,
        header: FeatureHeader,
        provenance: Provenance,
        *,
        compression: Compression = "none",
        tile_rows: int = TILE_ROWS,
    ) -> None:
        check_choice("compression", compression, Compression)
        storage_options(compression, (1,))
        if not 1 <= tile_rows <= MOST_TILE_ROWS:
            raise ConfigError("tile_rows", f"1 to {MOST_TILE_ROWS} bases", str(tile_rows))
        self.path = Path(path)
        self.header = header
        self.provenance = provenance
        self.compression: Compression = compression
        self.tile_rows = tile_rows
        self._offsets = contig_offsets(header.contigs)
        self._folder = self.path.with_name(f".{self.path.name}.spool")
        self._spools: dict[str, Spool] = {}
        self._lock = ExitStack()

    def __enter__(self) -> "FeatureWriter":
        self._lock.enter_context(only_writer(self.path))
        try:
            self._open_spools()
        except BaseException:
            self._lock.close()
            raise
        return self

    def _open_spools(self) -> None:
        with writing(self.path):
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
            dtype = np.dtype("<u2" if self.header.n_features <= 65535 else "<u4")
            for strand in STRANDS:
                self._spools[strand] = Spool(
                    self._folder / GROUPS[strand], dtype, self.header.n_features
                )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                with writing(self.path):
                    for spool in self._spools.values():
                        spool.close()
                self._build()
        finally:
            for spool in self._spools.values():
                spool.abandon()
            shutil.rmtree(self._folder, ignore_errors=True)
            self._lock.close()

    def add_window(
        self,
        kept: GenomicInterval,
        indptr: Int64[np.ndarray, " n1"],
        feature: Int64[np.ndarray, " hit"],
        value: Float32[np.ndarray, " hit"],
    ) -> None:
        """Add the hits of one window; windows may come in any order but must not overlap.

        Parameters
        ----------
        kept
            Kept bases of the window, with the strand that was read.
        indptr, feature, value
            Hits as compressed sparse rows, in *forward* coordinates on both strands: row j is base
            ``kept.start + j``.

        Raises
        ------
        InputError
            If the rows do not fit the window, a feature is unknown or appears twice at a base, or a
            value is not finite, not > 0 or too large for float16.
        """
        check_inside(kept, self.header.contigs)
        where = f"{format_region(kept)} ({kept.strand})"
        if kept.strand not in STRANDS:
            raise InputError(where, "a window read on + or -", f"strand {kept.strand!r}")
        counts = _check_rows(where, kept, indptr, feature, self.header.n_features)
        stored = _stored_values(where, value)
        start = self._offsets[kept.seqid] + kept.start
        with writing(self.path):
            self._spools[kept.strand].add(kept, start, counts, feature, stored)

    def _build(self) -> None:
        for stale in self.path.parent.glob(f".{self.path.name}.*.part*"):
            stale.unlink(missing_ok=True)
        attributes = self._attributes()
        with create(self.path, FORMAT, VERSION, self.provenance, attributes) as file:
            write_contigs(file.create_group("contigs"), self.header.contigs)
            for strand in STRANDS:
                self._build_strand(file.create_group(GROUPS[strand]), strand)
            file.attrs[CONTENTS] = contents_sha256(file, LARGE)

    def _attributes(self) -> dict[str, str | int]:
        header = self.header
        attributes: dict[str, str | int] = {
            "model": header.model,
            "model-sha256": header.model_sha256,
            "site": header.site,
            "genome-sha256": header.genome_sha256,
            "sae-sha256": header.sae_sha256,
            "n-features": header.n_features,
            "tile-rows": self.tile_rows,
            "compression": self.compression,
        }
        if header.feature_names:
            names, where = dict(header.feature_names), f"{self.path}: feature names"
            check_feature_names(names, header.n_features, where=where)
            attributes["feature-names"] = json.dumps(names)
        return attributes

    def _build_strand(self, group: h5py.Group, strand: ReadStrand) -> None:
        spool = self._spools[strand]
        spool.sort()
        write_intervals(group.create_group("coverage"), spool.coverage(), self.header.contigs)
        group["feature_hits"] = spool.per_feature
        group[SUMS] = _TileWriter(group, spool, self.tile_rows, self.compression).write()


class _TileWriter:
    """Writer of the hits of a strand, one tile at a time."""

    def __init__(
        self, group: h5py.Group, spool: Spool, tile_rows: int, compression: Compression
    ) -> None:
        self.spool = spool
        self.tile_rows = tile_rows
        self.tiles = group.create_group("tiles")
        n_tiles = _count_tiles(spool, tile_rows)
        n_offsets = len(spool.per_feature) + 1
        chunks = (max(1, min(n_tiles, CHUNK_TILES)), min(n_offsets, CHUNK_OFFSETS))
        self.offset = self.tiles.create_dataset(
            "feature_offset",
            shape=(n_tiles, n_offsets),
            dtype=OFFSET,
            **storage_options(compression if n_tiles else "none", chunks),
        )
        options = storage_options(
            compression if spool.n_hits else "none", (min(spool.n_hits, CHUNK_HITS),)
        )
        hits = group.create_group("hits")
        self.row = hits.create_dataset("row", shape=(spool.n_hits,), dtype=ROW, **options)
        self.value = hits.create_dataset("value", shape=(spool.n_hits,), dtype=VALUE, **options)

    def write(self) -> UInt64[np.ndarray, " n_features"]:
        """Write every tile, and return the sum over the hits of each feature."""
        first_row, hit_offset, crc, words = [], [0], [], []
        sums = np.zeros(len(self.spool.per_feature), dtype=np.uint64)
        pending: list[np.ndarray] = []
        for first, pieces in self._tiles():
            row, value, offset = _sorted_tile(first, pieces, len(self.spool.per_feature))
            low, high = hit_offset[-1], hit_offset[-1] + len(row)
            self.row[low:high], self.value[low:high] = row, value
            first_row.append(first)
            hit_offset.append(high)
            crc.append(crc32_of((offset, row, value)))
            words.append(word_sum((offset, row, value)))
            add_sums(sums, first, (row, value, offset))
            pending.append(offset)
            # whole chunks, so that each is compressed only once
            if len(pending) == CHUNK_TILES or len(first_row) == self.offset.shape[0]:
                self.offset[len(first_row) - len(pending) : len(first_row)] = np.stack(pending)
                pending.clear()
        self.tiles["row"] = np.array(first_row, dtype=np.int64)
        self.tiles["hit_offset"] = np.array(hit_offset, dtype=np.int64)
        self.tiles["crc32"] = np.array(crc, dtype=np.uint32)
        self.tiles["word_sum"] = np.array(words, dtype=np.uint64)
        return sums

    def _tiles(self) -> Iterator[tuple[int, list[SpooledPiece]]]:
        first, pieces = 0, list[SpooledPiece]()
        for piece in self.spool.pieces(self.tile_rows):
            tile = piece.start - piece.start % self.tile_rows
            if tile != first and pieces:
                yield first, pieces
                pieces = []
            first = tile
            pieces.append(piece)
        if pieces:
            yield first, pieces


def _count_tiles(spool: Spool, tile_rows: int) -> int:
    tiles: set[int] = set()
    for window in spool.windows:
        tiles.update(
            range(window.start // tile_rows, -(-(window.start + window.n_rows) // tile_rows))
        )
    return len(tiles)


def _sorted_tile(
    first: int, pieces: list[SpooledPiece], n_features: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    row = np.concatenate(
        [
            np.repeat(
                np.arange(piece.start - first, piece.start - first + len(piece.counts)),
                piece.counts,
            ).astype(ROW)
            for piece in pieces
        ]
    )
    feature = np.concatenate([piece.feature for piece in pieces])
    value = np.concatenate([piece.value for piece in pieces])
    # numpy sorts 16-bit keys stably by radix, in linear time
    order = np.argsort(feature, kind="stable")
    offset = np.zeros(n_features + 1, dtype=OFFSET)
    np.cumsum(np.bincount(feature, minlength=n_features), out=offset[1:])
    return row[order], value[order], offset


def _check_rows(
    where: str,
    kept: GenomicInterval,
    indptr: np.ndarray,
    feature: np.ndarray,
    n_features: int,
) -> np.ndarray:
    if len(indptr) != kept.length + 1 or indptr[0] != 0 or indptr[-1] != len(feature):
        found = f"{len(indptr) - 1} rows with {indptr[-1]} hits"
        raise InputError(where, f"{kept.length} rows with {len(feature)} hits", found)
    counts = np.diff(indptr)
    if counts.size and counts.min() < 0:
        raise InputError(where, "an indptr that never falls", "one that does")
    if feature.size and (feature.min() < 0 or feature.max() >= n_features):
        found = str(feature.min() if feature.min() < 0 else feature.max())
        raise InputError(where, f"features from 0 to {n_features - 1}", found)
    rises = np.ones(len(feature), dtype=bool)
    rises[1:] = np.diff(feature) > 0
    rises[indptr[:-1][counts > 0]] = True
    if not rises.all():
        raise InputError(where, "features in rising order at each base", "another order")
    return counts


def _stored_values(where: str, value: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        stored = value.astype(VALUE)
    fine = np.isfinite(stored) & (value > 0)
    if not fine.all():
        found = str(value[np.flatnonzero(~fine)[0]])
        raise InputError(where, f"activations > 0 and at most {np.finfo(VALUE).max}", found)
    return np.maximum(stored, _SMALLEST)
