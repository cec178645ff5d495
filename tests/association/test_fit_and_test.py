"""Whatever fit chooses does not change by a bit when everything on test is corrupted."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.annotation.concepts import COLUMNS, Concept, ConceptElements
from genointerp.association.associate import associate
from genointerp.association.baseline.config import BaselineConfig
from genointerp.association.baseline.measure import measure_baselines
from genointerp.association.config import AssociateConfig
from genointerp.association.summary import best_per_concept
from genointerp.candidate.backtest.backtest import class_features
from genointerp.candidate.config import RankConfig
from genointerp.candidate.score import explain
from genointerp.feature.query import best_concepts
from genointerp.genome.genome import Contig, Genome
from genointerp.store.contigs import ContigInfo
from tests.plant import make_store
from tests.specimens import specimens
from tests.stores import activation_header, write_activations

LENGTH, N_FEATURES, D_IN = 1500, 6, 8
SPLIT = AssociateConfig(test=("test",), n_shifts=19, gap_bp=100, n_thresholds=7, top_per_concept=2)
BASELINES = BaselineConfig(n_independent=3, ica_rows=500, probe_rows=500)
CONCEPTS = {
    "CDS": Concept("x", types=("CDS",)),
    **{f"CDS_{k}": Concept("x", of="CDS", bases=f"codon_position_{k}") for k in range(3)},
    "tRNA": Concept("x", types=("tRNA",)),
    "island": Concept("x", types=("island",), strand="none"),
}
OF_FIT = ("threshold", "f1_fit", "codon_phase", "union_labels", "union_threshold")


def draw_side(rng, seqid):
    """Elements, a genome and dense features of one side; features follow concepts loosely."""
    rows, masks = [], {}
    for concept in ("CDS", "tRNA", "island"):
        masks[concept] = {strand: np.zeros(LENGTH, np.bool_) for strand in "+-"}
        starts = np.sort(rng.choice(LENGTH // 75 - 1, 6, replace=False)) * 75
        for number, start in enumerate(starts.tolist()):
            strand = "." if concept == "island" else "+-"[int(rng.integers(2))]
            place = (seqid, start, start + 60, strand, number, "e", 0)
            rows.append((concept, *place, -1))
            if concept == "CDS":
                rows += [(f"CDS_{k}", *place, k) for k in range(3)]
            for reading in "+-" if strand == "." else strand:
                masks[concept][reading][start : start + 60] = True
    rows.sort(key=lambda row: list(CONCEPTS).index(row[0]))
    elements = ConceptElements(pd.DataFrame(rows, columns=list(COLUMNS)), CONCEPTS)
    dense = {}
    for strand in "+-":
        value = rng.integers(1, 9, (LENGTH, N_FEATURES)) * (rng.random((LENGTH, N_FEATURES)) < 0.08)
        for feature, concept in enumerate(("CDS", "tRNA", "island", "CDS")):
            kept = masks[concept][strand] & (rng.random(LENGTH) < 0.8)
            if feature == 3:
                kept &= np.arange(LENGTH) % 3 == int(rng.integers(3))
            value[kept, feature] = rng.integers(3, 9, int(kept.sum()))
        dense[strand] = value.astype(np.float32)
    bases = rng.choice(np.frombuffer(b"ACGT", np.uint8), LENGTH)
    return (
        elements,
        Genome([Contig(seqid, bases)]),
        dense,
        rng.normal(size=(2 * LENGTH, D_IN)).astype(np.float32),
    )


def draw_sides(seed, loudness):
    """Two sides, and the same two with everything on test exchanged."""
    fit, test, other = (
        draw_side(np.random.default_rng([seed, number]), name)
        for number, name in enumerate(("fit", "test", "test"))
    )
    dense = {strand: other[2][strand][::-1] * np.float32(loudness) for strand in "+-"}
    return (fit, test), (fit, (other[0], other[1], dense, 5 * other[3]))


def open_stores(folder, sides):
    stores = []
    for elements, genome, dense, _ in sides:
        path, contigs = folder / f"{elements.table['seqid'][0]}.h5", ContigInfo.of(genome)
        stores.append(make_store(path, dense, contigs, genome_sha256=genome.sha256))
    return stores


def open_activations(folder, stores, sides):
    activations = []
    for store, (_, genome, _, x) in zip(stores, sides, strict=True):
        windows = store.coverage("+") + store.coverage("-")
        header = activation_header(
            contigs=store.header.contigs,
            genome_sha256=genome.sha256,
            model_sha256="m",
            d_in=D_IN,
        )
        path = folder / f"{store.path.stem}.a.h5"
        activations.append(write_activations(path, x, windows=windows, header=header))
    return activations


def associations_of(stores, sides, **known):
    elements, genomes = [side[0] for side in sides], [side[1] for side in sides]
    own = specimens(stores, elements=elements, sequence=genomes, **known)
    return own, associate(own, config=SPLIT)


@settings(max_examples=5)
@given(seed=st.integers(0, 10_000), loudness=st.sampled_from([0.1, 1.0, 50.0]))
def test_what_fit_chose_is_the_same_whatever_lies_on_test(tmp_path_factory, seed, loudness):
    table, again = (
        associations_of(open_stores(tmp_path_factory.mktemp("sides"), sides), sides)[1]
        for sides in draw_sides(seed, loudness)
    )
    assert not table["f1"].equals(again["f1"])
    for name in ("feature", "concept", "orientation", *OF_FIT):
        pd.testing.assert_series_equal(table[name], again[name], check_exact=True)
    assert table["codon_phase"].notna().any()
    # the family of tests, of which test only says how it fares
    assert table["p_value"].isna().equals(again["p_value"].isna())
    keys = ["concept", "orientation", "feature", "threshold", "f1_fit"]
    best, best_again = best_per_concept(table), best_per_concept(again)
    pd.testing.assert_frame_equal(best[keys], best_again[keys], check_exact=True)
    keys = ["feature", "best_concept", "orientation"]
    pd.testing.assert_frame_equal(best_concepts(table)[keys], best_concepts(again)[keys])
    named = [explain(one, RankConfig())["best_concept"] for one in (table, again)]
    pd.testing.assert_series_equal(*named)


def test_what_fit_chose_of_each_baseline_is_the_same_whatever_lies_on_test(tmp_path):
    found = []
    for number, sides in enumerate(draw_sides(1, 3.0)):
        folder = tmp_path / str(number)
        folder.mkdir()
        stores = open_stores(folder, sides)
        activations = open_activations(folder, stores, sides)
        own, table = associations_of(stores, sides, activations=activations)
        found.append(measure_baselines(own, table, split=SPLIT, config=BASELINES))
    names = ["concept", "orientation", "detector", "which", "sign", "threshold", "f1_fit"]
    pd.testing.assert_frame_equal(*(one[names] for one in found), check_exact=True)
    assert not found[0]["f1"].equals(found[1]["f1"])
    assert {"neuron", "independent_component", "linear_probe"} < set(found[0]["detector"])


@pytest.mark.parametrize("seed", range(5))
def test_the_label_that_a_feature_tells_is_chosen_on_fit(seed):
    """Test decides whether it tells it, and takes no part in which it is, nor in the order."""
    rng = np.random.default_rng(seed)
    n, labels = 8, ["a", "b", "c"]
    table = pd.DataFrame(
        {
            "feature": np.repeat(np.arange(n), len(labels)),
            "concept": labels * n,
            "orientation": "sense",
            "f1_fit": rng.random(n * len(labels)),
            "null_f1": 0.0,
            "q_value": 0.01,
            "n_feature_bp": 100,
            "n_concept_bp": 100,
            "n_both_bp": 50,
            "log2_enrichment": np.log2(50.5 / 10.5),
            "precision": 0.9,
        }
    )
    # all of them are told well, in whatever order
    told = [table.assign(f1=rng.uniform(0.5, 1, len(table))) for _ in range(2)]
    keys = ["feature", "concept", "orientation", "f1_fit"]
    first, second = (class_features(one, labels, RankConfig())[keys] for one in told)
    pd.testing.assert_frame_equal(first, second)
    assert first["f1_fit"].is_monotonic_decreasing
    for row in first.itertuples():
        own = table[table["feature"] == row.feature]
        assert row.concept == own.loc[own["f1_fit"].idxmax(), "concept"]
