import numpy as np
import pytest

from genointerp.association.count.tracks import RowTrack
from genointerp.candidate.evidence.coherence import (
    NEAREST,
    REACH,
    STEP,
    Surroundings,
    choose_bases,
    coherent_share,
    draw_surroundings,
)
from genointerp.feature.loci import find_loci
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


def chosen_of(store, feature, seed=0):
    """One loud base of each locus, loci as candidates have them."""
    tracks, draw = tracks_of(store, feature), np.random.default_rng(seed)
    chosen = []
    for track in tracks:
        loci = find_loci(track.row, track.value, np.array([0, 2550]), at_least=1.5, merge_gap=30)
        loud = track.row[track.value >= 1.5]
        chosen.append(choose_bases(loud, loci.start, loci.end, draw, share=1.0))
    return tracks, chosen


@pytest.mark.parametrize("feature", [FRAME, WORDS, ELEMENTS])
def test_coherence_is_the_auroc_of_its_own_firing_around(store, feature):
    surroundings = draw_surroundings([store], 0)
    tracks = tracks_of(store, feature)
    every = [track.row[track.value >= 1.5] for track in tracks]
    assert surroundings.auroc(tracks, every) == pytest.approx(naive(store, feature), abs=0.02)
    drawn = [surroundings.auroc(*chosen_of(store, feature, seed)) for seed in range(20)]
    # loci of one length: one base of each tells what all do
    assert np.mean(drawn) == pytest.approx(naive(store, feature), abs=0.05)


def test_every_locus_is_looked_at_once_however_long_it_is():
    """31 strewn bases and one element of 3,000: the element is one of 32."""
    place = np.random.default_rng(0).choice(900_000, 31, replace=False)
    rows = np.sort(np.concatenate([place, np.arange(950_000, 953_000)])).astype(np.int64)
    track = RowTrack(0, "+", rows, np.ones(len(rows), np.float32))
    loci = find_loci(track.row, track.value, np.array([0]), at_least=1.0, merge_gap=30)
    chosen = choose_bases(rows, loci.start, loci.end, np.random.default_rng(0), share=1.0)
    assert len(chosen) == 32
    assert ((loci.start <= chosen) & (chosen < loci.end)).all()
    silent = np.arange(0, 940_000, 1000, dtype=np.int64)
    borders = [np.array([0, 1_000_000], np.int64)]
    surroundings = Surroundings({(0, "+"): silent}, borders)
    found = surroundings.auroc([track], [chosen])
    assert found == pytest.approx(0.5, abs=0.05)
    assert coherent_share(np.array([found]), np.array([32.0]))[0] < 0.1


def test_elements_and_frames_are_coherent_and_strewn_words_are_not(store):
    surroundings = draw_surroundings([store], 0)
    frame, words, elements = (
        surroundings.auroc(*chosen_of(store, feature)) for feature in (FRAME, WORDS, ELEMENTS)
    )
    assert frame > 0.95
    assert elements > 0.85
    assert words == pytest.approx(0.5, abs=0.1)


def test_a_feature_leaves_nothing_behind_for_the_next(store):
    surroundings = draw_surroundings([store], 0)
    before = surroundings.auroc(*chosen_of(store, WORDS))
    surroundings.auroc(*chosen_of(store, FRAME))
    assert before == surroundings.auroc(*chosen_of(store, WORDS))


def test_what_fires_everywhere_or_nowhere_has_none(store):
    surroundings = draw_surroundings([store], 0)
    nothing = [RowTrack(0, "+", np.zeros(0, np.int64), np.zeros(0, np.float32))]
    assert np.isnan(surroundings.auroc(nothing, [np.zeros(0, np.int64)]))
    tracks = tracks_of(store, EVERYWHERE)
    assert np.isnan(surroundings.auroc(tracks, [track.row for track in tracks]))


@pytest.mark.parametrize("n_loci", [5, 40, 400])
@pytest.mark.parametrize("density", [0.001, 0.02])
def test_what_is_strewn_by_chance_is_coherent_in_one_case_of_twenty_at_most(n_loci, density):
    length, found = 100_000, []
    surroundings = Surroundings(
        {(0, "+"): np.arange(5, length, 13, dtype=np.int64)}, [np.array([0, length], np.int64)]
    )
    draw = np.random.default_rng(0)
    for _ in range(200):
        rows = np.flatnonzero(draw.random(length) < density).astype(np.int64)
        track = RowTrack(0, "+", rows, np.ones(len(rows), np.float32))
        chosen = draw.choice(rows, min(n_loci, len(rows)), replace=False)
        found.append(surroundings.auroc([track], [np.sort(chosen)]))
    share = coherent_share(np.array(found), np.full(200, float(n_loci)))
    # 200 draws: 5 % and three standard errors
    assert np.mean(share > 0) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_few_loci_are_little_evidence():
    found = coherent_share(
        np.array([1.0, 1.0, 1.0, 0.8, 0.5, np.nan]), np.array([1.0, 5.0, 1e9, 20.0, 400.0, 400.0])
    )
    # of n loci in company, all of them: n / (n + z^2)
    z2 = 1.6449**2
    root = np.sqrt(0.16 / 20 + z2 / 1600)
    worked = 2 * (0.8 + z2 / 40 - 1.6449 * root) / (1 + z2 / 20) - 1
    most = 2 * 2048 / (2048 + z2) - 1
    assert found == pytest.approx([0, 2 * 5 / (5 + z2) - 1, most, worked, 0, 0], abs=1e-9)
