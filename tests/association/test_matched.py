import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.association.config import AssociateConfig
from genointerp.association.footprint import BOTH, MINUS, PLUS, find_footprints
from genointerp.association.label import Label
from genointerp.association.matched import MatchedNull, count_places
from genointerp.association.universe import make_universe
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from tests.plant import contigs_of, make_elements, make_store, silence

LENGTH = 6000
CONFIG = AssociateConfig(n_shifts=99, n_matched=5)
SENSE = Label("a", "sense")


def make_null(folder, elements, *, sides=((0, LENGTH),), config=CONFIG, bases=None):
    """The null upon the given stretches of one contig."""
    store = make_store(folder / "f.h5", silence(LENGTH, 1), contigs_of(c=LENGTH))
    if bases is None:
        bases = np.random.default_rng(0).choice(np.frombuffer(b"ACGT", np.uint8), LENGTH)
    stretches = tuple(GenomicInterval("c", *side) for side in sides)
    universe = make_universe([store], [stretches])
    genome = Genome([Contig("c", bases)])
    null = MatchedNull([store], [elements], universe, [genome], config)
    return null, find_footprints([store], [elements], universe, SENSE), universe, bases


def scattered(n=12, length=80):
    return [("a", "c", 450 * i + 17, 450 * i + 17 + length + i, "+-"[i % 2]) for i in range(n)]


def test_footprints_are_the_stretches_that_were_read(tmp_path):
    elements = make_elements(("a", "c", 90, 130, "+"), ("a", "c", 300, 310, "-"))
    _, found, _, _ = make_null(tmp_path, elements, sides=((0, 100), (120, 400)))
    assert found.element.tolist() == [0, 0, 1]
    # the axis loses the 20 bases that are not of this side
    assert found.start.tolist() == [90, 100, 280]
    assert found.length.tolist() == [10, 10, 10]
    assert found.strand.tolist() == [PLUS, PLUS, MINUS]
    assert found.n_cells.tolist() == [10, 10, 10]


def test_an_element_without_a_strand_is_one_stretch_on_both(tmp_path):
    _, found, _, _ = make_null(tmp_path, make_elements(("a", "c", 50, 60, ".")))
    assert (found.start.tolist(), found.strand.tolist()) == ([50], [BOTH])
    assert found.n_cells.tolist() == [20]


def test_background_is_of_the_same_length_strand_and_composition_and_shares_no_base(tmp_path):
    sides = ((0, 2900), (3100, LENGTH))
    elements = make_elements(*scattered())
    null, footprints, universe, bases = make_null(tmp_path, elements, sides=sides)
    sets = null.sets(SENSE)
    assert sets.share == 1
    axis = np.concatenate([bases[start:end] for start, end in sides])
    is_gc = np.isin(axis, [67, 71])
    taken = np.zeros((2, universe.n_bp), bool)
    for start, length, strand in zip(*footprints[1:4], strict=True):
        taken[strand, start : start + length] = True
    rows = zip(sets.start, *sets.footprints[2:4], sets.n_places, strict=True)
    for places, length, strand, n_places in rows:
        own = is_gc[places[0] : places[0] + length].mean()
        assert n_places == 6
        for place in places[1:n_places]:
            stretch = slice(place, place + length)
            assert not taken[strand, stretch].any()
            taken[strand, stretch] = True
            assert abs(is_gc[stretch].mean() - own) <= 0.05
            assert not place < 2900 < place + length


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_no_background_spans_two_contigs_of_a_draft(tmp_path_factory, seed):
    rng = np.random.default_rng(seed)
    drafts = [rng.integers(12, 60, 25).tolist() for _ in range(2)]
    stores, sequences, elements, sides = [], [], [], []
    for number, lengths in enumerate(drafts):
        contigs = contigs_of(**{f"contig_{i}": length for i, length in enumerate(lengths)})
        path = tmp_path_factory.mktemp("draft") / "f.h5"
        stores.append(
            make_store(path, silence(sum(lengths), 1), contigs, genome_sha256=str(number))
        )
        bases = [rng.choice(np.frombuffer(b"AC", np.uint8), length) for length in lengths]
        sequences.append(Genome([Contig(f"contig_{i}", own) for i, own in enumerate(bases)]))
        elements.append(
            make_elements(
                *(("a", f"contig_{i}", 1, 10, str(rng.choice(["+", "-"]))) for i in (2, 9))
            )
        )
        sides.append(tuple(GenomicInterval(f"contig_{i}", 0, n) for i, n in enumerate(lengths)))
    universe = make_universe(stores, sides)
    config = AssociateConfig(n_shifts=9, n_matched=19, gc_caliper=0.9)
    sets = MatchedNull(stores, elements, universe, sequences, config).sets(SENSE)
    assert sets.share == 1
    assert sets.n_places.min() > 10
    contig_of = np.repeat(np.arange(50), np.concatenate(drafts))
    rows = zip(sets.start, sets.footprints.length, sets.n_places, strict=True)
    for places, length, n_places in rows:
        for place in places[:n_places]:
            assert len(set(contig_of[place : place + length])) == 1


