"""Making a features file out of core: windows in any order, two sorted indexes at the end.

Hits are spooled to plain files beside the output. ``by_base`` is then written window by window;
``by_feature`` is its transpose, made bucket by bucket, a bucket being as many consecutive features
as fit in memory. Memory does not grow with the genome or with the number of hits.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from jaxtyping import Float32, Int64

from genointerp.core.errors import InputError
from genointerp.core.provenance import Provenance
from genointerp.genome.interval import GenomicInterval
from genointerp.store.contigs import check_inside, contig_offsets, write_contigs, write_intervals
from genointerp.store.feature_spool import ROW, VALUE, Spool
from genointerp.store.features import FORMAT, GROUPS, STRANDS, VERSION, FeatureHeader, ReadStrand
from genointerp.store.hdf5 import create, writing

BUCKET_HITS = 8_000_000
"""Hits that are sorted in memory at once; each takes about 32 bytes meanwhile."""

_BLOCK = 1 << 18
_SMALLEST = np.float16(2.0**-24)


class FeatureWriter:
    """Writer of a features file; the file appears when the block ends without an error.

    Parameters
    ----------
    path
        The file to make.
    header, provenance
        Written into it.
    bucket_hits
        Hits to hold in memory at once.

    Notes
    -----
    Values are stored as float16, rounded to nearest; those below its smallest subnormal number
    (2^-24) are stored as that number, so that what fired stays > 0.

    Raises
    ------
    StorageError
        If the disk is full; what stood at ``path`` remains.
    """

    def __init__(
        self,
        path: Path,
        header: FeatureHeader,
        provenance: Provenance,
        *,
        bucket_hits: int = BUCKET_HITS,
    ) -> None:
        n_rows = sum(contig.length for contig in header.contigs)
        if n_rows > np.iinfo(ROW).max:
            raise InputError(str(path), f"at most {np.iinfo(ROW).max} bases", str(n_rows))
        self.path = Path(path)
        self.header = header
        self.provenance = provenance
        self.bucket_hits = bucket_hits
        self._n_rows = n_rows
        self._offsets = contig_offsets(header.contigs)
        self._folder = self.path.with_name(f".{self.path.name}.spool")
        self._spools: dict[str, Spool] = {}

    def __enter__(self) -> "FeatureWriter":
        with writing(self.path):
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
            dtype = np.dtype("<u2" if self.header.n_features <= 65535 else "<u4")
            for strand in STRANDS:
                self._spools[strand] = Spool(
                    self._folder / GROUPS[strand], dtype, self.header.n_features
                )
        return self

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

    def add_window(
        self,
        kept: GenomicInterval,
        indptr: Int64[np.ndarray, " n1"],
        feature: Int64[np.ndarray, " hit"],
        value: Float32[np.ndarray, " hit"],
    ) -> None:
        """Add what fires in one window; windows come in any order and must not overlap.

        Parameters
        ----------
        kept
            Its bases, with the strand that was read.
        indptr, feature, value
            Compressed sparse rows in *forward* coordinates on both strands: row j is base
            ``kept.start + j``.

        Raises
        ------
        InputError
            If the rows are not those of the window, a feature is unknown or appears twice at a
            base, or a value is not finite, not > 0 or beyond float16.
        """
        check_inside(kept, self.header.contigs)
        where = f"{kept.seqid}:{kept.start}-{kept.end} ({kept.strand})"
        if kept.strand not in STRANDS:
            raise InputError(where, "a window read on + or -", f"strand {kept.strand!r}")
        counts = _check_rows(where, kept, indptr, feature, self.header.n_features)
        stored = _stored_values(where, value)
        start = self._offsets[kept.seqid] + kept.start
        with writing(self.path):
            self._spools[kept.strand].add(kept, start, counts, feature, stored)

    def _build(self) -> None:
        header = self.header
        attributes: dict[str, str | int] = {
            "model": header.model,
            "model-sha256": header.model_sha256,
            "site": header.site,
            "genome-sha256": header.genome_sha256,
            "sae-sha256": header.sae_sha256,
            "n-features": header.n_features,
        }
        if header.feature_names:
            attributes["feature-names"] = json.dumps(dict(header.feature_names))
        for stale in self.path.parent.glob(f".{self.path.name}.*.part*"):
            stale.unlink(missing_ok=True)
        with create(self.path, FORMAT, VERSION, self.provenance, attributes) as file:
            write_contigs(file.create_group("contigs"), header.contigs)
            for strand in STRANDS:
                self._build_strand(file.create_group(GROUPS[strand]), strand)

    def _build_strand(self, group: h5py.Group, strand: ReadStrand) -> None:
        spool = self._spools[strand]
        spool.sort()
        write_intervals(group.create_group("coverage"), spool.coverage(), self.header.contigs)
        base = group.create_group("by_base")
        _write_indptr(base, spool, self._n_rows)
        _write_columns(base, "feature", spool.dtype, spool.n_hits, spool.hits())
        _Transposer(group.create_group("by_feature"), spool, self.bucket_hits).write()


class _Transposer:
    """Writer of ``by_feature`` from the hits in the order of their bases."""

    def __init__(self, group: h5py.Group, spool: Spool, bucket_hits: int) -> None:
        self.group = group
        self.spool = spool
        self.bounds = _bucket_bounds(spool.per_feature, bucket_hits)

    def write(self) -> None:
        indptr = np.concatenate([[0], np.cumsum(self.spool.per_feature)]).astype(np.int64)
        self.group["indptr"] = indptr
        _write_columns(self.group, "row", ROW, self.spool.n_hits, self._sorted())

    def _sorted(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        self._scatter()
        for bucket in range(len(self.bounds) - 1):
            path = self._path(bucket)
            if not path.exists():
                continue
            hits = np.fromfile(path, dtype=self.spool.record)
            path.unlink()
            if self.bounds[bucket + 1] - self.bounds[bucket] > 1:
                # numpy sorts 16-bit keys stably by radix, in linear time
                hits = hits[np.argsort(hits["feature"], kind="stable")]
            yield hits["row"], hits["value"]

    def _path(self, bucket: int) -> Path:
        return self.spool.folder / f"bucket-{bucket}"

    def _scatter(self) -> None:
        n_buckets = len(self.bounds) - 1
        numbers = np.arange(n_buckets, dtype=np.min_scalar_type(n_buckets))
        bucket_of = np.repeat(numbers, np.diff(self.bounds))
        for block in self.spool.blocks(4 * _BLOCK):
            bucket = bucket_of[block["feature"]]
            ordered = block[np.argsort(bucket, kind="stable")] if n_buckets > 1 else block
            edges = np.concatenate([[0], np.cumsum(np.bincount(bucket, minlength=n_buckets))])
            for number in np.flatnonzero(np.diff(edges)):
                with self._path(int(number)).open("ab") as handle:
                    handle.write(ordered[edges[number] : edges[number + 1]].tobytes())


def _bucket_bounds(per_feature: np.ndarray, bucket_hits: int) -> np.ndarray:
    bounds, held = [0], 0
    for feature, hits in enumerate(per_feature.tolist()):
        if held and held + hits > bucket_hits:
            bounds.append(feature)
            held = 0
        held += hits
    return np.array([*bounds, len(per_feature)], dtype=np.int64)


def _write_indptr(group: h5py.Group, spool: Spool, n_rows: int) -> None:
    data = group.create_dataset(
        "indptr",
        shape=(n_rows + 1,),
        dtype="<i8",
        chunks=(min(n_rows + 1, 1 << 14),),
        compression="gzip",
        compression_opts=1,
        shuffle=True,
    )
    hits, done, pending = 0, 0, [np.zeros(1, dtype=np.int64)]
    for piece in _per_row(spool, n_rows):
        pending.append(hits + np.cumsum(piece, dtype=np.int64))
        hits = int(pending[-1][-1])
        if sum(map(len, pending)) >= _BLOCK:
            done = _flush(data, pending, done)
    _flush(data, pending, done)


def _per_row(spool: Spool, n_rows: int) -> Iterator[np.ndarray]:
    done = 0
    for start, counts in spool.counts():
        yield from _zeros(start - done)
        if len(counts):
            yield counts
        done = start + len(counts)
    yield from _zeros(n_rows - done)


def _zeros(number: int) -> Iterator[np.ndarray]:
    for low in range(0, number, _BLOCK):
        yield np.zeros(min(_BLOCK, number - low), dtype=np.int64)


def _flush(data: h5py.Dataset, pending: list[np.ndarray], done: int) -> int:
    if not pending:
        return done
    block = np.concatenate(pending)
    pending.clear()
    data[done : done + len(block)] = block
    return done + len(block)


def _write_columns(
    group: h5py.Group,
    name: str,
    dtype: np.dtype[Any],
    n_hits: int,
    pieces: Iterator[tuple[np.ndarray, np.ndarray]],
) -> None:
    chunks = (min(n_hits, _BLOCK),) if n_hits else None
    first = group.create_dataset(name, shape=(n_hits,), dtype=dtype, chunks=chunks)
    second = group.create_dataset("value", shape=(n_hits,), dtype=VALUE, chunks=chunks)
    pending: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    done, held = 0, 0
    for left, right in pieces:
        pending[0].append(left)
        pending[1].append(right)
        held += len(left)
        if held >= 4 * _BLOCK:
            _flush(first, pending[0], done)
            done, held = _flush(second, pending[1], done), 0
    _flush(first, pending[0], done)
    _flush(second, pending[1], done)


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
        raise InputError(where, "indptr that never falls", "one that does")
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
