import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from genointerp.association.significance import MaxStatistic


def p_max_of(family):
    """Of each pair of a family, from its counts at the annotation and at each rotation."""
    largest = MaxStatistic(len(family[0]) - 1)
    observed = [largest.add(int(counts[0]), counts[1:]) for counts in family]
    return largest.p_values(np.array(observed))


def naive_p_max(family):
    rows = []
    for counts in family:
        mean = sum(counts) / len(counts)
        spread = (sum((c - mean) ** 2 for c in counts) / len(counts)) ** 0.5
        rows.append([(c - mean) / spread if spread else 0.0 for c in counts])
    largest = [max(row[k] for row in rows) for k in range(len(rows[0]))]
    return [sum(m >= row[0] - 1e-9 for m in largest) / len(largest) for row in rows]


def test_p_max_of_a_worked_example():
    # standardised: [3, -1, -1, -1] / sqrt(3) and [-1, 1, -1, 1]; largest 1.73, 1, -.58, 1
    family = np.array([[7, 3, 3, 3], [0, 2, 0, 2]])
    assert p_max_of(family).tolist() == [0.25, 1.0]


@given(st.integers(1, 5), st.integers(2, 12), st.integers(0, 1000))
def test_p_max_equals_its_definition(n_pairs, n_counts, seed):
    family = np.random.default_rng(seed).integers(0, 4, (n_pairs, n_counts))
    assert p_max_of(family) == pytest.approx(naive_p_max(family.tolist()))


def test_a_pair_that_no_rotation_changes_is_not_significant_and_divides_nothing_by_zero():
    with np.errstate(all="raise"):
        assert p_max_of(np.array([[5, 5, 5], [0, 0, 0]])).tolist() == [1.0, 1.0]


def test_pairs_that_were_not_tested_have_no_p_max():
    largest = MaxStatistic(2)
    observed = largest.add(3, np.array([1, 1]))
    assert largest.p_values(np.array([observed, np.nan]))[0] == pytest.approx(1 / 3)
    assert np.isnan(largest.p_values(np.array([observed, np.nan]))[1])


def test_a_family_without_truth_has_a_significant_pair_in_one_world_of_twenty():
    """Five features of very different density, under one annotation and all its rotations."""
    rng = np.random.default_rng(0)
    n_worlds, n_bp, found = 400, 200, 0
    for _ in range(n_worlds):
        annotation = np.roll(np.repeat(rng.random(n_bp // 5) < 0.3, 5), rng.integers(n_bp))
        rotated = np.stack([np.roll(annotation, shift) for shift in range(n_bp)])
        density = np.array([[0.02], [0.1], [0.3], [0.6], [0.9]])
        fires = np.repeat(rng.random((5, n_bp // 4)) < density, 4, axis=1)
        found += bool((p_max_of(fires.astype(np.int64) @ rotated.T) <= 0.05).any())
    few, many = binom.ppf([0.0005, 0.9995], n_worlds, 0.05)
    assert few <= found <= many
