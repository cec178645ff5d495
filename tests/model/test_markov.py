import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.model.markov import MarkovModel


def test_order_zero_is_the_composition_with_its_prior():
    model = MarkovModel(0)
    model.add(np.array([0, 0, 0, 1], dtype=np.uint8))
    # (3 + 4/4) / (4 + 4) for A, (1 + 1) / 8 for C
    assert model.bits_per_base(np.array([0], dtype=np.uint8)) == pytest.approx([1.0])
    assert model.bits_per_base(np.array([1], dtype=np.uint8)) == pytest.approx([2.0])


@given(st.lists(st.integers(0, 4), min_size=3, max_size=60))
def test_bits_equal_a_naive_model(tokens):
    sequence = np.array(tokens, dtype=np.uint8)
    model = MarkovModel(2)
    model.add(sequence)
    assert model.bits_per_base(sequence)[2] == pytest.approx(naive_bits(tokens, 2), nan_ok=True)


def naive_bits(tokens, order):
    def count(word):
        found = 0
        # words are counted at the model's full order, so shorter contexts end where it ends
        for i in range(len(tokens) - order):
            full = tokens[i : i + order + 1]
            if 4 not in full and full[order + 1 - len(word) :] == word:
                found += 1
        return found

    def probability(context, base):
        prior = 0.25 if not context else probability(context[1:], base)
        n_context = sum(count([*context, b]) for b in range(4))
        return (count([*context, base]) + 4 * prior) / (n_context + 4)

    bits = []
    for i in range(order, len(tokens)):
        context, base = tokens[i - order : i], tokens[i]
        if 4 not in [*context, base]:
            bits.append(-math.log2(probability(context, base)))
    return sum(bits) / len(bits) if bits else math.nan


def test_a_periodic_sequence_is_learnt():
    sequence = np.tile(np.array([0, 1, 2, 3], dtype=np.uint8), 200)
    model = MarkovModel(3)
    model.add(sequence)
    bits = model.bits_per_base(sequence)
    assert bits[0] == pytest.approx(2.0, abs=0.01)
    assert bits[1] < 0.1
