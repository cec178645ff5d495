"""The `export` command."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.options import (
    Annotations,
    Features,
    Genome,
    Labels,
    MergeGap,
    MinActivation,
    MinLength,
    Strand,
)


def export(
    features: Features,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help=".bw, .bedgraph, .gff3, .bed, .fasta; .h5ad of every feature on every gene; "
            "of all labels .jsonl, as Neuronpedia has explanations, or .tsv",
            show_default=False,
        ),
    ],
    feature: Annotated[
        str | None,
        typer.Argument(
            help="number, name or label of the feature; none for .h5ad and for labels",
            show_default=False,
        ),
    ] = None,
    genome: Genome = None,
    annotations: Annotations = None,
    labels: Labels = None,
    strand: Strand = None,
    bin: Annotated[
        int,
        typer.Option(min=1, help="bin width of a track in bp; a bin has its greatest activation"),
    ] = 1,
    merge_gap: MergeGap = 0,
    min_length: MinLength = 1,
    min_activation: MinActivation = 0.0,
    flank: Annotated[
        int, typer.Option(min=0, help="bases on either side of a locus in .fasta, in lower case")
    ] = 50,
) -> None:
    """Write FEATURE as a track or as loci, or all on the genes, as the suffix of --out says.

    A track of both strands has the larger value of the two at each base.
    """
    from genointerp.command.ask.export import export as export_feature

    number = export_feature(
        features,
        feature,
        out=out,
        genome=genome,
        annotations=annotations,
        labels=labels or (),
        strand=strand,
        bin=bin,
        merge_gap=merge_gap,
        min_length=min_length,
        min_activation=min_activation,
        flank=flank,
    )
    kinds = {".h5ad": "genes", ".jsonl": "labels", ".tsv": "labels"}
    typer.echo(f"{number} {kinds.get(out.suffix, 'intervals')} -> {out}")
