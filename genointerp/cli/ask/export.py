"""The `export` command."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def export(
    features: Annotated[
        Path,
        typer.Argument(
            help="features file, catalogue (.yaml) or run directory", show_default=False
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help=".bw, .bedgraph, .gff3, .bed, .fasta; or .h5ad of every feature on every gene",
            show_default=False,
        ),
    ],
    feature: Annotated[str | None, typer.Option(help="number or name of the feature")] = None,
    genome: Annotated[
        Path | None,
        typer.Option(
            help="FASTA or GenBank, for .fasta; or the name of a genome of a catalogue or a run"
        ),
    ] = None,
    annotations: Annotated[Path | None, typer.Option(help="GFF3 or GenBank, for .h5ad")] = None,
    strand: Annotated[
        Literal["+", "-"] | None,
        typer.Option(help="only this reading strand; both otherwise (tracks: the larger value)"),
    ] = None,
    bin: Annotated[
        int,
        typer.Option(min=1, help="bin width of a track in bp; a bin has its greatest activation"),
    ] = 1,
    merge_gap: Annotated[
        int, typer.Option(min=0, help="longest silent gap inside a locus, in bp")
    ] = 0,
    min_length: Annotated[int, typer.Option(min=1, help="shortest locus, in bp")] = 1,
    min_activation: Annotated[
        float, typer.Option(min=0, help="bases with a lower activation count as silent in loci")
    ] = 0.0,
    flank: Annotated[int, typer.Option(min=0, help="bases on either side in .fasta")] = 50,
) -> None:
    """Write a feature as a track or as loci, or all on the genes, as the suffix of --out says."""
    from genointerp.command.ask.export import export as export_feature

    number = export_feature(
        features,
        out,
        feature,
        genome=genome,
        annotations=annotations,
        strand=strand,
        bin=bin,
        merge_gap=merge_gap,
        min_length=min_length,
        min_activation=min_activation,
        flank=flank,
    )
    typer.echo(f"{number} {'genes' if feature is None else 'intervals'} -> {out}")
