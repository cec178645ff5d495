from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from genointerp.annotation.concepts import COLUMNS, Concept, ConceptElements
from genointerp.association.associate import associate
from genointerp.association.config import AssociateConfig
from genointerp.association.summary import best_per_concept, count_covered
from genointerp.core.errors import InputError, MismatchError
from genointerp.store.table.schema.association import ASSOCIATIONS
from genointerp.store.table.table import conform
from tests.plant import contigs_of, make_elements, make_store, pick, silence
from tests.specimens import specimen, specimens

LENGTH = 20_000
# irregular, so that no rotation brings the annotation back upon itself
TRNA = [
    (1000 * i + 7 * i * i % 800, 1000 * i + 7 * i * i % 800 + 76, "+-"[i % 2]) for i in range(20)
]
BLOCKS = [(5200, 9800), (15_200, 20_000)]
CONFIG = AssociateConfig(test=("test",), n_shifts=199, top_per_concept=3)


def trna(seqid):
    return [("tRNA", seqid, *place) for place in TRNA]


@pytest.fixture
def world(tmp_path):
    """Feature 0 is tRNA sense, 1 its antisense, 2 always on, 3 silent, 4 noise."""
    contigs = contigs_of(fit=LENGTH, test=LENGTH)
    dense = silence(2 * LENGTH, 5)
    rng = np.random.default_rng(0)
    for offset in (0, LENGTH):
        for start, end, strand in TRNA:
            other = "-" if strand == "+" else "+"
            dense[strand][offset + start : offset + end, 0] = 2
            dense[other][offset + start : offset + end, 1] = 3
    for strand in "+-":
        # a weak activation elsewhere, which a threshold has to cut off
        weak = (dense[strand][:, 0] == 0) & (rng.random(2 * LENGTH) < 0.1)
        dense[strand][weak, 0] = 0.25
        dense[strand][:, 2] = 1
        dense[strand][:, 4] = rng.random(2 * LENGTH) * (rng.random(2 * LENGTH) < 0.05)
    store = make_store(tmp_path / "f.h5", dense, contigs)
    return store, make_elements(*trna("fit"), *trna("test"))


def test_a_feature_that_is_exactly_trna_sense_is_found(world):
    store, elements = world
    table = associate([specimen(store, elements)], config=CONFIG)
    found = pick(table, 0, "tRNA", "sense")
    for name in ("f1_fit", "precision", "recall", "recall_element", "f1", "f1_element", "auroc"):
        assert found[name] == pytest.approx(1.0), name
    assert found["threshold"] > 0.25
    assert found["p_value"] == pytest.approx(1 / 200)
    assert found["q_value"] <= 0.05
    assert found["null_f1"] < 0.5
    assert found["n_concept_bp"] == found["n_both_bp"] == found["n_feature_bp"] == 76 * len(TRNA)
    assert found["n_elements"] == len(TRNA)
    assert found["log2_enrichment"] > 4


def test_sense_and_antisense_are_told_apart(world):
    store, elements = world
    table = associate([specimen(store, elements)], config=CONFIG)
    assert pick(table, 1, "tRNA", "antisense")["f1"] == pytest.approx(1.0)
    assert pick(table, 1, "tRNA", "sense")["n_both_bp"] == 0
    assert pick(table, 0, "tRNA", "antisense")["f1"] < 0.1


def test_the_always_on_feature_scores_what_the_baseline_says_and_is_not_significant(world):
    store, elements = world
    table = associate([specimen(store, elements)], config=CONFIG)
    found = pick(table, 2, "tRNA", "sense")
    base = 76 * len(TRNA) / (2 * LENGTH)
    assert found["f1"] == pytest.approx(2 * base / (1 + base))
    assert found["auroc"] == pytest.approx(0.5)
    assert found["p_value"] == 1
    assert found["log2_enrichment"] == pytest.approx(0, abs=1e-9)


def test_a_silent_feature_has_defined_scores_and_no_test(world):
    store, elements = world
    found = pick(associate([specimen(store, elements)], config=CONFIG), 3, "tRNA", "sense")
    assert found["f1"] == found["recall"] == found["recall_element"] == found["f1_element"] == 0
    assert found["auroc"] == 0.5
    assert np.isnan(found["precision"])
    assert np.isnan(found["p_value"])


def test_the_table_is_of_the_schema_and_the_same_each_time(world):
    store, elements = world
    table = associate([specimen(store, elements)], config=CONFIG)
    assert list(table.columns) == ASSOCIATIONS.names
    assert len(conform(table, ASSOCIATIONS, where="t")) == 5 * 3
    pd.testing.assert_frame_equal(table, associate([specimen(store, elements)], config=CONFIG))


