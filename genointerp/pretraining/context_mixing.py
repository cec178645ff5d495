"""A context-mixing predictor of DNA, like those of DNA compressors; a language model must beat it.

Contexts of each order give a probability; their mixture learns, while it reads, which to trust.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from genointerp.genome.letters import reverse_complement_codes
from genointerp.pretraining.markov import MarkovModel, contexts_of, interpolate


@dataclass(frozen=True)
class MixingConfig:
    """How the mixture learns."""

    rate: float = 0.0005
    """Step size of the weights."""
    block: int = 64
    """Bases read between two steps."""


class MixtureBits(NamedTuple):
    """Cost of the bases of a genome, ``-log2 p``, for predictors of increasing strength.

    Parameters
    ----------
    corpus_orders
        Mean bits per base of each order of the Markov model of the corpus.
    own_orders
        Mean bits per base of each order counted on the genome itself, up to the base that is read.
    corpus_mixture
        Bits of each base for the mixture of the orders of the corpus.
    mixture
        Bits of each base for the mixture of the orders of both.
    """

    corpus_orders: list[float]
    own_orders: list[float]
    corpus_mixture: Float32[np.ndarray, " bp"]
    mixture: Float32[np.ndarray, " bp"]


def mixture_bits(
    markov: MarkovModel, tokens: UInt8[np.ndarray, " bp"], *, config: MixingConfig | None = None
) -> MixtureBits:
    """Read a genome like a context-mixing compressor that has learnt the corpus beforehand.

    There is one set of mixing weights for each length of the longest context that was already seen
    in the genome itself.
    """
    config = MixingConfig() if config is None else config
    n_orders = markov.order + 1
    log_p = np.empty((len(tokens), 2 * n_orders, 4), dtype=np.float32)
    for k, p in enumerate(markov.probabilities(tokens)):
        np.log(p, out=log_p[:, k])
    longest = np.zeros(len(tokens), dtype=np.int64)
    for k, p in enumerate(interpolate(_noting_longest(tokens, n_orders, longest))):
        np.log(p, out=log_p[:, n_orders + k])
    means = _mean_bits(log_p, tokens)
    alone = np.zeros(len(tokens), dtype=np.int64)
    return MixtureBits(
        corpus_orders=means[:n_orders],
        own_orders=means[n_orders:],
        corpus_mixture=geometric_mixture(log_p[:, :n_orders], tokens, alone, config=config),
        mixture=geometric_mixture(log_p, tokens, longest, config=config),
    )


def _noting_longest(
    tokens: UInt8[np.ndarray, " bp"], n_orders: int, longest: Int64[np.ndarray, " bp"]
) -> Iterator[Float32[np.ndarray, "bp 4"]]:
    for k in range(n_orders):
        counts = counts_so_far(tokens, k)
        longest[counts.any(1)] = k + 1
        yield counts


def _mean_bits(
    log_p: Float32[np.ndarray, "bp expert 4"], tokens: UInt8[np.ndarray, " bp"]
) -> list[float]:
    known = np.flatnonzero(tokens <= 3)
    nats = [-log_p[known, k, tokens[known]].mean(dtype=np.float64) for k in range(log_p.shape[1])]
    return [float(mean) / math.log(2) for mean in nats]


def counts_so_far(tokens: UInt8[np.ndarray, " bp"], k: int) -> Float32[np.ndarray, "bp 4"]:
    """Count, at each place, how often each base has so far followed the k bases before the place.

    Both strands of what has been read count, since an inverted repeat is a repeat (Pratas et al.,
    2016, "Efficient compression of genomic sequences", DCC). Counts are zero if the context is not
    known.
    """
    n = len(tokens)
    forward = contexts_of(tokens, k)
    # on the other strand, the word w that ends at base i shows that the complement of the first
    # base of w follows the reverse complement of its k other bases
    inverted = np.full(n, -1, dtype=np.int64)
    backwards = contexts_of(reverse_complement_codes(tokens), k)[::-1]
    inverted[k:] = backwards[: n - k]
    bases = np.empty(2 * n, dtype=np.uint8)
    bases[::2] = tokens
    bases[1::2] = 4
    bases[2 * k + 1 :: 2] = reverse_complement_codes(tokens)[::-1][: n - k]
    contexts = np.stack([forward, inverted], axis=1).ravel()
    return _earlier(contexts, bases)[::2]


def _earlier(
    contexts: Int64[np.ndarray, " row"], bases: UInt8[np.ndarray, " row"]
) -> Float32[np.ndarray, "row 4"]:
    """Return how often each base occurs in earlier rows with the same context."""
    rows = np.flatnonzero(contexts >= 0)
    n_bits = len(contexts).bit_length()
    # one sort of (context, row) as single numbers is several times faster than a stable argsort
    key = (contexts[rows] << n_bits) | rows
    key.sort()
    row, context = key & ((1 << n_bits) - 1), key >> n_bits
    is_first = np.diff(context, prepend=-1) != 0
    first = np.maximum.accumulate(np.where(is_first, np.arange(len(row)), 0))
    counts = np.zeros((len(contexts), 4), dtype=np.float32)
    for base in range(4):
        is_base = bases[row] == base
        before = np.cumsum(is_base, dtype=np.int32) - is_base
        counts[row, base] = before - before[first]
    return counts


def geometric_mixture(
    log_p: Float32[np.ndarray, "bp expert 4"],
    tokens: UInt8[np.ndarray, " bp"],
    weight_set: Int64[np.ndarray, " bp"],
    *,
    config: MixingConfig,
) -> Float32[np.ndarray, " bp"]:
    """Return ``-log2 p`` of each base for a mixture of experts that learns while it reads.

    Parameters
    ----------
    log_p
        Natural logarithms of the probabilities that each expert predicts.
    weight_set
        Number of the set of weights for each base, from 0. It may depend only on earlier bases.

    Returns
    -------
    The bits of each base; NaN at unknown bases.

    Notes
    -----
    This is the geometric mixture ``p(b) ~ prod_k p_k(b) ** w_k`` with ``w_k += rate (log p_k(x) -
    sum_b p(b) log p_k(b))``, the gradient of ``log p(x)``, after each base x: Mattern (2013),
    "Linear and geometric mixtures - analysis", DCC. For two letters it is the logistic mixing of
    PAQ (Mahoney, 2005). Weights begin at ``1 / n_experts``. The steps of a block are taken
    together at its end, so no base is predicted with weights that have seen it.
    """
    n, n_experts, _ = log_p.shape
    weights = np.full((int(weight_set.max(initial=0)) + 1, n_experts), 1 / n_experts, np.float32)
    bits = np.full(n, np.nan, dtype=np.float32)
    for first in range(0, n, config.block):
        part = slice(first, first + config.block)
        known = np.flatnonzero(tokens[part] <= 3)
        target, chosen = tokens[part][known], weight_set[part][known]
        expert = log_p[part][known]
        z = np.matmul(weights[chosen][:, None], expert)[:, 0]
        z -= z.max(1, keepdims=True)
        z -= np.log(np.exp(z).sum(1, keepdims=True))
        at = np.arange(len(known))
        bits[first + known] = z[at, target] / -math.log(2)
        error = -np.exp(z)
        error[at, target] += 1
        np.add.at(weights, chosen, config.rate * np.matmul(expert, error[:, :, None])[:, :, 0])
    return bits
