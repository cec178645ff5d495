"""The `top` command."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def top(
    features: Annotated[
        Path, typer.Argument(help="features file, or catalogue of several (.yaml)")
    ],
    feature: Annotated[str, typer.Argument(help="number or name of the feature")],
    n: Annotated[int, typer.Option("--top", min=1, help="loci at most")] = 20,
    genome: Annotated[
        Path | None, typer.Option(help="FASTA or GenBank: adds the sequence of each locus")
    ] = None,
    annotations: Annotated[
        Path | None, typer.Option(help="GFF3 or GenBank: adds the nearest element")
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
        Literal["table", "tsv", "json"],
        typer.Option(
            help="form on the standard output: table has first, last, peak (1-based, closed); "
            "tsv and json have start, end, peak (0-based, half-open)"
        ),
    ] = "table",
    out: Annotated[
        Path | None, typer.Option(help="write .tsv, .json or .parquet there instead")
    ] = None,
) -> None:
    """List the strongest loci of FEATURE over all genomes, with what lies there."""
    from genointerp.command.ask.top import top as top_text
    from genointerp.feature.loci import LocusConfig
    from genointerp.feature.specimen_files import SpecimenFiles
    from genointerp.feature.top import TopConfig

    config = TopConfig(n, flank, LocusConfig(merge_gap, min_length, min_activation))
    files = SpecimenFiles(features, genome, annotations)
    typer.echo(top_text(files, feature, config, format=format, out=out), nl=False)
