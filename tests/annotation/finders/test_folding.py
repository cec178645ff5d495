from collections import Counter
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.annotation.finders.folding import dinucleotide_shuffle, folding_z


def codes(text):
    return np.frombuffer(text.encode(), np.uint8)


@given(st.text("ACGTN", min_size=0, max_size=60), st.integers(0, 2**20))
def test_a_shuffle_keeps_every_dinucleotide_and_both_ends(text, seed):
    found = dinucleotide_shuffle(codes(text), np.random.default_rng(seed)).tobytes().decode()
    assert Counter(pairwise(found)) == Counter(pairwise(text))
    assert found[:1] == text[:1]
    assert found[-1:] == text[-1:]


def test_shuffles_reach_every_sequence_with_the_same_dinucleotides_about_as_often():
    text = "AACAGAC"
    possible = {
        "".join(p)
        for p in permutations(text)
        if Counter(pairwise(p)) == Counter(pairwise(text)) and p[0] == "A" and p[-1] == "C"
    }
    draw = np.random.default_rng(0)
    n = 200 * len(possible)
    found = Counter(dinucleotide_shuffle(codes(text), draw).tobytes().decode() for _ in range(n))
    assert set(found) == possible
    assert max(abs(count - 200) for count in found.values()) < 75


def test_a_hairpin_folds_better_than_its_shuffles_and_a_homopolymer_has_no_score():
    pytest.importorskip("RNA", reason='pip install "genointerp[annotate]"')
    hairpin = codes("GGCATCGATTCGCTTTTGCGAATCGATGCC")
    assert folding_z(hairpin, n_shuffles=50, seed=0) < -2
    assert np.isnan(folding_z(codes("A" * 30), n_shuffles=20, seed=0))
    assert folding_z(hairpin, n_shuffles=20, seed=1) == folding_z(hairpin, n_shuffles=20, seed=1)


def test_shuffled_sequences_score_about_zero():
    pytest.importorskip("RNA", reason='pip install "genointerp[annotate]"')
    draw = np.random.default_rng(3)
    z = [folding_z(draw.choice(codes("ACGT"), 60), n_shuffles=30, seed=i) for i in range(30)]
    assert abs(np.mean(z)) < 0.6
    assert 0.6 < np.std(z) < 1.6
