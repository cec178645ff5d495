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


@pytest.mark.parametrize(("n_blocks", "active"), [(60, 4), (60, 7), (280, 8)])
def test_tail_of_p_of_equal_rates_in_few_blocks_is_not_too_small(n_blocks, active):
    draw = np.random.default_rng(n_blocks + active)
    # clumps of ten bases, in few of the blocks
    shape = (n_blocks, 6000)
    first, second = (10.0 * draw.poisson(active / n_blocks, shape) for _ in range(2))
    p = BlockDraws.of(n_blocks, 200, seed=0).log2_ratio(first, second).p_value
    p = p[~np.isnan(p)]
    assert (p <= 1e-3).mean() <= 1.5e-3
    assert (p <= 1e-4).mean() <= 3e-4


def test_rare_items_that_vary_more_are_judged_by_their_like():
    draw = np.random.default_rng(0)
    size = np.where(np.arange(2000) < 200, 8.0, draw.uniform(500, 50_000, 2000))
    rate = size * 2 ** draw.normal(0, 0.05, (4, 2000))
    groups = np.log2(draw.poisson(rate) + 0.5)
    p = moderated_p(groups[:2], groups[2:])
    assert (p[:200] <= 0.05).mean() <= 0.11
    assert (p[200:] <= 0.05).mean() == pytest.approx(0.05, abs=0.02)
    floor = moderated_p(groups[:2], groups[2:], least=2.0 ** -groups.mean(axis=0) * 2.08)
    assert (floor >= p).all()
    assert (floor[:200] <= 1e-3).mean() <= 0.01


def test_where_nothing_varies_within_groups_there_is_no_p():
    group = np.array([[10.0, 10, 11], [10, 10, 11]])
    p = moderated_p(group, np.full((2, 3), 10.0))
    assert p[:2].tolist() == [1, 1]
    assert np.isnan(p[2])
