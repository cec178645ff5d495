import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.annotation.concepts import Concept, ConceptElements
from genointerp.association.config import AssociateConfig
from genointerp.association.count.label import Label
from genointerp.association.count.universe import make_universe
from genointerp.association.null.footprint import BOTH, MINUS, PLUS, find_footprints
from genointerp.association.null.kernels import exchange
from genointerp.association.null.matched import MatchedNull
from genointerp.core.seed import rng
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from tests.association.detect import detect
from tests.plant import contigs_of, make_elements, make_store, silence
from tests.specimens import specimen, specimens

LENGTH = 6000
CONFIG = AssociateConfig(n_shifts=99, n_matched=5)
SENSE = Label("a", "sense")


def make_null(folder, elements, *, sides=((0, LENGTH),), config=CONFIG, bases=None):
    """The null upon the given stretches of one contig."""
    if bases is None:
        bases = np.random.default_rng(0).choice(np.frombuffer(b"ACGT", np.uint8), LENGTH)
    genome = Genome([Contig("c", bases)])
    dense, contigs = silence(LENGTH, 1), contigs_of(c=LENGTH)
    store = make_store(folder / "f.h5", dense, contigs, genome_sha256=genome.sha256)
    stretches = tuple(GenomicInterval("c", *side) for side in sides)
    universe = make_universe([(store, stretches)])
    own = [specimen(store, elements, sequence=genome)]
    null = MatchedNull(own, universe, config)
    return null, find_footprints(own, universe, SENSE), universe, bases


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
        bases = [rng.choice(np.frombuffer(b"AC", np.uint8), length) for length in lengths]
        genome = Genome([Contig(f"contig_{i}", own) for i, own in enumerate(bases)])
        sequences.append(genome)
        path = tmp_path_factory.mktemp("draft") / f"{number}.h5"
        dense = silence(sum(lengths), 1)
        stores.append(make_store(path, dense, contigs, genome_sha256=genome.sha256))
        elements.append(
            make_elements(
                *(("a", f"contig_{i}", 1, 10, str(rng.choice(["+", "-"]))) for i in (2, 9))
            )
        )
        sides.append(tuple(GenomicInterval(f"contig_{i}", 0, n) for i, n in enumerate(lengths)))
    universe = make_universe(zip(stores, sides, strict=True))
    config = AssociateConfig(n_shifts=9, n_matched=19, gc_caliper=0.9)
    drawn = specimens(stores, elements=elements, sequence=sequences)
    sets = MatchedNull(drawn, universe, config).sets(SENSE)
    assert sets.share == 1
    assert sets.n_places.min() > 10
    contig_of = np.repeat(np.arange(50), np.concatenate(drafts))
    rows = zip(sets.start, sets.footprints.length, sets.n_places, strict=True)
    for places, length, n_places in rows:
        for place in places[:n_places]:
            assert len(set(contig_of[place : place + length])) == 1


def naive_counts(sets, cells, config, n_bp):
    """Detected cells in each place of each element, and in each draw of one place for each."""
    footprints, cells = sets.footprints, set(cells.tolist())
    found = np.zeros((footprints.n_elements, sets.start.shape[1]), np.int64)
    rows = zip(*footprints[:4], sets.start, strict=True)
    for element, _, length, strand, places in rows:
        for side in {PLUS: [0], MINUS: [1], BOTH: [0, 1]}[int(strand)]:
            for column, place in enumerate(places.tolist()):
                covered = range(place, place + length, footprints.step)
                found[element, column] += len(cells & {side * n_bp + at for at in covered})
    drawn = rng(config.seed, "matched/exchange").integers(
        2**16, size=(len(found), config.n_shifts), dtype=np.uint32
    )
    null = np.zeros(config.n_shifts, np.int64)
    used = [one for one in range(len(found)) if found[one].any()]
    for row, one in enumerate(used):
        for draw in range(config.n_shifts):
            place = int(drawn[row, draw]) * int(sets.n_places[one]) // 2**16
            null[draw] += found[one, place]
    return found[:, 0].sum(), null


