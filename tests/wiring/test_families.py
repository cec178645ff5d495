"""Families of features, their order and their names."""

import numpy as np
import pandas as pd
import pytest

from genointerp.wiring.config import CircuitConfig
from genointerp.wiring.families import Label, find_families, name_family, order_family
from tests.plant import contigs_of, make_store
from tests.specimens import specimens
from tests.wiring.test_coactivation import found, planted  # noqa: F401

NAN = float("nan")
CODONS = {127: Label("CDS_phase0", "sense"), 86: Label("CDS_phase1", "sense")}


def edges(*rows):
    table = pd.DataFrame(rows, columns=["feature_a", "feature_b", "lag", "phi", "period"])
    return table.assign(relation="same")


def test_edges_that_return_after_three_bases_are_a_cycle():
    table = edges(
        (127, 86, 1, 0.4, 3.0),
        (86, 82, 1, 0.53, 3.0),
        (82, 127, 1, 0.62, 3.0),
        (108, 127, 0, 0.5, 3.0),
    )
    order = order_family(table, CODONS)
    assert (order.kind, order.period, order.agreement) == ("cycle", 3, 1.0)
    assert order.position == {127: 0, 108: 0, 86: 1, 82: 2}


def test_edges_at_lags_that_add_up_are_a_path():
    order = order_family(edges((5, 6, 2, 0.8, NAN), (5, 7, 5, 0.7, NAN), (6, 7, 3, 0.8, NAN)))
    assert (order.kind, order.period, order.agreement) == ("path", 0, 1.0)
    assert order.position == {5: 0, 6: 2, 7: 5}


def test_edges_at_lags_that_contradict_one_another_are_a_set():
    order = order_family(edges((1, 2, 2, 0.8, NAN), (1, 3, 5, 0.7, NAN), (2, 3, 9, 0.6, NAN)))
    assert order.kind == "set"
    # the only edge that does not place a feature is the one that does not fit
    assert order.agreement == 0
    # the order means nothing, so it has none
    assert order.position == {1: 0, 2: 0, 3: 0}


def test_agreement_is_of_the_edges_that_do_not_place_a_feature():
    order = order_family(edges((1, 2, 2, 0.8, NAN), (2, 3, 3, 0.7, NAN)))
    assert (order.kind, order.position) == ("path", {1: 0, 2: 2, 3: 5})
    assert np.isnan(order.agreement)
    both = [(1, 3, 5, 0.6, NAN), (3, 1, 9, 0.1, NAN)]
    order = order_family(edges((1, 2, 2, 0.8, NAN), *both, (2, 3, 3, 0.7, NAN)))
    assert (order.kind, order.agreement) == ("path", pytest.approx(0.6 / 0.7))


def test_features_that_fire_on_the_same_bases_are_a_set():
    order = order_family(edges((1, 2, 0, 0.8, NAN)))
    assert (order.kind, order.position) == ("set", {1: 0, 2: 0})


@pytest.mark.parametrize(
    ("concepts", "name"),
    [
        (["CDS_phase0", "CDS_phase2", None], "codon phases (sense)"),
        (["CDS_phase0", "CDS"], "coding sequence (sense)"),
        (["rRNA_16S", "tRNA", "rRNA_23S"], "ribosomal operon (sense)"),
        (["tRNA", "tRNA"], "ribosomal operon (sense)"),
        (["start_codon"], "gene start (sense)"),
        (["stop_codon"], "gene end (sense)"),
        (["tmRNA"], "tmRNA (sense)"),
        ([None, None, "CDS"], ""),
    ],
)
def test_a_family_is_named_after_what_most_members_mark(concepts, name):
    labels = [None if concept is None else Label(concept, "sense") for concept in concepts]
    assert name_family(labels) == name


@pytest.mark.parametrize("grouping", ["components", "louvain"])
def test_planted_families_come_out_in_their_order(found, tmp_path, grouping):  # noqa: F811
    store = make_store(tmp_path / "f.h5", planted(), contigs_of(c=24_000))
    config = CircuitConfig(grouping=grouping)
    families = find_families(
        found.edges, specimens([store]), config, {2: Label("CDS_phase0", "sense")}
    )
    told = families.table.set_index("members")
    assert set(told.index) == {"0 > 1", "2 > 3 > 4", "5 > 6 > 7"}
    assert told["kind"].to_dict() == {"0 > 1": "path", "2 > 3 > 4": "cycle", "5 > 6 > 7": "path"}
    cycle = told.loc["2 > 3 > 4"]
    assert (cycle["period"], cycle["n_features"], cycle["n_edges"]) == (3, 3, 6)
    assert cycle["concepts"] == "2=CDS_phase0/sense"
    members = families.members.set_index("feature")
    assert members.loc[[5, 6, 7], "lag"].tolist() == [0, 2, 5]
    assert members.loc[2, "circuit"] == f"cycle {cycle['family']}"


def test_the_example_of_a_family_is_where_its_members_fire(found, tmp_path):  # noqa: F811
    store = make_store(tmp_path / "f.h5", planted(), contigs_of(c=24_000))
    table = find_families(found.edges, specimens([store])).table
    row = table[table["members"] == "2 > 3 > 4"].iloc[0]
    own = planted()[row["strand"]][row["start"] : row["end"], 2:5]
    assert (own > 0).any(axis=1).mean() > 0.95
    fires = sum(int((dense[:, 2:5] > 0).any(axis=1).sum()) for dense in planted().values())
    assert row["n_bases"] == fires


def test_without_edges_there_are_no_families(found, tmp_path):  # noqa: F811
    store = make_store(
        tmp_path / "f.h5", {s: np.ones((100, 2), np.float32) for s in "+-"}, contigs_of(c=100)
    )
    families = find_families(found.edges.iloc[:0], specimens([store]))
    assert families.table.empty
    assert families.members.empty
