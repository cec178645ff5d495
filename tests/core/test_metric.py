import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core import metric

SOME = st.lists(st.integers(0, 6), max_size=20)
UNIFORM = np.full(4, 0.25)


def counts(*values):
    return np.array(values, dtype=np.int64)


def test_scores_of_a_worked_example():
    both, detected, positive, n = counts(6), counts(8), counts(12), 100
    assert metric.precision(both, detected) == pytest.approx([0.75])
    assert metric.recall(both, positive) == pytest.approx([0.5])
    assert metric.f1(both, detected, positive) == pytest.approx([0.6])
    assert metric.f1_always_on(positive, n) == pytest.approx([0.24 / 1.12])
    assert metric.precision_gain(np.array([0.75]), np.array([0.12])) == pytest.approx([0.63 / 0.88])


def test_always_on_f1_of_two_fifths_of_the_bases_is_seven_twelfths():
    assert metric.f1_always_on(counts(40), 100) == pytest.approx([0.8 / 1.4])


@pytest.mark.parametrize(
    "undefined",
    [
        pytest.param(lambda: metric.precision(counts(0), counts(0)), id="silent"),
        pytest.param(lambda: metric.recall(counts(0), counts(0)), id="no-positive"),
        pytest.param(lambda: metric.f1(counts(0), counts(3), counts(0)), id="f1"),
        pytest.param(lambda: metric.f1_always_on(counts(5), 0), id="no-bases"),
        pytest.param(lambda: metric.auroc(np.zeros(1), counts(0), 9), id="auroc-none"),
        pytest.param(lambda: metric.auroc(np.full(1, 45.0), counts(9), 9), id="auroc-all"),
        pytest.param(lambda: metric.auroc_of_counts(counts(0, 0), counts(1, 2)), id="no-count"),
        pytest.param(lambda: metric.auroc_of_values(np.ones(2), np.ones(0)), id="no-negative"),
        pytest.param(lambda: metric.precision_gain(np.ones(1), np.ones(1)), id="all-positive"),
    ],
)
def test_undefined_scores_are_nan_without_a_warning(undefined):
    assert np.isnan(undefined()).all()


def test_f1_of_a_silent_detector_is_zero():
    assert metric.f1(counts(0), counts(0), counts(5)) == 0


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_f1_is_the_harmonic_mean_of_precision_and_recall(bases):
    detected, positive = np.array(bases).T
    both, n, m = counts((detected & positive).sum()), counts(detected.sum()), counts(positive.sum())
    p, r = metric.precision(both, n)[0], metric.recall(both, m)[0]
    if both[0]:
        assert metric.f1(both, n, m)[0] == pytest.approx(2 * p * r / (p + r))


def test_average_precision_of_a_worked_example():
    # positive, not, positive from the highest activation on: precisions 1 and 2/3
    assert metric.average_precision(np.array([1 + 2 / 3]), counts(2)) == pytest.approx([5 / 6])
    assert np.isnan(metric.average_precision(np.zeros(1), counts(0)))


def test_mcc_of_a_worked_example():
    # 6 in both of 8 and 12 of 100: (600 - 96) / sqrt(8 92 12 88)
    found = metric.mcc(counts(6), counts(8), counts(12), 100)
    assert found == pytest.approx([504 / np.sqrt(8 * 92 * 12 * 88)])
    assert metric.mcc(counts(5), counts(5), counts(5), 9) == pytest.approx([1])
    assert metric.mcc(counts(0), counts(4), counts(5), 9) == pytest.approx([-1])


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=40))
def test_mcc_is_the_correlation_of_two_columns_of_zeros_and_ones(bases):
    detected, positive = np.array(bases).T
    found = metric.mcc(
        counts((detected & positive).sum()),
        counts(detected.sum()),
        counts(positive.sum()),
        len(bases),
    )[0]
    if positive.all() or not positive.any():
        assert np.isnan(found)
    elif detected.all() or not detected.any():
        assert found == 0
    else:
        assert found == pytest.approx(np.corrcoef(detected, positive)[0, 1])


def naive_auroc(positive, negative):
    wins = [(x > y) + (x == y) / 2 for x in positive for y in negative]
    return np.mean(wins) if wins else np.nan


@given(SOME, SOME)
def test_auroc_is_the_share_of_pairs_won_from_ranks_counts_and_values(positive, negative):
    expected = pytest.approx(naive_auroc(positive, negative), nan_ok=True)
    both = sorted([*positive, *negative])
    mean_rank = {x: np.mean([i for i, y in enumerate(both, start=1) if x == y]) for x in both}
    ranks = np.array([float(sum(mean_rank[x] for x in positive))])
    assert metric.auroc(ranks, counts(len(positive)), len(both))[0] == expected
    of_each = (np.bincount(counts(*values), minlength=7) for values in (positive, negative))
    assert metric.auroc_of_counts(*of_each) == expected
    values = (np.array(values, np.float64) for values in (positive, negative))
    assert metric.auroc_of_values(*values) == expected


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=20))
def test_kinds_with_one_score_tie(draws):
    score = np.array([0.5, 0.1, 0.5, 0.9])
    positive, negative = ([k for k, is_on in draws if is_on == wanted] for wanted in (True, False))
    found = metric.auroc_of_counts(
        np.bincount(counts(*positive), minlength=4),
        np.bincount(counts(*negative), minlength=4),
        score=score,
    )
    expected = naive_auroc(score[counts(*positive)], score[counts(*negative)])
    assert found == pytest.approx(expected, nan_ok=True)


