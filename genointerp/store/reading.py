"""Reading activations for training: whole chunks in a shuffled order, rows mixed in memory.

Random rows out of HDF5 come an order of magnitude slower than whole chunks, and reading in the
order of the genome is known to hurt training.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float32

from genointerp.core.errors import InputError, MismatchError
from genointerp.core.seed import rng
from genointerp.store.activations import ActivationStore


class StoreSource:
    """Rows of several activation stores, shuffled.

    Parameters
    ----------
    stores
        Read together; they must be of one model and one site.
    buffer_rows
        Rows that are mixed in memory; twice that many are held at most.

    Raises
    ------
    InputError
        If there is no store.
    MismatchError
        If they are of different models, sites or widths.
    """

    def __init__(self, stores: Sequence[ActivationStore], *, buffer_rows: int = 1 << 16) -> None:
        if not stores:
            raise InputError("activations", "at least one store", "none")
        check_same_site(stores)
        self.stores = tuple(stores)
        self.buffer_rows = buffer_rows
        self.d_in = stores[0].d_in
        self.n_rows = sum(store.n_tokens for store in stores)

    def chunks(self, seed: int, epoch: int) -> Iterator[Float32[np.ndarray, "n d_in"]]:
        """Yield every row of all stores once, in an order that seed and epoch determine.

        Half of the buffer is handed out each time and half stays to be mixed with what follows.
        """
        generator = rng(seed, f"rows of epoch {epoch}")
        pieces = self._pieces()
        held: list[np.ndarray] = []
        n_held = 0
        for number in generator.permutation(len(pieces)):
            store, start, stop = pieces[number]
            held.append(store.rows(start, stop))
            n_held += stop - start
            if n_held >= self.buffer_rows:
                mixed = _mixed(held, generator)
                half = (len(mixed) + 1) // 2
                yield mixed[:half]
                # a copy, so that the half handed out does not stay in memory
                held, n_held = [mixed[half:].copy()], len(mixed) - half
        if n_held:
            yield _mixed(held, generator)

    def _pieces(self) -> list[tuple[ActivationStore, int, int]]:
        return [
            (store, start, min(start + store.chunk_rows, store.n_tokens))
            for store in self.stores
            for start in range(0, store.n_tokens, store.chunk_rows)
        ]


def check_same_site(stores: Sequence[ActivationStore]) -> None:
    """Refuse stores that are not of one model, site and width.

    Raises
    ------
    MismatchError
        Naming the file and the first field that differs.
    """
    first = stores[0].header
    for store in stores[1:]:
        for field in ("model", "model_sha256", "site", "d_in"):
            expected, found = getattr(first, field), getattr(store.header, field)
            if expected != found:
                where = f"{store.path}: {field.replace('_', '-')}"
                raise MismatchError(where, f"{expected!r} as in {stores[0].path}", repr(found))


def _mixed(held: Sequence[np.ndarray], generator: np.random.Generator) -> np.ndarray:
    rows = np.concatenate(held)
    return rows[generator.permutation(len(rows))]
