import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.association.counts import RowTrack
from genointerp.candidate.coherence import (
    NEAREST,
    REACH,
    STEP,
    auroc,
    coherent_share,
    draw_surroundings,
)
from genointerp.store.contigs import ContigInfo
from tests.plant import make_store, silence

LENGTH = 6000
FRAME, WORDS, ELEMENTS, EVERYWHERE = range(4)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    draw = np.random.default_rng(1)
    dense = silence(LENGTH, 4)
    for strand in "+-":
        for start in range(100, LENGTH - 700, 1200):
            dense[strand][start : start + 600 : 3, FRAME] = 2
            dense[strand][start : start + 75, ELEMENTS] = draw.uniform(1, 2, 75)
        for start in draw.choice(LENGTH - 10, 60, replace=False):
            dense[strand][start : start + 6, WORDS] = 2
        dense[strand][:, EVERYWHERE] = 1
    contigs = (
        ContigInfo("a", 2550, circular=False),
        ContigInfo("b", LENGTH - 2550, circular=False),
    )
    path = tmp_path_factory.mktemp("coherence") / "features.h5"
    return make_store(path, dense, contigs)


def tracks_of(store, feature):
    found = [(strand, store.feature(feature, strand)) for strand in "+-"]
    return [RowTrack(0, strand, rows.row, rows.value) for strand, rows in found]


def naive(store, feature):
    """Over every base and every pair, by definition."""
    about = {True: [], False: []}
    for track in tracks_of(store, feature):
        values = np.zeros(LENGTH)
        values[track.row] = track.value
        for base in range(LENGTH):
            low, high = (0, 2550) if base < 2550 else (2550, LENGTH)
            places = [base + s * d for s in (1, -1) for d in range(NEAREST, REACH + 1, STEP)]
            total = sum(values[place] for place in places if low <= place < high)
            if values[base] >= 1.5 or values[base] == 0:
                about[values[base] > 0].append(total)
    positive, negative = np.array(about[True]), np.array(about[False])
    wins = (positive[:, None] > negative) + (positive[:, None] == negative) / 2
    return wins.mean()


@pytest.mark.parametrize("feature", [FRAME, WORDS, ELEMENTS])
def test_coherence_is_the_auroc_of_its_own_firing_around(store, feature):
    found = draw_surroundings([store], 0).auroc(
        tracks_of(store, feature), np.random.default_rng(0), at_least=1.5
    )
    assert found == pytest.approx(naive(store, feature), abs=0.02)


def test_elements_and_frames_are_coherent_and_strewn_words_are_not(store):
    surroundings = draw_surroundings([store], 0)
    frame, words, elements = (
        surroundings.auroc(tracks_of(store, feature), np.random.default_rng(0), at_least=0.5)
        for feature in (FRAME, WORDS, ELEMENTS)
    )
    assert frame > 0.95
    assert elements > 0.85
    assert words == pytest.approx(0.5, abs=0.1)


def test_a_feature_leaves_nothing_behind_for_the_next(store):
    surroundings = draw_surroundings([store], 0)
    before = surroundings.auroc(tracks_of(store, WORDS), np.random.default_rng(0), at_least=0.5)
    surroundings.auroc(tracks_of(store, FRAME), np.random.default_rng(0), at_least=0.5)
    after = surroundings.auroc(tracks_of(store, WORDS), np.random.default_rng(0), at_least=0.5)
    assert before == after


def test_what_fires_everywhere_or_nowhere_has_none(store):
    surroundings = draw_surroundings([store], 0)
    nothing = [RowTrack(0, "+", np.zeros(0, np.int64), np.zeros(0, np.float32))]
    for tracks in (tracks_of(store, EVERYWHERE), nothing):
        assert np.isnan(surroundings.auroc(tracks, np.random.default_rng(0), at_least=0.5))


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=20),
    st.lists(st.integers(0, 5), min_size=1, max_size=20),
)
def test_auroc_equals_that_of_all_pairs(a, b):
    found = auroc(np.array(a, float), np.array(b, float))
    assert found == pytest.approx(np.mean([(x > y) + (x == y) / 2 for x in a for y in b]))


def test_few_loci_are_little_evidence():
    share = coherent_share(np.array([0.8, 0.8, 0.5, np.nan]), np.array([4.0, 400.0, 400.0, 400.0]))
    error = np.sqrt((2 * 0.64 / 1.8 - 0.64) / 4)
    assert share == pytest.approx([2 * (0.8 - 1.645 * error) - 1, 0.5561, 0, 0], abs=1e-4)


def test_the_error_is_what_draws_of_that_many_loci_spread_by():
    """Exponential scores, for which Hanley and McNeil's formula is exact."""
    draw = np.random.default_rng(0)
    negative = np.sort(draw.exponential(1, 20_000))
    found = [auroc(draw.exponential(3, 40), negative) for _ in range(2000)]
    a = np.mean(found)
    bound = (coherent_share(np.array([a]), np.array([40.0]))[0] + 1) / 2
    assert np.mean(np.array(found) < bound) == pytest.approx(0.05, abs=0.02)
