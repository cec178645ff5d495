"""`circuit`: which features fire together at which distances, as files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.association.summary import feature_labels
from genointerp.core.arguments import OneOrMorePaths, StrPath, as_path
from genointerp.core.config import changed, read_config, to_mapping
from genointerp.core.errors import InputError
from genointerp.core.files import check_writable, together
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens, total_inputs
from genointerp.store.graph.network import write_network
from genointerp.store.table.identity import SAE
from genointerp.store.table.schema.circuit import (
    CIRCUIT_FAMILIES,
    CIRCUIT_MEMBERS,
    COACTIVATION,
    COACTIVATION_LAGS,
    SUCCESSIONS,
)
from genointerp.store.table.table import check_table_path, write_table
from genointerp.wiring.coactivation import measure_coactivation
from genointerp.wiring.config import CircuitConfig, Grouping
from genointerp.wiring.families import Label, find_families
from genointerp.wiring.successions import find_successions


def circuit(
    features: OneOrMoreFeatures,
    out: StrPath | None = None,
    *,
    associations: StrPath | None = None,
    genome: OneOrMorePaths = (),
    lags_out: StrPath | None = None,
    families_out: StrPath | None = None,
    members_out: StrPath | None = None,
    successions_out: StrPath | None = None,
    network_out: StrPath | None = None,
    config: CircuitConfig | Mapping[str, Any] | StrPath | None = None,
    min_phi: float | None = None,
    max_q: float | None = None,
    family_phi: float | None = None,
    grouping: Grouping | None = None,
    n_rotations: int | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Find features that fire a fixed number of bases after one another.

    See :func:`genointerp.wiring.coactivation.measure_coactivation`.

    Parameters
    ----------
    features
        Features files, a catalogue, a run directory, or one of these that is open. All genomes are
        counted together.
    out
        The edges are written there too, as .tsv, .csv, .parquet or .json.
    associations
        Table of the same dictionary, which gives features the concepts that families are named
        after and that stand in successions. A catalogue and a run name their own.
    genome
        The name of a genome of a catalogue or a run, if only that is to be counted.
    lags_out
        Every lag of the pairs that have an edge.
    families_out, members_out
        Families of features that keep fixed distances, and their members: a table that joins with
        others by its column ``feature``.
    successions_out
        Features whose stretches follow those of another one at 20 to 500 bases.
    network_out
        Features and edges as .graphml, for programs on graphs.
    config
        A mapping such as ``{"min_phi": 0.2}``, or YAML.
    min_phi, max_q, family_phi, grouping, n_rotations, seed
        They replace those of ``config``.

    Returns
    -------
    pandas.DataFrame
        The edges, the highest phi first.

    Raises
    ------
    InputError
        If too few bases were read, or a file is missing or damaged.
    MismatchError
        If the files do not belong together.

    Examples
    --------
    >>> import genointerp as gi
    >>> edges = gi.circuit("results/demo", families_out="families.tsv")  # doctest: +SKIP
    """
    settings = changed(
        read_config(CircuitConfig, config),
        min_phi=min_phi,
        max_q=max_q,
        family_phi=family_phi,
        grouping=grouping,
        n_rotations=n_rotations,
        seed=seed,
    )
    wanted = {
        COACTIVATION: as_path(out),
        COACTIVATION_LAGS: as_path(lags_out),
        CIRCUIT_FAMILIES: as_path(families_out),
        CIRCUIT_MEMBERS: as_path(members_out),
        SUCCESSIONS: as_path(successions_out),
    }
    places = {schema: place for schema, place in wanted.items() if place is not None}
    for place in places.values():
        check_table_path(place)
    graph = as_path(network_out)
    if graph is not None:
        if graph.suffix != ".graphml":
            raise InputError(str(graph), "a file name in .graphml", repr(graph.suffix))
        check_writable(graph)
    files = find_specimens(features, genome=genome)
    labels = _labels(files.read_associations(associations))
    specimens = files.open()
    inputs = total_inputs(specimens) | {SAE: specimens[0].features.header.sae_sha256}
    told = files.associations if associations is None else Path(associations)
    if told is not None:
        inputs["associations"] = sha256_file(told)
    record = Provenance(to_mapping(settings), inputs)
    with progress_bar("circuit (features)", progress) as report:
        found = measure_coactivation(specimens, settings, report)
    tables = {COACTIVATION: found.edges, COACTIVATION_LAGS: found.lags}
    if graph is not None or CIRCUIT_FAMILIES in places or CIRCUIT_MEMBERS in places:
        families = find_families(found.edges, specimens, settings, labels)
        tables |= {CIRCUIT_FAMILIES: families.table, CIRCUIT_MEMBERS: families.members}
    if SUCCESSIONS in places:
        with progress_bar("circuit (successions)", progress) as report:
            tables[SUCCESSIONS] = find_successions(specimens, settings, report, labels=labels)
    with together():
        for schema, place in places.items():
            write_table(tables[schema], place, schema, record)
        if graph is not None:
            write_network(found.edges, tables[CIRCUIT_MEMBERS], graph, record)
    return found.edges


def _labels(associations: pd.DataFrame | None) -> dict[int, Label]:
    """Return what features are called by; none without associations."""
    if associations is None:
        return {}
    columns = ["feature", "best_concept", "orientation"]
    rows = feature_labels(associations)[columns].itertuples(index=False)
    return {int(feature): Label(concept, orientation) for feature, concept, orientation in rows}
