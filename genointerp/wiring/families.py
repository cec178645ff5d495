"""Families: features that keep fixed distances to one another, and the order that these give."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import networkx
import numpy as np
import pandas as pd
from jaxtyping import Bool, Int64

from genointerp.feature.specimen import Specimen
from genointerp.store.feature.store import STRANDS
from genointerp.store.table.families import members_in_order
from genointerp.store.table.schema.circuit import CIRCUIT_FAMILIES, CIRCUIT_MEMBERS
from genointerp.store.table.table import conform
from genointerp.wiring.axis import Axis, lay_axis
from genointerp.wiring.config import NEAR, CircuitConfig

AGREEMENT = 0.8
"""Smallest share of phi in edges whose lag fits an order for a family to be a path or a cycle."""

EXAMPLE_BP = 120
"""Length of the example of a family."""

_HIGHER: Sequence[tuple[str, tuple[str, ...]]] = (
    ("codon phases", ("CDS_phase",)),
    ("coding sequence", ("CDS",)),
    ("ribosomal operon", ("rRNA", "tRNA")),
    ("gene start", ("start_codon", "RBS", "ribosome_entry_site", "promoter")),
    ("gene end", ("stop_codon", "terminator")),
)
# a higher concept, and what the names of its parts begin with; the first that fits counts


class Label(NamedTuple):
    """Concept that a feature is called by, and the orientation of its firing to it."""

    concept: str
    orientation: str


class Order(NamedTuple):
    """Order of a family.

    Parameters
    ----------
    kind
        cycle, path or set.
    period
        Distance after which a cycle returns, in bp; 0 if it is none.
    position
        Distance of each member from the first step, in bp, within the period of a cycle.
    agreement
        Share of phi in edges whose lag is the difference of the positions, among those that the
        positions do not come from; NaN where there are no others.
    """

    kind: str
    period: int
    position: Mapping[int, int]
    agreement: float


class Families(NamedTuple):
    """Families, and their members.

    Parameters
    ----------
    table
        Schema ``CIRCUIT_FAMILIES``.
    members
        Schema ``CIRCUIT_MEMBERS``.
    """

    table: pd.DataFrame
    members: pd.DataFrame


def find_families(
    edges: pd.DataFrame,
    specimens: Sequence[Specimen],
    config: CircuitConfig | None = None,
    labels: Mapping[int, Label] | None = None,
) -> Families:
    """Group the features of edges into families, and order each family by its lags.

    Parameters
    ----------
    edges
        Schema ``COACTIVATION``, measured on the specimens.
    labels
        What features are called by.

    Notes
    -----
    An edge counts if both features are read on one strand, at a lag of up to 12 bases, and its phi
    is at least ``family_phi``. Within a family the edge with the highest phi places a feature next
    to those that are placed; a cycle has a period, which is that of the edges with most phi.
    """
    config, labels = config or CircuitConfig(), labels or {}
    near = edges[
        (edges["relation"] == "same") & (edges["lag"] <= NEAR) & (edges["phi"] >= config.family_phi)
    ]
    axes = [lay_axis([one.features for one in specimens], strand, (0, NEAR)) for strand in STRANDS]
    rows, members = [], []
    for number, group in enumerate(_groups(near, config), start=1):
        own = near[near["feature_a"].isin(group) & near["feature_b"].isin(group)]
        order = order_family(own, labels)
        name = name_family([labels.get(feature) for feature in group])
        row = {"family": number, "name": name, "members": members_in_order(order.position)}
        row |= {"kind": order.kind, "n_features": len(group), "n_edges": len(own)}
        row |= {"n_steps": len(set(order.position.values())), "phi": float(own["phi"].mean())}
        row |= {"period": order.period or np.nan, "agreement": order.agreement}
        row["concepts"] = ",".join(
            _said(feature, labels[feature]) for feature in group if feature in labels
        )
        rows.append(row | _example(group, axes, specimens))
        members += list(_members(number, name, order, labels))
    table = pd.DataFrame(rows, columns=CIRCUIT_FAMILIES.names)
    listed = pd.DataFrame(members, columns=CIRCUIT_MEMBERS.names)
    return Families(
        conform(table, CIRCUIT_FAMILIES, where="families"),
        conform(listed.sort_values("feature", kind="stable"), CIRCUIT_MEMBERS, where="members"),
    )


def order_family(edges: pd.DataFrame, labels: Mapping[int, Label] | None = None) -> Order:
    """Order the features of edges by their lags.

    Parameters
    ----------
    edges
        Columns ``feature_a, feature_b, lag, phi, period``; all features are connected.
    labels
        What features are called by: a cycle begins with the first concept by its name.

    Notes
    -----
    The period is that of the edges with most of the phi, if edges with this period have more than
    half of it. Positions follow from a spanning tree of the highest phi. If of the phi of all other
    edges at least `AGREEMENT` is in edges whose positions differ by their lags (modulo the period),
    or if there are no other edges, the family is a cycle or, without a period, a path; if there is
    one position only, or less agreement, it is a set, and all its positions are 0.
    """
    period = _period(edges)
    position, is_tree = _positions(edges)
    others = edges[~is_tree]
    gap = others["feature_b"].map(position) - others["feature_a"].map(position) - others["lag"]
    fits = (gap % period == 0) if period else (gap == 0)
    agreement = (
        float(others.loc[fits, "phi"].sum() / others["phi"].sum()) if len(others) else np.nan
    )
    first = min(position.values())
    if period:
        names = labels or {}
        begin = min(position, key=lambda it: (names[it].concept if it in names else "~", it))
        first = position[begin]
    placed = {
        feature: (at - first) % period if period else at - first for feature, at in position.items()
    }
    if len(set(placed.values())) == 1 or agreement < AGREEMENT:
        return Order("set", 0, dict.fromkeys(placed, 0), agreement)
    return Order("cycle" if period else "path", period, placed, agreement)


def name_family(labels: Sequence[Label | None]) -> str:
    """Name a family after what more than half of its members mark; empty if there is nothing.

    Examples
    --------
    >>> name_family([Label("CDS_phase0", "sense"), Label("CDS_phase1", "sense"), None])
    'codon phases (sense)'
    >>> name_family([Label("tRNA", "sense"), Label("CDS", "sense")])
    ''
    """
    known = [label for label in labels if label is not None]
    concepts = [(concept, (concept,)) for concept in sorted({it.concept for it in known})]
    for name, parts in (*_HIGHER, *concepts):
        own = [label for label in known if label.concept.startswith(parts)]
        if 2 * len(own) > len(labels):
            sides = {label.orientation for label in own}
            return f"{name} ({sides.pop()})" if len(sides) == 1 else name
    return ""


def _groups(edges: pd.DataFrame, config: CircuitConfig) -> list[list[int]]:
    """Return the features of each family, the largest family first."""
    graph = networkx.Graph()
    for a, b, phi in edges[["feature_a", "feature_b", "phi"]].itertuples(index=False):
        known = graph.get_edge_data(a, b, {"weight": 0.0})["weight"]
        graph.add_edge(a, b, weight=max(phi, known))
    if config.grouping == "louvain":
        found = networkx.community.louvain_communities(graph, seed=config.seed)
    else:
        found = networkx.connected_components(graph)
    groups = [sorted(int(feature) for feature in group) for group in found if len(group) > 1]
    return sorted(groups, key=lambda group: (-len(group), group))


def _period(edges: pd.DataFrame) -> int:
    held: Counter[int] = Counter()
    for period, phi in edges[["period", "phi"]].dropna().itertuples(index=False):
        held[round(period)] += phi
    period, phi = max(held.items(), key=lambda item: item[1], default=(0, 0.0))
    return period if 2 * phi > edges["phi"].sum() else 0


def _positions(edges: pd.DataFrame) -> tuple[dict[int, int], Bool[np.ndarray, " edge"]]:
    """Return how far each feature is from the lowest one along the highest edges, and which."""
    tree, is_tree = networkx.Graph(), np.zeros(len(edges), dtype=np.bool_)
    columns = [edges[name].tolist() for name in ("feature_a", "feature_b", "lag")]
    for number in np.argsort(-edges["phi"].to_numpy(), kind="stable").tolist():
        a, b, lag = (int(column[number]) for column in columns)
        if a not in tree or b not in tree or not networkx.has_path(tree, a, b):
            tree.add_edge(a, b, start=a, lag=lag)
            is_tree[number] = True
    root = min(tree)
    position, waiting = {root: 0}, deque([root])
    while waiting:
        at = waiting.popleft()
        for other, edge in tree[at].items():
            if other not in position:
                position[other] = position[at] + (
                    edge["lag"] if edge["start"] == at else -edge["lag"]
                )
                waiting.append(other)
    return position, is_tree


def _members(
    number: int, name: str, order: Order, labels: Mapping[int, Label]
) -> Iterator[dict[str, int | str]]:
    steps = sorted(set(order.position.values()))
    for feature, at in order.position.items():
        label = labels.get(feature, Label("", ""))
        yield {
            "feature": feature,
            "family": number,
            "circuit": f"{order.kind} {number}: {name}" if name else f"{order.kind} {number}",
            "step": steps.index(at) + 1,
            "lag": at,
            "concept": label.concept,
            "orientation": label.orientation,
        }


def _said(feature: int, label: Label) -> str:
    return f"{feature}={label.concept}/{label.orientation}"


def _example(
    group: Sequence[int], axes: Sequence[Axis], specimens: Sequence[Specimen]
) -> dict[str, int | str]:
    """Return where most firings of the members are near one another, and how many bases fire."""
    n_bases, most, best = 0, 0, (0, 0)
    for number, axis in enumerate(axes):
        fires = np.zeros(axis.n_cells, dtype=np.int64)
        for feature in group:
            hit, _ = axis.hits(feature, feature + 1)
            fires[hit] += 1
        n_bases += int(np.count_nonzero(fires))
        near = _sums(fires, EXAMPLE_BP)
        if near.max(initial=0) > most:
            most, best = int(near.max()), (number, int(near.argmax()))
    number, first = best
    # the first cell may be one between stretches
    at = next(it for it in range(first, first + EXAMPLE_BP) if axes[number].is_source[it])
    genome, interval = axes[number].interval(at, first + EXAMPLE_BP)
    return {
        "n_bases": n_bases,
        "genome": specimens[genome].name,
        "seqid": interval.seqid,
        "start": interval.start,
        "end": interval.end,
        "strand": interval.strand,
    }


def _sums(values: Int64[np.ndarray, " cell"], length: int) -> Int64[np.ndarray, " window"]:
    total = np.concatenate([[0], np.cumsum(values)])
    return np.asarray(total[length:] - total[:-length] if len(values) >= length else total[-1:])
