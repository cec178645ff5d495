import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from genointerp.association.null.max_statistic import MaxStatistic
from genointerp.association.null.significance import NullCounts

N_WORLDS = 400


def p_max_of(family):
    """Of each pair of a family, from its counts at the annotation and at each rotation."""
    largest = MaxStatistic()
    # in two parts, as from two blocks of features
    for part in (family[: len(family) // 2], family[len(family) // 2 :]):
        largest.add(NullCounts(part[:, 0], part[:, 1:]))
    return largest.p_values()


def standardised(family):
    rows = []
    for counts in family.tolist():
        mean = sum(counts) / len(counts)
        spread = (sum((c - mean) ** 2 for c in counts) / len(counts)) ** 0.5
        rows.append([(c - mean) / spread if spread else 0.0 for c in counts])
    return rows


def naive_p_max(family):
    """Westfall and Young 1993, algorithm 4.1: the best pair first, then without it, and so on."""
    left = standardised(family)
    order = sorted(range(len(left)), key=lambda pair: -left[pair][0])
    found = dict.fromkeys(order, 0.0)
    highest = 0.0
    for number, pair in enumerate(order):
        largest = [max(left[other][k] for other in order[number:]) for k in range(len(left[0]))]
        n_as_good = sum(m >= left[pair][0] - 1e-9 for m in largest)
        highest = found[pair] = max(highest, n_as_good / len(largest))
    return [found[pair] for pair in range(len(left))]


def naive_single_step(family):
    rows = standardised(family)
    largest = [max(row[k] for row in rows) for k in range(len(rows[0]))]
    return [sum(m >= row[0] - 1e-9 for m in largest) / len(largest) for row in rows]


def test_p_max_of_a_worked_example():
    # standardised: [3, -1, -1, -1] / sqrt(3) and [-1, 1, -1, 1]; largest 1.73, 1, -.58, 1
    family = np.array([[7, 3, 3, 3], [0, 2, 0, 2]])
    assert p_max_of(family).tolist() == [0.25, 1.0]


def test_a_pair_is_not_held_to_what_a_better_one_reaches():
    # standardised: 1.88, 1.57, -.58 ... and 1.53, 1.09, .65 ...: only the first reaches 1.53 again
    family = np.array([[8, 7, 0, 0, 0, 0, 0, 0], [7, 6, 5, 4, 3, 2, 1, 0]])
    assert naive_single_step(family) == [1 / 8, 2 / 8]
    assert p_max_of(family).tolist() == [1 / 8, 1 / 8]


@given(st.integers(1, 6), st.integers(2, 12), st.integers(2, 9), st.integers(0, 1000))
def test_p_max_equals_its_definition(n_pairs, n_counts, most, seed):
    family = np.random.default_rng(seed).integers(0, most, (n_pairs, n_counts))
    assert p_max_of(family) == pytest.approx(naive_p_max(family))


@given(st.integers(2, 6), st.integers(2, 30), st.integers(0, 1000))
def test_p_max_is_never_above_that_of_a_single_step(n_pairs, n_counts, seed):
    family = np.random.default_rng(seed).integers(0, 9, (n_pairs, n_counts))
    found, single = p_max_of(family), np.array(naive_single_step(family))
    assert (found <= single + 1e-12).all()
    assert found.min() == pytest.approx(single.min())
    # in the order of the statistics, as adjusted p-values must be
    first = np.array(standardised(family))[:, 0]
    assert (np.diff(found[np.argsort(-first)]) >= 0).all()


def test_a_pair_that_no_rotation_changes_is_not_significant_and_divides_nothing_by_zero():
    with np.errstate(all="raise"):
        assert p_max_of(np.array([[5, 5, 5], [0, 0, 0]])).tolist() == [1.0, 1.0]


def test_a_family_without_pairs_has_no_p_max():
    assert MaxStatistic().p_values().shape == (0,)


@pytest.mark.parametrize("most", [200, 60_000, 3_000_000])
def test_counts_of_any_size_are_kept_as_they_are(most):
    family = np.random.default_rng(0).integers(0, most, (3, 40))
    family[:, 0] = most
    assert p_max_of(family) == pytest.approx(naive_p_max(family))


def worlds(n_true):
    """Five features of very different density under one annotation and all its rotations.

    The first ``n_true`` fire upon the annotation.
    """
    rng = np.random.default_rng(0)
    n_bp = 200
    for _ in range(N_WORLDS):
        annotation = np.roll(np.repeat(rng.random(n_bp // 5) < 0.3, 5), rng.integers(n_bp))
        rotated = np.stack([np.roll(annotation, shift) for shift in range(n_bp)])
        density = np.array([[0.02], [0.1], [0.3], [0.6], [0.9]])
        fires = np.repeat(rng.random((5, n_bp // 4)) < density, 4, axis=1)
        fires[:n_true] = annotation ^ (rng.random((n_true, n_bp)) < 0.05)
        yield fires.astype(np.int64) @ rotated.T


def is_one_in_twenty(n_found):
    few, many = binom.ppf([0.0005, 0.9995], N_WORLDS, 0.05)
    return few <= n_found <= many


def test_a_family_without_truth_has_a_significant_pair_in_one_world_of_twenty():
    assert is_one_in_twenty(sum(bool((p_max_of(family) <= 0.05).any()) for family in worlds(0)))


def test_truth_among_the_family_leaves_the_error_of_the_others_where_it_was():
    """The single step is conservative then: what is true takes its maximum up."""
    stepped, single = 0, 0
    for family in worlds(3):
        stepped += bool((p_max_of(family)[3:] <= 0.05).any())
        single += any(p <= 0.05 for p in naive_single_step(family)[3:])
    assert is_one_in_twenty(stepped)
    assert single < stepped
