"""Where features switch on and off, against a walk along the bases."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.annotation.concepts import COLUMNS, Concept, ConceptElements
from genointerp.association.count.label import Label
from genointerp.association.count.universe import make_universe
from genointerp.association.profile.boundary import Boundaries
from genointerp.genome.interval import GenomicInterval
from tests.association.detect import detect
from tests.plant import contigs_of, make_elements, make_store, silence
from tests.specimens import specimen

LENGTH = 60
READ = {"+": range(2, 60), "-": range(0, 55)}
SIDE = range(4, 58)
COVERAGE = {"c": [(2, 60, "+"), (0, 55, "-")], "d": [(0, 5, "+"), (0, 5, "-")]}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("boundary") / "f.h5"
    return make_store(path, silence(65, 1), contigs_of(c=LENGTH, d=5), coverage=COVERAGE)


def offsets(store, elements, fires, label, threshold=0.0):
    side = (GenomicInterval("c", SIDE.start, SIDE.stop), GenomicInterval("d", 0, 5))
    universe = make_universe([(store, side)])
    cells = []
    for strand, values in fires.items():
        row = np.flatnonzero((values > 0) & (values >= threshold))
        cells.append(universe.locate(0, strand, row).cell)
    # beside one that fires everywhere and one that never does
    detected = detect(np.arange(universe.n_cells), np.concatenate(cells), np.zeros(0, np.int64))
    found = Boundaries([specimen(store, elements)], universe).offsets(detected, label)
    assert np.isnan([found.start[2], found.end[2]]).all()
    return found.start[1], found.end[1]


def fires_at(**ranges):
    fires = {strand: np.zeros(65) for strand in "+-"}
    for name, places in ranges.items():
        for start, end in places:
            fires["+" if name == "plus" else "-"][start:end] = 2
    return fires


def test_offsets_are_counted_in_the_direction_of_the_element(store):
    elements = make_elements(("a", "c", 10, 20, "+"), ("a", "c", 30, 40, "-"))
    # on 3 bases before the start and off 2 before the end; on 1 inside and off 4 beyond
    fires = fires_at(plus=[(7, 18)], minus=[(26, 39)])
    found = offsets(store, elements, fires, Label("a", "sense"))
    assert found == (np.median([-3, 1]), np.median([-2, 4]))
    both = fires_at(plus=[(26, 39)], minus=[(7, 18)])
    assert offsets(store, elements, both, Label("a", "antisense")) == found


def test_bases_below_the_threshold_and_elements_without_a_detected_base_do_not_count(store):
    elements = make_elements(("a", "c", 10, 20, "+"), ("a", "c", 30, 40, "+"))
    fires = fires_at(plus=[(12, 15)])
    fires["+"][8:12] = 1
    assert offsets(store, elements, fires, Label("a", "sense"), 1.5) == (2, -5)
    assert offsets(store, elements, fires, Label("a", "sense")) == (-2, -5)


def test_an_end_that_was_not_read_does_not_count(store):
    elements = make_elements(("a", "c", 0, 20, "+"), ("a", "c", 50, 60, "+"))
    found = offsets(store, elements, fires_at(plus=[(4, 18), (51, 58)]), Label("a", "sense"))
    assert found == (1, -2)


def test_a_run_ends_with_its_contig(store):
    elements = make_elements(("a", "d", 0, 3, "+"))
    # bases 59 of c and 0 of d are neighbours in the file only, and 58 was not of the side
    found = offsets(store, elements, fires_at(plus=[(50, 64)]), Label("a", "sense"))
    assert found == (0, 1)


def test_a_feature_that_never_meets_an_element_has_no_offset(store):
    elements = make_elements(("a", "c", 10, 20, "+"))
    found = offsets(store, elements, fires_at(minus=[(10, 20)]), Label("a", "sense"))
    assert np.isnan(found).all()


def test_an_element_without_strand_counts_once_for_each_reading(store):
    elements = make_elements(("u", "c", 10, 20, "."), unstranded=("u",))
    fires = fires_at(plus=[(8, 20)], minus=[(12, 20)])
    assert offsets(store, elements, fires, Label("u", "both")) == (0, 0)
    assert offsets(store, elements, fires_at(minus=[(12, 20)]), Label("u", "both")) == (2, 0)


@given(st.integers(0, 10_000))
def test_offsets_are_those_of_a_walk_along_the_bases(store, seed):
    rng = np.random.default_rng(seed)
    rows = []
    for element in range(int(rng.integers(1, 7))):
        cuts = sorted(rng.choice(LENGTH + 1, 4, replace=False).tolist())
        strand = str(rng.choice(["+", "-"]))
        parts = [cuts[:2], cuts[2:]] if rng.random() < 0.4 else [cuts[:2]]
        frame = int(rng.integers(-1, 3))
        for part, (start, end) in enumerate(parts[::-1] if strand == "-" else parts):
            rows.append(("a", "c", start, end, strand, element, "e", part, frame))
    table = pd.DataFrame(rows, columns=list(COLUMNS)).sort_values("start")
    elements = ConceptElements(table, {"a": Concept("x", types=("x",))})
    fires = {strand: (rng.random(65) < 0.7) * rng.integers(1, 4, 65) for strand in "+-"}
    for strand in "+-":
        fires[strand][[i for i in range(60) if i not in READ[strand]]] = 0
    for orientation in ("sense", "antisense"):
        found = offsets(store, elements, fires, Label("a", orientation), 2.0)
        expected = [naive(rows, fires, orientation, end) for end in ("start", "end")]
        assert found == pytest.approx(expected, nan_ok=True)


def naive(rows, fires, orientation, which):
    """The offsets of one end, element by element, from its bases in its own direction."""
    found = []
    for element in {row[5] for row in rows}:
        parts = sorted((row for row in rows if row[5] == element), key=lambda row: row[7])
        strand = parts[0][4]
        step = 1 if strand == "+" else -1
        bases, wanted = [], []
        for _, _, start, end, *_, frame in parts:
            own = list(range(start, end))[::step]
            bases += own
            wanted += [frame < 0 or (i >= frame and (i - frame) % 3 == 0) for i in range(len(own))]
        reading = strand if orientation == "sense" else {"+": "-", "-": "+"}[strand]
        here = {i for i in SIDE if i in READ[reading] and fires[reading][i] >= 2}
        read = {i for i in SIDE if i in READ[reading]}
        places = [i for i, base in enumerate(bases) if wanted[i] and base in here]
        last = which == "end"
        if not places or bases[-1 if last else 0] not in read:
            continue
        place = places[-1] if last else places[0]
        base, walk = bases[place], step if last else -step
        while base + walk in here:
            base, place = base + walk, place + (1 if last else -1)
        found.append(place - (len(bases) - 1 if last else 0))
    return np.median(found) if found else np.nan