@given(
    st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=1, max_size=5),
    st.lists(st.integers(1, 9), min_size=4, max_size=4),
)
def test_information_is_that_of_a_loop(columns, weights):
    background = [weight / sum(weights) for weight in weights]
    found = metric.information_content(np.array(columns), np.array(background))
    seldom = metric.chance_information(np.array(columns).sum(axis=1), 7.8147)
    for i, column in enumerate(columns):
        n = sum(column)
        if not n:
            assert found[i] == 0
            assert math.isnan(seldom[i])
            continue
        bits = 0.0
        for count, share in zip(column, background, strict=True):
            if count:
                bits += count / n * math.log2(count / n / share)
        correction = (4 - 1) / (2 * math.log(2) * n)
        assert found[i] == pytest.approx(bits - correction, abs=1e-12)
        assert seldom[i] == pytest.approx(7.8147 / (2 * math.log(2) * n) - correction)


def test_information_of_four_equal_bases_and_of_four_different_ones():
    found = metric.information_content(np.array([[4, 0, 0, 0], [1, 1, 1, 1]]), UNIFORM)
    correction = 3 / (8 * math.log(2))
    assert found == pytest.approx([2 - correction, -correction])


@pytest.mark.parametrize("background", [UNIFORM, np.array([0.4, 0.1, 0.1, 0.4])])
def test_bases_of_the_background_have_no_information_on_average(background):
    """The null: the correction centres chance at 0, and one column in twenty exceeds the line."""
    columns = np.random.default_rng(0).multinomial(60, background, size=4000)
    found = metric.information_content(columns, background)
    assert abs(found.mean()) < 0.002
    seldom = metric.chance_information(columns.sum(axis=1), 7.8147)
    assert 0.035 < (found > seldom).mean() < 0.065


def naive_cosine(row, other):
    return (
        sum(x * y for x, y in zip(row, other, strict=True)) / math.hypot(*row) / math.hypot(*other)
    )


def test_cosines_are_those_of_a_loop_and_zeros_have_none():
    rows = np.random.default_rng(0).normal(size=(4, 3)) * 5
    others = np.random.default_rng(1).normal(size=(6, 3))
    found = metric.cosine(rows, others)
    for i, j in itertools.product(range(4), range(6)):
        assert found[i, j] == pytest.approx(naive_cosine(rows[i], others[j]))
    assert metric.cosine(np.zeros((1, 3)), others).tolist() == [[0.0] * 6]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cosines_have_the_precision_of_their_rows(dtype):
    rows = np.ones((2, 3), dtype)
    assert metric.cosine(rows, rows).dtype == dtype


def test_the_nearest_by_cosine_of_a_worked_example():
    rows = np.array([[2.0, 0.0], [0.0, 1.0]])
    others = np.array([[0.6, 0.8], [5.0, 0.0], [-1.0, 0.0]])
    found = metric.nearest_by_cosine(rows, others)
    assert found.other.tolist() == [1, 0]
    assert found.value == pytest.approx([1.0, 0.8])
    own = metric.nearest_by_cosine(others, others, is_same=True)
    assert own.other.tolist() == [1, 0, 0]
    assert own.value == pytest.approx([0.6, 0.6, -0.6])
    assert metric.nearest_by_cosine(rows[:1], rows[:1], is_same=True).value.tolist() == [-1.0]


def test_the_nearest_do_not_depend_on_how_many_rows_are_held_at_once(monkeypatch):
    rows = np.random.default_rng(0).normal(size=(23, 5))
    whole = metric.nearest_by_cosine(rows, rows, is_same=True)
    monkeypatch.setattr("genointerp.core.metric._ROWS", 4)
    found = metric.nearest_by_cosine(rows, rows, is_same=True)
    assert whole.other.tolist() == found.other.tolist()
    assert found.value == pytest.approx(whole.value)


@given(st.lists(st.floats(-1, 100, width=32), max_size=30))
def test_the_scale_lies_between_the_two_activations_next_to_its_place(values):
    fires = sorted(value for value in values if value > 0)
    found = metric.activation_scale(np.array(values, dtype=np.float32))
    if not fires:
        assert math.isnan(found)
        return
    place = 0.999 * (len(fires) - 1)
    below, above = fires[math.floor(place)], fires[math.ceil(place)]
    assert found == pytest.approx(below + (above - below) * (place - math.floor(place)))
