"""What labels explain together, against sets of bases and loops over elements."""

from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from genointerp.annotation.concepts import Concept, ConceptElements
from genointerp.association.associate import associate
from genointerp.association.config import AssociateConfig
from genointerp.association.count import union
from genointerp.association.count.label import Label, label_cells, list_labels
from genointerp.association.count.tally import Tally
from genointerp.association.count.union import UnionCounter, known_labels, loud_level
from genointerp.association.count.universe import make_universe
from genointerp.candidate.config import RankConfig
from genointerp.candidate.score import explain
from genointerp.genome.interval import GenomicInterval
from tests.association.test_tally import (
    N_FEATURES,
    bases_of_elements,
    covered_bases,
    make_world,
)
from tests.plant import contigs_of, make_elements, make_store, silence
from tests.specimens import specimen

LENGTH = 20_000
CONFIG = AssociateConfig(test=("test",), n_shifts=199, gap_bp=1000)
# irregular, so that no rotation brings the annotation back upon itself
STARTS = [900 * i + 61 * i * i % 400 for i in range(21)]
TRNA = [(start, start + 76, "+-"[i % 2]) for i, start in enumerate(STARTS)]
RRNA = [(start + 300, start + 420, "-+"[i % 2]) for i, start in enumerate(STARTS)]
BOTH, TWO, MIXED, UNKNOWN, HALF, RANDOM = range(6)


def genes(seed):
    """Coding sequences on either strand over 87 % of the bases, as in bacteria."""
    rng = np.random.default_rng(seed)
    start, places = 0, []
    while start < LENGTH - 800:
        end = start + int(rng.integers(300, 700))
        places.append((start, end, "+-"[int(rng.integers(2))]))
        start = end + int(rng.integers(30, 120))
    return places


def fire(dense, feature, offset, places, strands="own"):
    for start, end, strand in places:
        for reading in "+-" if strands == "both" else strand:
            dense[reading][offset + start : offset + end, feature] = 1


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    dense, places = silence(2 * LENGTH, 6), []
    for side, seqid in enumerate(("fit", "test")):
        rng, offset = np.random.default_rng(side), side * LENGTH
        unknown = [(start + 160, start + 220, strand) for start, _, strand in TRNA]
        flipped = [(start, end, "-" if strand == "+" else "+") for start, end, strand in RRNA]
        fire(dense, BOTH, offset, TRNA, "both")
        fire(dense, TWO, offset, [*TRNA, *RRNA], "both")
        fire(dense, MIXED, offset, [*TRNA, *flipped])
        fire(dense, UNKNOWN, offset, unknown, "both")
        fire(dense, HALF, offset, [*TRNA, *((s, s + 76, strand) for s, _, strand in unknown)])
        at_random = [(int(s), int(s) + 60, "+-"[i % 2]) for i, s in
                     enumerate(rng.choice(LENGTH - 60, 40, replace=False))]  # fmt: skip
        fire(dense, RANDOM, offset, at_random)
        places += [("tRNA", seqid, *place) for place in TRNA]
        places += [("rRNA", seqid, *place) for place in RRNA]
        places += [("CDS", seqid, *place) for place in genes(side)]
    folder = tmp_path_factory.mktemp("union")
    store = make_store(folder / "f.h5", dense, contigs_of(fit=LENGTH, test=LENGTH))
    return store, dense, make_elements(*places)


@pytest.fixture(scope="module")
def table(world):
    store, _, elements = world
    return associate([specimen(store, elements)], config=CONFIG)


@pytest.fixture(scope="module")
def unexplained(table):
    return explain(table, RankConfig())["unexplained"]


def labels_of(table, feature):
    rows = table[(table["feature"] == feature) & table["union_base"].notna()]
    return set(zip(rows["concept"], rows["orientation"], strict=True))


def test_a_detector_of_a_concept_on_both_strands_is_explained(table, unexplained):
    assert labels_of(table, BOTH) == {("tRNA", "both")}
    assert unexplained[BOTH] == pytest.approx(0)


def test_a_detector_of_two_concepts_is_explained_by_their_union(table, unexplained):
    assert labels_of(table, TWO) == {("tRNA", "both"), ("rRNA", "both")}
    assert unexplained[TWO] == pytest.approx(0)


def test_one_concept_as_sense_and_another_as_antisense_explain_together(table, unexplained):
    assert labels_of(table, MIXED) == {("tRNA", "sense"), ("rRNA", "antisense")}
    assert unexplained[MIXED] == pytest.approx(0)


@pytest.mark.parametrize("feature", [UNKNOWN, RANDOM], ids=["nothing-known", "random"])
def test_genes_on_most_bases_explain_nothing_by_themselves(table, unexplained, feature):
    genes = table[(table["concept"] == "CDS") & (table["orientation"] == "both")]
    assert genes["n_concept_bp"].iloc[0] / (2 * LENGTH) > 0.8
    assert unexplained[feature] > 0.95


