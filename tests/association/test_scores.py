import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.association import scores


def counts(*values):
    return np.array(values, dtype=np.int64)


def test_scores_of_a_worked_example():
    assert scores.f1_element(np.array([0.75]), np.array([0.25])) == pytest.approx([0.375])
    found = scores.log2_enrichment(counts(6), counts(8), counts(12), 100)
    assert found == pytest.approx([np.log2(6.5 / (0.96 + 0.5))])


def test_the_enrichment_in_a_concept_without_bases_is_nan_without_a_warning():
    assert np.isnan(scores.log2_enrichment(counts(0), counts(3), counts(0), 9)).all()


def test_f1_by_element_of_a_silent_detector_is_zero():
    assert scores.f1_element(np.array([np.nan]), np.array([0.0])) == 0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1), st.integers(0, 20))
def test_least_precision_is_that_of_leaving_out_each_stretch(stretches, fewest):
    both, alone = counts(*(b for b, _ in stretches)), counts(*(a for _, a in stretches))
    left = [stretches[:i] + stretches[i + 1 :] for i in range(len(stretches))]
    sizes = [sum(b + a for b, a in rest) for rest in left]
    found = scores.least_precision(both, both + alone, fewest=fewest)
    if min(sizes) < max(fewest, 1):
        assert np.isnan(found)
    else:
        shares = [sum(b for b, _ in rest) / n for rest, n in zip(left, sizes, strict=True)]
        assert found == pytest.approx(min(shares))


def test_the_interval_of_the_enrichment_is_that_of_a_loop_over_stretches():
    rng = np.random.default_rng(0)
    covered = rng.integers(900, 1000, 12)
    concept = rng.integers(0, 300, 12)
    feature = rng.integers(0, 300, 12)
    both = rng.binomial(np.minimum(concept, feature), 0.5)
    found = scores.log2_enrichment_interval(both, feature, concept, covered)

    def score(keep):
        b, f, c, n = (x[keep].sum() for x in (both, feature, concept, covered))
        return np.log2((b + 0.5) / (f * c / n + 0.5))

    without = [score(np.arange(12) != g) for g in range(12)]
    error = np.sqrt(11 / 12 * sum((x - np.mean(without)) ** 2 for x in without))
    # 2.201 is the 97.5 % quantile of Student's distribution with 11 degrees of freedom
    whole = score(np.ones(12, bool))
    assert found.low == pytest.approx(whole - 2.201 * error, rel=1e-3)
    assert found.high == pytest.approx(whole + 2.201 * error, rel=1e-3)


def test_the_interval_covers_the_truth_where_bases_come_in_runs():
    """Elements and firing in runs of 50: an interval from bases would cover far less often."""
    rng = np.random.default_rng(1)
    n_trials, n_stretches, n_runs = 400, 20, 40
    concept = rng.random((n_trials, n_stretches, n_runs)) < 0.3
    detected = rng.random(concept.shape) < np.where(concept, 0.4, 0.1)
    tables = (concept & detected, detected, concept)
    found = scores.log2_enrichment_interval(
        *(50 * table.sum(axis=2) for table in tables), np.full(n_stretches, 50 * n_runs)
    )
    truth = np.log2(0.4 / (0.3 * 0.4 + 0.7 * 0.1))
    covers = (found.low <= truth) & (truth <= found.high)
    assert 0.92 <= covers.mean() <= 0.98


def test_an_interval_needs_a_concept_and_ten_stretches():
    few = (counts(*[1] * 9),) * 3 + (counts(*[9] * 9),)
    assert np.isnan(scores.log2_enrichment_interval(*few)).all()
    ten, none = counts(*[1] * 10), counts(*[0] * 10)
    assert np.isnan(scores.log2_enrichment_interval(none, ten, none, 9 * ten)).all()
    # all alike: no spread; 10 of 10 and 10 in 90
    alike = scores.log2_enrichment_interval(ten, ten, ten, 9 * ten)
    expected = pytest.approx(np.log2(10.5 / (100 / 90 + 0.5)))
    assert (alike.low, alike.high) == (expected, expected)


def test_a_concept_in_one_stretch_has_a_wide_interval():
    one = counts(100, *[0] * 19)
    found = scores.log2_enrichment_interval(one, one, one, counts(*[1000] * 20))
    assert found.low < 0 < found.high


def test_the_phase_share_is_that_of_the_phase_chosen_elsewhere():
    n_phase = np.array([[2, 6, 4], [0, 0, 0]])
    found = scores.phase_share(n_phase, counts(2, 0))
    assert found[0] == pytest.approx(4 / 12)
    assert np.isnan(found[1])
