"""Counts of a track against a naive loop over bases, strands and thresholds."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.association.count.label import label_cells, list_labels
from genointerp.association.count.tracks import CellTrack, count_levels, rank_sums, stream_features
from genointerp.association.count.universe import make_universe
from genointerp.core.metric import auroc
from genointerp.genome.interval import GenomicInterval
from tests.plant import contigs_of, make_elements, make_store
from tests.specimens import specimen

LENGTH, N_FEATURES = 40, 3
SIDE = ((5, 18), (20, 33))
COVERAGE = {"c": [(0, 30, "+"), (8, 40, "-")]}


@st.composite
def worlds(draw):
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    shape = (LENGTH, N_FEATURES)
    dense = {
        s: (rng.integers(1, 5, shape) * (rng.random(shape) < 0.5)).astype(np.float32) for s in "+-"
    }
    covered = {"+": range(30), "-": range(8, 40)}
    for strand in "+-":
        dense[strand][[i for i in range(LENGTH) if i not in covered[strand]]] = 0
    n = draw(st.integers(1, 6))
    elements = []
    for _ in range(n):
        start, end = sorted(rng.choice(LENGTH, 2, replace=False).tolist())
        concept = str(rng.choice(["a", "b", "u"]))
        strand = "." if concept == "u" else str(rng.choice(["+", "-"]))
        elements.append((concept, "c", start, end, strand))
    return dense, covered, elements


def naive_cells(covered):
    inside = [i for low, high in SIDE for i in range(low, high)]
    return [(i, s) for s in "+-" for i in inside if i in covered[s]]


def is_positive(base, element, orientation):
    (i, reading), (_, _, start, end, strand) = base, element
    if not start <= i < end:
        return False
    if orientation == "both":
        return True
    return (reading == strand) == (orientation == "sense")


@settings(max_examples=15)
@given(worlds())
def test_counts_equal_a_naive_loop(world):
    dense, covered, elements = world
    thresholds = np.array([0.0, 2.0, 4.0])
    with tempfile.TemporaryDirectory() as folder:
        store = make_store(Path(folder) / "f.h5", dense, contigs_of(c=LENGTH), coverage=COVERAGE)
        own = make_elements(*elements, unstranded=("u",))
        side = tuple(GenomicInterval("c", low, high) for low, high in SIDE)
        universe = make_universe([(store, side)])
        known = [specimen(store, own)]
        names = list_labels(known)
        labels = label_cells(known, universe, names)
        tracks = dict(stream_features([store], [universe], range(N_FEATURES)))
    cells = naive_cells(covered)
    assert universe.n_covered == len(cells)
    for feature, (track,) in tracks.items():
        counts = count_levels(track, thresholds, labels)
        ranks = rank_sums(track, labels, universe.n_covered)
        values = {base: dense[base[1]][base[0], feature] for base in cells}
        for index, (concept, orientation) in enumerate(names):
            own_elements = sorted(e for e in elements if e[0] == concept)
            positive = {
                base
                for base in cells
                if any(is_positive(base, e, orientation) for e in own_elements)
            }
            assert labels.n_positive[index] == len(positive)
            for level, threshold in enumerate(thresholds):
                detected = {b for b in cells if values[b] > 0 and values[b] >= threshold}
                assert counts.n_feature[level] == len(detected)
                assert counts.n_both[index, level] == len(detected & positive)
            score = auroc(ranks, labels.n_positive, universe.n_covered)[index]
            inside = [values[b] for b in positive]
            outside = [values[b] for b in cells if b not in positive]
            if inside and outside:
                wins = [(x > y) + (x == y) / 2 for x in inside for y in outside]
                assert score == pytest.approx(np.mean(wins))


def test_thresholds_are_reached_inclusively(tmp_path):
    dense = {s: np.zeros((20, 1), np.float32) for s in "+-"}
    store = make_store(tmp_path / "f.h5", dense, contigs_of(c=20))
    own = make_elements(("a", "c", 2, 5, "+"))
    universe = make_universe([(store, (GenomicInterval("c", 0, 20),))])
    known = [specimen(store, own)]
    labels = label_cells(known, universe, list_labels(known))
    track = CellTrack(np.array([2, 3, 12]), np.array([1, 2, 2], np.float32))
    counts = count_levels(track, np.array([0.0, 1.0, 1.5, 2.0, 2.5]), labels)
    assert counts.n_feature.tolist() == [3, 3, 2, 2, 0]
    assert counts.n_both[0].tolist() == [2, 2, 1, 1, 0]