def test_half_of_a_detector_that_is_known_leaves_the_other_half(unexplained):
    assert unexplained[HALF] == pytest.approx(0.5, abs=0.03)


def test_the_union_is_counted_as_a_set_of_bases(world, table):
    _, dense, elements = world
    for feature in (BOTH, TWO, MIXED, HALF):
        rows = table[(table["feature"] == feature) & table["union_base"].notna()]
        known = set()
        for concept, orientation in labels_of(table, feature):
            for row in elements.of(concept).itertuples():
                other = "-" if row.strand == "+" else "+"
                readings = {"sense": row.strand, "antisense": other, "both": "+-"}[orientation]
                if row.seqid == "test":
                    known |= {(r, base) for r in readings for base in range(row.start, row.end)}
        loud = {(r, b) for r in "+-" for b in np.flatnonzero(dense[r][LENGTH:, feature]).tolist()}
        assert (rows["union_precision"] == len(loud & known) / len(loud)).all()
        assert (rows["union_base"] == len(known) / (2 * LENGTH)).all()
        assert (rows["union_labels"] == len(rows)).all()


def naive_choice(loud, cells, bases, readings, n_known, chance):
    """Labels chosen by loops over bases.

    ``bases`` gives the bases of each label, ``readings`` those of each element as it is read.
    """
    z = NormalDist().inv_cdf(1 - chance / n_known)
    chosen, known = [], set()
    while loud - known:
        pieces = {}
        for base in loud - known:
            key = frozenset(name for name, own in readings.items() if base in own)
            # an element is one observation on each strand that it is read on
            pieces.setdefault((key, base[1] if key else ""), []).append(base)
        sizes = [len(own) for own in pieces.values()]
        mean = sum(sizes) / len(sizes)
        total, bounds = sum(sizes) + mean, []
        for own in bases:
            inside = [own_base[0] in own for own_base in pieces.values()]
            share = sum(n for n, is_in in zip(sizes, inside, strict=True) if is_in) / total
            squares = sum((n * (m - share)) ** 2 for n, m in zip(sizes, inside, strict=True))
            squares += (mean * share) ** 2
            error = ((len(sizes) + 1) / len(sizes) * squares) ** 0.5 / total
            base = len((own & cells) - known) / len(cells - known)
            bounds.append((share - z * error - base) / (1 - base) if base < 1 else -1)
        best = int(np.argmax(np.round(bounds, 9)))
        if round(bounds[best], 9) <= 0:
            break
        chosen.append(best)
        known |= bases[best]
    return chosen


@pytest.mark.parametrize("seed", range(12))
def test_the_choice_is_that_of_loops_over_bases(tmp_path, monkeypatch, seed):
    world = make_world(tmp_path, seed)
    universe = make_universe(zip(world.stores, world.sides, strict=True))
    names = list_labels(world.specimens)
    labels = label_cells(world.specimens, universe, names)
    # with so few bases only a lenient bound chooses any
    monkeypatch.setattr(union, "CHANCE", 0.35 * len(names))
    block = Tally(world.stores, universe, labels).read(range(N_FEATURES))
    counter = UnionCounter(labels, universe.n_covered)
    is_known = np.ones(len(names), np.bool_)
    chosen = counter.choose(block, np.zeros(N_FEATURES), is_known)
    counts = counter.count(block, np.zeros(N_FEATURES), chosen)
    cells, offset = set(covered_bases(world)), {"c": 0, "d": 40}
    bases = [set().union(*bases_of_elements(world, *label)) for label in names]
    readings = {
        (label, number): own
        for label in names
        if label.orientation != "both" or label.concept in ("island", "whole")
        for number, own in enumerate(bases_of_elements(world, *label))
    }
    for feature in range(N_FEATURES):
        loud = {b for b in cells if world.dense[b[0]][b[1]][offset[b[2]] + b[3], feature] > 0}
        found = naive_choice(loud, cells, bases, readings, len(names), union.CHANCE)
        assert set(np.flatnonzero(chosen[feature])) == set(found)
        known = set().union(*(bases[label] for label in found))
        assert counts.n_loud[feature] == len(loud)
        assert counts.n_both[feature] == len(loud & known)
        assert counts.n_union[feature] == len(known & cells)


def test_a_union_counts_only_where_every_label_of_it_has_a_row(table):
    hidden = table[table["concept"] != "rRNA"]
    found = explain(hidden, RankConfig())["unexplained"]
    assert found[BOTH] == pytest.approx(0)
    # 76 of 196 bases are in tRNA, on .08 of all bases
    base = 2 * 76 * len(TRNA) / (2 * LENGTH)
    assert found[TWO] == pytest.approx(1 - (76 / 196 - base) / (1 - base), abs=0.01)