@pytest.mark.parametrize("n_matched", [1, 5, 9])
@pytest.mark.parametrize("bases", ["all", "codon_position_2"])
@pytest.mark.parametrize("strand", ["+-", "-.", "+"])
def test_counts_are_those_of_sets_of_cells(tmp_path, n_matched, bases, strand):
    config = AssociateConfig(n_shifts=29, n_matched=n_matched)
    places = [(at, at + 60 + i % 7 * 3) for i, at in enumerate(range(10, LENGTH - 100, 1200))]
    elements = make_elements(
        *(("a", "c", *place, strand[i % len(strand)]) for i, place in enumerate(places))
    )
    elements.table["frame"] = 0 if bases != "all" else -1
    elements = ConceptElements(elements.table, {"a": Concept("x", types=("x",), bases=bases)})
    null, _, universe, _ = make_null(tmp_path, elements, config=config)
    sets = null.sets(SENSE)
    assert sets.footprints.step == (1 if bases == "all" else 3)
    assert sets.n_places.max() == n_matched + 1
    random = np.random.default_rng(1)
    detectors = [np.flatnonzero(random.random(2 * LENGTH) < share) for share in (0.2, 0.001, 0, 1)]
    found = null.count(detect(*detectors), SENSE)
    for index, cells in enumerate(detectors):
        observed, draws = naive_counts(sets, cells, config, universe.n_bp)
        assert found.observed[index] == observed
        assert found.null[index].tolist() == draws.tolist()


@pytest.mark.parametrize("n_places", [1, 2, 3, 6, 7, 20, 256])
def test_every_number_chooses_the_place_that_it_stands_for(n_places):
    numbers = np.arange(2**16, dtype=np.uint16)
    counts = np.random.default_rng(0).integers(0, 1000, n_places)
    found = np.zeros(len(numbers), np.int64)
    exchange(counts, numbers, found)
    assert found.tolist() == counts[numbers.astype(np.int64) * n_places // 2**16].tolist()


def test_a_label_of_more_elements_changes_no_draw_of_another(tmp_path):
    """Numbers are drawn as they are needed: those drawn first stay what they were."""
    few = make_elements(*scattered(4))
    rows = [*scattered(4), *(("b", *row[1:]) for row in scattered(13, 40))]
    cells = detect(np.flatnonzero(np.random.default_rng(1).random(2 * LENGTH) < 0.2))
    alone, *_ = make_null(tmp_path, few)
    expected = alone.count(cells, SENSE)
    beside, *_ = make_null(tmp_path, make_elements(*rows))
    for first in (SENSE, Label("b", "sense"), SENSE):
        found = beside.count(cells, first)
    assert found.null.tolist() == expected.null.tolist()


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
    counts = null.count(detect(cells), SENSE)
    assert counts.observed.tolist() == [len(cells)] == [footprints.n_cells.sum()]
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
    counts = null.count(detect(np.arange(100, 180)), SENSE)
    assert counts.observed.tolist() == [0]
    assert null.sets(SENSE).footprints.n_cells.tolist() == [80]


def test_a_label_that_covers_everything_has_no_background_and_is_not_tested(tmp_path):
    null, *_ = make_null(tmp_path, make_elements(("a", "c", 0, LENGTH, "+")))
    assert null.sets(SENSE).share == 0
    assert null.count(detect(np.arange(50)), SENSE) is None


def test_bases_that_are_not_known_are_no_background(tmp_path):
    bases = np.full(LENGTH, ord("N"), np.uint8)
    bases[:100] = ord("A")
    null, *_ = make_null(tmp_path, make_elements(("a", "c", 0, 100, "+")), bases=bases)
    assert null.sets(SENSE).share == 0
