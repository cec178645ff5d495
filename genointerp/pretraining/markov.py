"""Markov models of DNA, of any order up to 16, which a language model must beat."""

from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Float32, Int64, UInt8

MAX_ORDER = 16
PRIOR_WEIGHT = 4.0
# up to this order every word is counted (4 ** 13 counts); of longer ones, only those that are read
_DENSE_ORDER = 12
_BLOCK = 1 << 24


class MarkovModel:
    """Interpolated Markov models of each order up to a largest one, counted on weighted sequences.

    Parameters
    ----------
    order
        Largest number of bases of context, at most 16.
    read
        Sequence whose bases the model will predict, as tokens 0 to 3, and 4 for an unknown base.
        Contexts longer than 12 bases are counted only if they occur in it.

    Notes
    -----
    ``p_k(b | c) = (n(c b) + a p_{k-1}(b | c')) / (n(c) + a)`` with ``a = 4``, c' the context
    without its oldest base and ``p_{-1}`` uniform. Rare contexts thus fall back on shorter ones;
    so does a context with an unknown base, or one that begins before its sequence, with n = 0.
    """

    def __init__(self, order: int, read: UInt8[np.ndarray, " bp"]) -> None:
        if not 0 <= order <= MAX_ORDER:
            raise ValueError(f"order: expected 0 to {MAX_ORDER}, found {order}")
        self.order = order
        self._dense_order = min(order, _DENSE_ORDER)
        self._dense = np.zeros(4 ** (self._dense_order + 1))
        self._contexts: dict[int, Int64[np.ndarray, " context"]] = {}
        self._counts: dict[int, Float32[np.ndarray, "context 4"]] = {}
        for k in range(self._dense_order + 1, order + 1):
            self._contexts[k] = _distinct(contexts_of(read, k))
            self._counts[k] = np.zeros((len(self._contexts[k]), 4), dtype=np.float32)
        if self._contexts:
            # one entry more, the last, to which the index -1 of an unknown context leads
            self._occurs = np.zeros(4 ** (self._dense_order + 1) + 1, dtype=bool)
            self._occurs[self._contexts[self._dense_order + 1]] = True

    def add(self, tokens: UInt8[np.ndarray, " token"], *, weight: float = 1.0) -> None:
        """Count the words of one sequence, except those with a token above 3."""
        size = self._dense_order + 1
        for first in range(0, len(tokens), _BLOCK):
            block = tokens[max(0, first - self.order) : first + _BLOCK]
            lead = min(first, self.order)
            words = words_of(block, size)
            # word i ends at base i + size - 1; words inside the lead were counted in the last block
            new = words[max(0, lead - size + 1) :]
            np.add.at(self._dense, new[new >= 0], weight)
            if self._contexts:
                self._add_long(block, words, lead, weight)

    def _add_long(
        self,
        block: UInt8[np.ndarray, " token"],
        words: Int64[np.ndarray, " word"],
        lead: int,
        weight: float,
    ) -> None:
        size = self._dense_order + 1
        # word i ends just before base i + size, and is the context of that base
        place = np.flatnonzero(self._occurs[words[:-1]]) + size
        place = place[(place >= lead) & (block[place] <= 3)]
        context = words[place - size]
        for k, known in self._contexts.items():
            if k > size:
                place, context = _lengthened(block, place, context, k)
            if not len(known):
                return
            row = np.searchsorted(known, context)
            found = np.flatnonzero(known.take(row, mode="clip") == context)
            # if a context does not occur in the sequence, no longer one that contains it does
            place, context = place[found], context[found]
            np.add.at(self._counts[k], (row[found], block[place]), np.float32(weight))

    def counts(self, tokens: UInt8[np.ndarray, " bp"]) -> Iterator[Float32[np.ndarray, "bp 4"]]:
        """Yield, for each order from 0 on, the count of each base after the context of each place.

        ``tokens`` must be the sequence ``read`` or a part of it.
        """
        tables = [self._dense.reshape(-1, 4).astype(np.float32)]
        while len(tables[0]) > 1:
            # rows that differ only in the oldest base are a quarter of the table apart
            tables.insert(0, tables[0].reshape(4, -1, 4).sum(0))
        for k in range(self.order + 1):
            contexts = contexts_of(tokens, k)
            known = np.flatnonzero(contexts >= 0)
            found = np.zeros((len(tokens), 4), dtype=np.float32)
            if k <= self._dense_order:
                found[known] = tables[k][contexts[known]]
            else:
                found[known] = self._counts[k][np.searchsorted(self._contexts[k], contexts[known])]
            yield found

    def probabilities(
        self, tokens: UInt8[np.ndarray, " bp"]
    ) -> Iterator[Float32[np.ndarray, "bp 4"]]:
        """Yield, for each order from 0 on, the probability of each base at each place."""
        yield from interpolate(self.counts(tokens))

    def bits_per_base(self, tokens: UInt8[np.ndarray, " bp"]) -> list[float]:
        """Return the mean of ``-log2 p`` over the known bases of a sequence, for each order."""
        known = np.flatnonzero(tokens <= 3)
        return [
            -float(np.log2(p[known, tokens[known]]).mean(dtype=np.float64))
            for p in self.probabilities(tokens)
        ]


def interpolate(
    counts: Iterable[Float32[np.ndarray, "bp 4"]], *, prior_weight: float = PRIOR_WEIGHT
) -> Iterator[Float32[np.ndarray, "bp 4"]]:
    """Turn the counts of each order into probabilities, by the formula of `MarkovModel`."""
    lower = np.full((1, 4), 0.25, dtype=np.float32)
    weight = np.float32(prior_weight)
    for count in counts:
        lower = (count + weight * lower) / (count.sum(1, keepdims=True) + weight)
        yield lower


def contexts_of(tokens: UInt8[np.ndarray, " bp"], k: int) -> Int64[np.ndarray, " bp"]:
    """Return the base-4 number of the k bases before each base; -1 if they are not all known."""
    contexts = np.full(len(tokens), -1, dtype=np.int64)
    contexts[k:] = words_of(tokens, k)[:-1]
    return contexts


def words_of(tokens: UInt8[np.ndarray, " token"], size: int) -> Int64[np.ndarray, " word"]:
    """Return the base-4 number of each word of ``size`` bases; -1 if it has an unknown base."""
    n_words = max(0, len(tokens) - size + 1)
    words = np.zeros(n_words, dtype=np.int64)
    unknown = np.zeros(n_words, dtype=bool)
    for offset in range(size):
        part = tokens[offset : offset + n_words]
        words <<= 2
        words |= np.minimum(part, 3)
        unknown |= part > 3
    words[unknown] = -1
    return words


def _distinct(contexts: Int64[np.ndarray, " bp"]) -> Int64[np.ndarray, " context"]:
    # numpy.unique hashes, which takes twenty times longer for numbers that are this far apart
    ordered = np.sort(contexts[contexts >= 0])
    distinct: Int64[np.ndarray, " context"] = ordered[np.diff(ordered, prepend=-1) != 0]
    return distinct


def _lengthened(
    block: UInt8[np.ndarray, " token"],
    place: Int64[np.ndarray, " place"],
    context: Int64[np.ndarray, " place"],
    k: int,
) -> tuple[Int64[np.ndarray, " kept"], Int64[np.ndarray, " kept"]]:
    """Extend contexts of k - 1 bases to k bases, and keep those whose oldest base is known."""
    inside = place >= k
    place, context = place[inside], context[inside]
    oldest = block[place - k].astype(np.int64)
    known = oldest <= 3
    return place[known], context[known] + (oldest[known] << (2 * (k - 1)))
