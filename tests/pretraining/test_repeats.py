import numpy as np
import pytest

from genointerp.pretraining.repeats import WORD, repeated_bases


def naive(tokens):
    """Compare every word with every other, letter by letter."""
    words = [tuple(tokens[i : i + WORD]) for i in range(len(tokens) - WORD + 1)]
    marks = np.zeros(len(tokens), dtype=bool)
    for i, word in enumerate(words):
        if max(word) > 3:
            continue
        other = tuple(3 - base for base in word[::-1])
        if any(words[j] in (word, other) for j in range(len(words)) if j != i):
            marks[i : i + WORD] = True
    return marks


@pytest.mark.parametrize("seed", range(4))
def test_marks_what_a_naive_search_finds(seed):
    rng = np.random.default_rng(seed)
    tokens = rng.integers(0, 4, 400).astype(np.uint8)
    piece = tokens[20:70]
    tokens[150:200] = piece
    tokens[300:350] = 3 - piece[::-1]
    tokens[rng.integers(0, 400, 2)] = 4
    found = repeated_bases(tokens)
    assert found.any()
    assert not found.all()
    np.testing.assert_array_equal(found, naive(tokens))


def test_thirty_one_equal_bases_are_no_repeat():
    tokens = np.random.default_rng(1).integers(0, 4, 200).astype(np.uint8)
    tokens[100:131] = tokens[:31]
    tokens[131] = (tokens[31] + 1) % 4
    tokens[99] = 4
    assert not repeated_bases(tokens).any()


@pytest.mark.parametrize("length", [0, 1, WORD - 1, WORD])
def test_short_sequences_hold_no_repeat(length):
    assert not repeated_bases(np.arange(length).astype(np.uint8) % 3).any()