def test_scores_come_from_test_and_choices_from_fit(tmp_path):
    """On fit feature 0 is the best, on test it is silent: it must stay the choice, with F1 0."""
    dense = silence(2 * LENGTH, 2)
    for start, end, strand in TRNA:
        dense[strand][start:end, 0] = 1
        dense[strand][start : end - 10, 1] = 1
        dense[strand][LENGTH + start : LENGTH + end, 1] = 1
    store = make_store(tmp_path / "f.h5", dense, contigs_of(fit=LENGTH, test=LENGTH))
    elements = make_elements(*trna("fit"), *trna("test"))
    table = associate([specimen(store, elements)], config=CONFIG)
    best = best_per_concept(table)
    sense = best[best["orientation"] == "sense"].iloc[0]
    assert sense["feature"] == 0
    assert sense["f1_fit"] == pytest.approx(1.0)
    assert sense["f1"] == 0


def test_the_best_table_gives_the_always_on_baseline(world):
    store, elements = world
    table = associate([specimen(store, elements)], config=CONFIG)
    assert count_covered(table) == 2 * LENGTH
    best = best_per_concept(table).set_index("orientation")
    assert best.loc["sense", "feature"] == 0
    assert best.loc["antisense", "feature"] == 1
    base = 76 * len(TRNA) / (2 * LENGTH)
    always_on = [2 * b / (1 + b) for b in (base, base, 2 * base)]
    assert best["f1_always_on"].tolist() == pytest.approx(always_on)


def test_two_genomes_are_one_universe(tmp_path):
    stores, elements = [], []
    for seqid in ("fit", "test"):
        dense = silence(LENGTH, 1)
        for start, end, strand in TRNA:
            dense[strand][start:end, 0] = 1
        contigs = contigs_of(**{seqid: LENGTH})
        stores.append(make_store(tmp_path / seqid, dense, contigs, genome_sha256=seqid))
        elements.append(make_elements(*trna(seqid)))
    table = associate(specimens(stores, elements=elements), config=CONFIG)
    assert pick(table, 0, "tRNA", "sense")["f1"] == pytest.approx(1.0)


def test_blocks_split_a_single_contig(tmp_path):
    dense = silence(LENGTH, 1)
    for start, end, strand in TRNA:
        dense[strand][start:end, 0] = 1
    store = make_store(tmp_path / "f.h5", dense, contigs_of(c=LENGTH))
    config = AssociateConfig(block_bp=5000, gap_bp=200, n_shifts=99)
    found = pick(
        associate([specimen(store, make_elements(*trna("c")))], config=config), 0, "tRNA", "sense"
    )
    assert found["f1"] == 1
    kept = [s for s, e, _ in TRNA if any(a < e and s < b for a, b in BLOCKS)]
    assert found["n_elements"] == len(kept)


@pytest.mark.parametrize("missing", ["fit", "test"])
def test_a_concept_without_an_element_on_one_side_has_nan_scores(world, missing, caplog):
    store, _ = world
    present = "test" if missing == "fit" else "fit"
    elements = make_elements(*trna("fit"), *trna("test"), ("odd", present, 100, 200, "+"))
    table = associate([specimen(store, elements)], config=CONFIG)
    odd = table[table["concept"] == "odd"]
    for name in ("f1", "recall", "precision", "log2_enrichment", "p_value", "q_value"):
        assert odd[name].isna().all(), name
    assert odd["f1_fit"].isna().all() == (missing == "fit")
    assert f"no covered base on {missing}" in caplog.text
    assert pick(table, 0, "tRNA", "sense")["f1"] == pytest.approx(1.0)


def test_a_concept_that_covers_everything_divides_nothing_by_zero(world):
    store, _ = world
    whole = [("all", seqid, 0, LENGTH, ".") for seqid in ("fit", "test")]
    table = associate([specimen(store, make_elements(*whole, unstranded=("all",)))], config=CONFIG)
    found = pick(table, 2, "all", "both")
    assert found["f1"] == found["average_precision"] == 1
    assert np.isnan(found["auroc"])
    assert np.isnan(found["mcc"])
    assert found["p_value"] == 1


