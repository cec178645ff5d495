"""Where features and annotation know nothing of each other, p-values are uniform."""

import numpy as np
import pytest
from scipy.stats import binom, kstest

from genointerp.association.associate import associate
from genointerp.association.config import AssociateConfig
from genointerp.association.null import matched
from tests.association.null_world import make_world
from tests.specimens import specimen

N_FEATURES = 400
N_SHIFTS = 199
CONFIG = AssociateConfig(test=("test",), n_shifts=N_SHIFTS, n_thresholds=8)

# both chosen so that a true null is refused by one seed in a thousand
LEVEL = 0.001


def tested(folder, **options):
    """One row for each feature, the tested pair that fit likes best: rows are independent."""
    store, elements, genome = make_world(folder, n_features=N_FEATURES, **options)
    table = associate([specimen(store, elements, sequence=genome)], config=CONFIG)
    # both strands together are the larger label, which the F1 likes best whatever fit holds
    table = table[table["p_value"].notna() & (table["orientation"] != "both")]
    table = table.sort_values("f1_fit", kind="stable")
    return table.drop_duplicates("feature", keep="last")


def is_uniform(p):
    """Whether values on the grid 1/n ... 1 agree with the uniform distribution on that grid.

    Kolmogorov and Smirnov's distance at the points of the grid (on a grid their p-value is too
    large, never too small), and the binomial distribution of how many are at most .05; nothing
    may be below the first point of the grid.
    """
    p = np.asarray(p)
    # spread over the cell of the grid that ends in it, which makes a grid's uniform a line's
    spread = p - np.random.default_rng(0).random(len(p)) / (N_SHIFTS + 1)
    few, many = binom.ppf([LEVEL / 2, 1 - LEVEL / 2], len(p), 0.05)
    return (
        p.min() >= 1 / (N_SHIFTS + 1) - 1e-12
        and kstest(spread, "uniform").pvalue > LEVEL
        and few <= np.count_nonzero(p <= 0.05 + 1e-12) <= many
    )


@pytest.fixture(scope="module")
def unrelated(tmp_path_factory):
    return tested(tmp_path_factory.mktemp("unrelated"), seed=1)


@pytest.fixture(scope="module")
def chosen_on_test(tmp_path_factory):
    return tested(tmp_path_factory.mktemp("copy"), seed=1, fit_is_test=True)


@pytest.mark.parametrize("column", ["p_value", "p_matched"])
def test_p_values_are_uniform_when_annotation_and_features_are_unrelated(unrelated, column):
    assert len(unrelated) > 0.8 * N_FEATURES
    assert is_uniform(unrelated[column])


@pytest.mark.parametrize("column", ["p_value", "p_matched"])
def test_that_test_fails_when_the_choice_is_made_on_test(chosen_on_test, column):
    """Fit is a copy of test here, so that pairs and thresholds are chosen on what is tested."""
    assert not is_uniform(chosen_on_test[column])


def test_that_test_fails_when_the_annotation_itself_is_not_counted(unrelated):
    without = (unrelated["p_value"] * (N_SHIFTS + 1) - 1) / N_SHIFTS
    assert not is_uniform(without)


def test_composition_alone_moves_the_p_value_and_not_that_of_the_matched_background(tmp_path):
    table = tested(tmp_path, seed=3, gc_bias=True)
    assert not is_uniform(table["p_value"])
    assert is_uniform(table["p_matched"])


def test_a_null_f1_of_matched_background_is_exceeded_by_one_pair_in_twenty(
    tmp_path_factory, monkeypatch
):
    """It is on the scale of the F1, also where some elements have no background."""
    # with so few places looked at, none is found for some
    monkeypatch.setattr(matched, "_TRIES", (2, 4))
    n = n_above = 0
    for seed in range(3):
        folder = tmp_path_factory.mktemp("matched")
        store, elements, genome = make_world(folder, n_features=N_FEATURES, seed=seed, gc_bias=True)
        table = associate([specimen(store, elements, sequence=genome)], config=CONFIG)
        told = table[table["null_f1_matched"].notna()]
        assert (told["matched_share"] < 1).all()
        above = told["f1"] > told["null_f1_matched"]
        # the quantile lies between draws, so that of the pair at the edge either may hold
        assert (above[told["p_matched"] <= 0.049]).all()
        assert not above[told["p_matched"] > 0.056].any()
        n, n_above = n + len(told), n_above + int(above.sum())
    assert n > N_FEATURES
    assert binom.cdf(n_above, n, 0.05) > LEVEL / 2
    assert n_above / n < 0.08