@pytest.mark.parametrize("step", [1, 3])
def test_counts_in_places_are_those_of_sets_of_cells(tmp_path, step):
    elements = make_elements(*scattered(), unstranded=())
    null, *_ = make_null(tmp_path, elements)
    sets = null.sets(SENSE)
    length = sets.footprints.length // 3 * 3 + 1 if step == 3 else sets.footprints.length
    sets = sets._replace(footprints=sets.footprints._replace(step=step, length=length))
    fires = np.flatnonzero(np.random.default_rng(1).random(2 * LENGTH) < 0.2)
    found = count_places(sets, fires, LENGTH)
    cells = set(fires.tolist())
    rows = zip(*sets.footprints[:4], sets.start, strict=True)
    for element, _, length, strand, places in rows:
        for column, place in enumerate(places.tolist()):
            covered = {strand * LENGTH + place + i for i in range(0, length, step)}
            assert found[element, column] == len(cells & covered)


def test_draws_exchange_each_element_with_one_of_its_places(tmp_path):
    """The feature fires upon the elements only: a draw counts those that stayed at home."""
    config = AssociateConfig(n_shifts=4000, n_matched=3)
    null, footprints, _, _ = make_null(tmp_path, make_elements(*scattered()), config=config)
    cells = np.concatenate(
        [
            strand * LENGTH + np.arange(start, start + length)
            for start, length, strand in zip(*footprints[1:4], strict=True)
        ]
    )
    counts = null.count(cells, SENSE)
    assert counts.observed == counts.n_concept == len(cells)
    assert counts.null.mean() == pytest.approx(len(cells) / 4, rel=0.03)
    shares = footprints.length / len(cells)
    spread = len(cells) * np.sqrt((shares**2).sum() * 3 / 16)
    assert counts.null.std() == pytest.approx(spread, rel=0.05)


def test_an_element_unlike_everything_else_is_left_out(tmp_path):
    bases = np.random.default_rng(0).choice(np.frombuffer(b"AT", np.uint8), LENGTH)
    bases[100:116] = ord("G")  # a fifth of its bases, where the others have none
    elements = make_elements(("a", "c", 100, 180, "+"), ("a", "c", 1000, 1080, "+"))
    null, *_ = make_null(tmp_path, elements, bases=bases)
    assert null.sets(SENSE).share == 0.5
    counts = null.count(np.arange(100, 180), SENSE)
    assert (counts.observed, counts.n_concept) == (0, 80)


def test_a_label_that_covers_everything_has_no_background_and_is_not_tested(tmp_path):
    null, *_ = make_null(tmp_path, make_elements(("a", "c", 0, LENGTH, "+")))
    assert null.sets(SENSE).share == 0
    assert null.count(np.arange(50), SENSE) is None


def test_bases_that_are_not_known_are_no_background(tmp_path):
    bases = np.full(LENGTH, ord("N"), np.uint8)
    bases[:100] = ord("A")
    null, *_ = make_null(tmp_path, make_elements(("a", "c", 0, 100, "+")), bases=bases)
    assert null.sets(SENSE).share == 0
