"""The `top` command."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def top(
    features: Annotated[
        Path, typer.Argument(help="features file, catalogue of several (.yaml), or run directory")
    ],
    feature: Annotated[str, typer.Argument(help="number or name of the feature")],
    n: Annotated[int, typer.Option("--top", min=1, help="loci at most")] = 20,
    genome: Annotated[
        list[Path] | None,
        typer.Option(
            help="FASTA or GenBank: adds the sequence of each locus; or the name of a genome of a "
            "catalogue or a run, which alone is then asked; repeatable"
        ),
    ] = None,
    annotations: Annotated[
        Path | None,
        typer.Option(
            help="GFF3 or GenBank: adds the nearest element; a catalogue and a run name their own"
        ),
    ] = None,
    flank: Annotated[
        int, typer.Option(min=0, help="bases shown on either side, in lower case")
    ] = 0,
    merge_gap: Annotated[
        int, typer.Option(min=0, help="longest silent gap inside a locus, in bp")
    ] = 0,
    min_length: Annotated[int, typer.Option(min=1, help="shortest locus, in bp")] = 1,
    min_activation: Annotated[
        float, typer.Option(min=0, help="bases with a lower activation count as silent")
    ] = 0.0,
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
        top=n,
        genome=genome or (),
        annotations=annotations or (),
        flank=flank,
        merge_gap=merge_gap,
        min_length=min_length,
        min_activation=min_activation,
        out=out,
    )
    text = render_table(table, format) if out is None else f"{len(table)} loci -> {out}\n"
    typer.echo(text, nl=False)