def test_new_scores_of_a_feature_that_is_exactly_trna_sense(world):
    store, elements = world
    found = pick(associate([specimen(store, elements)], config=CONFIG), 0, "tRNA", "sense")
    assert found["average_precision"] == pytest.approx(1.0)
    assert found["mcc"] == pytest.approx(1.0)
    assert found["start_offset"] == found["end_offset"] == 0
    # 20 kb of test are two stretches of 10 kb: too few
    assert np.isnan(found["log2_enrichment_low"])
    assert np.isnan(found["phase_share"])
    finer = AssociateConfig(test=("test",), n_shifts=9, gap_bp=1000)
    found = pick(associate([specimen(store, elements)], config=finer), 0, "tRNA", "sense")
    assert 0 < found["log2_enrichment_low"] < found["log2_enrichment"]
    assert found["log2_enrichment_high"] > found["log2_enrichment"]


def test_baseline_scores_of_a_silent_feature_and_of_one_that_is_always_on(world):
    store, elements = world
    table = associate([specimen(store, elements)], config=CONFIG)
    base = 76 * len(TRNA) / (2 * LENGTH)
    for feature in (2, 3):
        found = pick(table, feature, "tRNA", "sense")
        assert found["average_precision"] == pytest.approx(base)
        assert found["mcc"] == 0


def test_offsets_are_given_to_tested_pairs_only(world):
    store, elements = world
    table = associate([specimen(store, elements)], config=CONFIG)
    assert table.loc[table["p_value"].isna(), ["start_offset", "end_offset"]].isna().all(axis=None)
    assert pick(table, 2, "tRNA", "sense")["start_offset"] < -76


def test_a_feature_of_one_codon_position_has_it_and_its_share(tmp_path):
    """It fires at the second base of each codon on fit, and at the third of one gene in test."""
    dense = silence(2 * LENGTH, 2)
    rows = []
    for side, seqid in enumerate(("fit", "test")):
        for element, (start, _, strand) in enumerate(TRNA):
            place = (seqid, start, start + 75, strand, 20 * side + element, "g", 0)
            rows += [("CDS", *place, -1), *((f"CDS_{k}", *place, k) for k in range(3))]
            k = 2 if (side, element) == (1, 0) else 1
            codons = (start + k) if strand == "+" else start + 2 - k
            dense[strand][side * LENGTH + codons : side * LENGTH + start + 75 : 3, 0] = 1
            dense[strand][side * LENGTH + start : side * LENGTH + start + 75, 1] = 1
    rows.sort(key=lambda row: (row[0], row[1], row[2]))
    concepts = {"CDS": Concept("x", types=("CDS",))}
    concepts |= {f"CDS_{k}": Concept("x", of="CDS", bases=f"codon_position_{k}") for k in range(3)}
    elements = ConceptElements(pd.DataFrame(rows, columns=list(COLUMNS)), concepts)
    store = make_store(tmp_path / "f.h5", dense, contigs_of(fit=LENGTH, test=LENGTH))
    table = associate([specimen(store, elements)], config=CONFIG)
    for concept in ("CDS", "CDS_1", "CDS_0"):
        found = pick(table, 0, concept, "sense")
        assert found["codon_phase"] == 1
        assert found["phase_share"] == pytest.approx(19 / 20)
    assert pick(table, 1, "CDS", "sense")["phase_share"] == pytest.approx(1 / 3)
    assert np.isnan(pick(table, 0, "CDS", "antisense")["phase_share"])


def loud_table(folder, loud, trna, *, murmur=(), gap_bp=1000):
    """Associations of one feature; it fires and there are tRNA on both contigs alike."""
    dense = silence(2 * LENGTH, 1)
    for offset in (0, LENGTH):
        for height, places in ((1, murmur), (4, loud)):
            for start, end in places:
                dense["+"][offset + start : offset + end, 0] = height
    places = [("tRNA", seqid, *place, "+") for seqid in ("fit", "test") for place in trna]
    places += [("gene", seqid, 0, 19_000, "+") for seqid in ("fit", "test")]
    store = make_store(folder / "f.h5", dense, contigs_of(fit=LENGTH, test=LENGTH))
    config = replace(CONFIG, gap_bp=gap_bp)
    return associate([specimen(store, make_elements(*places))], config=config)


SPREAD = [(start, start + 90) for start in (300, 3100, 7000, 9500, 15_200)]


def test_what_a_feature_is_at_its_loudest_is_told_apart_from_where_it_fires(tmp_path):
    """It murmurs all over a region of genes and is loud on tRNA alone, but for fifty bases."""
    loud = [*SPREAD, (12_000, 12_050)]
    table = loud_table(tmp_path, loud, SPREAD, murmur=[(0, 19_000)])
    # whichever tRNA is left out, four remain
    strong = pick(table, 0, "tRNA", "sense")["precision_strong"]
    assert strong == pytest.approx(360 / 410)
    # one gene is no kind of thing, and of antisense nothing is hit
    assert np.isnan(pick(table, 0, "gene", "sense")["precision_strong"])
    assert np.isnan(pick(table, 0, "tRNA", "antisense")["precision_strong"])


