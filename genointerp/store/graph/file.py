"""Files of attribution graphs; see ``docs/schema/attribution-graph-v1.md``.

A ``.json`` is in the schema of circuit-tracer's graphs, in which its viewer and Neuronpedia read
them, with what that schema lacks in keys of its own. A ``.graphml`` is for programs on graphs.
"""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast, get_args

import networkx as nx
import numpy as np

from genointerp.core.arguments import StrPath
from genointerp.core.errors import InputError, SchemaError
from genointerp.core.files import atomic_path, check_is_file, check_writable, read_json_object
from genointerp.core.parsing import parse_json
from genointerp.core.provenance import Provenance
from genointerp.core.text import one_line
from genointerp.genome.interval import GenomicInterval, Strand
from genointerp.store.graph.graph import AttributionGraph, Node, NodeKind
from genointerp.store.hdf5 import writing

FORMAT = "genointerp::attribution-graph"
VERSION = 1

F = TypeVar("F")

_TYPES: dict[NodeKind, str] = {
    "base": "embedding",
    "feature": "cross layer transcoder",
    "error": "mlp reconstruction error",
    "prediction": "logit",
}
"""``feature_type`` of the viewer, which shows other types without their details."""


def write_graph(graph: AttributionGraph, path: StrPath, provenance: Provenance) -> None:
    """Write a graph in the file type of its suffix, ``.json`` or ``.graphml``.

    Raises
    ------
    InputError
        If the suffix is another one.
    StorageError
        If the file cannot be written.
    """
    path = Path(path)
    form = _by_suffix(path)
    with writing(path), atomic_path(path) as temporary:
        # the viewer finds a graph by its name, which is that of the file
        form.write(graph, temporary, _Header(path.stem, json.loads(provenance.as_json())))


def read_graph(path: StrPath) -> AttributionGraph:
    """Read a graph that `write_graph` wrote.

    Raises
    ------
    SchemaError
        If the file is missing, unreadable, or of another format or a newer version.
    """
    return _read(Path(path))[0]


def is_graph_of(path: StrPath, provenance: Provenance) -> bool:
    """Say whether a graph with the same inputs and the same settings exists at this path."""
    try:
        return bool(_read(Path(path))[1] == json.loads(provenance.as_json()))
    except InputError:
        return False


def check_graph_path(path: StrPath) -> None:
    """Refuse, before the work, a path that `write_graph` would refuse.

    Raises
    ------
    InputError
        If the suffix is not one of a file type.
    StorageError
        If nothing can be written there.
    """
    _by_suffix(Path(path))
    check_writable(Path(path))


class _Header(NamedTuple):
    slug: str
    provenance: dict[str, Any]


def _read(path: Path) -> tuple[AttributionGraph, dict[str, Any]]:
    form = _by_suffix(path)
    check_is_file(path, error=SchemaError)
    try:
        return form.read(path)
    except InputError:
        raise
    except Exception as error:
        found = one_line(error) or type(error).__name__
        raise SchemaError(str(path), f"a {FORMAT} file", found) from error


def _checked(path: Path, header: Mapping[str, Any]) -> Mapping[str, Any]:
    found, version = header.get("format", "none"), header.get("format-version")
    if found != FORMAT:
        raise SchemaError(f"{path}: format", FORMAT, str(found))
    if type(version) is not int or not 1 <= version <= VERSION:
        raise SchemaError(f"{path}: format-version", f"1 to {VERSION}", str(version))
    return header


