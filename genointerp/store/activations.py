"""Activations of a genome, a row for each token that a model kept.

Specified in ``docs/schema/activations-v1.md``. Rows are in reading order. Where tokens are bases,
row j of a window is forward base ``start + j`` on ``+`` and ``end - 1 - j`` on ``-``; where they
are words, the bases of each row are stored.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast, get_args

import h5py
import numpy as np
from jaxtyping import Bool, Float32, Int64

from genointerp.core.errors import InputError, SchemaError
from genointerp.core.provenance import sha256_file
from genointerp.store.contigs import ContigInfo, read_contigs, read_intervals
from genointerp.store.hdf5 import int_attribute, open_checked, text_attribute

FORMAT = "genointerp::activations"
VERSION = 1

Encoding = Literal["float16", "bfloat16"]
STORED: dict[Encoding, np.dtype[Any]] = {
    "float16": np.dtype("<f2"),
    "bfloat16": np.dtype("<u2"),
}
_COLUMNS = ("start", "end")


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


class TokenBases(NamedTuple):
    """The bases that each row covers: half-open, forward coordinates of the row's contig.

    Rows are in reading order. The rows of a window tile its kept bases.
    """

    start: Int64[np.ndarray, " n"]
    end: Int64[np.ndarray, " n"]


class ActivationStore:
    """Read-only view of an activations file.

    The file is opened for each access and never held, so that a store can be pickled to other
    processes.

    Parameters
    ----------
    path
        The file.

    Attributes
    ----------
    has_words
        Whether a row may stand for several bases.
    window_offset
        First row of each window, then the number of rows.

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
            self.has_words = "tokens" in file
            if self.has_words:
                self._check_words(file)
        if not self.has_words:
            self._check_bases()
        self._check_rows()

    @property
    def n_tokens(self) -> int:
        """Number of rows."""
        return int(self._shape[0])

    @property
    def n_bases(self) -> int:
        """Number of kept bases, both strands counted."""
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
        """Widths of the sites whose activations a row joins: that of the one site."""
        return (self.d_in,)

    @property
    def n_windows(self) -> int:
        """Number of windows."""
        return len(self.windows)

    @property
    def parts(self) -> "tuple[ActivationStore, ...]":
        """Stores of one file each, which this one joins: itself."""
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

    def token_bases(self, start: int, stop: int) -> TokenBases:
        """Return the bases of rows ``[start, stop)``, whether a row stands for several or not.

        Raises
        ------
        SchemaError
            If a row has no bases: the file is damaged.
        """
        if self.has_words:
            with open_checked(self.path, FORMAT, VERSION) as file:
                bases = TokenBases(*(file[f"tokens/{name}"][start:stop] for name in _COLUMNS))
            if (bases.start >= bases.end).any():
                row = start + int((bases.start >= bases.end).argmax())
                raise SchemaError(f"{self.path}: tokens: row {row}", "start < end", "another order")
            return bases
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

    def _check_words(self, file: h5py.File) -> None:
        rows = np.diff(self.window_offset, prepend=0)
        lengths = np.array([window.length for window in self.windows], dtype=np.int64)
        fits = len(rows) == len(lengths) + 1 and not rows[0]
        if not fits or ((rows[1:] > lengths) | (rows[1:] < np.sign(lengths))).any():
            where = f"{self.path}: index/window_offset"
            raise SchemaError(where, "a row a window or more, a base a row or more", "another sum")
        for name in _COLUMNS:
            found = file[f"tokens/{name}"].shape
            if found != (self._shape[0],):
                where = f"{self.path}: tokens/{name}"
                raise SchemaError(where, f"shape {(self._shape[0],)}", str(found))

    def _check_rows(self) -> None:
        expected = (int(self.window_offset[-1]), self.header.d_in)
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
            raw = x.astype(STORED[encoding])
        fine = np.isfinite(raw)
    else:
        bits = np.ascontiguousarray(x, dtype="<f4").view("<u4").astype(np.uint64)
        raw = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(STORED[encoding])
        # the carry turns a NaN of all ones, CUDA's, into a zero
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
    if (raw.view("<u2") & 0x7FFF).max(initial=0) >= 0x7C00:
        return raw.astype(np.float32)
    # finite: exponent and fraction move to their place in float32, and the exponent's bias is put
    # right by a product, which is exact for subnormal numbers too. 7 times as fast as astype
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
    )
