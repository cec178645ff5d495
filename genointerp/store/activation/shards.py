"""Write an activations file in shards, so that a run may be killed and started again."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np
from jaxtyping import Float32, Int64, UInt32

from genointerp.core.errors import InputError, MismatchError, SchemaError
from genointerp.core.files import (
    atomic_path,
    check_replaceable,
    may_replace,
    read_json_object,
    replacing,
)
from genointerp.core.provenance import Provenance
from genointerp.genome.interval import GenomicInterval
from genointerp.store.activation.shard_writer import WORD, ShardWriter
from genointerp.store.activation.store import (
    CHECKSUMS,
    FORMAT,
    LARGE,
    PARENT,
    STORED,
    VERSION,
    ActivationHeader,
    ActivationStore,
)
from genointerp.store.contents import CONTENTS, contents_sha256, crc32_of
from genointerp.store.contigs import check_inside, write_contigs, write_intervals
from genointerp.store.hdf5 import create, open_checked, text_attribute, writing

CHUNK_BYTES = 1 << 20
SHARD_BYTES = 64 << 20


class ActivationShards:
    """Writer of an activations file that may be killed at any moment and started again.

    Shards are groups of whole windows. They are written one by one into ``<path>.shards``, and each
    gets its final name only when it is complete; ``finish`` merges them. The data do not depend on
    how often the writer was stopped, or on the order of its shards. Different processes may write
    different shards.

    Parameters
    ----------
    path
        File to make.
    header, windows
        Contents of the file; the windows are their kept bases, with the strand that is read.
    provenance
        Provenance; its ``config`` and ``inputs`` must not change between the runs.
    shard_tokens
        Number of bases at which a shard is full; a longer window is a shard by itself. None means
        about 64 MiB if each base has its own row, but at least ``least_windows`` times the longest
        window. A run that continues keeps the size that the first run chose.
    words
        Whether a row may stand for several bases; their number is then stored with it.

    Raises
    ------
    MismatchError
        If the folder holds shards with another header, other windows or another configuration.
    StorageError
        If the folder cannot be written, or another file exists at ``path``.
    """

    def __init__(
        self,
        path: Path,
        header: ActivationHeader,
        windows: Sequence[GenomicInterval],
        provenance: Provenance,
        shard_tokens: int | None = None,
        *,
        words: bool = False,
        least_windows: int = 1,
    ) -> None:
        for window in windows:
            check_inside(window, header.contigs)
        self.path = Path(path)
        self.folder = self.path.with_name(self.path.name + ".shards")
        self.header = header
        self.windows = tuple(windows)
        self.provenance = provenance
        self.words = words
        self.manifest_sha256 = manifest_sha256(header, windows, provenance)
        check_replaceable(self.path, same=_is_harvested(self.path, self.manifest_sha256))
        lengths = [window.length for window in self.windows]
        least = least_windows * max(lengths, default=1)
        wanted = shard_tokens or max(least, SHARD_BYTES // (2 * header.d_in))
        self.shard_tokens = self._open_manifest(wanted)
        self._bounds = _shard_bounds(lengths, self.shard_tokens)
        self._edges = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])

    @property
    def n_shards(self) -> int:
        """Number of shards."""
        return len(self._bounds) - 1

    def shard_windows(self, shard: int) -> range:
        """Return the indices of the windows of one shard."""
        return range(self._bounds[shard], self._bounds[shard + 1])

    @contextmanager
    def dropped_if_empty(self) -> Iterator[None]:
        """Remove the folder if an error occurs before any shard is complete.

        There is nothing to resume then, and the folder would refuse a next run with other settings.
        """
        try:
            yield
        except Exception:
            if len(self.pending()) == self.n_shards:
                shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def pending(self) -> list[int]:
        """Return the shards that are not on disk yet."""
        return [shard for shard in range(self.n_shards) if not self._is_done(shard)]

    def write_shard(
        self,
        shard: int,
        activations: Float32[np.ndarray, "n d_in"],
        n_bases: Int64[np.ndarray, " n"] | None = None,
    ) -> None:
        """Write the rows of one shard: its windows one after the other, each in reading order.

        Raises
        ------
        InputError
            If the rows do not fit its windows, or a value does not fit the encoding.
        StorageError
            If the shard cannot be written.
        """
        with self.open_shard(shard) as piece:
            piece.add(activations, n_bases)

    @contextmanager
    def open_shard(self, shard: int) -> Iterator["ShardWriter"]:
        """Write a shard in pieces; it gets its name at the end of the ``with`` block.

        Raises
        ------
        InputError
            If the rows do not fit its windows.
        StorageError
            If it cannot be written.
        """
        target = self._rows_path(shard)
        with ExitStack() as stack:
            stack.enter_context(writing(target))
            rows = _open_atomic(stack, target)
            # closed, and so named, before the rows: a shard that is there has its words
            words = _open_atomic(stack, self._words_path(shard)) if self.words else None
            writer = ShardWriter(
                f"shard {shard}", self.header, self._shard_edges(shard), rows, words
            )
            yield writer
            writer.check_complete()

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
        # merged inside the folder, so that files left by a killed run are removed with it
        for stale in self.folder.glob(".*.part*"):
            stale.unlink()
        merged = self.folder / "merged.h5"
        with (
            replacing(),
            create(merged, FORMAT, VERSION, self.provenance, self._attributes()) as file,
        ):
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
                temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
            return shard_tokens
        record = read_json_object(target, error=SchemaError)
        found, tokens = record.get("manifest-sha256"), record.get("shard-tokens")
        if type(found) is not str or type(tokens) is not int or tokens < 1:
            raise SchemaError(str(target), "a manifest of shards", "another record")
        if found != self.manifest_sha256 and may_replace():
            shutil.rmtree(self.folder)
            self.folder.mkdir()
            return self._open_manifest(shard_tokens)
        if found != self.manifest_sha256:
            raise MismatchError(
                str(self.folder),
                f"shards of this model, site, genome, windows and configuration "
                f"(manifest {self.manifest_sha256[:12]})",
                f"those of another run ({found[:12]}); --force starts anew",
            )
        return tokens

    def _rows_path(self, shard: int) -> Path:
        return self.folder / f"shard-{shard:06d}.bin"

    def _words_path(self, shard: int) -> Path:
        return self.folder / f"shard-{shard:06d}.words"

    def _shard_edges(self, shard: int) -> Int64[np.ndarray, " edge"]:
        """Return the number of kept bases of the shard before each of its windows, and in all."""
        first, last = self._bounds[shard], self._bounds[shard + 1]
        edges: Int64[np.ndarray, " edge"] = self._edges[first : last + 1] - self._edges[first]
        return edges

    def _is_done(self, shard: int) -> bool:
        path, words = self._rows_path(shard), self._words_path(shard)
        if not path.is_file() or (self.words and not words.is_file()):
            return False
        return path.stat().st_size == 2 * self.header.d_in * self._n_rows(shard)

    def _n_rows(self, shard: int) -> int:
        if self.words:
            return self._words_path(shard).stat().st_size // WORD.itemsize
        return int(self._shard_edges(shard)[-1])

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
            **{key: getattr(header, name) for name, key in PARENT.items() if header.parent},
        }

    def _merge_into(self, file: h5py.File) -> None:
        write_contigs(file.create_group("contigs"), self.header.contigs)
        write_intervals(file.create_group("windows"), self.windows, self.header.contigs)
        n_rows = sum(self._n_rows(shard) for shard in range(self.n_shards))
        file["index/window_offset"] = self._merge_words(file, n_rows) if self.words else self._edges
        dtype, width = STORED[self.header.encoding], self.header.d_in
        rows = max(1, min(n_rows, CHUNK_BYTES // (2 * width)))
        data = file.create_dataset(
            "activations",
            shape=(n_rows, width),
            dtype=dtype,
            chunks=(rows, width) if n_rows else None,
        )
        # a shard of long windows need not fit in memory
        rows_at_once = min(self.shard_tokens, max(1, SHARD_BYTES // (2 * width)))
        done = 0
        sums = _RunningSums(rows * width)
        for shard in range(self.n_shards):
            for raw in _blocks(self._rows_path(shard), dtype, rows_at_once * width):
                data[done : done + len(raw) // width] = raw.reshape(-1, width)
                done += len(raw) // width
                sums.add(raw)
        file[CHECKSUMS["activations"]] = sums.found()
        if self.words:
            file[CHECKSUMS["tokens/start"]] = _token_sums(file["tokens"], n_rows, rows)
        file.attrs[CONTENTS] = contents_sha256(file, LARGE)

    def _merge_words(self, file: h5py.File, n_rows: int) -> Int64[np.ndarray, " w1"]:
        """Write the bases of each row; return the first row of each window, and the row count."""
        start, end = (
            file.create_dataset(f"tokens/{name}", shape=(n_rows,), dtype="<i8")
            for name in ("start", "end")
        )
        offsets, done = [np.zeros(1, np.int64)], 0
        for shard in range(self.n_shards):
            n_bases = np.fromfile(self._words_path(shard), dtype=WORD)
            edges, windows = self._shard_edges(shard), self.shard_windows(shard)
            rows = np.searchsorted(np.cumsum(n_bases), edges[1:], side="right")
            kept = [self.windows[index] for index in windows]
            stop = done + len(n_bases)
            start[done:stop], end[done:stop] = _word_bases(n_bases, edges, rows, kept)
            offsets.append(done + rows)
            done = stop
        return np.concatenate(offsets)


class _RunningSums:
    """CRC-32 of chunks of ``n_values`` values each, which are added in pieces of any length."""

    def __init__(self, n_values: int) -> None:
        self.n_values = n_values
        self._crc32: list[int] = []
        self._n_left = 0

    def add(self, values: np.ndarray) -> None:
        start = 0
        while start < len(values):
            if not self._n_left:
                self._crc32.append(0)
                self._n_left = self.n_values
            piece = values[start : start + self._n_left]
            self._crc32[-1] = crc32_of([piece], self._crc32[-1])
            self._n_left -= len(piece)
            start += len(piece)

    def found(self) -> UInt32[np.ndarray, " chunk"]:
        return np.array(self._crc32, dtype=np.uint32)


def _token_sums(group: h5py.Group, n_rows: int, rows: int) -> UInt32[np.ndarray, " chunk"]:
    parts = [slice(first, min(first + rows, n_rows)) for first in range(0, n_rows, rows)]
    found = [crc32_of(group[name][part] for name in ("start", "end")) for part in parts]
    return np.array(found, dtype=np.uint32)


def manifest_sha256(
    header: ActivationHeader, windows: Sequence[GenomicInterval], provenance: Provenance
) -> str:
    """Return the sha256 of everything that determines the contents of an activations file."""
    # only said of edited models, so that manifests of all others stay as they are
    usual = {} if header.parent else dict.fromkeys(PARENT)
    record = {
        "header": {name: it for name, it in asdict(header).items() if name not in usual},
        "windows": [(w.seqid, w.start, w.end, w.strand) for w in windows],
        "config": dict(provenance.config),
        "inputs": dict(provenance.inputs),
    }
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def _is_harvested(path: Path, manifest: str) -> bool:
    """Say whether an activations file exists whose contents are determined in the same way."""
    try:
        with open_checked(path, FORMAT, VERSION) as file:
            return text_attribute(file, "manifest-sha256") == manifest
    except SchemaError:
        return False


def _shard_bounds(lengths: Sequence[int], shard_tokens: int) -> list[int]:
    bounds, rows = [0], 0
    for index, length in enumerate(lengths):
        if rows and rows + length > shard_tokens:
            bounds.append(index)
            rows = 0
        rows += length
    return [*bounds, len(lengths)] if lengths else [0]


def _open_atomic(stack: ExitStack, path: Path) -> BinaryIO:
    stack.enter_context(replacing())
    return stack.enter_context(stack.enter_context(atomic_path(path)).open("wb"))


def _blocks(path: Path, dtype: np.dtype[Any], n_values: int) -> Iterator[np.ndarray]:
    with path.open("rb") as handle:
        while len(raw := np.fromfile(handle, dtype=dtype, count=n_values)):
            yield raw


def _word_bases(
    n_bases: Int64[np.ndarray, " n"],
    edges: Int64[np.ndarray, " edge"],
    rows: Int64[np.ndarray, " window"],
    kept: Sequence[GenomicInterval],
) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " n"]]:
    """Return start and end of the bases of rows, in forward coordinates."""
    window = np.repeat(np.arange(len(kept)), np.diff(rows, prepend=0))
    last = np.cumsum(n_bases) - edges[window]
    first = last - n_bases
    left = np.array([interval.start for interval in kept], dtype=np.int64)[window]
    right = np.array([interval.end for interval in kept], dtype=np.int64)[window]
    backward = np.array([interval.strand == "-" for interval in kept], dtype=np.bool_)[window]
    return np.where(backward, right - last, left + first), np.where(
        backward, right - first, left + last
    )