def _write_json(graph: AttributionGraph, path: Path, header: _Header) -> None:
    layers = _layers(graph)
    ids = [_node_id(node, layers) for node in graph.nodes]
    record = {
        "metadata": {
            "genointerp": {
                "format": FORMAT,
                "format-version": VERSION,
                "scores": {name: _plain(value) for name, value in graph.scores.items()},
                "provenance": header.provenance,
            },
            "slug": header.slug,
            "scan": graph.model,
            "transcoder_list": list(graph.sites),
            "prompt_tokens": list(graph.tokens),
            "prompt": graph.name,
            "node_threshold": None,
            "schema_version": 1,
        },
        "qParams": {
            "pinnedIds": [],
            "supernodes": [],
            "linkType": "both",
            "clickedId": "",
            "sg_pos": "",
        },
        "nodes": [
            _json_node(node, one, layers) for node, one in zip(graph.nodes, ids, strict=True)
        ],
        "links": [
            {"source": ids[source], "target": ids[target], "weight": weight}
            for source, target, weight in zip(
                graph.source.tolist(), graph.target.tolist(), graph.weight.tolist(), strict=True
            )
        ],
    }
    text = json.dumps(record, indent=1, allow_nan=False) + "\n"
    path.write_text(text, encoding="utf-8")


def _json_node(node: Node, node_id: str, layer: Mapping[str, str]) -> dict[str, Any]:
    probability = 0.0 if math.isnan(node.probability) else node.probability
    label = node.name
    if node.kind == "prediction":
        # the viewer reads the probability from here
        label = f'"{node.name}" (p={probability:.3f})'
    index = node.feature
    if node.kind == "feature":
        index = _paired(int(layer[node.site]), node.feature)
    elif node.kind == "base":
        index = node.token
    return {
        "node_id": node_id,
        "feature": index,
        "layer": _layer_of(node, layer),
        "ctx_idx": node.token,
        "feature_type": _TYPES[node.kind],
        "token_prob": probability,
        "is_target_logit": node.kind == "prediction",
        "run_idx": 0,
        "reverse_ctx_idx": 0,
        "jsNodeId": node_id,
        "clerp": label,
        # the viewer hides nodes whose cumulative share exceeds a threshold
        "influence": _plain(node.cumulative),
        "activation": _plain(node.activation),
        "genointerp": _own(node),
    }


def _own(node: Node) -> dict[str, Any]:
    """Return what identifies a node here, as plain values without empty ones."""
    place = node.interval
    where = {} if place is None else {"seqid": place.seqid, "start": place.start, "end": place.end}
    strand = {} if place is None else {"strand": place.strand}
    values = {
        "kind": node.kind,
        "site": node.site,
        "token": node.token,
        "feature": node.feature,
        "name": node.name,
        "activation": _plain(node.activation),
        "influence": _plain(node.influence),
        "cumulative": _plain(node.cumulative),
        "probability": _plain(node.probability),
    }
    return {name: value for name, value in values.items() if value is not None} | where | strand


def _node_of(own: Mapping[str, Any]) -> Node:
    kind = own["kind"]
    if kind not in get_args(NodeKind):
        raise ValueError(f"a node of kind {kind!r}")
    place = None
    if "seqid" in own:
        strand = cast(Strand, own["strand"])
        place = GenomicInterval(own["seqid"], own["start"], own["end"], strand)
    return Node(
        kind,
        own["token"],
        own["site"],
        own["feature"],
        place,
        own.get("activation", np.nan),
        own.get("influence", np.nan),
        own.get("cumulative", np.nan),
        own.get("probability", np.nan),
        own["name"],
    )


def _read_json(path: Path) -> tuple[AttributionGraph, dict[str, Any]]:
    record = read_json_object(path, error=SchemaError)
    metadata = record["metadata"]
    header = _checked(path, metadata.get("genointerp", {}))
    index = {node["node_id"]: i for i, node in enumerate(record["nodes"])}
    links = record["links"]
    graph = AttributionGraph(
        tuple(_node_of(node["genointerp"]) for node in record["nodes"]),
        np.array([index[link["source"]] for link in links], dtype=np.int64),
        np.array([index[link["target"]] for link in links], dtype=np.int64),
        np.array([link["weight"] for link in links], dtype=np.float64),
        tuple(metadata["prompt_tokens"]),
        tuple(metadata["transcoder_list"]),
        metadata["prompt"],
        metadata["scan"],
        _scores(header["scores"]),
    )
    return graph, header["provenance"]


