from pathlib import Path

import h5py
import networkx as nx
import pandas as pd
import pytest

from genointerp.core.provenance import Provenance
from genointerp.store.graph.network import write_network
from genointerp.store.table.schema.circuit import CIRCUIT_MEMBERS, COACTIVATION
from genointerp.store.table.schema.registry import SCHEMAS
from tests.stores import dense_features, write_activations, write_features

PAGES = Path(__file__).parents[2] / "docs" / "schema"


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_page_of_tables_tells_every_column(schema):
    section = (PAGES / "tables.md").read_text().split(f"`{schema.format}`")[1].split("\n## ")[0]
    found = [line for line in section.splitlines() if line.startswith("| `")]
    assert found == [
        f"| `{c.name}` | {c.kind} | {c.status} | {c.meaning} |" for c in schema.columns
    ]


@pytest.mark.parametrize(("name", "version"), [("activations", 2), ("features", 2)])
def test_page_names_every_attribute_and_dataset_that_is_written(tmp_path, name, version):
    dense = dense_features()
    write = {
        "activations": lambda path: write_activations(path, dense["+"].repeat(2, axis=0)),
        "features": lambda path: write_features(path, dense),
    }[name]
    page = (PAGES / f"{name}-v{version}.md").read_text()
    with h5py.File(write(tmp_path / "x.h5").path) as file:
        names = []
        file.visititems(lambda path, item: names.append(path) if hasattr(item, "dtype") else None)
        attributes = list(file.attrs)
    for attribute in attributes:
        assert f"`{attribute}`" in page
    for path in names:
        short = path.removeprefix("plus/").removeprefix("minus/")
        assert f"`{short}`" in page or short.split("/")[0] == "contigs"


def test_page_of_networks_names_every_attribute_that_is_written(tmp_path):
    edges, members = (
        pd.DataFrame({c.name: ["x" if c.kind == "string" else 1] for c in schema.columns})
        for schema in (COACTIVATION, CIRCUIT_MEMBERS)
    )
    write_network(edges, members, tmp_path / "n.graphml", Provenance({}, {}))
    found = nx.read_graphml(tmp_path / "n.graphml", force_multigraph=True)
    page = (PAGES / "coactivation-network-v1.md").read_text()
    (_, node), (_, _, edge) = *found.nodes(data=True), *found.edges(data=True)
    assert {"feature", "family"} < node.keys()
    assert {"relation", "phi"} < edge.keys()
    for name in (*found.graph, *node, *edge):
        assert f"`{name}`" in page or name.endswith("_default")
