"""The `query` command."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from genointerp.cli.options import (
    Annotations,
    Associations,
    Features,
    Labels,
    MinActivation,
    Strand,
    Top,
)


def query(
    features: Features,
    region: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[REGION]...",
            help="like NC_000913.2:3,424,000-3,426,000, 1-based, closed; over the origin "
            "if last < first; NAME:100 is from base 100 to the end; or the name of a gene, where "
            "an annotation is known",
            show_default=False,
        ),
    ] = None,
    bed: Annotated[
        Path | None, typer.Option(help="regions of a BED file; - is the standard input")
    ] = None,
    gene: Annotated[
        list[str] | None, typer.Option(help="element of the annotation by name; repeatable")
    ] = None,
    annotations: Annotations = None,
    top: Top = 20,
    feature: Annotated[
        str | None, typer.Option(help="number, name or label of a feature: only this one")
    ] = None,
    strand: Strand = None,
    min_activation: MinActivation = 0.0,
    associations: Associations = None,
    labels: Labels = None,
    format: Annotated[
        Literal["table", "tsv", "csv", "json", "bed"],
        typer.Option(
            help="form on the standard output: table has first, last (1-based, closed); "
            "tsv, csv, json and bed have start, end (0-based, half-open)"
        ),
    ] = "table",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="write .tsv, .csv, .parquet, .json or .bed there instead"),
    ] = None,
) -> None:
    """List the features that fire in each REGION or gene, strongest first."""
    from genointerp.command.ask.query import query_text
    from genointerp.feature.query import QueryConfig
    from genointerp.feature.regions import Places

    pieces = query_text(
        features,
        Places(tuple(region or ()), bed, tuple(gene or ())),
        QueryConfig(top, feature, strand, min_activation),
        annotations=annotations,
        associations=associations,
        labels=tuple(labels or ()),
        format=format,
        out=out,
    )
    for piece in pieces:
        typer.echo(piece, nl=False)
