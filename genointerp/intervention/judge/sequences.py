"""What designs are, as sequences: how they differ, their words, and what in them is a copy."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from genointerp.genome.letters import reverse_complement

WORD = 12
"""Length of the shortest run that counts as a copy; chance alone gives as much in any genome."""
_CODES = np.full(256, -1, np.int64)
_CODES[[*b"ACGT"]] = np.arange(4)


def diversity(designs: UInt8[np.ndarray, "design bp"]) -> float:
    """Return the share of bases that differ, over all pairs of designs; NaN if there is one."""
    n = len(designs)
    if n < 2:
        return float("nan")
    counts = np.stack([(designs == letter).sum(0) for letter in np.unique(designs)])
    same = (counts * (counts - 1)).sum(0) / (n * (n - 1))
    return float(1 - same.mean())


def word_shares(
    designs: UInt8[np.ndarray, "design bp"], k: int = 3
) -> Float64[np.ndarray, " word"]:
    """Return the share of each word of k bases among all words of designs."""
    counts = np.zeros(4**k)
    for design in designs:
        codes = _words(design, k)
        counts += np.bincount(codes[codes >= 0], minlength=4**k)
    shares: Float64[np.ndarray, " word"] = counts / max(1, counts.sum())
    return shares


def divergence(p: Float64[np.ndarray, " word"], q: Float64[np.ndarray, " word"]) -> float:
    """Return the Jensen-Shannon divergence of two compositions, in bits.

    Examples
    --------
    >>> divergence(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    1.0
    """
    middle = (p + q) / 2

    def against(one: Float64[np.ndarray, " word"]) -> float:
        there = one > 0
        return float((one[there] * np.log2(one[there] / middle[there])).sum())

    return (against(p) + against(q)) / 2


class Texts:
    """Sequences in which copies are sought, on both strands.

    Parameters
    ----------
    texts
        Upper-case bases; a run never spans two of them.
    """

    def __init__(self, texts: Iterable[UInt8[np.ndarray, " _"]]) -> None:
        parts = [part for text in texts for part in (text, reverse_complement(text))]
        gap = np.array([ord("N")], np.uint8)
        whole = np.concatenate([gap, *(piece for part in parts for piece in (part, gap))])
        words = _words(whole, WORD)
        place = np.flatnonzero(words >= 0)
        order = np.argsort(words[place], kind="stable")
        self._place: Int64[np.ndarray, " word"] = place[order]
        self._sorted: Int64[np.ndarray, " word"] = words[self._place]

    def longest_copy(self, design: UInt8[np.ndarray, " bp"]) -> int:
        """Return the length of the longest run that a text has too; 0 if shorter than `WORD`."""
        words = _words(design, WORD)
        own = np.flatnonzero(words >= 0)
        first = np.searchsorted(self._sorted, words[own], "left")
        n = np.searchsorted(self._sorted, words[own], "right") - first
        if not n.sum():
            return 0
        at = np.repeat(own, n)
        step = np.arange(len(at)) - np.repeat(np.cumsum(n) - n, n)
        # words that follow each other in both lie on one diagonal
        diagonal = self._place[np.repeat(first, n) + step] - at
        order = np.lexsort((at, diagonal))
        at, diagonal = at[order], diagonal[order]
        begins = np.flatnonzero(np.r_[True, (np.diff(diagonal) != 0) | (np.diff(at) != 1)])
        lengths = np.diff(np.r_[begins, len(at)])
        return int(lengths.max()) + WORD - 1


def _words(text: UInt8[np.ndarray, " bp"], k: int) -> Int64[np.ndarray, " word"]:
    """Return the number of the word that begins at each base; -1 if a letter is no base."""
    codes = _CODES[text]
    n = max(0, len(text) - k + 1)
    words, known = np.zeros(n, np.int64), np.ones(n, np.bool_)
    for i in range(k):
        letter = codes[i : i + n]
        words = 4 * words + letter
        known &= letter >= 0
    return np.where(known, words, -1)
