import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.pretraining import markov
from genointerp.pretraining.markov import MarkovModel


def test_order_zero_is_the_composition_with_its_prior():
    read = np.array([0, 1], dtype=np.uint8)
    model = MarkovModel(0, read)
    model.add(np.array([0, 0, 0, 1], dtype=np.uint8))
    # (3 + 4/4) / (4 + 4) for A, (1 + 1) / 8 for C
    assert model.bits_per_base(read[:1]) == pytest.approx([1.0])
    assert model.bits_per_base(read[1:]) == pytest.approx([2.0])


tokens = st.lists(st.integers(0, 4), max_size=50).map(lambda tail: [0, *tail])


@pytest.mark.parametrize("dense_order", [4, 1], ids=["dense", "contexts that occur"])
@given(sequence=tokens, counted=tokens, weight=st.sampled_from([1.0, 0.5]), block=st.integers(1, 9))
def test_bits_equal_a_naive_model(dense_order, sequence, counted, weight, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(markov, "_DENSE_ORDER", dense_order)
        patch.setattr(markov, "_BLOCK", block)
        model = MarkovModel(4, np.array(sequence, dtype=np.uint8))
        model.add(np.array(counted, dtype=np.uint8), weight=weight)
        found = model.bits_per_base(np.array(sequence, dtype=np.uint8))
    lead = min(dense_order, 4)
    expected = [naive_bits(sequence, counted, weight, k, lead) for k in range(5)]
    assert found == pytest.approx(expected, rel=1e-4)


def naive_bits(sequence, counted, weight, order, lead):
    def count(word):
        # shorter words are counted where a word of the dense order ends, longer ones anywhere
        full = max(len(word), lead + 1)
        found = 0
        for end in range(full, len(counted) + 1):
            span = counted[end - full : end]
            found += 4 not in span and span[full - len(word) :] == word
        return weight * found

    bits = []
    for i, base in enumerate(sequence):
        if base == 4:
            continue
        p = 0.25
        for k in range(order + 1):
            context = sequence[i - k : i] if i >= k else None
            if context is None or 4 in context:
                continue
            n_context = sum(count([*context, b]) for b in range(4))
            p = (count([*context, base]) + 4 * p) / (n_context + 4)
        bits.append(-math.log2(p))
    return sum(bits) / len(bits)


def test_a_periodic_sequence_is_learnt_at_every_order():
    sequence = np.tile(np.array([0, 1, 2, 3], dtype=np.uint8), 200)
    model = MarkovModel(16, sequence)
    model.add(sequence)
    bits = model.bits_per_base(sequence)
    assert bits[0] == pytest.approx(2.0, abs=0.01)
    assert bits[1] < 0.1
    assert bits[16] < 0.1


def test_an_order_beyond_what_is_counted_is_refused():
    with pytest.raises(ValueError, match="expected 0 to 16, found 17"):
        MarkovModel(17, np.zeros(3, dtype=np.uint8))
