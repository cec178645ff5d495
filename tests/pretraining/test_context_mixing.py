"""The mixture and its counts beside loops that read a sequence base after base."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.pretraining.context_mixing import MixingConfig, counts_so_far, geometric_mixture

sequences = st.lists(st.integers(0, 4), min_size=1, max_size=40)


@given(sequences, st.integers(0, 3))
def test_counts_so_far_equal_those_of_both_strands_read_to_that_place(tokens, k):
    found = counts_so_far(np.array(tokens, dtype=np.uint8), k)
    for i in range(len(tokens)):
        assert found[i].tolist() == naive_counts(tokens[:i], tokens[max(0, i - k) : i], k)


def naive_counts(read, context, k):
    counts = [0.0] * 4
    if len(context) < k or 4 in context:
        return counts
    for strand in (read, [token if token == 4 else 3 - token for token in reversed(read)]):
        for i in range(k, len(strand)):
            if strand[i - k : i] == context and strand[i] < 4:
                counts[strand[i]] += 1
    return counts


@given(sequences, st.integers(1, 7), st.integers(0, 2**32 - 1))
def test_the_mixture_equals_a_loop_over_its_formula(tokens, block, seed):
    generator = np.random.default_rng(seed)
    n, n_experts = len(tokens), 3
    p = generator.dirichlet([0.5] * 4, (n, n_experts)) + 1e-3
    log_p = np.log(p / p.sum(-1, keepdims=True)).astype(np.float32)
    weight_set = generator.integers(0, 2, n)
    sequence = np.array(tokens, dtype=np.uint8)
    config = MixingConfig(rate=0.1, block=block)
    found = geometric_mixture(log_p, sequence, weight_set, config=config)
    expected = naive_mixture(log_p.tolist(), tokens, weight_set.tolist(), config)
    assert found.tolist() == pytest.approx(expected, nan_ok=True, rel=1e-3, abs=1e-4)


def naive_mixture(log_p, tokens, weight_set, config):
    n_experts = len(log_p[0])
    weights = [[1 / n_experts] * n_experts for _ in range(max(weight_set) + 1)]
    steps, bits = [], []
    for i, token in enumerate(tokens):
        if i % config.block == 0:
            for which, k, step in steps:
                weights[which][k] += step
            steps = []
        if token > 3:
            bits.append(math.nan)
            continue
        w = weights[weight_set[i]]
        power = [math.prod(math.exp(log_p[i][k][b]) ** w[k] for k in range(n_experts))
                 for b in range(4)]  # fmt: skip
        mixed = [value / sum(power) for value in power]
        bits.append(-math.log2(mixed[token]))
        for k in range(n_experts):
            expected = sum(mixed[b] * log_p[i][k][b] for b in range(4))
            steps.append((weight_set[i], k, config.rate * (log_p[i][k][token] - expected)))
    return bits


def test_a_repeat_on_the_other_strand_is_foretold():
    generator = np.random.default_rng(0)
    unit = generator.integers(0, 4, 400, dtype=np.uint8)
    counts = counts_so_far(np.concatenate([unit, 3 - unit[::-1]]), 12)
    # of the second half all but the first twelve bases follow a context that was read, once
    assert counts[412:].sum() >= 388
    assert counts[:400].sum() == 0


def test_the_mixture_learns_which_expert_to_trust():
    generator = np.random.default_rng(0)
    tokens = generator.integers(0, 4, 4000, dtype=np.uint8)
    good = np.full((4000, 4), 0.1, dtype=np.float32)
    good[np.arange(4000), tokens] = 0.7
    bad = generator.dirichlet([1.0] * 4, 4000).astype(np.float32) + 1e-3
    bits = geometric_mixture(
        np.log(np.stack([good, bad], axis=1)),
        tokens,
        np.zeros(4000, dtype=np.int64),
        config=MixingConfig(rate=0.005),
    )
    # good alone would cost 0.515 bits; a mixture may sharpen it, for it is always right here
    assert bits[2000:].mean() < 0.515 < bits[:100].mean()
