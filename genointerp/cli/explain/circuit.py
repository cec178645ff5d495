"""The `circuit` command."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from genointerp.cli.options import Associations, Genomes, ManyFeatures, option_of

_CONFIG = "wiring.config.CircuitConfig"


def circuit(
    features: ManyFeatures,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="edges to write: .tsv, .csv, .parquet or .json", show_default=False
        ),
    ],
    associations: Associations = None,
    genome: Genomes = None,
    lags_out: Annotated[
        Path | None, typer.Option(help="also write every lag of the pairs that have an edge")
    ] = None,
    families_out: Annotated[
        Path | None, typer.Option(help="also write the families, a row each")
    ] = None,
    members_out: Annotated[
        Path | None, typer.Option(help="also write the members of families, a row each")
    ] = None,
    successions_out: Annotated[
        Path | None,
        typer.Option(help="also write features that follow another one at 20 to 500 bases"),
    ] = None,
    network_out: Annotated[
        Path | None, typer.Option(help="also write features and edges as .graphml")
    ] = None,
    min_phi: Annotated[
        float | None, option_of(f"{_CONFIG}.min_phi", help="smallest phi of an edge")
    ] = None,
    max_q: Annotated[
        float | None, option_of(f"{_CONFIG}.max_q", help="largest q of an edge")
    ] = None,
    family_phi: Annotated[
        float | None,
        option_of(f"{_CONFIG}.family_phi", help="smallest phi of an edge within a family"),
    ] = None,
    grouping: Annotated[
        Literal["components", "louvain"] | None,
        option_of(f"{_CONFIG}.grouping", help="how families are found"),
    ] = None,
    n_rotations: Annotated[
        int | None,
        option_of(f"{_CONFIG}.n_rotations", help="rotations of the null, on each strand"),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML of CircuitConfig")] = None,
    seed: Annotated[int | None, option_of(f"{_CONFIG}.seed", help="random seed")] = None,
) -> None:
    """Find features that fire a fixed number of bases after one another, with a null."""
    from genointerp.command.explain.circuit import circuit as find_circuits

    edges = find_circuits(
        features,
        out,
        associations=associations,
        genome=genome or (),
        lags_out=lags_out,
        families_out=families_out,
        members_out=members_out,
        successions_out=successions_out,
        network_out=network_out,
        config=config,
        min_phi=min_phi,
        max_q=max_q,
        family_phi=family_phi,
        grouping=grouping,
        n_rotations=n_rotations,
        seed=seed,
    )
    n_same = int((edges["relation"] == "same").sum())
    message = f"{n_same} edges on one strand, {len(edges) - n_same} between strands"
    typer.echo(f"{message} -> {out}")
