"""The `top` command."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from genointerp.cli.options import (
    Annotations,
    Feature,
    Features,
    Genomes,
    Labels,
    MergeGap,
    MinActivation,
    MinLength,
    Top,
)


def top(
    features: Features,
    feature: Feature,
    top: Top = 20,
    genome: Genomes = None,
    annotations: Annotations = None,
    labels: Labels = None,
    flank: Annotated[
        int,
        typer.Option(
            min=0,
            help="bases on either side of a locus, in lower case; none by default, so that a row "
            "has the locus alone",
        ),
    ] = 0,
    merge_gap: MergeGap = 0,
    min_length: MinLength = 1,
    min_activation: MinActivation = 0.0,
    format: Annotated[
        Literal["table", "tsv", "csv", "json"],
        typer.Option(
            help="form on the standard output: table has first, last, peak (1-based, closed); "
            "tsv, csv and json have start, end, peak (0-based, half-open)"
        ),
    ] = "table",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="write .tsv, .csv, .parquet or .json there instead"),
    ] = None,
) -> None:
    """List the strongest loci of FEATURE over all genomes, with what lies there."""
    from genointerp.command.ask.top import top as find_loci
    from genointerp.store.table.table import render_table

    table = find_loci(
        features,
        feature,
        top=top,
        genome=genome or (),
        annotations=annotations or (),
        labels=labels or (),
        flank=flank,
        merge_gap=merge_gap,
        min_length=min_length,
        min_activation=min_activation,
        out=out,
    )
    text = render_table(table, format) if out is None else f"{len(table)} loci -> {out}\n"
    typer.echo(text, nl=False)