@pytest.mark.parametrize(
    ("loud", "gap_bp"),
    [
        pytest.param(SPREAD[:4], 1000, id="four-elements"),
        pytest.param([(start, start + 24) for start, _ in SPREAD], 1000, id="96-bases-remain"),
        pytest.param(
            [(start, start + 25 - (start == 300)) for start, _ in SPREAD],
            1000,
            id="99-bases-remain",
        ),
        pytest.param(SPREAD, 10_001, id="one-stretch"),
    ],
)
def test_of_too_few_loud_places_no_precision_is_told(tmp_path, loud, gap_bp):
    table = loud_table(tmp_path, loud, SPREAD, gap_bp=gap_bp)
    assert np.isnan(pick(table, 0, "tRNA", "sense")["precision_strong"])
    assert pick(table, 0, "tRNA", "sense")["precision"] == 1


def test_a_hundred_bases_in_five_elements_are_enough(tmp_path):
    loud = [(start, start + 25) for start, _ in SPREAD]
    found = pick(loud_table(tmp_path, loud, SPREAD), 0, "tRNA", "sense")
    assert found["precision_strong"] == 1


@pytest.mark.parametrize(
    ("n_thresholds", "murmur", "expected"),
    [
        pytest.param(4, 2.0, 450 / 900, id="half-counts"),
        pytest.param(4, 1.9375, 1.0, id="less-than-half-does-not"),
        # of three thresholds, 0, 1/3 and 2/3 of the maximum, the last is the first from half on
        pytest.param(3, 2.5, 1.0, id="the-first-threshold-from-half-on"),
        pytest.param(1, 0.5, 450 / 900, id="whatever-fires-where-one-is-tried"),
    ],
)
def test_loud_is_from_half_of_the_maximum_on(tmp_path, n_thresholds, murmur, expected):
    """It is loud, with 4, on each tRNA, and murmurs on as many bases beside it."""
    dense = silence(2 * LENGTH, 1)
    for offset in (0, LENGTH):
        for start, end in SPREAD:
            dense["+"][offset + start : offset + end, 0] = 4
            dense["+"][offset + end : offset + 2 * end - start, 0] = murmur
    places = [("tRNA", seqid, *place, "+") for seqid in ("fit", "test") for place in SPREAD]
    store = make_store(tmp_path / "f.h5", dense, contigs_of(fit=LENGTH, test=LENGTH))
    config = replace(CONFIG, gap_bp=1000, n_thresholds=n_thresholds)
    found = pick(
        associate([specimen(store, make_elements(*places))], config=config), 0, "tRNA", "sense"
    )
    assert found["precision_strong"] == pytest.approx(expected)
    assert found["union_precision"] == pytest.approx(expected)


def test_one_loud_gene_does_not_say_what_a_feature_is(tmp_path):
    """Nearly all of its loud bases lie in one tRNA; of the others most lie in none."""
    trna = [(1200, 1900), *SPREAD[1:]]
    loud = [(1200, 1900), *((start, start + 5) for start, _ in SPREAD[1:])]
    loud += [(start, start + 30) for start in (5000, 11_000, 13_000, 17_000)]
    found = pick(loud_table(tmp_path, loud, trna), 0, "tRNA", "sense")
    assert found["precision"] > 0.8
    assert found["precision_strong"] == pytest.approx(20 / 140)


