import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from genointerp.association.count.label import Label, LabelledCells
from genointerp.association.count.patch import PatchBuilder
from genointerp.association.count.universe import Universe
from genointerp.association.null.significance import (
    NullCounts,
    ShiftNull,
    benjamini_hochberg,
    draw_shifts,
    p_values,
)
from tests.association.detect import detect


def labelled(mask):
    """One label upon a grid of two strands."""
    cells = mask.ravel().astype(np.int32)
    return LabelledCells(
        names=(Label("a", "sense"),),
        combination=cells,
        members=np.array([[0.0, 1.0]]),
        n_positive=np.array([cells.sum()], dtype=np.int64),
        patches=PatchBuilder(Universe(mask.shape[1], cells.size, ())).build(),
        element_label=np.zeros(0, np.int64),
        whole=np.zeros(0, np.int64),
    )


@given(st.integers(2, 60), st.integers(1, 80), st.floats(0, 1), st.integers(0, 1000))
def test_shifted_counts_equal_those_of_a_rolled_annotation(n_bp, n_shifts, density, seed):
    rng = np.random.default_rng(seed)
    mask, fires = rng.random((2, n_bp)) < 0.4, rng.random((2, n_bp)) < density
    shifts = draw_shifts(n_bp, n_shifts, seed=seed)
    multiples = [j for j in range(shifts.first, shifts.first + shifts.n + 1) if j != 0]
    places = [shifts.step * j % n_bp for j in multiples]
    assert len(places) == len(set(places)) == min(n_shifts, n_bp - 1)
    assert 0 not in places
    others = rng.random((2, n_bp)) < 0.5, np.zeros((2, n_bp), bool)
    detectors = [fires, *others]
    detected = detect(*(np.flatnonzero(one) for one in detectors))
    found = ShiftNull(labelled(mask), n_bp, shifts).count(detected, 0)
    for index, one in enumerate(detectors):
        expected = [int((np.roll(mask, place, axis=1) & one).sum()) for place in places]
        assert found.null[index].tolist() == expected
        assert found.observed[index] == (mask & one).sum()


def test_more_cells_are_counted_than_fit_in_a_byte():
    n_bp = 3000
    mask = np.ones((2, n_bp), bool)
    null = ShiftNull(labelled(mask), n_bp, draw_shifts(n_bp, 99, seed=0))
    sizes = [2 * n_bp, 255, 256, 249, 248, 7]
    found = null.count(detect(*(np.arange(size) for size in sizes)), 0)
    assert found.observed.tolist() == sizes
    assert (found.null == np.array(sizes)[:, None]).all()


def test_the_same_seed_gives_the_same_shifts_and_another_gives_others():
    assert draw_shifts(10_000, 99, seed=1) == draw_shifts(10_000, 99, seed=1)
    assert draw_shifts(10_000, 99, seed=1) != draw_shifts(10_000, 99, seed=2)


def test_p_values_are_uniform_when_the_annotation_is_laid_anywhere():
    """Clustered elements under a clustered feature: the case in which a base-wise test fails."""
    rng = np.random.default_rng(0)
    n_bp = 3001
    p = []
    for trial in range(300):
        mask, fires = np.zeros((2, n_bp), bool), np.zeros((2, n_bp), bool)
        for start in rng.choice(1500, 12, replace=False):
            mask[rng.integers(2), start : start + 40] = True
        for start in rng.choice(2000, 30, replace=False):
            fires[rng.integers(2), start : start + 25] = True
        mask = np.roll(mask, rng.integers(n_bp), axis=1)
        null = ShiftNull(labelled(mask), n_bp, draw_shifts(n_bp, 199, seed=trial))
        p.append(p_values(null.count(detect(np.flatnonzero(fires)), 0))[0])
    assert kstest(p, "uniform").pvalue > 0.01
    assert np.mean(np.array(p) <= 0.05) < 0.09


def test_p_value_counts_the_annotation_itself():
    counts = NullCounts(np.array([5, 9]), np.array([[1, 5, 7, 2], [0, 0, 0, 0]]))
    assert p_values(counts) == pytest.approx([3 / 5, 1 / 5])


def test_q_values_of_a_worked_example():
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.5])
    q = benjamini_hochberg(p)
    assert q[[0, 2, 3, 4]] == pytest.approx([0.04, 0.04 * 4 / 3, 0.04 * 4 / 3, 0.5])
    assert np.isnan(q[1])


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=30))
def test_q_values_reject_what_the_step_up_procedure_rejects(values):
    p, level = np.array(values), 0.1
    ordered = np.sort(p)
    passed = [i for i in range(len(p)) if ordered[i] <= level * (i + 1) / len(p)]
    limit = ordered[max(passed)] if passed else -1.0
    q = benjamini_hochberg(p)
    near = np.abs(q - level) < 1e-9
    assert ((q <= level) == (p <= limit))[~near].all()
