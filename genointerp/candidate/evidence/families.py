"""Whether the loci of a feature are copies of one another: families of shared words."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64, UInt8

from genointerp.genome.letters import UNKNOWN, base_codes

WORD = 10
SHARED = 0.3
"""Two sequences are linked if they share at least this part of the words of the shorter one."""


def count_families(sequences: Sequence[UInt8[np.ndarray, " _bp"]]) -> int:
    """Count families of sequences that share words.

    Notes
    -----
    Two sequences are linked if they have in common at least 30 % of the distinct 10-mers of the one
    with fewer. A family is a set of sequences that are linked directly or through others. Two
    random sequences of 150 bp share 2 % of their words at most, since each word is found with a
    chance of ``150 / 4^10``.
    """
    words = [_words(sequence) for sequence in sequences]
    family = list(range(len(words)))
    for i in range(len(words)):
        for j in range(i):
            if family[i] != family[j] and _are_linked(words[i], words[j]):
                old, new = family[i], family[j]
                family = [new if it == old else it for it in family]
    return len(set(family))


def _are_linked(a: Int64[np.ndarray, " n"], b: Int64[np.ndarray, " m"]) -> bool:
    fewer = min(len(a), len(b))
    return fewer > 0 and len(np.intersect1d(a, b, assume_unique=True)) >= SHARED * fewer


def _words(sequence: UInt8[np.ndarray, " bp"]) -> Int64[np.ndarray, " word"]:
    n = len(sequence) - WORD + 1
    if n < 1:
        return np.zeros(0, dtype=np.int64)
    letters = np.lib.stride_tricks.sliding_window_view(base_codes(sequence), WORD)
    codes = letters @ 4 ** np.arange(WORD, dtype=np.int64)
    return np.unique(codes[(letters < UNKNOWN).all(axis=1)])
