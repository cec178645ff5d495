"""The bases that several models have read, far apart, with their activations."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int64

from genointerp.comparison.similarity.config import N_GROUPS
from genointerp.core.errors import InputError
from genointerp.genome.runs import common_runs, merge_intervals
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.store import STRANDS, ReadStrand

BLOCK_BP = 16_384
"""Bases of a block at most: alternate blocks are fit and test, on both strands alike."""

LEAST = 200
"""Fewest bases that can be compared."""

_AT_ONCE = 65_536


class Place(NamedTuple):
    """Bases of one contig and reading strand, ascending, in forward coordinates."""

    genome: int
    seqid: str
    strand: ReadStrand
    base: Int64[np.ndarray, " base"]


@dataclass(frozen=True, eq=False)
class Sample:
    """Bases that all have read.

    Parameters
    ----------
    places
        The bases.
    block
        Block of the genome of each base, numbered over all genomes and contigs.
    """

    places: tuple[Place, ...]
    block: Int64[np.ndarray, " base"]

    @property
    def n_bases(self) -> int:
        """Number of bases, both strands counted."""
        return len(self.block)

    def shifted(self, by: int) -> "Sample":
        """Return the bases ``by`` further on the forward strand; `draw_sample` left room for it."""
        places = tuple(place._replace(base=place.base + by) for place in self.places)
        return Sample(places, self.block)


def draw_sample(
    readings: Sequence[Sequence[ActivationStore]], *, every: int, n_bases: int, margin: int
) -> Sample:
    """Return bases that lie ``every`` bp apart or more, spread evenly over what all have read.

    Parameters
    ----------
    readings
        Stores of the same genomes, in the same order, of each model.
    n_bases
        Most bases.
    margin
        Bases that must be read on either side of each, for `Sample.shifted`.

    Raises
    ------
    InputError
        If fewer than `LEAST` bases are left.
    """
    found: list[Place] = []
    for genome, stores in enumerate(zip(*readings, strict=True)):
        for seqid in [contig.seqid for contig in stores[0].header.contigs]:
            for strand in STRANDS:
                runs = reduce(common_runs, [_read(store, seqid, strand) for store in stores])
                runs = np.column_stack([runs[:, 0] + margin, runs[:, 1] - margin])
                runs = runs[runs[:, 0] < runs[:, 1]]
                grid = [np.arange(-(-low // every) * every, high, every) for low, high in runs]
                base = np.concatenate([np.zeros(0, np.int64), *grid])
                if len(base):
                    found.append(Place(genome, seqid, strand, base))
    n_found = sum(len(place.base) for place in found)
    if n_found < LEAST:
        expected = f"{LEAST} bases or more that all have read, {every} bp apart"
        raise InputError("activations", expected, str(n_found))
    places = tuple(_thinned(found, n_found, min(n_bases, n_found)))
    return Sample(places, _blocks(places, every))


def _thinned(places: Sequence[Place], n_found: int, n_kept: int) -> Iterator[Place]:
    """Yield places with ``n_kept`` of their bases, evenly spread."""
    chosen = np.linspace(0, n_found - 1, n_kept).round().astype(np.int64)
    first = 0
    for place in places:
        own = chosen[(chosen >= first) & (chosen < first + len(place.base))] - first
        first += len(place.base)
        if len(own):
            yield place._replace(base=place.base[own])


def _blocks(places: Sequence[Place], every: int) -> Int64[np.ndarray, " base"]:
    """Return the block of each base; blocks are halved until each group has two."""
    size = BLOCK_BP
    while (found := _numbered(places, size)).max() + 1 < 2 * N_GROUPS and size >= 2 * every:
        size //= 2
    if found.max() + 1 < 2 * N_GROUPS:
        expected = f"bases of {2 * N_GROUPS} blocks or more of the genomes"
        raise InputError("activations", expected, f"{found.max() + 1}")
    return found


def _numbered(places: Sequence[Place], size: int) -> Int64[np.ndarray, " base"]:
    own = [
        (place.genome, place.seqid, at) for place in places for at in (place.base // size).tolist()
    ]
    number = {one: index for index, one in enumerate(sorted(set(own)))}
    return np.array([number[one] for one in own], dtype=np.int64)


def _read(store: ActivationStore, seqid: str, strand: str) -> Int64[np.ndarray, "run 2"]:
    own = [(w.start, w.end) for w in store.windows if (w.seqid, w.strand) == (seqid, strand)]
    return merge_intervals(np.array(own, dtype=np.int64).reshape(-1, 2))


def read_sample(stores: Sequence[ActivationStore], sample: Sample) -> Float64[np.ndarray, "base d"]:
    """Return the activations of the token of each base of a sample, in its order."""
    found = [rows_at(stores[place.genome], place) for place in sample.places]
    return np.concatenate(found).astype(np.float64)


def rows_at(store: ActivationStore, place: Place) -> Float32[np.ndarray, "base d"]:
    """Return the activations of the token of each base on one strand of a contig."""
    row = np.concatenate([np.zeros(0, np.int64), *_rows(store, place)])
    out = np.empty((len(row), store.d_in), np.float32)
    order = np.argsort(row, kind="stable")
    for start in range(0, len(row), _AT_ONCE):
        out[order[start : start + _AT_ONCE]] = _scattered(
            store, row[order[start : start + _AT_ONCE]]
        )
    return out


def _rows(store: ActivationStore, place: Place) -> Iterator[Int64[np.ndarray, " base"]]:
    """Yield the rows of the bases, window after window; together in the order of the bases."""
    number = [
        index
        for index, window in enumerate(store.windows)
        if (window.seqid, window.strand) == (place.seqid, place.strand)
    ]
    number.sort(key=lambda index: store.windows[index].start)
    for index in number:
        window = store.windows[index]
        low, high = np.searchsorted(place.base, [window.start, window.end])
        if high == low:
            continue
        first, stop = (int(it) for it in store.window_offset[index : index + 2])
        bases = store.token_bases(first, stop)
        order = np.argsort(bases.start, kind="stable")
        token = np.searchsorted(bases.start[order], place.base[low:high], side="right") - 1
        yield first + order[token]


def _scattered(
    store: ActivationStore, row: Int64[np.ndarray, " base"]
) -> Float32[np.ndarray, "base d"]:
    """Read ascending rows, chunk by chunk of the file."""
    found = []
    chunk = row // store.chunk_rows
    for number in np.unique(chunk).tolist():
        own = row[chunk == number]
        start = int(own[0])
        found.append(store.rows(start, int(own[-1]) + 1)[own - start])
    return np.concatenate(found)
