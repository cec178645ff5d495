import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.errors import InputError
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.metrics import (
    Evaluation,
    FiringCounts,
    RunningMoments,
    VarianceExplained,
    cosine_histogram,
    density_histogram,
    evaluate,
    sparse_codes,
)


def test_fvu_of_a_worked_example():
    # mean (1, 2); deviations -1 1 / -1 1 -> total 4; errors 0.5^2 + 0.5^2 = 0.5
    variance = VarianceExplained(2)
    x = np.array([[0.0, 1.0], [2.0, 3.0]])
    variance.update(x, x + np.array([[0.5, 0.0], [0.0, -0.5]]))
    assert variance.fvu == 0.5 / 4


@given(st.integers(0, 2**32), st.lists(st.integers(0, 40), max_size=4))
def test_fvu_does_not_depend_on_the_batch_size(seed, cuts):
    generator = np.random.default_rng(seed)
    x = 1000 + generator.normal(size=(40, 3))
    x_hat = x + 0.1 * generator.normal(size=x.shape)
    batched = VarianceExplained(3)
    for rows, guess in zip(np.split(x, sorted(cuts)), np.split(x_hat, sorted(cuts)), strict=True):
        batched.update(rows, guess)
    naive = ((x - x_hat) ** 2).sum() / ((x - x.mean(axis=0)) ** 2).sum()
    assert batched.fvu == pytest.approx(naive, rel=1e-9)


def test_fvu_is_undefined_where_all_rows_are_equal():
    variance = VarianceExplained(2)
    variance.update(np.ones((3, 2)), np.zeros((3, 2)))
    assert np.isnan(variance.fvu)


def test_moments_keep_their_digits_under_a_large_mean():
    x = (1e4 + np.random.default_rng(0).normal(size=(500, 4))).astype(np.float32)
    moments = RunningMoments(4)
    for rows in np.array_split(x, 7):
        moments.update(rows)
    np.testing.assert_allclose(moments.mean, x.astype(np.float64).mean(axis=0), rtol=1e-12)
    expected = x.astype(np.float64).var(axis=0).sum()
    assert moments.total_variance == pytest.approx(expected, rel=1e-9)


def test_firing_counts_of_a_worked_example():
    # token 0 fires 0 and 2, token 1 fires 2, token 2 fires nothing
    firing = FiringCounts(4)
    firing.update(np.array([0, 2]), 1)
    firing.update(np.array([2]), 2)
    assert firing.l0 == 1.0
    assert firing.dead_share == 0.5
    np.testing.assert_allclose(firing.density, [1 / 3, 0, 2 / 3, 0])


def test_evaluation_measures_a_dictionary_as_at_inference():
    sae = make_sae(SaeConfig("topk", n_features=2, k=1), 2)
    with torch.no_grad():
        sae.W_dec.copy_(torch.eye(2))
        sae.W_enc.copy_(torch.eye(2))
    # each row loses its smaller element: 1 + 0; total about the mean (2, 1): 1 + 1 + 1 + 1
    x = np.array([[3.0, 0.0], [1.0, 2.0]], dtype=np.float32)
    found = evaluate(sae, [x])
    assert found.fvu == pytest.approx(1 / 4)
    assert (found.l0, found.dead_share, found.n_tokens) == (1.0, 0.0, 2)
    np.testing.assert_allclose(found.density, [0.5, 0.5])


def test_evaluation_without_rows_is_refused():
    sae = make_sae(SaeConfig("topk", n_features=2, k=1), 2)
    with pytest.raises(InputError, match="rows to evaluate: expected at least one, found none"):
        evaluate(sae, [])


def test_explained_variance_is_what_fvu_leaves():
    assert Evaluation(0.3, 1.0, 0.0, np.zeros(1), 1).explained_variance == pytest.approx(0.7)


@given(st.lists(st.floats(0, 1) | st.sampled_from([0.0, 1.0, 1e-9, 0.1, 1e-7]), max_size=30))
def test_densities_are_counted_in_quarters_of_a_decade(values):
    found = density_histogram(np.array(values, dtype=np.float64))
    assert found.edges[0] == pytest.approx(1e-7)
    assert found.edges[-1] == 1
    naive = [0] * 28
    for value in values:
        if value > 0:
            inside = [i for i in range(28) if found.edges[i] <= value]
            naive[max(inside, default=0)] += 1
    assert found.counts.tolist() == naive
    assert found.counts.sum() == sum(value > 0 for value in values)


def test_cosines_beyond_1_by_rounding_are_counted():
    found = cosine_histogram(np.array([1 + 1e-7, 1.0, -0.99, 0.51]))
    assert found.counts[-1] == 2
    assert found.counts[0] == 1
    assert found.counts.sum() == 4
    assert found.counts[np.flatnonzero(found.edges <= 0.51)[-1]] == 1


def test_sparse_codes_are_the_dense_ones():
    sae = make_sae(SaeConfig("topk", n_features=9, k=3), 4, seed=1)
    x = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    np.testing.assert_array_equal(sparse_codes(sae, x).toarray(), sae.encode(x).detach().numpy())