def _scores(found: Mapping[str, float | None]) -> dict[str, float]:
    return {name: np.nan if value is None else value for name, value in found.items()}


def _write_graphml(graph: AttributionGraph, path: Path, header: _Header) -> None:
    layers = _layers(graph)
    made = nx.DiGraph(
        **{
            "format": FORMAT,
            "format-version": VERSION,
            "name": graph.name,
            "model": graph.model,
            "sites": json.dumps(graph.sites),
            "tokens": json.dumps(graph.tokens),
            "scores": json.dumps({name: _plain(value) for name, value in graph.scores.items()}),
            "provenance": json.dumps(header.provenance, sort_keys=True),
        }
    )
    ids = [_node_id(node, layers) for node in graph.nodes]
    for node, one in zip(graph.nodes, ids, strict=True):
        made.add_node(one, **_own(node))
    for source, target, weight in zip(graph.source, graph.target, graph.weight, strict=True):
        made.add_edge(ids[source], ids[target], weight=float(weight))
    nx.write_graphml_xml(made, path)


def _read_graphml(path: Path) -> tuple[AttributionGraph, dict[str, Any]]:
    found = nx.read_graphml(path)
    header = _checked(path, found.graph)
    parsed = {
        key: parse_json(header[key], where=f"{path}: {key}", error=SchemaError)
        for key in ("sites", "tokens", "scores", "provenance")
    }
    index = {name: i for i, name in enumerate(found.nodes)}
    edges = [
        (index[source], index[target], weight)
        for source, target, weight in found.edges.data("weight")
    ]
    graph = AttributionGraph(
        tuple(_node_of(own) for _, own in found.nodes.data()),
        np.array([edge[0] for edge in edges], dtype=np.int64),
        np.array([edge[1] for edge in edges], dtype=np.int64),
        np.array([edge[2] for edge in edges], dtype=np.float64),
        tuple(parsed["tokens"]),
        tuple(parsed["sites"]),
        header["name"],
        header["model"],
        _scores(parsed["scores"]),
    )
    return graph, parsed["provenance"]


def _layers(graph: AttributionGraph) -> dict[str, str]:
    """Return a number for each site: that of its block, or its rank if blocks do not increase."""
    ends = [site.rsplit(".", 1)[-1] for site in graph.sites]
    numbers = [int(end) if end.isdecimal() else -1 for end in ends]
    if not all(low < high for low, high in zip([-1, *numbers], numbers, strict=False)):
        numbers = list(range(len(ends)))
    return {site: str(number) for site, number in zip(graph.sites, numbers, strict=True)}


def _layer_of(node: Node, layers: Mapping[str, str]) -> str:
    if node.kind == "base":
        return "E"
    if node.kind == "prediction":
        return str(max(map(int, layers.values()), default=-1) + 1)
    return layers[node.site]


def _node_id(node: Node, layers: Mapping[str, str]) -> str:
    """Return an id: LAYER_FEATURE_TOKEN as the viewer has it, and ``error`` for an error."""
    feature = "error" if node.kind == "error" else str(node.feature)
    return f"{_layer_of(node, layers)}_{feature}_{node.token}"


def _paired(first: int, second: int) -> int:
    """Return the one number from which the viewer finds layer and feature (Cantor's pairing)."""
    return (first + second) * (first + second + 1) // 2 + second


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value


class _Form(NamedTuple):
    write: Callable[[AttributionGraph, Path, _Header], None]
    read: Callable[[Path], tuple[AttributionGraph, dict[str, Any]]]


_FORMS = {
    ".json": _Form(_write_json, _read_json),
    ".graphml": _Form(_write_graphml, _read_graphml),
}


def _by_suffix(path: Path) -> _Form:
    if path.suffix not in _FORMS:
        expected = f"a name that ends in {', '.join(_FORMS)}"
        raise InputError(str(path), expected, repr(path.suffix))
    return _FORMS[path.suffix]
