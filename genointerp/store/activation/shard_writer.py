"""Write the rows of one shard of an activations file, in pieces."""

from typing import BinaryIO

import numpy as np
from jaxtyping import Float32, Int64, Shaped

from genointerp.core.errors import InputError
from genointerp.store.activation.store import STORED, ActivationHeader, encode_values

WORD = np.dtype("<i8")
"""Type of the number of kept bases of each row, if a row may stand for several bases."""


class ShardWriter:
    """Writer of the rows of one shard, which are added in pieces of any size.

    Parameters
    ----------
    where
        Name of the shard in error messages.
    edges
        Number of kept bases of the shard before each window, and in all.
    rows, words
        Files to write; ``words`` is None if each base has its own row.
    """

    def __init__(
        self,
        where: str,
        header: ActivationHeader,
        edges: Int64[np.ndarray, " edge"],
        rows: BinaryIO,
        words: BinaryIO | None,
    ) -> None:
        self.where = where
        self.header = header
        self.n_bases = 0
        self._edges = edges
        self._rows = rows
        self._words = words

    def add(
        self,
        activations: Float32[np.ndarray, "n d_in"],
        n_bases: Int64[np.ndarray, " n"] | None = None,
    ) -> None:
        """Add rows in reading order.

        Parameters
        ----------
        n_bases
            Number of kept bases for which each row stands, if rows may stand for several. The sum
            over the rows of a window is its length.

        Raises
        ------
        InputError
            If the rows do not fit the windows, or a value does not fit the encoding.
        """
        self.add_stored(encode_values(activations, self.header.encoding), n_bases)

    def add_stored(
        self, raw: Shaped[np.ndarray, "n d_in"], n_bases: Int64[np.ndarray, " n"] | None = None
    ) -> None:
        """Add rows that are already encoded; otherwise like :meth:`add`.

        Raises
        ------
        InputError
            If the rows do not fit the windows, or are in another encoding.
        """
        width, dtype = self.header.d_in, STORED[self.header.encoding]
        if raw.dtype != dtype or raw.ndim != 2 or raw.shape[1] != width:
            found = f"shape {raw.shape} of {raw.dtype}"
            raise InputError(self.where, f"rows of {width} values of {dtype}", found)
        if (n_bases is None) == (self._words is not None):
            expected = "the bases of each row" if n_bases is None else "a row for each base"
            raise InputError(self.where, expected, "none" if n_bases is None else "words")
        if self._words is None or n_bases is None:
            self.n_bases += len(raw)
        else:
            self._add_words(n_bases)
        self._rows.write(np.ascontiguousarray(raw).data)

    def check_complete(self) -> None:
        """Refuse a shard that has too few rows, or too many."""
        if self.n_bases != self._edges[-1]:
            expected = f"rows of {self._edges[-1]} bases, {self.header.d_in} wide"
            raise InputError(self.where, expected, f"rows of {self.n_bases} bases")

    def _add_words(self, n_bases: Int64[np.ndarray, " n"]) -> None:
        ends = self.n_bases + np.cumsum(n_bases)
        last = ends[-1] if len(ends) else self.n_bases
        within = self._edges[(self._edges > self.n_bases) & (self._edges <= last)]
        if (n_bases < 1).any() or not np.isin(within, ends).all():
            expected = "rows of 1 base or more, of which one ends where the window ends"
            raise InputError(self.where, expected, f"other rows, after {self.n_bases} bases")
        self.n_bases = int(last)
        assert self._words is not None
        self._words.write(n_bases.astype(WORD).data)
