"""Activations of a genome: one row for each kept token.

The format is specified in ``docs/schema/activations-v2.md``; files of version 1 are read too. Rows
are in reading order. If tokens are bases, row j of a window is forward base ``start + j`` on ``+``
and ``end - 1 - j`` on ``-``; if they are words, the bases of each row are stored.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast, get_args

import h5py
import numpy as np
from jaxtyping import Bool, Float32, Int64

from genointerp.core.arguments import StrPath
from genointerp.core.errors import InputError, SchemaError
from genointerp.core.identity import Identity
from genointerp.core.notebook import facts_table
from genointerp.core.provenance import sha256_file
from genointerp.store.contents import check_contents, crc32_of
from genointerp.store.contigs import ContigInfo, read_contigs, read_intervals
from genointerp.store.hdf5 import checked_dataset, int_attribute, open_checked, text_attribute

FORMAT = "genointerp::activations"
VERSION = 2

Encoding = Literal["float16", "bfloat16"]
STORED: dict[Encoding, np.dtype[Any]] = {
    "float16": np.dtype("<f2"),
    "bfloat16": np.dtype("<u2"),
}
CHECKSUMS = {"activations": "chunks/crc32", "tokens/start": "tokens/crc32"}
"""Dataset of the checksums of chunks, by the first dataset that they cover."""

_EXPONENT: dict[Encoding, int] = {"float16": 0x7C00, "bfloat16": 0x7F80}
"""Bits that are all set in a value that is not finite."""

PARENT = {"parent": "model-parent", "parent_sha256": "model-parent-sha256"}
"""Attributes of activations of an edited model, by their name in the header."""

LARGE = ("activations", "tokens/start", "tokens/end")
"""The datasets of which each chunk of rows has its own checksum."""

_TOKENS = ("tokens/start", "tokens/end")


@dataclass(frozen=True)
class ActivationHeader:
    """Header of an activations file: what it was made from.

    Parameters
    ----------
    model, model_sha256
        Registry name of the model and sha256 of its weights.
    site
        Site of the activations.
    d_in
        Width of the activations.
    genome_sha256
        sha256 of the genome, as in ``Genome.sha256``.
    encoding
        Type of the stored values; those in ``bfloat16`` are stored as their bits in uint16.
    contigs
        Every contig of the genome, in its order, even if it was not read.
    parent, parent_sha256
        Name and sha256 of the model that was edited; empty for a model that is not an edited one.
    """

    model: str
    model_sha256: str
    site: str
    d_in: int
    genome_sha256: str
    encoding: Encoding
    contigs: tuple[ContigInfo, ...]
    parent: str = ""
    parent_sha256: str = ""


class TokenBases(NamedTuple):
    """The bases that each row covers, as half-open forward coordinates on its contig.

    Rows are in reading order. The rows of a window tile its kept bases.
    """

    start: Int64[np.ndarray, " n"]
    end: Int64[np.ndarray, " n"]


class ActivationStore:
    """Read-only view of an activations file.

    The file is opened for each access and never kept open, so that a store can be pickled to other
    processes.

    Parameters
    ----------
    path
        Path of the activations file.
    is_compared
        Whether to compare the checksum of everything except the rows at once. `verify`, which
        reports where a file is damaged, does not.

    Attributes
    ----------
    has_words
        Whether a row may stand for several bases.
    window_offset
        First row of each window, and then the number of rows.

    Raises
    ------
    SchemaError
        If it is not a complete activations file. Methods that read rows raise it too, if these are
        not the rows that were written.
    """

    def __init__(self, path: StrPath, *, is_compared: bool = True) -> None:
        self.path = Path(path)
        with open_checked(self.path, FORMAT, VERSION) as file:
            self.version = int_attribute(file, "format-version")
            self.header = _read_header(file)
            self.windows = read_intervals(file["windows"], self.header.contigs)
            n_offsets = len(self.windows) + 1
            self.window_offset: Int64[np.ndarray, " w1"] = checked_dataset(
                file, "index/window_offset", "i8", (n_offsets,)
            )[:]
            kind = STORED[self.header.encoding]
            data = checked_dataset(file, "activations", kind, (None, self.header.d_in))
            self._shape: tuple[int, int] = data.shape
            self.chunk_rows = int(data.chunks[0]) if data.chunks else max(1, data.shape[0])
            self._sums = _ChunkSums(file, self.n_tokens, self.chunk_rows, self.version)
            self.manifest_sha256 = text_attribute(file, "manifest-sha256")
            self.has_words = "tokens" in file
            if self.has_words:
                self._check_words(file)
            else:
                self._check_bases()
            self._check_rows()
            # last, since it cannot report what is wrong
            if self.version > 1 and is_compared:
                check_contents(file, LARGE)

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        read = " and ".join(f"{n:,} on {strand}" for strand, n in self.n_by_strand.items())
        return (
            f"ActivationStore({str(self.path)!r}: {self.header.model} at {self.header.site}, "
            f"{self.d_in} numbers a token; bases read: {read or 'none'})"
        )

    def _repr_html_(self) -> str:
        facts = {
            "file": self.path,
            "model": f"{self.header.model} at {self.header.site}",
            "numbers a token": self.d_in,
        }
        read = {f"bases read on {strand}": f"{n:,}" for strand, n in self.n_by_strand.items()}
        return facts_table("ActivationStore", facts | read)

    @property
    def identity(self) -> Identity:
        """Identity of the activations: what they were made from."""
        return Identity(
            str(self.path),
            model=self.header.model,
            model_sha256=self.header.model_sha256,
            site=self.header.site,
            d_in=self.header.d_in,
            genome_sha256=self.header.genome_sha256,
        )

    def identity_for_dictionaries(self, *, of_parent: bool) -> Identity:
        """Return the identity that a dictionary must have to encode the activations.

        Parameters
        ----------
        of_parent
            Whether dictionaries of the model that was edited are wanted instead of its own.

        Raises
        ------
        InputError
            If they are, and the model is not an edited one.
        """
        if not of_parent:
            return self.identity
        header = self.header
        if not header.parent:
            raise InputError("of_parent", "activations of an edited or tuned model", f"{self.path}")
        return replace(self.identity, model=header.parent, model_sha256=header.parent_sha256)

    @property
    def n_tokens(self) -> int:
        """Number of rows."""
        return int(self._shape[0])

    @property
    def n_bases(self) -> int:
        """Number of kept bases, with those of both strands counted."""
        return sum(window.length for window in self.windows)

    @property
    def n_by_strand(self) -> dict[str, int]:
        """Number of kept bases on each strand that was read."""
        counts: dict[str, int] = {}
        for window in self.windows:
            counts[window.strand] = counts.get(window.strand, 0) + window.length
        return counts

    @property
    def d_in(self) -> int:
        """Width of a row."""
        return self.header.d_in

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths of the sites that a row joins; here that of the one site."""
        return (self.d_in,)

    @property
    def n_windows(self) -> int:
        """Number of windows."""
        return len(self.windows)

    @property
    def parts(self) -> "tuple[ActivationStore, ...]":
        """The stores of single files that this one joins; here only itself."""
        return (self,)

    @cached_property
    def sha256(self) -> str:
        """sha256 of the file."""
        return sha256_file(self.path)

    def window(self, index: int) -> Float32[np.ndarray, "n d_in"]:
        """Return the activations of one window, in reading order."""
        start, stop = self.window_offset[index : index + 2]
        return self.rows(int(start), int(stop))

    def rows(self, start: int, stop: int) -> Float32[np.ndarray, "n d_in"]:
        """Return rows ``[start, stop)``.

        Raises
        ------
        SchemaError
            If the file is damaged: a value is not finite, which no writer of this package allows,
            or the rows do not have the checksum that was written.
        """
        with open_checked(self.path, FORMAT, VERSION) as file:
            (raw,) = self._sums.read(file, ("activations",), start, stop, self._check_finite)
        encoding = self.header.encoding
        return _decode_float16(raw) if encoding == "float16" else decode_values(raw, encoding)

    def token_bases(self, start: int, stop: int) -> TokenBases:
        """Return the bases of rows ``[start, stop)``, each of which covers one or more.

        Raises
        ------
        SchemaError
            If the file is damaged: a row has no bases.
        """
        if self.has_words:
            with open_checked(self.path, FORMAT, VERSION) as file:
                return TokenBases(
                    *self._sums.read(file, _TOKENS, start, stop, self._check_token_bases)
                )
        rows = np.arange(start, stop, dtype=np.int64)
        number = np.searchsorted(self.window_offset, rows, side="right") - 1
        j = rows - self.window_offset[number]
        first, last = self._kept[number].T
        base = np.where(self._backward[number], last - 1 - j, first + j)
        return TokenBases(base, base + 1)

    @cached_property
    def _kept(self) -> Int64[np.ndarray, "w 2"]:
        kept = [(window.start, window.end) for window in self.windows]
        return np.array(kept, dtype=np.int64).reshape(-1, 2)

    @cached_property
    def _backward(self) -> Bool[np.ndarray, " w"]:
        return np.array([window.strand == "-" for window in self.windows], dtype=np.bool_)

    def _check_bases(self) -> None:
        lengths = [window.length for window in self.windows]
        offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        if not np.array_equal(offsets, self.window_offset):
            where = f"{self.path}: index/window_offset"
            raise SchemaError(where, "running sum of the window lengths", "offsets that differ")

    def _check_finite(self, first: int, columns: list[np.ndarray]) -> None:
        (raw,) = columns
        if not _are_finite(raw, self.header.encoding):
            finite = np.isfinite(decode_values(raw, self.header.encoding)).all(axis=1)
            where = f"{self.path}: activations: row {first + int(finite.argmin())}"
            raise SchemaError(where, "finite values", "NaN or infinity")

    def _check_token_bases(self, first: int, columns: list[np.ndarray]) -> None:
        start, end = columns
        if (start >= end).any():
            row = first + int((start >= end).argmax())
            raise SchemaError(f"{self.path}: tokens: row {row}", "start < end", "another order")

    def _check_words(self, file: h5py.File) -> None:
        rows = np.diff(self.window_offset, prepend=0)
        lengths = np.array([window.length for window in self.windows], dtype=np.int64)
        if rows[0] or ((rows[1:] > lengths) | (rows[1:] < np.sign(lengths))).any():
            where = f"{self.path}: index/window_offset"
            expected = "1 row or more for each window, 1 base or more for each row"
            raise SchemaError(where, expected, "other numbers")
        for name in _TOKENS:
            checked_dataset(file, name, "i8", (self._shape[0],))

    def _check_rows(self) -> None:
        expected = (int(self.window_offset[-1]), self.header.d_in)
        if self._shape != expected:
            raise SchemaError(f"{self.path}: activations", f"shape {expected}", str(self._shape))


