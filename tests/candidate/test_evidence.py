import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.association.counts import RowTrack
from genointerp.candidate.evidence import find_loci, find_period, histogram_auroc


def recurrence_of(fires, max_lag=40):
    """For each lag, the share of firing bases whose lag-th next base fires: by definition."""
    rows = np.flatnonzero(fires)
    padded = np.concatenate([fires, np.zeros(max_lag + 1, bool)])
    return np.array([padded[rows + lag].mean() for lag in range(max_lag + 1)])


def test_a_codon_detector_has_period_three_and_full_strength():
    fires = np.zeros(3000, bool)
    fires[::3] = True
    assert find_period(recurrence_of(fires)) == pytest.approx((1.0, 3), abs=0.02)


def test_a_period_of_a_helix_turn_is_not_given_as_its_multiple():
    fires = np.zeros(3000, bool)
    fires[::10] = True
    assert find_period(recurrence_of(fires)).bp == 10


def test_whole_elements_have_no_period():
    fires = np.zeros(3000, bool)
    for start in range(0, 2900, 500):
        fires[start : start + 80] = True
    assert find_period(recurrence_of(fires)).strength < 0.02


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=20),
    st.lists(st.integers(0, 6), min_size=1, max_size=20),
)
def test_auroc_of_histograms_equals_that_of_all_pairs(a, b):
    found = histogram_auroc(np.bincount(a, minlength=7), np.bincount(b, minlength=7))
    assert found == pytest.approx(np.mean([(x > y) + (x == y) / 2 for x in a for y in b]))


def test_loci_close_gaps_but_do_not_cross_contigs():
    rows = np.array([2, 3, 7, 9, 10, 30], dtype=np.int64)
    value = np.array([1, 5, 2, 3, 4, 0.5], dtype=np.float32)
    track = RowTrack(0, "+", rows, value)
    loci = find_loci(track, np.array([0, 10]), at_least=0.6, merge_gap=3)
    assert loci.start.tolist() == [2, 10]
    assert loci.end.tolist() == [10, 11]
    assert loci.maximum.tolist() == [5, 4]
