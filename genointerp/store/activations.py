"""Activations of a genome, a row for each token that a model kept.

Specified in ``docs/schema/activations-v1.md``. Rows are in reading order: row j of a window is
forward base ``start + j`` on ``+`` and ``end - 1 - j`` on ``-``.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast, get_args

import h5py
import numpy as np
from jaxtyping import Float32, Int64

from genointerp.core.errors import InputError, MismatchError, SchemaError
from genointerp.core.files import atomic_path
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.interval import GenomicInterval
from genointerp.store.contigs import (
    ContigInfo,
    check_inside,
    read_contigs,
    read_intervals,
    write_contigs,
    write_intervals,
)
from genointerp.store.hdf5 import create, int_attribute, open_checked, text_attribute, writing

FORMAT = "genointerp::activations"
VERSION = 1
CHUNK_BYTES = 1 << 20
SHARD_BYTES = 64 << 20

Encoding = Literal["float16", "bfloat16"]
_STORED: dict[Encoding, np.dtype[Any]] = {
    "float16": np.dtype("<f2"),
    "bfloat16": np.dtype("<u2"),
}


@dataclass(frozen=True)
class ActivationHeader:
    """What activations are of.

    Parameters
    ----------
    model, model_sha256
        Registry name of the model and sha256 of its weights.
    site
        Where in the model they were taken.
    d_in
        Their width.
    genome_sha256
        As ``Genome.sha256`` gives it.
    encoding
        How values are stored; ``bfloat16`` as its bits in uint16.
    contigs
        Every contig of the genome, in its order, whether it was read or not.
    """

    model: str
    model_sha256: str
    site: str
    d_in: int
    genome_sha256: str
    encoding: Encoding
    contigs: tuple[ContigInfo, ...]


class ActivationStore:
    """Read-only view of an activations file.

    The file is opened for each access and never held, so that a store can be pickled to other
    processes.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    SchemaError
        If it is not a whole activations file.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        with open_checked(self.path, FORMAT, VERSION) as file:
            self.header = _read_header(file)
            self.windows = read_intervals(file["windows"], self.header.contigs)
            self.window_offset: Int64[np.ndarray, " w1"] = file["index/window_offset"][:]
            data = file["activations"]
            self._shape: tuple[int, int] = data.shape
            self.chunk_rows = int(data.chunks[0]) if data.chunks else max(1, data.shape[0])
            self.manifest_sha256 = text_attribute(file, "manifest-sha256")
        self._check()

    @property
    def n_tokens(self) -> int:
        """Number of rows."""
        return int(self._shape[0])

    @property
    def d_in(self) -> int:
        """Width of a row."""
        return self.header.d_in

    @property
    def n_windows(self) -> int:
        """Number of windows."""
        return len(self.windows)

    @cached_property
    def sha256(self) -> str:
        """sha256 of the file."""
        return sha256_file(self.path)

    def window(self, index: int) -> Float32[np.ndarray, "bp d_in"]:
        """Return the activations of one window, in reading order."""
        start, stop = self.window_offset[index : index + 2]
        return self.rows(int(start), int(stop))

    def rows(self, start: int, stop: int) -> Float32[np.ndarray, "n d_in"]:
        """Return rows ``[start, stop)``.

        Raises
        ------
        SchemaError
            If a value is not finite, as no writer of ours leaves it: the file is damaged.
        """
        with open_checked(self.path, FORMAT, VERSION) as file:
            raw = file["activations"][start:stop]
        values = decode_values(raw, self.header.encoding)
        if not np.isfinite(values).all():
            row = start + int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
            where = f"{self.path}: activations: row {row}"
            raise SchemaError(where, "finite values", "NaN or infinity")
        return values

    def _check(self) -> None:
        lengths = [window.length for window in self.windows]
        offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        if not np.array_equal(offsets, self.window_offset):
            found = "offsets that differ"
            where = f"{self.path}: index/window_offset"
            raise SchemaError(where, "running sum of the window lengths", found)
        expected = (int(offsets[-1]), self.header.d_in)
        if self._shape != expected:
            raise SchemaError(f"{self.path}: activations", f"shape {expected}", str(self._shape))


