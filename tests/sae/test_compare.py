import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from genointerp.core.errors import MismatchError
from genointerp.sae.compare import (
    Coded,
    best_correlated,
    nesting,
    stability,
)


def coded(codes, directions=None):
    codes = np.asarray(codes, dtype=np.float64)
    directions = np.eye(codes.shape[1]) if directions is None else np.asarray(directions, float)
    return Coded(directions, sparse.csr_array(codes))


def random_codes(seed, n=40, m=6, density=0.4):
    generator = np.random.default_rng(seed)
    on = generator.random((n, m)) < density
    return on * generator.gamma(2, 1, (n, m))


@given(st.integers(0, 2**32))
def test_best_correlated_is_the_largest_of_the_dense_correlations(seed):
    codes, others = random_codes(seed), random_codes(seed + 1, m=7)
    others[:, 0] = codes[:, 2]
    codes[:, 5] = 0
    with np.errstate(invalid="ignore", divide="ignore"):
        dense = np.nan_to_num(np.corrcoef(codes.T, others.T)[:6, 6:])
    found = best_correlated(sparse.csr_array(codes), sparse.csr_array(others))
    np.testing.assert_allclose(found.value, np.maximum(dense.max(axis=1), 0), atol=1e-9)
    for feature, index in enumerate(found.other):
        expected = dense[feature].argmax() if dense[feature].max() > 0 else -1
        assert index == expected or dense[feature, index] == pytest.approx(dense[feature].max())


def test_a_dictionary_is_wholly_stable_against_itself_in_another_order():
    codes, order = random_codes(0), np.random.default_rng(1).permutation(6)
    directions = np.random.default_rng(2).normal(size=(6, 4))
    found = stability(coded(codes, directions), coded(codes[:, order], directions[order]))
    assert found == pytest.approx((1, 1, 1, 1, 6))


def test_directions_and_activations_are_matched_each_by_themselves():
    # feature 0 has its direction in the other's 1, and its activations in the other's 0
    codes = np.array([[1.0, 0, 0], [0, 1, 0], [2, 0, 0], [0, 3, 0]])
    own = coded(codes, np.eye(3))
    other = coded(codes, np.eye(3)[[1, 0, 2]])
    found = stability(own, other)
    assert (found.share_same_direction, found.share_same_activation) == (1, 1)
    # the third fires nowhere and does not count
    assert found.n_features == 2
    lonely = stability(own, coded(codes[::-1], -np.eye(3)))
    assert lonely.mean_cosine == pytest.approx(0)
    assert lonely.share_same_direction == lonely.share_same_activation == 0


def test_a_match_that_is_not_mutual_is_none():
    # both features of the one have the same nearest direction in the other, which prefers the first
    own = coded([[1.0, 1.0]], [[1.0, 0.0], [0.9, 0.43589]])
    found = stability(own, coded([[1.0]], [[1.0, 0.0]]))
    assert found.mean_cosine == pytest.approx(0.95, abs=1e-4)
    assert found.share_same_direction == 0.5


def test_splitting_and_absorption_of_a_worked_example():
    # p fires on ten tokens; its counterpart on the first six, a child on the next three, one on 0
    narrow = coded(np.array([[1.0]] * 10 + [[0.0]] * 5), [[1.0, 0.0, 0.0]])
    wide = np.zeros((15, 4))
    wide[:6, 0] = 1
    wide[6:9, 1] = 2
    wide[0, 2] = 1
    # it fires inside p on half of its tokens alone
    wide[8:12, 3] = 1
    directions = [[0.9, 0.4, 0], [0.0, 1, 0], [0, 0, 1], [0, 0, 1]]
    found = nesting(narrow, coded(wide, directions))
    # features 0, 1 and 2 fire inside p: three children; tokens 6, 7 and 8 are absorbed by 1
    assert found == pytest.approx((1.0, 3.0, 0.3, 1.0, 1, 1))


def naive_nesting(p, c, p_dir, c_dir):
    children_of, absorbed, n_alive = [], [], 0
    for i in range(p.shape[1]):
        mine = {t for t in range(len(p)) if p[t, i] > 0}
        if not mine:
            continue
        n_alive += 1
        children = []
        for j in range(c.shape[1]):
            its = {t for t in range(len(c)) if c[t, j] > 0}
            both = len(mine & its)
            if its and both >= 0.8 * len(its) and both >= 0.05 * len(mine):
                children.append(j)
        children_of.append(len(children))
        cosines = [
            p_dir[i] @ c_dir[j] / np.linalg.norm(p_dir[i]) / np.linalg.norm(c_dir[j])
            for j in range(c.shape[1])
        ]
        best = int(np.argmax(cosines))
        if cosines[best] >= 0.7:
            hit = [
                t for t in mine
                if c[t, best] <= 0 and any(c[t, j] > 0 for j in children if j != best)
            ]  # fmt: skip
            absorbed.append(len(hit) / len(mine))
    return n_alive, children_of, absorbed


@given(st.integers(0, 2**32))
def test_nesting_equals_its_definition_by_sets(seed):
    generator = np.random.default_rng(seed)
    p = random_codes(seed, n=30, m=4)
    # wide features mostly fire where a narrow one does
    c = p[:, generator.integers(0, 4, 9)] * (generator.random((30, 9)) < 0.5)
    c += random_codes(seed + 1, n=30, m=9, density=0.03)
    p_dir = generator.normal(size=(4, 3))
    c_dir = p_dir[generator.integers(0, 4, 9)] + 0.4 * generator.normal(size=(9, 3))
    found = nesting(coded(p, p_dir), coded(c, c_dir))
    n_alive, children, absorbed = naive_nesting(p, c, p_dir, c_dir)
    assert (found.n_features, found.n_counterparts) == (n_alive, len(absorbed))
    assert found.mean_children == pytest.approx(np.mean(children))
    assert found.split_share == pytest.approx(np.mean(np.array(children) >= 2))
    if absorbed:
        assert found.absorption == pytest.approx(np.mean(absorbed))
        assert found.absorbed_share == pytest.approx(np.mean(np.array(absorbed) > 0.05))
    else:
        assert np.isnan(found.absorption)


def test_dictionaries_over_other_tokens_are_not_compared():
    message = "dictionaries to compare: expected width 2 over 3 tokens, found width 2 over 4"
    for compare in (stability, nesting):
        with pytest.raises(MismatchError, match=message):
            compare(coded(np.ones((3, 2))), coded(np.ones((4, 2))))
