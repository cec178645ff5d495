import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.association import scores


def counts(*values):
    return np.array(values, dtype=np.int64)


def test_scores_of_a_worked_example():
    both, feature, concept, n = counts(6), counts(8), counts(12), 100
    assert scores.precision(both, feature) == pytest.approx([0.75])
    assert scores.recall(both, concept) == pytest.approx([0.5])
    assert scores.f1(both, feature, concept) == pytest.approx([0.6])
    assert scores.f1_element(np.array([0.75]), np.array([0.25])) == pytest.approx([0.375])
    assert scores.f1_always_on(concept, n) == pytest.approx([0.24 / 1.12])
    assert scores.precision_gain(np.array([0.75]), np.array([0.12])) == pytest.approx([0.63 / 0.88])
    assert scores.log2_enrichment(both, feature, concept, n) == pytest.approx(
        [np.log2(6.5 / (0.96 + 0.5))]
    )


def test_always_on_f1_of_a_concept_on_two_fifths_of_the_bases_is_seven_twelfths():
    assert scores.f1_always_on(counts(40), 100) == pytest.approx([0.8 / 1.4])


@pytest.mark.parametrize(
    ("name", "score"),
    [
        pytest.param("precision", lambda: scores.precision(counts(0), counts(0)), id="silent"),
        pytest.param("recall", lambda: scores.recall(counts(0), counts(0)), id="no-concept"),
        pytest.param("f1", lambda: scores.f1(counts(0), counts(3), counts(0)), id="f1"),
        pytest.param("always-on", lambda: scores.f1_always_on(counts(5), 0), id="no-bases"),
        pytest.param(
            "enrichment", lambda: scores.log2_enrichment(counts(0), counts(3), counts(0), 9), id="e"
        ),
        pytest.param("auroc-none", lambda: scores.auroc(np.zeros(1), counts(0), 9), id="a0"),
        pytest.param("auroc-all", lambda: scores.auroc(np.full(1, 45.0), counts(9), 9), id="a1"),
        pytest.param(
            "gain", lambda: scores.precision_gain(np.ones(1), np.ones(1)), id="whole-genome"
        ),
    ],
)
def test_undefined_scores_are_nan_without_a_warning(name, score):
    assert np.isnan(score()).all()


def test_f1_of_a_silent_detector_is_zero():
    assert scores.f1(counts(0), counts(0), counts(5)) == 0
    assert scores.f1_element(np.array([np.nan]), np.array([0.0])) == 0


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_f1_is_the_harmonic_mean_of_precision_and_recall(bases):
    detected, concept = np.array(bases).T
    both, n, m = counts((detected & concept).sum()), counts(detected.sum()), counts(concept.sum())
    p, r = scores.precision(both, n)[0], scores.recall(both, m)[0]
    if both[0]:
        assert scores.f1(both, n, m)[0] == pytest.approx(2 * p * r / (p + r))
