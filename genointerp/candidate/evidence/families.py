"""Whether the loci of a feature are copies of one another: families by shared words."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64, UInt8

from genointerp.genome.letters import UNKNOWN, base_codes

WORD = 10
SHARED = 0.3
"""Share of the words of the shorter sequence from which two are of one family."""


def count_families(sequences: Sequence[UInt8[np.ndarray, " _bp"]]) -> int:
    """Count families of sequences, each of which shares words with another of its family.

    Notes
    -----
    Two sequences are linked if they have at least 30 % of the distinct 10-mers of the one with the
    fewer in common; a family is what is linked, directly or through others. Two random sequences
    of 150 bp share 2 % at the most: ``150 / 4^10`` for each word.
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
