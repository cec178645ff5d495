"""Order-k Markov models of DNA: what a language model must beat."""

import math

import numpy as np
from jaxtyping import Float32, Int64, UInt8

MAX_ORDER = 12
_PRIOR_WEIGHT = 4.0
_BLOCK = 1 << 24


class MarkovModel:
    """Interpolated Markov model, counted on weighted sequences.

    Parameters
    ----------
    order
        Bases of context, at most 12.

    Notes
    -----
    ``p_k(b | c) = (n(c b) + a p_{k-1}(b | c')) / (n(c) + a)`` with ``a = 4``, c' the context
    without its oldest base and ``p_{-1}`` uniform: rare contexts fall back upon shorter ones.
    """

    def __init__(self, order: int) -> None:
        if not 0 <= order <= MAX_ORDER:
            raise ValueError(f"order: expected 0 to {MAX_ORDER}, found {order}")
        self.order = order
        self.counts = np.zeros(4 ** (order + 1), dtype=np.float64)

    def add(self, tokens: UInt8[np.ndarray, " token"], *, weight: float = 1.0) -> None:
        """Count one sequence of tokens 0 to 3; words that hold any other token are passed over."""
        for first in range(0, len(tokens), _BLOCK):
            words = _words(tokens[first : first + _BLOCK + self.order], self.order + 1)
            self.counts += weight * np.bincount(words[words >= 0], minlength=len(self.counts))

    def log2_probabilities(self) -> list[Float32[np.ndarray, " word"]]:
        """Return ``log2 p(b | c)`` by word (context, then base), for each order up to this one."""
        tables = []
        lower = np.full((1, 4), 0.25)
        for k in range(self.order + 1):
            count = self.counts.reshape(4 ** (self.order - k), 4**k, 4).sum(0)
            # the word of the shorter context is the same without its first base
            prior = np.tile(lower, (4**k // len(lower), 1))
            lower = (count + _PRIOR_WEIGHT * prior) / (count.sum(1, keepdims=True) + _PRIOR_WEIGHT)
            tables.append(np.log2(lower).ravel().astype(np.float32))
        return tables

    def bits_per_base(self, tokens: UInt8[np.ndarray, " token"]) -> list[float]:
        """Return the mean of ``-log2 p`` over a sequence, for each order up to this one."""
        means = []
        for k, table in enumerate(self.log2_probabilities()):
            words = _words(tokens, k + 1)
            known = words[words >= 0]
            means.append(-float(table[known].mean(dtype=np.float64)) if len(known) else math.nan)
        return means


def _words(tokens: UInt8[np.ndarray, " token"], size: int) -> Int64[np.ndarray, " word"]:
    """Return the base-4 number of each word of a size; -1 where it holds an unknown base."""
    n_words = max(0, len(tokens) - size + 1)
    words = np.zeros(n_words, dtype=np.int64)
    unknown = np.zeros(n_words, dtype=bool)
    for offset in range(size):
        part = tokens[offset : offset + n_words]
        words = 4 * words + np.minimum(part, 3)
        unknown |= part > 3
    words[unknown] = -1
    return words