def test_an_absence_explains_nothing_in_a_union(table):
    found = explain(table, RankConfig(absences=("rRNA",)))["unexplained"]
    assert found[TWO] > 0.5
    assert found[BOTH] == pytest.approx(0)


def test_a_union_that_chance_reaches_explains_nothing(table):
    weak = table.assign(union_q=table["union_q"].clip(lower=0.051))
    single = table.drop(columns=[name for name in table if name.startswith("union")])
    pd.testing.assert_frame_equal(explain(weak, RankConfig()), explain(single, RankConfig()))
    assert explain(single, RankConfig())["unexplained"][TWO] > 0.3


def test_a_union_of_nearly_all_bases_explains_nothing(table):
    most = table.assign(union_base=table["union_base"].where(table["union_base"].isna(), 0.93))
    alone = table.drop(columns=[name for name in table if name.startswith("union_")])
    pd.testing.assert_frame_equal(explain(most, RankConfig()), explain(alone, RankConfig()))


def test_labels_of_what_lies_outside_of_elements_may_not_explain():
    concepts = {
        "tRNA": Concept("x", types=("tRNA",)),
        "between": Concept("x", types=("gene",), bases="outside", strand="none"),
    }
    elements = ConceptElements(make_elements(("tRNA", "c", 0, 9, "+")).table, concepts)
    names = (Label("tRNA", "sense"), Label("between", "both"), Label("tRNA", "both"))
    assert known_labels(names, [elements]).tolist() == [True, False, True]


def test_the_chance_of_a_union_is_that_of_the_loud_bases(tmp_path):
    """It murmurs wherever there is no tRNA, so that no rotation has fewer of all it detects."""
    dense, places = silence(2 * LENGTH, 1), []
    for offset, seqid in ((0, "fit"), (LENGTH, "test")):
        for strand in "+-":
            dense[strand][offset : offset + LENGTH, 0] = 1
        for start, end, strand in TRNA:
            dense[strand][offset + start : offset + end, 0] = 0
            dense[strand][offset + start : offset + start + 10, 0] = 8
        places += [("tRNA", seqid, *place) for place in TRNA]
    store = make_store(tmp_path / "f.h5", dense, contigs_of(fit=LENGTH, test=LENGTH))
    table = associate([specimen(store, make_elements(*places))], config=CONFIG)
    rows = table[table["union_base"].notna()]
    assert rows["orientation"].tolist() == ["sense"]
    assert rows["union_precision"].item() == 1
    assert rows["union_p"].item() <= 0.02


def test_a_table_without_unions_is_explained_by_single_labels():
    columns = {
        "feature": [0, 0],
        "concept": ["tRNA", "rRNA"],
        "orientation": ["sense", "sense"],
        "f1_fit": [0.5, 0.5],
        "f1": [0.5, 0.5],
        "precision": [0.5, 0.4],
        "n_feature_bp": [100, 100],
        "n_concept_bp": [1000, 1000],
        "n_both_bp": [50, 40],
        "log2_enrichment": np.log2([50.5 / 0.6, 40.5 / 0.6]),
        "q_value": [0.01, 0.01],
    }
    found = explain(pd.DataFrame(columns), RankConfig())["unexplained"]
    assert found[0] == pytest.approx(1 - (0.5 - 0.001) / 0.999)


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        pytest.param([500, 300, 100, 99], 2, id="exactly-a-hundred"),
        pytest.param([500, 300, 99, 50], 1, id="a-lower-threshold"),
        pytest.param([500, 400, 300, 200], 2, id="half-of-the-maximum-at-most"),
        pytest.param([50, 20, 10, 5], 0, id="whatever-fires"),
    ],
)
def test_a_feature_is_loud_where_a_hundred_bases_are(n, expected):
    assert loud_level(np.array([n]), 2).tolist() == [expected]


@pytest.mark.parametrize("others", [(), ("sense",), ("antisense",), ("sense", "antisense")])
def test_both_strands_of_a_concept_are_the_same_bases_whatever_other_labels_are_asked(
    world, others
):
    store, _, elements = world
    universe = make_universe([(store, (GenomicInterval("test", 0, LENGTH),))])
    names = tuple(Label("tRNA", orientation) for orientation in (*others, "both"))
    own = [specimen(store, elements)]
    found = label_cells(own, universe, names)
    every = label_cells(own, universe, list_labels(own))
    whole = every.mask(every.names.index(Label("tRNA", "both")))
    assert whole.any()
    np.testing.assert_array_equal(found.mask(len(others)), whole)
