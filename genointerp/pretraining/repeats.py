"""Find the bases of a genome that lie in repeats, such as mobile elements and duplicated genes."""

import numpy as np
from jaxtyping import Bool, UInt8, UInt64

WORD = 32
"""Length of the words that are compared, in bases; as many as fit into 64 bits."""


def repeated_bases(tokens: UInt8[np.ndarray, " bp"]) -> Bool[np.ndarray, " bp"]:
    """Say which bases are in a word of 32 that occurs again, on either strand.

    Parameters
    ----------
    tokens
        Tokens of one genome, in which an unknown base separates contigs: A 0, C 1, G 2, T 3,
        anything else 4.
    """
    n_words = len(tokens) - WORD + 1
    if n_words < 1:
        return np.zeros(len(tokens), dtype=bool)
    known = tokens < 4
    letters = np.where(known, tokens, 0).astype(np.uint64)
    # the reverse complement of the word at the same place
    other = _words(3 - letters[::-1])[::-1]
    words = np.minimum(_words(letters), other)
    unknown = np.concatenate([[0], np.cumsum(~known)])
    whole = np.flatnonzero(unknown[WORD:] == unknown[:-WORD])
    order = whole[np.argsort(words[whole])]
    same = words[order[1:]] == words[order[:-1]]
    begins = np.zeros(len(tokens) + WORD, dtype=np.int64)
    begins[order[1:][same]] = 1
    begins[order[:-1][same]] = 1
    covered = np.cumsum(begins)
    # a base is covered if one of the 32 words that hold it occurs again
    covered[WORD:] -= covered[:-WORD].copy()
    return covered[: len(tokens)] > 0


def _words(letters: UInt64[np.ndarray, " bp"]) -> UInt64[np.ndarray, " word"]:
    """Return the base-4 number of each word of 32 bases, by doubling the length."""
    words, size = letters, 1
    while size < WORD:
        words = (words[:-size] << np.uint64(2 * size)) | words[size:]
        size *= 2
    return words
