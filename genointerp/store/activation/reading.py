"""Read activations for training: whole chunks in shuffled order, with rows mixed in memory.

Reading random rows from HDF5 is ten times slower than reading whole chunks, and reading in the
order of the genome is known to hurt training. Whole blocks of the genome are held out, on both
strands (:mod:`genointerp.store.activation.blocks`), since the rows next to a row, and those of the
other strand, reveal nearly all of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64

from genointerp.core.errors import ConfigError, InputError
from genointerp.core.seed import rng
from genointerp.core.split import held_out_blocks, shuffled_groups
from genointerp.store.activation.blocks import window_blocks
from genointerp.store.activation.store import ActivationStore

BUFFER_BYTES = 128 << 20
"""Size, as float32, of the rows that are mixed at once, if their number is not given."""


@dataclass(frozen=True)
class ReadingConfig:
    """How rows of activations are read for training."""

    skip_first: int = 16
    """Number of first rows of each window to leave out: early rows have large norms for any
    sequence, and a window at the end of a linear contig has no warm-up."""
    block_bp: int = 16_384
    """Bases of the blocks that are held out; fewer if there would be less than 20 blocks."""
    buffer_rows: int | None = None
    """Number of rows mixed in memory; None means as many as take 128 MiB. Memory for three times
    that many is needed."""

    def __post_init__(self) -> None:
        for name, least in (("skip_first", 0), ("block_bp", 1), ("buffer_rows", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ConfigError(name, f"{least} or more", str(value))

    def rows_at_once(self, d_in: int) -> int:
        """Return the number of rows that are mixed in memory."""
        return self.buffer_rows or max(1, BUFFER_BYTES // (4 * d_in))


class StoreSource:
    """Shuffled rows of several activation stores, as a source of activations for training.

    Parameters
    ----------
    stores
        Stores to read together, all of one model and one site.
    config
        Settings; None means the defaults.

    Raises
    ------
    InputError
        If there is no store.
    MismatchError
        If they are of different models, sites or widths.
    """

    def __init__(
        self, stores: Sequence[ActivationStore], config: ReadingConfig | None = None
    ) -> None:
        if not stores:
            raise InputError("activations", "at least one store", "none")
        for store in stores:
            stores[0].identity.check(store.identity, "model", "site", "width")
        self.stores = tuple(stores)
        self.config = ReadingConfig() if config is None else config
        self.d_in = stores[0].d_in
        self.widths = stores[0].widths
        usable = [_usable_rows(store, self.config.skip_first).sum() for store in stores]
        self.n_rows = int(sum(usable))
        self.n_skipped = sum(store.n_tokens for store in stores) - self.n_rows
        windows = [(store.header.genome_sha256, store.windows) for store in stores]
        self._blocks = window_blocks(windows, self.config.block_bp)

    def chunks(
        self, seed: int, epoch: int, *, eval_share: float, start: int = 0
    ) -> Iterator[Float32[np.ndarray, "n d_in"]]:
        """Yield every row to train on once, in an order that depends on seed and epoch.

        Rows of windows that overlap a held-out one, on either strand, are neither trained on nor
        held out.

        Parameters
        ----------
        eval_share
            Share of the blocks to hold out; ``seed`` chooses them.
        start
            Number of the first chunk to yield; those before it are not read.

        Raises
        ------
        InputError
            If there is only one block.
        """
        parts = self._parts(seed, eval_share, is_held_out=False)
        yield from self._mixed_chunks(parts, seed, f"epoch {epoch}", start)

    def held_out(self, seed: int, *, eval_share: float) -> Iterator[Float32[np.ndarray, "n d_in"]]:
        """Yield the rows of the held-out blocks, in an order that depends on the seed."""
        parts = self._parts(seed, eval_share, is_held_out=True)
        yield from self._mixed_chunks(parts, seed, "held-out rows", 0)

    def stretches(self, seed: int, *, eval_share: float) -> Iterator[Float32[np.ndarray, "_ d_in"]]:
        """Yield the rows to train on in stretches of consecutive bases, in reading order.

        A stretch is within one window, and no longer than the rows that are mixed in memory. The
        order of the stretches depends on the seed.
        """
        size = self.config.rows_at_once(self.d_in)
        found = [
            (part.store, first, min(first + size, stop))
            for part in self._parts(seed, eval_share, is_held_out=False)
            for start, stop in part.windows()
            for first in range(start, stop, size)
        ]
        for number in rng(seed, "stretches").permutation(len(found)):
            store, first, stop = found[number]
            yield store.rows(first, stop)

    def _parts(self, seed: int, share: float, *, is_held_out: bool) -> list["_Part"]:
        blocks, chosen = self._blocks, held_out_blocks(self._blocks.n, share, seed=seed)
        wanted = blocks.held_out(chosen) if is_held_out else blocks.to_train_on(chosen)
        return [
            _Part(store, own, self.config.skip_first)
            for store, own in zip(self.stores, wanted, strict=True)
        ]

    def _mixed_chunks(
        self, parts: Sequence["_Part"], seed: int, purpose: str, start: int
    ) -> Iterator[Float32[np.ndarray, "n d_in"]]:
        pieces = [(part, first, n) for part in parts for first, n in part.pieces()]
        n_rows = np.array([n for _, _, n in pieces], dtype=np.int64)
        size = self.config.rows_at_once(self.d_in)
        groups = shuffled_groups(n_rows, size, seed=seed, purpose=purpose)
        for number, group in enumerate(groups[start:], start):
            generator = rng(seed, f"rows of chunk {number} of {purpose}")
            yield self._mixed([pieces[piece] for piece in group], generator)

    def _mixed(
        self, pieces: Sequence[tuple["_Part", int, int]], generator: np.random.Generator
    ) -> Float32[np.ndarray, "n d_in"]:
        n_rows = sum(n for _, _, n in pieces)
        place, done = generator.permutation(n_rows), 0
        mixed = np.empty((n_rows, self.d_in), dtype=np.float32)
        for part, first, n in pieces:
            mixed[place[done : done + n]] = part.rows(first)
            done += n
        return mixed


class _Part:
    """The rows of some windows of a store, without the first of each window; read by chunks."""

    def __init__(self, store: ActivationStore, chosen: Bool[np.ndarray, " w"], skip: int) -> None:
        self.store, self._chosen, self._skip = store, chosen, skip
        usable = _usable_rows(store, skip) * chosen
        self._before = np.concatenate([[0], np.cumsum(usable)])

    def pieces(self) -> list[tuple[int, int]]:
        """Return, of each chunk with wanted rows, its first row and the number of wanted rows."""
        edges = np.arange(0, self.store.n_tokens + self.store.chunk_rows, self.store.chunk_rows)
        edges = np.minimum(edges, self.store.n_tokens)
        wanted = np.diff(self._wanted_before(edges))
        return [(int(edges[i]), int(wanted[i])) for i in np.flatnonzero(wanted)]

    def rows(self, first: int) -> Float32[np.ndarray, "n d_in"]:
        stop = min(first + self.store.chunk_rows, self.store.n_tokens)
        rows = self.store.rows(first, stop)
        wanted = np.diff(self._wanted_before(np.arange(first, stop + 1))) > 0
        return rows if wanted.all() else rows[wanted]

    def windows(self) -> list[tuple[int, int]]:
        """Return first row and end of the wanted rows of each window that has any."""
        offset = self.store.window_offset
        spans = np.column_stack([offset[:-1] + self._skip, offset[1:]])[self._chosen]
        return [(int(first), int(end)) for first, end in spans if first < end]

    def _wanted_before(self, row: Int64[np.ndarray, " row"]) -> Int64[np.ndarray, " row"]:
        """Return, for each row, how many of the rows before it are wanted."""
        offset = self.store.window_offset
        window = np.searchsorted(offset[:-1], row, side="right") - 1
        inside = np.maximum(row - offset[window] - self._skip, 0) * self._chosen[window]
        return self._before[window] + np.asarray(inside, dtype=np.int64)


def _usable_rows(store: ActivationStore, skip: int) -> Int64[np.ndarray, " w"]:
    usable: Int64[np.ndarray, " w"] = np.maximum(np.diff(store.window_offset) - skip, 0)
    return usable
