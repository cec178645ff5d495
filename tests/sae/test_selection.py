import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genointerp.sae.kernel.selection import above_pattern, entries_above, largest, topk_pattern


@given(
    st.lists(st.integers(-3, 6), min_size=1, max_size=96),
    st.integers(1, 100),
    st.sampled_from([0.0, 1.5, 4.0, 100.0]),
)
def test_largest_are_those_of_a_stable_sort_whatever_the_guess(values, count, guess):
    z = torch.tensor(values, dtype=torch.float32)
    order = sorted(range(len(values)), key=lambda i: (-values[i], i))
    expected = sorted(i for i in order[:count] if values[i] > 0)
    assert largest(z, count, guess=guess).tolist() == expected


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_largest_of_many_are_those_of_a_sort(dtype):
    z = torch.from_numpy(np.random.default_rng(0).normal(size=1 << 17)).to(dtype)
    expected = z.sort(descending=True).indices[:500].sort().values
    assert torch.equal(largest(z, 500, guess=0.0), expected)


@pytest.mark.parametrize("n_features", [6, 37, 128, 256], ids=lambda n: f"{n}-features")
@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_topk_pattern_equals_a_loop_over_tokens(n_features, k, seed):
    z = np.random.default_rng(seed).normal(size=(5, n_features)).astype(np.float32)
    hits = [
        (row, feature)
        for row in range(5)
        for feature in sorted(np.argsort(-z[row])[:k].tolist())
        if z[row, feature] > 0
    ]
    pattern = topk_pattern(torch.from_numpy(z), k)
    assert list(zip(pattern.row.tolist(), pattern.feature.tolist(), strict=True)) == hits


@given(st.integers(0, 2**32), st.sampled_from([1, 2]), st.sampled_from([6, 128]))
def test_topk_pattern_keeps_the_largest_values_where_many_are_equal(seed, k, n_features):
    z = np.random.default_rng(seed).integers(-2, 3, size=(4, n_features)).astype(np.float32)
    pattern = topk_pattern(torch.from_numpy(z), k)
    for row in range(4):
        kept = z[row, pattern.feature[pattern.row == row].numpy()]
        largest_values = np.sort(z[row])[::-1][:k]
        assert sorted(kept.tolist()) == sorted(largest_values[largest_values > 0].tolist())


def test_topk_of_tokens_that_are_all_negative_is_empty():
    assert len(topk_pattern(-torch.ones(3, 128), 2).row) == 0


@given(
    st.integers(0, 2**32), st.sampled_from([7, 32, 96, 640]), st.sampled_from([-9.0, 0.0, 1.5, 9.0])
)
def test_entries_above_are_those_of_a_comparison(seed, n, floor):
    z = torch.from_numpy(np.random.default_rng(seed).normal(size=n).astype(np.float32))
    found = entries_above(z, floor)
    expected = torch.nonzero(z > floor).squeeze(1)
    assert torch.equal(found.place, expected)
    assert torch.equal(found.value, z[expected])


def test_each_feature_may_have_a_threshold_of_its_own():
    z = torch.tensor([[1.0, 1.0, 1.0], [3.0, 0.5, 2.0]])
    pattern = above_pattern(z, torch.tensor([2.0, 0.5, 1.0]))
    hits = list(zip(pattern.row.tolist(), pattern.feature.tolist(), strict=True))
    assert hits == [(0, 1), (1, 0), (1, 2)]
