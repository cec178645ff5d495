import numpy as np
import pytest
from scipy import stats

from genointerp.comparison.changed.block_test import BlockDraws, moderated_p


def test_ratio_and_its_draws_are_those_of_a_loop():
    draw = np.random.default_rng(0)
    first, second = draw.poisson(20, (2, 12, 3)).astype(float)
    draws = BlockDraws.of(12, 50, seed=1)
    found = draws.log2_ratio(first, second)
    assert np.allclose(found.value, np.log2((first.sum(0) + 0.5) / (second.sum(0) + 0.5)))
    values = []
    for weight in draws.weight:
        assert weight.sum() == 12
        rows = np.repeat(np.arange(12), weight.astype(int))
        values.append(np.log2((first[rows].sum(0) + 0.5) / (second[rows].sum(0) + 0.5)))
    error = np.std(values, axis=0, ddof=1)
    assert np.allclose(found.low, np.quantile(values, 0.025, axis=0))
    expected = 2 * stats.t.sf(np.abs(found.value) / error, 11)
    assert np.allclose(found.p_value, expected)


def test_p_of_equal_rates_is_uniform():
    draw = np.random.default_rng(3)
    rate = draw.gamma(2, 10, (60, 1))
    first, second = (draw.poisson(rate, (60, 2000)).astype(float) for _ in range(2))
    p = BlockDraws.of(60, 200, seed=0).log2_ratio(first, second).p_value
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.015)
    assert (p <= 0.5).mean() == pytest.approx(0.5, abs=0.04)


def test_feature_of_few_blocks_is_not_tested():
    first = np.zeros((10, 1))
    first[:4] = 9
    found = BlockDraws.of(10, 50, seed=0).log2_ratio(first, np.zeros((10, 1)))
    assert np.isnan(found.p_value[0])
    assert np.isnan(found.low[0])


def test_difference_of_means_is_undefined_where_one_never_fires():
    n = np.ones((8, 2))
    n[:, 1] = 0
    total = np.full((8, 2), 3.0) * n
    found = BlockDraws.of(8, 50, seed=0).difference_of_means(
        2 * total, n, total[:, :1].repeat(2, 1), np.ones((8, 2))
    )
    assert found.value[0] == 3
    assert np.isnan(found.value[1])
    assert np.isnan(found.p_value[1])


def test_seeds_that_differ_as_much_within_as_between_are_not_significant():
    draw = np.random.default_rng(0)
    spread = np.sqrt(1 / draw.gamma(3, 1, 4000))
    groups = draw.normal(size=(4, 4000)) * spread
    p = moderated_p(groups[:2], groups[2:])
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.012)
    groups[:2, :40] += 12
    found = moderated_p(groups[:2], groups[2:])
    assert np.median(found[:40]) < 1e-4


def test_items_that_do_not_differ_at_all_have_p_one():
    group = np.arange(6.0).reshape(2, 3)
    assert moderated_p(group, group.copy()).tolist() == [1, 1, 1]
