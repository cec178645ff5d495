"""Sources of rows of activations, as training reads them."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Int64

from genointerp.core.seed import rng
from genointerp.core.split import LEAST_BLOCKS, held_out_blocks


@runtime_checkable
class ActivationSource(Protocol):
    """Rows of activations in shuffled chunks, which can be read any number of times.

    Rows belong to blocks of neighbours, and some whole blocks are held out. The seed alone decides
    which, and every order. Rows that would reveal held-out ones may be left out of both parts.
    """

    @property
    def d_in(self) -> int:
        """Width of a row."""
        ...

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths of the sites that a row joins end to end; ``(d_in,)`` for one site."""
        ...

    @property
    def n_rows(self) -> int:
        """Number of rows of all blocks, without those that the source leaves out."""
        ...

    @property
    def n_skipped(self) -> int:
        """Number of rows that the source leaves out, such as the first of each window."""
        ...

    def chunks(
        self, seed: int, epoch: int, *, eval_share: float, start: int = 0
    ) -> Iterator[Float32[np.ndarray, "n d_in"]]:
        """Yield every row to train on once, from the chunk with the number ``start`` on.

        A chunk is the same whether or not those before it were read.
        """
        ...

    def held_out(self, seed: int, *, eval_share: float) -> Iterator[Float32[np.ndarray, "n d_in"]]:
        """Yield every row of the held-out blocks once."""
        ...


class RowSource:
    """Rows in memory.

    Parameters
    ----------
    x
        The rows.
    block
        Block of each row; None means 20 runs of consecutive rows.
    weight
        How often each row is yielded in an epoch; None means once.
    chunk_rows
        Number of rows of a chunk.
    widths
        Widths of the sites that a row joins; None means that it is of one site.
    """

    n_skipped = 0

    def __init__(
        self,
        x: Float32[np.ndarray, "row d_in"],
        *,
        block: Int64[np.ndarray, " row"] | None = None,
        weight: Int64[np.ndarray, " row"] | None = None,
        chunk_rows: int = 1 << 14,
        widths: tuple[int, ...] | None = None,
    ) -> None:
        self.x = x
        n = min(LEAST_BLOCKS, max(len(x), 1))
        self.block = np.arange(len(x), dtype=np.int64) * n // max(len(x), 1)
        if block is not None:
            self.block = np.unique(block, return_inverse=True)[1].astype(np.int64)
        self.weight = np.ones(len(x), dtype=np.int64) if weight is None else weight
        self.chunk_rows = chunk_rows
        self.d_in = int(x.shape[1])
        self.widths = (self.d_in,) if widths is None else widths
        self.n_rows = int(self.weight.sum())

    def chunks(
        self, seed: int, epoch: int, *, eval_share: float, start: int = 0
    ) -> Iterator[Float32[np.ndarray, "n d_in"]]:
        """Yield every row to train on, in an order that depends on seed and epoch."""
        wanted = ~self.is_held_out(seed, eval_share)
        index = np.repeat(np.flatnonzero(wanted), self.weight[wanted])
        order = rng(seed, f"rows of epoch {epoch}").permutation(index)
        for first in range(start * self.chunk_rows, len(order), self.chunk_rows):
            yield self.x[order[first : first + self.chunk_rows]]

    def held_out(self, seed: int, *, eval_share: float) -> Iterator[Float32[np.ndarray, "n d_in"]]:
        """Yield each row of the held-out blocks once, regardless of its weight, shuffled."""
        index = np.flatnonzero(self.is_held_out(seed, eval_share))
        order = rng(seed, "held-out rows").permutation(index)
        for first in range(0, len(order), self.chunk_rows):
            yield self.x[order[first : first + self.chunk_rows]]

    def is_held_out(self, seed: int, share: float) -> Bool[np.ndarray, " row"]:
        """Say which rows are of held-out blocks."""
        n_blocks = int(self.block.max()) + 1 if len(self.block) else 0
        held_out: Bool[np.ndarray, " row"] = held_out_blocks(n_blocks, share, seed=seed)[self.block]
        return held_out
