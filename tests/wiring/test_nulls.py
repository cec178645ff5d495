"""P-values of edges and of mediation where nothing is planted, and where something is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from genointerp.wiring.edge_tally import EdgeTally
from genointerp.wiring.group import Group, Member, Plan


def tally_of(total, null, *, n_with=4, n_targets=4):
    """Edges from features at lag 0, whose weights and null weights are given."""
    n_sources, n_null = null.shape
    tally = EdgeTally(0, n_sources, 1, n_null, n_targets=n_targets)
    tally.total[:-1] = total
    tally.absolute[:-1] = np.abs(total)
    tally.n_with[:-1] = n_with
    tally.null[:-1] = null
    return tally


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_p_values_of_edges_that_are_along_any_direction_are_uniform(seed):
    random = np.random.default_rng(seed)
    # an edge of many tokens has a wider null than one of few
    unit = 10.0 ** random.uniform(-3, 3, 600)
    total = unit * random.normal(size=600)
    p = tally_of(total, unit[:, None] * random.normal(size=(600, 49))).edges()["p_value"]
    assert kstest(p, "uniform").pvalue > 0.01
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.03)


def test_an_edge_that_is_planted_among_them_has_the_smallest_p():
    random = np.random.default_rng(0)
    total = random.normal(size=100)
    total[7] = -9
    p = tally_of(total, random.normal(size=(100, 49))).edges()["p_value"]
    assert p.idxmin() == 7
    assert p[7] == pytest.approx(1 / (1 + 100 * 49))


@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(2, 9))
def test_the_null_of_an_edge_is_that_of_all_tested_edges_in_its_own_units(seed, n, n_null):
    random = np.random.default_rng(seed)
    total, null = random.normal(size=n), random.normal(size=(n, n_null)).astype(np.float32)
    n_with = random.integers(0, 9, n)
    # a fourth of 8 targets; an edge that no target has is not even measured
    tested = [i for i in range(n) if n_with[i] >= 2]
    found = tally_of(total, null, n_with=n_with, n_targets=8).edges().set_index("source")
    assert found.index.tolist() == [i for i in range(n) if n_with[i]]
    size = {i: float(np.sqrt(np.mean(null[i].astype(float) ** 2))) for i in range(n)}
    every = [abs(float(x)) / size[i] for i in tested for x in null[i]]
    for i in found.index:
        if i not in tested:
            assert np.isnan(found["p_value"][i])
            continue
        n_as_large = sum(one >= abs(total[i]) / size[i] for one in every)
        assert found["p_value"][i] == pytest.approx((1 + n_as_large) / (1 + len(every)))


NAMES = ("effect_p", "effect_p_two_sided", "synergy_p", "target_lost_p", "mediated_p")


def p_of_groups(random, n_matched=19, effect=0.0):
    """P-values of one group like any other, but for what is added to all of its own effects."""
    group = Group("g", (Member(0, 0), Member(1, 0)))
    matched = [(Member(0, i), Member(1, i)) for i in range(1, n_matched + 1)]
    plan = Plan(group, matched, 2)
    losses, target = random.normal(size=(2, len(plan.changes)))
    target = 10 + target
    losses[plan.joint[0]] += effect
    target[plan.single[0][0]] -= effect
    losses[plan.pinned[0]] -= effect * losses[plan.single[0][0]]
    found = plan.together(losses) | plan.mediation(losses, target)
    return [found[name] for name in NAMES]


def test_p_values_of_a_group_like_its_matched_groups_are_uniform():
    random = np.random.default_rng(0)
    p = np.array([p_of_groups(random) for _ in range(400)])
    # they are multiples of one in twenty, each as likely as any other
    for column in p.T:
        count = np.bincount(np.round(20 * column).astype(int), minlength=21)
        assert count[0] == 0
        assert abs(count[1:] - 20).max() < 4 * np.sqrt(20)


def test_a_group_that_does_more_than_its_matched_groups_has_a_small_p():
    random = np.random.default_rng(0)
    effect, either, _, lost, mediated = p_of_groups(random, effect=50.0)
    assert effect == either == lost == mediated == 1 / 20
