import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.errors import ConfigError, UnknownNameError
from genointerp.sae.batch_topk import largest
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.registry import make_sae
from genointerp.sae.sparse import SparsePattern
from genointerp.sae.topk import topk_pattern


def identity_sae(architecture, k, width=3):
    sae = make_sae(SaeConfig(architecture, n_features=width, k=k), width)
    with torch.no_grad():
        sae.W_enc.copy_(torch.eye(width))
        sae.W_dec.copy_(torch.eye(width))
    return sae


def test_topk_keeps_the_largest_of_each_token():
    sae = identity_sae("topk", 2)
    x = torch.tensor([[1.0, 3.0, 2.0], [5.0, -1.0, -2.0]])
    assert sae.encode(x).tolist() == [[0, 3, 2], [5, 0, 0]]
    codes = sae.encode_sparse(x)
    assert codes.index.tolist() == [[1, 2], [0, 0]]
    assert codes.value.tolist() == [[3, 2], [5, 0]]


def test_topk_adds_both_biases():
    sae = identity_sae("topk", 1)
    with torch.no_grad():
        sae.b_enc.copy_(torch.tensor([0.0, 0.0, 2.0]))
        sae.b_dec.copy_(torch.tensor([10.0, 20.0, 30.0]))
    assert sae(torch.tensor([[1.0, 0.0, 0.5]])).tolist() == [[10, 20, 32.5]]


def test_batch_topk_spends_its_budget_where_it_matters_in_training():
    sae = identity_sae("batch_topk", 1)
    z = torch.tensor([[4.0, 3.0, 2.0], [1.0, 0.5, -7.0]])
    pattern = sae.training_pattern(z)
    assert pattern.dense(pattern.values_of(z)).tolist() == [[4, 3, 0], [0, 0, 0]]


def test_batch_topk_fires_above_its_threshold_at_inference():
    sae = identity_sae("batch_topk", 1)
    sae.threshold.fill_(1.0)
    assert sae.encode(torch.tensor([[4.0, 1.0, 2.0]])).tolist() == [[4, 0, 2]]
    codes = sae.encode_sparse(torch.tensor([[0.0, 0.0, 0.0], [4.0, 1.0, 2.0]]))
    assert codes.index.tolist() == [[0, 0], [0, 2]]
    assert codes.value.tolist() == [[0, 0], [4, 2]]


def test_no_token_fires_gives_codes_of_no_width():
    sae = identity_sae("topk", 2)
    assert sae.encode_sparse(-torch.ones(4, 3)).index.shape == (4, 0)
    assert sae(-torch.ones(4, 3)).tolist() == [[0, 0, 0]] * 4


@given(
    st.lists(st.integers(-3, 6), min_size=1, max_size=40),
    st.integers(1, 45),
    st.sampled_from([0.0, 1.5, 4.0, 100.0]),
)
def test_largest_are_those_of_a_stable_sort_whatever_the_guess(values, count, guess):
    z = torch.tensor(values, dtype=torch.float32)
    order = sorted(range(len(values)), key=lambda i: (-values[i], i))
    expected = sorted(i for i in order[:count] if values[i] > 0)
    assert largest(z, count, guess=guess).tolist() == expected


@given(st.integers(0, 2**32), st.integers(1, 6))
def test_topk_pattern_equals_a_loop_over_tokens(seed, k):
    z = np.random.default_rng(seed).normal(size=(5, 6)).astype(np.float32)
    hits = [
        (row, feature)
        for row in range(5)
        for feature in sorted(np.argsort(-z[row])[:k].tolist())
        if z[row, feature] > 0
    ]
    pattern = topk_pattern(torch.from_numpy(z), k)
    assert list(zip(pattern.row.tolist(), pattern.feature.tolist(), strict=True)) == hits


def test_pattern_read_by_feature_is_its_transpose():
    row, feature = torch.tensor([0, 0, 2]), torch.tensor([1, 3, 1])
    pattern = SparsePattern.from_hits(row, feature, (3, 4))
    assert pattern.offsets.tolist() == [0, 2, 2]
    assert pattern.by_feature.row.tolist() == [0, 2, 0]
    assert pattern.by_feature.offsets.tolist() == [0, 0, 2, 2]


def test_unknown_architecture_names_the_known_ones():
    config = SaeConfig()
    object.__setattr__(config, "architecture", "gated")
    with pytest.raises(
        UnknownNameError, match=r"one of batch_topk, tied_batch_topk, topk, found 'gated'"
    ):
        make_sae(config, 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SaeConfig(n_features=8, k=9), r"k: expected 1 to n_features = 8, found 9"),
        (lambda: SaeConfig(k=0), r"k: expected 1 to n_features = 2048, found 0"),
        (lambda: TrainConfig(n_tokens=10), r"n_tokens: expected at least batch_tokens = 2048"),
        (lambda: TrainConfig(eval_share=0.0), r"eval_share: expected between 0 and 1, found 0.0"),
        (lambda: TrainConfig(aux_k=0), r"aux_k: expected 1 or more, found 0"),
    ],
)
def test_a_setting_out_of_range_is_named(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
