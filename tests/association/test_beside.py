"""The best feature of each concept beside what needs no dictionary."""

import numpy as np
import pandas as pd
import pytest

from genointerp.association.baseline.beside import beside_baselines, is_measured, read_beside
from genointerp.core.provenance import Provenance
from genointerp.store.table.schema.association import BASELINES, BEST_PER_CONCEPT
from genointerp.store.table.table import write_table

NAN = float("nan")


def best_table(*rows):
    """Rows of ``concept, orientation, feature, f1_fit, f1, always_on, q``."""
    records = [
        {column.name: 0.5 if column.kind == "float64" else 1 for column in BEST_PER_CONCEPT.columns}
        | {"concept": concept, "orientation": orientation, "feature": feature, "f1_fit": f1_fit}
        | {"f1": f1, "f1_always_on": always_on, "q_value": q}
        for concept, orientation, feature, f1_fit, f1, always_on, q in rows
    ]
    return pd.DataFrame(records)[BEST_PER_CONCEPT.names]


def baseline_table(*rows):
    """Rows of ``concept, orientation, detector, which, f1_fit, f1``."""
    records = [
        {column.name: 0.5 if column.kind == "float64" else 1 for column in BASELINES.columns}
        | {"note": "", "concept": concept, "orientation": orientation, "detector": detector}
        | {"which": which, "f1_fit": f1_fit, "f1": f1}
        for concept, orientation, detector, which, f1_fit, f1 in rows
    ]
    return pd.DataFrame(records)[BASELINES.names]


BEST = best_table(
    ("tRNA", "sense", 3, 0.2, 0.9, 0.01, 0.01),
    ("tRNA", "antisense", 4, 0.3, 0.22, 0.01, 0.01),
    ("CDS", "sense", 5, 0.7, 0.66, 0.59, 0.001),
    ("prophage", "both", 6, 0.4, NAN, NAN, NAN),
)
BASE = baseline_table(
    ("tRNA", "antisense", "neuron", "63", 0.30, 0.10),
    ("tRNA", "antisense", "principal_component", "7", 0.40, 0.05),
    ("tRNA", "antisense", "independent_component", "2", NAN, NAN),
    ("tRNA", "antisense", "kmer_gc_phase", "", 0.5, 0.08),
    ("tRNA", "antisense", "linear_probe", "", 0.5, 0.215),
    ("tRNA", "sense", "neuron", "1", 0.9, 0.99),
    ("CDS", "sense", "neuron", "9", 0.6, 0.61),
    ("CDS", "sense", "kmer_gc_phase", "", 0.9, 0.87),
    ("CDS", "sense", "linear_probe", "", 0.9, 0.655),
)


def test_the_orientation_that_fit_prefers_stands_beside_its_own_baselines():
    """Fit prefers the component (.40) to the neuron (.30), though the neuron is better on test."""
    table = beside_baselines(BEST, BASE).set_index("concept")
    assert list(table.index) == ["CDS", "tRNA"]
    row = table.loc["tRNA"]
    assert (row["orientation"], row["feature"], row["f1"]) == ("antisense", 4, 0.22)
    assert (row["neuron_or_component"], row["which"]) == (0.05, "principal component 7")
    assert (row["sequence_alone"], row["probe"], row["always_on"]) == (0.08, 0.215, 0.01)


def test_a_sentence_says_of_each_concept_whether_the_feature_shows_more():
    shows = beside_baselines(BEST, BASE).set_index("concept")["shows"]
    assert shows["CDS"] == (
        "Shows more than a neuron or component and firing everywhere, but not more than "
        "the sequence alone (0.87) or a probe (0.66)."
    )
    # .22 is not .01 above .215
    assert shows["tRNA"] == (
        "Shows more than a neuron or component, the sequence alone and firing everywhere, "
        "but not more than a probe (0.21)."
    )


ALL = "a neuron or component, the sequence alone, a probe and firing everywhere"
NONE = (
    "a neuron or component (0.61), the sequence alone (0.87), a probe (0.66) or firing everywhere "
    "(0.10)"
)


@pytest.mark.parametrize(
    ("f1", "always_on", "q", "expected"),
    [
        pytest.param(0.9, 0.1, 0.01, f"Shows more than {ALL}.", id="all"),
        pytest.param(0.1, 0.1, 0.01, f"Shows no more than {NONE}.", id="none"),
        pytest.param(0.9, 0.1, 0.06, "No more than chance may give (q = 0.06).", id="chance"),
        pytest.param(0.9, 0.1, NAN, "No more than chance may give (not tested).", id="untested"),
    ],
)
def test_every_outcome_has_its_sentence(f1, always_on, q, expected):
    best = best_table(("CDS", "sense", 5, 0.7, f1, always_on, q))
    assert beside_baselines(best, BASE)["shows"].tolist() == [expected]


def test_what_was_not_measured_is_said_and_not_left_out(tmp_path):
    table = read_beside(BEST, tmp_path)
    assert not is_measured(table)
    assert table[["neuron_or_component", "sequence_alone", "probe"]].isna().all(axis=None)
    assert table["shows"].iloc[0] == (
        "Shows more than firing everywhere; not measured: a neuron or component, "
        "the sequence alone, a probe."
    )
    write_table(BASE, tmp_path / "baselines.tsv", BASELINES, Provenance({}, {}))
    assert is_measured(read_beside(BEST, tmp_path))


def test_nothing_of_test_chooses_what_is_shown():
    generator = np.random.default_rng(0)
    changed = BASE.assign(f1=generator.permutation(BASE["f1"].to_numpy()))
    shuffled = BEST.assign(f1=[0.1, 0.2, 0.3, NAN])
    names = ["concept", "orientation", "feature", "which"]
    one = beside_baselines(BEST, BASE)[names].sort_values("concept").values.tolist()
    other = beside_baselines(shuffled, changed)[names].sort_values("concept").values.tolist()
    assert one == other
