"""The command `circuit`: its files, and what it takes of associations."""

import networkx
import pytest
from typer.testing import CliRunner

import genointerp as gi
from genointerp.cli.main import app
from genointerp.core.errors import InputError
from genointerp.store.table.schema.circuit import (
    CIRCUIT_FAMILIES,
    CIRCUIT_MEMBERS,
    COACTIVATION,
    COACTIVATION_LAGS,
    SUCCESSIONS,
)
from genointerp.store.table.table import read_provenance, read_table
from tests.plant import contigs_of, make_store
from tests.wiring.test_coactivation import planted

OUTPUTS = {
    "out": COACTIVATION,
    "lags_out": COACTIVATION_LAGS,
    "families_out": CIRCUIT_FAMILIES,
    "members_out": CIRCUIT_MEMBERS,
    "successions_out": SUCCESSIONS,
}


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    path = tmp_path_factory.mktemp("circuit") / "f.h5"
    return make_store(path, planted(), contigs_of(c=24_000)).path


def test_every_table_that_is_asked_for_is_written(features, tmp_path):
    options = [
        word
        for name in OUTPUTS
        for word in (f"--{name.replace('_', '-')}", str(tmp_path / f"{name}.tsv"))
    ]
    line = ["circuit", str(features), *options, "--n-rotations", "100", "--min-phi", "0.4"]
    result = CliRunner().invoke(app, line, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("10 edges on one strand, ")
    for name, schema in OUTPUTS.items():
        table = read_table(tmp_path / f"{name}.tsv", schema)
        assert table.empty == (schema is SUCCESSIONS)
    config = read_provenance(tmp_path / "out.tsv", COACTIVATION)["config"]
    assert (config["n_rotations"], config["min_phi"], config["max_q"]) == (100, 0.4, 0.05)


def test_the_function_returns_the_edges_and_writes_nothing_unasked(features, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = gi.circuit(features, config={"n_rotations": 100}, seed=1)
    assert {(0, 1), (5, 6)} <= set(zip(table["feature_a"], table["feature_b"], strict=True))
    assert list(tmp_path.iterdir()) == []


def test_the_network_can_be_read_by_other_programs(features, tmp_path):
    path = tmp_path / "c.graphml"
    table = gi.circuit(features, network_out=path, n_rotations=100)
    network = networkx.read_graphml(path, force_multigraph=True)
    assert network.number_of_edges() == len(table)
    (edge,) = network.get_edge_data("5", "6").values()
    assert (edge["lag"], edge["relation"]) == (2, "same")
    assert edge["phi"] == pytest.approx(table["phi"][table["feature_b"] == 6].iloc[0])
    assert network.nodes["6"]["lag"] == 2
    with pytest.raises(InputError, match=r"c\.json: expected a file name in \.graphml"):
        gi.circuit(features, network_out=tmp_path / "c.json")


def test_another_kind_of_table_is_refused_before_anything_is_counted(features, tmp_path):
    with pytest.raises(InputError, match=r"edges\.txt"):
        gi.circuit(features, tmp_path / "edges.txt")