@pytest.mark.parametrize("seed", range(3))
def test_precision_at_the_loudest_is_that_of_loops_over_stretches(tmp_path, seed):
    rng = np.random.default_rng(seed)
    loud = [(s, s + int(rng.integers(5, 60))) for s in rng.choice(19_000, 25, replace=False)]
    trna = [(int(s), int(s) + 76) for s in (*rng.choice(19_000, 9, replace=False), loud[0][0])]
    trna += [(start - 9, end) for start, end in loud[:8] if start > 9]
    table = loud_table(tmp_path, [(int(s), int(e)) for s, e in loud], trna)
    fires = {base for start, end in loud for base in range(start, end)}
    inside = {base for start, end in trna for base in range(start, end)}
    precisions, fewest = [], LENGTH
    for stretch in range(20):
        kept = {base for base in fires if base // (LENGTH // 20) != stretch}
        precisions.append(len(kept & inside) / len(kept))
        fewest = min(fewest, len(kept))
    n_hit = sum(any(base in fires for base in range(*place)) for place in set(trna))
    assert n_hit >= 5
    assert fewest >= 100
    found = pick(table, 0, "tRNA", "sense")["precision_strong"]
    assert found == pytest.approx(min(precisions))


def test_overlapping_and_nested_elements_count_once_by_base_and_each_as_element(tmp_path):
    places = [("gene", seqid, *place, "+") for seqid in ("fit", "test")
              for place in ((100, 200), (150, 260), (160, 170))]  # fmt: skip
    dense = silence(2 * LENGTH, 1)
    for offset in (0, LENGTH):
        dense["+"][offset + 165 : offset + 175, 0] = 1
    store = make_store(tmp_path / "f.h5", dense, contigs_of(fit=LENGTH, test=LENGTH))
    table = associate([specimen(store, make_elements(*places))], config=CONFIG)
    found = pick(table, 0, "gene", "sense")
    assert (found["n_concept_bp"], found["n_both_bp"], found["n_elements"]) == (160, 10, 3)
    assert found["recall_element"] == 1
    # switched on at 65, 15 and 5 bases from the starts, off at 174: before, before and beyond
    assert (found["start_offset"], found["end_offset"]) == (15, -25)


def test_elements_without_strand_of_a_concept_with_one_count_on_either_reading(tmp_path):
    places = [("gene", seqid, 100, 200, ".") for seqid in ("fit", "test")]
    dense = silence(2 * LENGTH, 1)
    for offset in (0, LENGTH):
        dense["-"][offset + 100 : offset + 200, 0] = 1
    store = make_store(tmp_path / "f.h5", dense, contigs_of(fit=LENGTH, test=LENGTH))
    table = associate([specimen(store, make_elements(*places))], config=CONFIG)
    for orientation in ("sense", "antisense"):
        found = pick(table, 0, "gene", orientation)
        assert (found["n_concept_bp"], found["n_both_bp"], found["n_elements"]) == (200, 100, 1)


def test_features_of_another_dictionary_are_refused(world, tmp_path):
    store, elements = world
    other = make_store(
        tmp_path / "o.h5", silence(10, 5), contigs_of(o=10), genome_sha256="o", sae_sha256="z"
    )
    with pytest.raises(MismatchError, match=r"o\.h5: expected dictionary s as in .*dictionary z"):
        associate(
            specimens([store, other], elements=[elements, make_elements(("tRNA", "o", 1, 2, "+"))])
        )


def test_the_same_genome_twice_is_refused(world):
    store, elements = world
    twin = type(store)(store.path)
    pair = [specimen(store, elements), replace(specimen(twin, elements), name="twin")]
    with pytest.raises(MismatchError, match="expected another genome"):
        associate(pair, config=CONFIG)


def test_elements_on_an_unknown_sequence_are_refused(world):
    store, _ = world
    with pytest.raises(MismatchError, match="expected elements on fit, test, found elements on x"):
        associate([specimen(store, make_elements(("tRNA", "x", 1, 20, "+")))], config=CONFIG)


def test_elements_beyond_the_end_are_refused(world):
    store, _ = world
    with pytest.raises(
        MismatchError, match="within 20000 bp of fit, found one whose last base is 20001"
    ):
        associate([specimen(store, make_elements(("tRNA", "fit", 1, 20_001, "+")))], config=CONFIG)


def test_elements_of_every_genome_are_required(world):
    store, _ = world
    with pytest.raises(InputError, match="specimen f: expected the elements of the concepts"):
        associate([specimen(store)], config=CONFIG)


def test_a_side_that_was_not_read_is_refused(tmp_path):
    coverage = {"fit": [(0, 100, "+"), (0, 100, "-")], "test": []}
    store = make_store(
        tmp_path / "f.h5", silence(200, 1), contigs_of(fit=100, test=100), coverage=coverage
    )
    with pytest.raises(InputError, match="none on test"):
        associate([specimen(store, make_elements(("tRNA", "fit", 1, 20, "+")))], config=CONFIG)


def test_one_strand_alone_may_have_been_read(tmp_path):
    coverage = {seqid: [(0, LENGTH, "+")] for seqid in ("fit", "test")}
    dense = silence(2 * LENGTH, 1)
    for offset in (0, LENGTH):
        for start, end, strand in TRNA:
            dense["+"][offset + start : offset + end, 0] = strand == "+"
    store = make_store(
        tmp_path / "f.h5", dense, contigs_of(fit=LENGTH, test=LENGTH), coverage=coverage
    )
    table = associate([specimen(store, make_elements(*trna("fit"), *trna("test")))], config=CONFIG)
    found = pick(table, 0, "tRNA", "sense")
    assert found["f1"] == 1
    assert found["n_elements"] == sum(strand == "+" for _, _, strand in TRNA)
    assert count_covered(table) == LENGTH
