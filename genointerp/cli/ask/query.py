"""The `query` command."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def query(
    features: Annotated[
        Path, typer.Argument(help="features file, catalogue of several (.yaml), or run directory")
    ],
    regions: Annotated[
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
    annotations: Annotated[
        Path | None,
        typer.Option(help="GFF3 or GenBank, for genes; a catalogue and a run name their own"),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="rows of each region at most")] = 20,
    feature: Annotated[str | None, typer.Option(help="only this feature: number or name")] = None,
    strand: Annotated[Literal["+", "-"] | None, typer.Option(help="only this strand")] = None,
    min_activation: Annotated[
        float, typer.Option(min=0, help="bases with a lower activation count as silent")
    ] = 0.0,
    associations: Annotated[
        Path | None,
        typer.Option(
            help="associations table: adds the best concept of each feature; a run has its own"
        ),
    ] = None,
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
        Places(tuple(regions or ()), bed, tuple(gene or ())),
        QueryConfig(top, feature, strand, min_activation),
        annotations=annotations,
        associations=associations,
        format=format,
        out=out,
    )
    for piece in pieces:
        typer.echo(piece, nl=False)