class _ChunkSums:
    """Reads rows, and compares the checksum of each chunk of rows once.

    Parameters
    ----------
    n_rows, chunk_rows
        Number of rows of the file and of a chunk.
    version
        Version of the file; version 1 has no checksums.
    """

    def __init__(self, file: h5py.File, n_rows: int, chunk_rows: int, version: int) -> None:
        self.n_rows, self.chunk_rows = n_rows, chunk_rows
        self._path = file.filename
        self._sound: set[tuple[str, int]] = set()
        self._crc32: dict[str, np.ndarray] = {}
        if version > 1:
            n_chunks = -(-n_rows // chunk_rows)
            for first, name in CHECKSUMS.items():
                if first in file:
                    self._crc32[first] = checked_dataset(file, name, "u4", (n_chunks,))[:]

    def read(
        self,
        file: h5py.File,
        names: tuple[str, ...],
        start: int,
        stop: int,
        check: Callable[[int, list[np.ndarray]], None],
    ) -> list[np.ndarray]:
        """Return rows ``[start, stop)`` of datasets that share a checksum.

        Parameters
        ----------
        check
            Called with the number of the first row that was read, and the columns. Its errors come
            before the comparison of checksums, since they say more.

        Raises
        ------
        SchemaError
            If a chunk does not have the checksum that was written.
        """
        start, stop, _ = slice(start, stop).indices(self.n_rows)
        chunks = range(start // self.chunk_rows, -(-stop // self.chunk_rows))
        wanted = [chunk for chunk in chunks if (names[0], chunk) not in self._sound]
        first, last = start, stop
        if self._crc32 and wanted:
            # whole chunks, which HDF5 reads from the disk anyway
            first = min(start, wanted[0] * self.chunk_rows)
            last = max(stop, min((wanted[-1] + 1) * self.chunk_rows, self.n_rows))
        read = [file[name][first:last] for name in names]
        check(first, read)
        if self._crc32:
            self._compare(wanted, first, names[0], read)
        return [column[start - first : stop - first] for column in read]

    def _compare(
        self, chunks: Sequence[int], first: int, name: str, read: Sequence[np.ndarray]
    ) -> None:
        for chunk in chunks:
            low = chunk * self.chunk_rows
            here = slice(low - first, min(low + self.chunk_rows, self.n_rows) - first)
            if crc32_of([column[here] for column in read]) != self._crc32[name][chunk]:
                where = f"{self._path}: {name}: rows {low} to {here.stop + first}"
                raise SchemaError(where, "the CRC-32 that was written", "another one")
            self._sound.add((name, chunk))


def encode_values(x: Float32[np.ndarray, "n d_in"], encoding: Encoding) -> np.ndarray:
    """Encode values for storage, rounded to nearest.

    Raises
    ------
    InputError
        If a value is not finite, or too large for the encoding; values are never clipped.
    """
    if encoding == "float16":
        with np.errstate(over="ignore"):
            raw = x.astype(STORED[encoding])
        fine = np.isfinite(raw)
    else:
        bits = np.ascontiguousarray(x, dtype="<f4").view("<u4").astype(np.uint64)
        raw = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(STORED[encoding])
        # the carry turns a NaN whose bits are all ones, such as CUDA's, into zero
        fine = ((raw & 0x7F80) != 0x7F80) & ~np.isnan(x)
    if not fine.all():
        row, column = (int(i) for i in np.argwhere(~fine)[0])
        expected = f"finite values within the range of {encoding}"
        raise InputError(f"activations[{row}, {column}]", expected, str(x[row, column]))
    return raw


def decode_values(raw: np.ndarray, encoding: Encoding) -> Float32[np.ndarray, "n d_in"]:
    """Return stored values as float32, exactly."""
    if encoding == "bfloat16":
        return (raw.astype(np.uint32) << 16).view(np.float32)
    return _decode_float16(raw) if _are_finite(raw, encoding) else raw.astype(np.float32)


def _are_finite(raw: np.ndarray, encoding: Encoding) -> bool:
    return bool((raw.view("<u2") & 0x7FFF).max(initial=0) < _EXPONENT[encoding])


def _decode_float16(raw: np.ndarray) -> Float32[np.ndarray, "n d_in"]:
    # for finite values: exponent and fraction are moved to their place in float32, and a product
    # corrects the bias of the exponent, exactly even for subnormal numbers; 7 times faster than
    # astype
    bits = raw.view("<i2").astype(np.int32) << 13
    bits &= np.uint32(0x8FFFE000).view(np.int32)
    values = bits.view(np.float32)
    values *= np.float32(2.0**112)
    return values


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
        **{name: text_attribute(file, key) for name, key in PARENT.items() if key in file.attrs},
    )
