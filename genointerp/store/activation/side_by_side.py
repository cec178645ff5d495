"""Read activations of the same windows, at several sites or of several models, as one store."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from genointerp.core.errors import InputError, MismatchError
from genointerp.store.activation.store import ActivationStore, TokenBases

JOINED = " + "
"""Separator of the names of sites, of models and of their sha256."""

_ROWS = 1 << 20


class SideBySide(ActivationStore):
    """Stores whose rows are joined end to end, in the order of the stores.

    It reads as one store of width ``d_in``, the sum of ``widths``; its header names every site.

    Raises
    ------
    InputError
        If there are fewer than two stores.
    MismatchError
        If they are of different genomes, or row i is not of the same bases in all of them.
    """

    def __init__(self, stores: Sequence[ActivationStore]) -> None:
        if len(stores) < 2:
            raise InputError("activations", "stores of two sites or more", f"{len(stores)}")
        self.stores = tuple(stores)
        first = stores[0]
        for store in stores[1:]:
            _check_rows_agree(first, store)
        for name in ("path", "windows", "window_offset", "chunk_rows", "has_words"):
            setattr(self, name, getattr(first, name))
        self.manifest_sha256 = JOINED.join(store.manifest_sha256 for store in stores)
        self._shape = (first.n_tokens, sum(store.d_in for store in stores))
        headers = [store.header for store in stores]
        self.header = replace(
            first.header,
            model=_joined([header.model for header in headers]),
            model_sha256=_joined([header.model_sha256 for header in headers]),
            parent=_joined([header.parent for header in headers]),
            parent_sha256=_joined([header.parent_sha256 for header in headers]),
            site=JOINED.join(header.site for header in headers),
            d_in=self._shape[1],
        )

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths of the sites whose activations a row joins end to end."""
        return tuple(store.d_in for store in self.stores)

    @property
    def parts(self) -> tuple[ActivationStore, ...]:
        """The stores."""
        return self.stores

    @property
    def sha256(self) -> str:
        """sha256 of each file, separated by spaces."""
        return " ".join(store.sha256 for store in self.stores)

    def rows(self, start: int, stop: int) -> Float32[np.ndarray, "n d_in"]:
        """Return rows ``[start, stop)`` of all stores, joined."""
        return np.concatenate([store.rows(start, stop) for store in self.stores], axis=1)

    def token_bases(self, start: int, stop: int) -> TokenBases:
        """Return the bases of rows ``[start, stop)``, the same in all stores."""
        return self.stores[0].token_bases(start, stop)


def join_sites(stores: Sequence[ActivationStore]) -> list[ActivationStore]:
    """Join the stores of each genome, in their order; genomes are in that of their first store.

    Raises
    ------
    InputError
        If a genome has only one store.
    MismatchError
        If the stores of a genome are not of the same windows.
    """
    genomes = dict.fromkeys(store.header.genome_sha256 for store in stores)
    return [
        SideBySide([store for store in stores if store.header.genome_sha256 == genome])
        for genome in genomes
    ]


def _check_rows_agree(first: ActivationStore, store: ActivationStore) -> None:
    first.identity.check(store.identity, "genome")
    same = store.windows == first.windows and store.has_words == first.has_words
    if not same or not np.array_equal(store.window_offset, first.window_offset):
        expected = f"the windows and rows of {first.path}"
        raise MismatchError(f"{store.path}: windows", expected, "others")
    if first.has_words:
        _check_words_agree(first, store)


def _check_words_agree(first: ActivationStore, store: ActivationStore) -> None:
    for start in range(0, first.n_tokens, _ROWS):
        stop = min(start + _ROWS, first.n_tokens)
        ours, theirs = first.token_bases(start, stop), store.token_bases(start, stop)
        differs = (ours.start != theirs.start) | (ours.end != theirs.end)
        if differs.any():
            row = int(differs.argmax())
            expected = f"bases {ours.start[row]} to {ours.end[row]} as in {first.path}"
            found = f"{theirs.start[row]} to {theirs.end[row]}"
            raise MismatchError(f"{store.path}: tokens: row {start + row}", expected, found)


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(set(names)) == 1 else JOINED.join(names)
