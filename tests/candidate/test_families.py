import numpy as np
import pytest

from genointerp.candidate.evidence.families import count_families

RNG = np.random.default_rng(0)
LETTERS = np.frombuffer(b"ACGT", np.uint8)


def random(n=150):
    return RNG.choice(LETTERS, n)


def mutated(sequence, share):
    out = sequence.copy()
    hit = RNG.random(len(out)) < share
    out[hit] = RNG.choice(LETTERS, int(hit.sum()))
    return out


def test_unrelated_sequences_are_each_a_family():
    assert count_families([random() for _ in range(20)]) == 20


def test_diverged_copies_are_one_family():
    first = random()
    assert count_families([first, *[mutated(first, 0.05) for _ in range(9)]]) == 1


def test_families_are_linked_through_others():
    a, b = random(100), random(100)
    assert count_families([a, b]) == 2
    assert count_families([a, b, np.concatenate([a[50:], b[:50]])]) == 1


@pytest.mark.parametrize("sequences", [[], [random(5), random(5)]], ids=["none", "too-short"])
def test_what_has_no_word_is_linked_to_nothing(sequences):
    assert count_families(sequences) == len(sequences)
