"""Texts that several sequences share: aligned by their most common words, read by majority."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from genointerp.genome.letters import base_codes

_BASES = b"ACGT"
_MOST = 8
"""Most texts that are looked for; the next ones are shared by fewer sequences."""
_BITS = 0.5
"""Least information of a base of a consensus of contexts."""


@dataclass(frozen=True, eq=False)
class CommonText:
    """A text that several sequences share.

    Parameters
    ----------
    text
        Its bases, each the most common one of the aligned sequences.
    agreement
        Share of the aligned sequences that have each of its bases.
    offsets
        Where it begins in each aligned sequence, by the number of the sequence; below 0 if it
        begins before the sequence does.
    """

    text: bytes
    agreement: Float64[np.ndarray, " bp"]
    offsets: Mapping[int, int]


def common_texts(
    sequences: Sequence[bytes], *, word: int, least: int, agreement: float, written: Sequence[int]
) -> list[CommonText]:
    """Return texts that several sequences share, those of the most common words first.

    Sequences are aligned by the first place at which they have the word. From there a text goes on
    in both directions as long as half of them, and ``least`` at least, reach so far, and a share of
    ``agreement`` of these have the same base.

    Parameters
    ----------
    word
        Length of the words, which is the length of the shortest text.
    least
        Fewest sequences that must have a word.
    written
        Where the part of each sequence begins in which words count.
    """
    first = [
        _first_places(text, begin, word) for text, begin in zip(sequences, written, strict=True)
    ]
    counts = Counter(it for places in first for it in places)
    # of equally common words that which comes first, so that the order is defined
    order = sorted(counts, key=lambda it: (-counts[it], _mean_place(first, it), it))
    used: set[bytes] = set()
    found: list[CommonText] = []
    for one in order:
        if counts[one] < least or len(found) == _MOST:
            break
        if one not in used:
            places = {i: own[one] for i, own in enumerate(first) if one in own}
            text = _extended(sequences, one, places, least, agreement)
            used |= {text.text[i : i + word] for i in range(len(text.text) - word + 1)}
            found.append(text)
    return found


def _first_places(text: bytes, begin: int, word: int) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for i in range(begin, len(text) - word + 1):
        if not text[i : i + word].strip(_BASES):
            found.setdefault(text[i : i + word], i)
    return found


def _mean_place(first: Sequence[Mapping[bytes, int]], word: bytes) -> float:
    places = [own[word] for own in first if word in own]
    return sum(places) / len(places)


class _Column(NamedTuple):
    base: int
    share: float


def _extended(
    sequences: Sequence[bytes], word: bytes, places: Mapping[int, int], least: int, agreement: float
) -> CommonText:
    def column(at: int) -> _Column | None:
        bases = [
            sequences[i][place + at]
            for i, place in places.items()
            if 0 <= place + at < len(sequences[i])
        ]
        if len(bases) < max(least, len(places) / 2):
            return None
        base, n = Counter(bases).most_common(1)[0]
        is_shared = base in _BASES and n >= agreement * len(bases)
        return _Column(base, n / len(bases)) if is_shared else None

    columns = [_Column(base, 1.0) for base in word]
    begin = 0
    while (before := column(begin - 1)) is not None:
        columns.insert(0, before)
        begin -= 1
    end = len(word)
    while (after := column(end)) is not None:
        columns.append(after)
        end += 1
    return CommonText(
        bytes(it.base for it in columns),
        np.array([it.share for it in columns]),
        {i: place + begin for i, place in places.items()},
    )


def longest_common_run(a: bytes, b: bytes) -> int:
    """Return the length of the longest run of bases that two sequences have in common.

    Examples
    --------
    >>> longest_common_run(b"GATTACA", b"CATTAG")
    4
    """
    other = np.frombuffer(b, np.uint8)
    runs, longest = np.zeros(len(b) + 1, dtype=np.int64), 0
    for base in a:
        # runs[j] is the length of the run that ends with this base and the one before j
        runs[1:] = np.where(other == base, runs[:-1] + 1, 0)
        longest = max(longest, int(runs.max(initial=0)))
    return longest


def consensus_end(contexts: Sequence[bytes], weights: Sequence[float]) -> str:
    """Return the consensus of the ends of sequences, as far back as each base is informative.

    Notes
    -----
    The share ``p`` of each base in a column is weighted by ``w``. A column has
    ``2 + sum p log2 p - 3 / (2 n ln 2)`` bits, of which .5 are needed; the last term is what ``n``
    sequences of no information have on average, with ``n = (sum w)^2 / sum w^2``.

    Examples
    --------
    >>> consensus_end([b"CATG", b"GGTTG", b"TCTG"], [1.0, 1.0, 1.0])
    'TG'
    """
    found = ""
    for back in range(1, max(map(len, contexts), default=0) + 1):
        total, squares = np.zeros(5), np.zeros(5)
        for context, weight in zip(contexts, weights, strict=True):
            if len(context) >= back:
                code = base_codes(np.frombuffer(context, np.uint8)[-back:])[0]
                total[code] += weight
                squares[code] += weight**2
        if _bits(total[:4], float(squares[:4].sum())) < _BITS:
            break
        found = "ACGT"[int(total[:4].argmax())] + found
    return found


def _bits(total: Float64[np.ndarray, "4"], squares: float) -> float:
    """Return the information of weighted counts of the bases, less what chance gives."""
    if squares == 0:
        return 0.0
    share = total[total > 0] / total.sum()
    n = total.sum() ** 2 / squares
    return float(2 + (share * np.log2(share)).sum() - 3 / (2 * n * math.log(2)))
