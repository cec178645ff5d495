"""GraphML of co-activation: features, and the edges between them by lag.

An attribution graph has no cycles and belongs to one passage, so this is a form of its own.
"""

import json
from pathlib import Path

import networkx as nx
import pandas as pd

from genointerp.core.files import atomic_path
from genointerp.core.provenance import Provenance
from genointerp.store.hdf5 import writing

FORMAT = "genointerp::coactivation-network"

_NODE = ["family", "circuit", "step", "lag", "concept", "orientation"]
_EDGE = ["relation", "strand", "lag", "phi", "phi_0", "null_phi", "p_value", "q_value", "n_joint"]


def write_network(
    edges: pd.DataFrame, members: pd.DataFrame, path: Path, provenance: Provenance
) -> None:
    """Write features and their edges as GraphML, for Cytoscape, Gephi or networkx.

    Parameters
    ----------
    edges
        Schema ``COACTIVATION``: an arrow each, from ``feature_a`` to ``feature_b``.
    members
        Schema ``CIRCUIT_MEMBERS``: what a node has besides its number, if it is in a family.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    made = nx.MultiDiGraph(
        **{"format": FORMAT, "format-version": 1, "provenance": provenance.as_json()}
    )
    for feature in sorted({*edges["feature_a"].tolist(), *edges["feature_b"].tolist()}):
        made.add_node(str(feature), feature=feature)
    for row in json.loads(members.to_json(orient="records")):
        made.add_node(str(row["feature"]), **{name: row[name] for name in _NODE})
    for row in json.loads(edges.to_json(orient="records", double_precision=15)):
        ends = str(row["feature_a"]), str(row["feature_b"])
        made.add_edge(*ends, **{name: row[name] for name in _EDGE})
    with writing(path), atomic_path(path) as temporary:
        nx.write_graphml_xml(made, temporary)