def encode_values(x: Float32[np.ndarray, "n d_in"], encoding: Encoding) -> np.ndarray:
    """Return values as they are stored, rounded to nearest.

    Raises
    ------
    InputError
        If a value is not finite or too large for the encoding; nothing is ever clipped.
    """
    if encoding == "float16":
        with np.errstate(over="ignore"):
            raw = x.astype(_STORED[encoding])
        fine = np.isfinite(raw)
    else:
        bits = np.ascontiguousarray(x, dtype="<f4").view("<u4").astype(np.uint64)
        raw = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(_STORED[encoding])
        fine = (raw & 0x7F80) != 0x7F80
    if not fine.all():
        row, column = (int(i) for i in np.argwhere(~fine)[0])
        expected = f"finite values within the range of {encoding}"
        raise InputError(f"activations[{row}, {column}]", expected, str(x[row, column]))
    return raw


def decode_values(raw: np.ndarray, encoding: Encoding) -> Float32[np.ndarray, "n d_in"]:
    """Return stored values as float32, exactly."""
    if encoding == "float16":
        return raw.astype(np.float32)
    return (raw.astype(np.uint32) << 16).view(np.float32)


class ActivationShards:
    """Writer of an activations file that may be killed at any moment and started again.

    Shards, groups of whole windows, are written one by one into ``<path>.shards``, each under its
    final name only when complete; ``finish`` merges them. The data do not depend on how often the
    writer was stopped, nor on the order of its shards.

    Parameters
    ----------
    path
        The file to make.
    header, windows
        Its contents; windows are the kept bases with the strand that is read.
    provenance
        Its ``config`` and ``inputs`` are part of what must not change between the runs.
    shard_tokens
        Rows after which a shard is full; about 64 MiB of them where None. A run that continues
        keeps the size that the first run chose.

    Raises
    ------
    MismatchError
        If the folder holds shards of another header, other windows or another configuration.
    StorageError
        If the folder cannot be written.
    """

    def __init__(
        self,
        path: Path,
        header: ActivationHeader,
        windows: Sequence[GenomicInterval],
        provenance: Provenance,
        shard_tokens: int | None = None,
    ) -> None:
        for window in windows:
            check_inside(window, header.contigs)
        self.path = Path(path)
        self.folder = self.path.with_name(self.path.name + ".shards")
        self.header = header
        self.windows = tuple(windows)
        self.provenance = provenance
        self.manifest_sha256 = manifest_sha256(header, windows, provenance)
        wanted = shard_tokens or max(1, SHARD_BYTES // (2 * header.d_in))
        self.shard_tokens = self._open_manifest(wanted)
        lengths = [window.length for window in self.windows]
        self._bounds = _shard_bounds(lengths, self.shard_tokens)
        self._offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])

    @property
    def n_shards(self) -> int:
        """Number of shards."""
        return len(self._bounds) - 1

    def shard_windows(self, shard: int) -> range:
        """Return the indices of the windows of one shard."""
        return range(self._bounds[shard], self._bounds[shard + 1])

    def pending(self) -> list[int]:
        """Return the shards that are not on disk yet."""
        return [shard for shard in range(self.n_shards) if not self._is_done(shard)]

    def write_shard(self, shard: int, activations: Float32[np.ndarray, "n d_in"]) -> None:
        """Write the rows of one shard, its windows one after the other in reading order.

        Raises
        ------
        InputError
            If their number or width is wrong, or a value does not fit the encoding.
        StorageError
            If they cannot be written.
        """
        expected = (self._n_rows(shard), self.header.d_in)
        if activations.shape != expected:
            raise InputError(f"shard {shard}", f"shape {expected}", str(activations.shape))
        raw = np.ascontiguousarray(encode_values(activations, self.header.encoding))
        target = self._shard_path(shard)
        with writing(target), atomic_path(target) as temporary:
            temporary.write_bytes(raw.data)

    def finish(self) -> ActivationStore:
        """Merge the shards into the file and remove them.

        Raises
        ------
        InputError
            If a shard is missing.
        StorageError
            If the file cannot be written; the shards remain.
        """
        missing = self.pending()
        if missing:
            raise InputError(str(self.folder), f"{self.n_shards} shards", f"{missing[0]} missing")
        # merged inside the folder, so that what a kill leaves behind goes away with it
        for stale in self.folder.glob(".*.part*"):
            stale.unlink()
        merged = self.folder / "merged.h5"
        with create(merged, FORMAT, VERSION, self.provenance, self._attributes()) as file:
            self._merge_into(file)
        with writing(self.path):
            merged.replace(self.path)
        shutil.rmtree(self.folder, ignore_errors=True)
        return ActivationStore(self.path)

    def _open_manifest(self, shard_tokens: int) -> int:
        target = self.folder / "manifest.json"
        if not target.exists():
            record = {"manifest-sha256": self.manifest_sha256, "shard-tokens": shard_tokens}
            with writing(target), atomic_path(target) as temporary:
                temporary.write_text(json.dumps(record, indent=2) + "\n")
            return shard_tokens
        try:
            record = json.loads(target.read_text())
            found, tokens = record["manifest-sha256"], int(record["shard-tokens"])
        except (ValueError, KeyError, TypeError) as error:
            raise SchemaError(str(target), "a manifest of shards", repr(error)) from error
        if found != self.manifest_sha256:
            raise MismatchError(
                str(self.folder),
                f"shards of this model, site, genome, windows and configuration "
                f"(manifest {self.manifest_sha256[:12]})",
                f"those of another run ({str(found)[:12]}); remove the folder to start anew",
            )
        return tokens

    def _n_rows(self, shard: int) -> int:
        first, last = self._bounds[shard], self._bounds[shard + 1]
        return int(self._offsets[last] - self._offsets[first])

    def _shard_path(self, shard: int) -> Path:
        return self.folder / f"shard-{shard:06d}.bin"

    def _is_done(self, shard: int) -> bool:
        path = self._shard_path(shard)
        return path.is_file() and path.stat().st_size == 2 * self.header.d_in * self._n_rows(shard)

    def _attributes(self) -> dict[str, str | int]:
        header = self.header
        return {
            "model": header.model,
            "model-sha256": header.model_sha256,
            "site": header.site,
            "d-in": header.d_in,
            "genome-sha256": header.genome_sha256,
            "encoding": header.encoding,
            "manifest-sha256": self.manifest_sha256,
        }

    def _merge_into(self, file: h5py.File) -> None:
        write_contigs(file.create_group("contigs"), self.header.contigs)
        write_intervals(file.create_group("windows"), self.windows, self.header.contigs)
        file["index/window_offset"] = self._offsets
        dtype, width = _STORED[self.header.encoding], self.header.d_in
        n_rows = int(self._offsets[-1])
        rows = max(1, min(n_rows, CHUNK_BYTES // (2 * width)))
        data = file.create_dataset(
            "activations",
            shape=(n_rows, width),
            dtype=dtype,
            chunks=(rows, width) if n_rows else None,
        )
        done = 0
        for shard in range(self.n_shards):
            raw = np.fromfile(self._shard_path(shard), dtype=dtype).reshape(-1, width)
            data[done : done + len(raw)] = raw
            done += len(raw)


def manifest_sha256(
    header: ActivationHeader, windows: Sequence[GenomicInterval], provenance: Provenance
) -> str:
    """Return one sha256 of all that determines the contents of an activations file."""
    record = {
        "header": asdict(header),
        "windows": [(w.seqid, w.start, w.end, w.strand) for w in windows],
        "config": dict(provenance.config),
        "inputs": dict(provenance.inputs),
    }
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def _shard_bounds(lengths: Sequence[int], shard_tokens: int) -> list[int]:
    bounds, rows = [0], 0
    for index, length in enumerate(lengths):
        if rows and rows + length > shard_tokens:
            bounds.append(index)
            rows = 0
        rows += length
    return [*bounds, len(lengths)] if lengths else [0]


def _read_header(file: h5py.File) -> ActivationHeader:
    encoding = text_attribute(file, "encoding")
    if encoding not in get_args(Encoding):
        expected = f"one of {', '.join(get_args(Encoding))}"
        raise SchemaError(f"{file.filename}: attribute 'encoding'", expected, encoding)
    return ActivationHeader(
        model=text_attribute(file, "model"),
        model_sha256=text_attribute(file, "model-sha256"),
        site=text_attribute(file, "site"),
        d_in=int_attribute(file, "d-in"),
        genome_sha256=text_attribute(file, "genome-sha256"),
        encoding=cast(Encoding, encoding),
        contigs=read_contigs(file["contigs"]),
    )
