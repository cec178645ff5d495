"""Precision and recall at every threshold against a loop over bases."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.association.associate import associate
from genointerp.association.config import AssociateConfig
from genointerp.association.profile.curve import precision_recall
from genointerp.store.table.schema.association import CURVES
from tests.plant import contigs_of, make_elements, make_store, silence
from tests.specimens import specimen

CONFIG = AssociateConfig(test=("test",), n_thresholds=4, n_shifts=9)
CONTIGS = contigs_of(fit=40, test=60)
ELEMENTS = make_elements(
    ("tRNA", "fit", 5, 15, "+"),
    ("tRNA", "test", 10, 20, "+"),
    ("tRNA", "test", 30, 40, "-"),
    ("gap", "fit", 0, 5, "."),
    ("gap", "test", 45, 60, "."),
    unstranded=("gap",),
)


def positives(concept, orientation, strand):
    """The bases of test that are of a concept when a strand is read, as a set."""
    if concept == "gap":
        return set(range(45, 60))
    lies = strand if orientation == "sense" else {"+": "-", "-": "+"}[strand]
    return set(range(10, 20)) if lies == "+" else set(range(30, 40))


@given(st.data())
def test_the_curve_counts_as_a_loop_over_bases_does(tmp_path_factory, data):
    generator = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    dense = {
        strand: (generator.integers(1, 6, (100, 1)) * (generator.random((100, 1)) < 0.4)).astype(
            np.float32
        )
        for strand in "+-"
    }
    store = make_store(tmp_path_factory.mktemp("s") / "f.h5", dense, CONTIGS)
    concept, orientation = data.draw(
        st.sampled_from([("tRNA", "sense"), ("tRNA", "antisense"), ("gap", "both")])
    )
    pair = pd.DataFrame(
        {"feature": [0], "concept": concept, "orientation": orientation, "threshold": [2.5]}
    )
    curve = precision_recall([specimen(store, ELEMENTS)], pair, config=CONFIG, n_levels=5)
    assert list(curve.columns) == CURVES.names
    assert curve["threshold"].is_monotonic_increasing
    assert curve["threshold"][curve["chosen"] == 1].tolist() == [2.5]
    for row in curve.to_dict("records"):
        found = [
            (base, strand)
            for strand in "+-"
            for base in range(60)
            if dense[strand][40 + base, 0] > 0 and dense[strand][40 + base, 0] >= row["threshold"]
        ]
        true = [1 for base, strand in found if base in positives(concept, orientation, strand)]
        size = sum(len(positives(concept, orientation, strand)) for strand in "+-")
        assert (row["n_feature_bp"], row["n_both_bp"]) == (len(found), len(true))
        assert row["n_concept_bp"] == size
        assert row["recall"] == pytest.approx(len(true) / size)
        if found:
            assert row["precision"] == pytest.approx(len(true) / len(found))
        assert row["base_rate"] == pytest.approx(size / 120)


def test_the_chosen_point_is_that_of_the_associations(tmp_path):
    dense = silence(100, 2)
    generator = np.random.default_rng(1)
    for strand in "+-":
        dense[strand][:, 1] = generator.random(100) * (generator.random(100) < 0.5)
    dense["+"][5:15, 0], dense["+"][50:58, 0], dense["-"][70:85, 0] = 2, 3, 1
    store = make_store(tmp_path / "f.h5", dense, CONTIGS)
    table = associate([specimen(store, ELEMENTS)], config=CONFIG)
    pairs = table[table["f1_fit"] > 0]
    curve = precision_recall([specimen(store, ELEMENTS)], pairs, config=CONFIG)
    chosen = curve[curve["chosen"] == 1]
    keys = ["feature", "concept", "orientation"]
    both = pairs.merge(chosen, on=keys, suffixes=("", "_curve"))
    assert len(both) == len(pairs) >= 4
    for name in ("threshold", "precision", "recall", "n_feature_bp", "n_both_bp", "n_concept_bp"):
        np.testing.assert_array_equal(both[name], both[f"{name}_curve"])


def test_the_lowest_threshold_detects_every_firing_base_and_the_highest_the_strongest(tmp_path):
    dense = silence(100, 1)
    dense["+"][50:55, 0] = [1, 2, 3, 4, 4]
    store = make_store(tmp_path / "f.h5", dense, CONTIGS)
    pair = pd.DataFrame(
        {"feature": [0], "concept": "tRNA", "orientation": "sense", "threshold": [np.nan]}
    )
    curve = precision_recall([specimen(store, ELEMENTS)], pair, config=CONFIG, n_levels=64)
    assert curve["n_feature_bp"].tolist() == [5, 4, 3, 2]
    assert curve["chosen"].sum() == 0


def test_no_pair_is_a_table_without_rows(tmp_path):
    store = make_store(tmp_path / "f.h5", silence(100, 1), CONTIGS)
    pairs = pd.DataFrame({"feature": [], "concept": [], "orientation": [], "threshold": []})
    curve = precision_recall([specimen(store, ELEMENTS)], pairs, config=CONFIG)
    assert list(curve.columns) == CURVES.names
    assert curve.empty
