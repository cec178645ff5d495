from itertools import combinations

import numpy as np
import pytest

from genointerp.candidate.backtest.chance import (
    expected_first,
    p_first,
    p_ranks,
    p_within,
    recall_band,
)


def orders(n, m):
    """Every set of ranks that m features may have among n."""
    return [np.array(ranks) for ranks in combinations(range(1, n + 1), m)]


@pytest.mark.parametrize(("n", "m"), [(7, 1), (7, 3), (8, 5), (6, 6)])
def test_chances_are_those_of_all_orders_counted_out(n, m):
    every = orders(n, m)
    assert expected_first(n, m) == pytest.approx(np.mean([ranks.min() for ranks in every]))
    for rank in range(1, n + 1):
        assert p_first(n, m, rank) == pytest.approx(np.mean([r.min() <= rank for r in every]))
        for hits in range(m + 1):
            share = np.mean([(ranks <= rank).sum() >= hits for ranks in every])
            assert p_within(n, m, rank, hits) == pytest.approx(share)


def test_the_band_holds_95_percent_of_all_orders_at_each_rank():
    n, m = 9, 4
    band = recall_band(n, m)
    every = orders(n, m)
    for index in range(n):
        recall = np.array([(ranks <= index + 1).mean() for ranks in every])
        assert band.mean[index] == pytest.approx(recall.mean())
        assert (recall < band.low[index] - 1e-9).mean() <= 0.025
        assert (recall > band.high[index] + 1e-9).mean() <= 0.025
        assert (recall <= band.low[index] + 1e-9).mean() > 0.025


def test_no_feature_has_no_first():
    assert np.isnan(expected_first(10, 0))


def test_a_top_longer_than_the_list_is_all_of_it():
    assert p_within(5, 2, 50, 2) == 1.0


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_the_chance_of_all_ranks_is_that_of_all_orders(n):
    for m in range(1, n):
        every = [sum(ranks) for ranks in combinations(range(1, n + 1), m)]
        for ranks in combinations(range(1, n + 1), m):
            expected = sum(total <= sum(ranks) for total in every) / len(every)
            assert p_ranks(np.array(ranks, float), n) == pytest.approx(expected)


def test_the_chance_of_all_ranks_has_its_limits():
    assert p_ranks(np.arange(1.0, 4.0), 3) == 1
    assert np.isnan(p_ranks(np.zeros(0), 3))
    # of so many pairs it is approximate
    late = np.arange(1.0, 401.0)
    assert p_ranks(late, 1000) < 1e-30
    assert p_ranks(late + 300, 1000) == pytest.approx(0.5, abs=0.01)
