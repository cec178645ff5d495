"""The `motif` command."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def motif(
    features: Annotated[
        Path, typer.Argument(help="features file, or catalogue of several (.yaml)")
    ],
    feature: Annotated[str, typer.Argument(help="number or name of the feature")],
    out: Annotated[
        Path,
        typer.Option(help=".meme, table (.tsv, .json, .parquet) or logo (.png, .pdf, .svg)"),
    ],
    genome: Annotated[
        Path | None, typer.Option(help="FASTA or GenBank; a catalogue names its own")
    ] = None,
    n_loci: Annotated[
        int, typer.Option(min=1, help="number of loci to align, strongest first")
    ] = 200,
    anchor: Annotated[
        Literal["peak", "start", "end"],
        typer.Option(help="base of a locus that is laid on offset 0, in reading direction"),
    ] = "peak",
    before: Annotated[int, typer.Option(min=0, help="bases before the anchor")] = 30,
    after: Annotated[int, typer.Option(min=0, help="bases after the anchor")] = 10,
    merge_gap: Annotated[
        int, typer.Option(min=0, help="longest silent gap inside a locus, in bp")
    ] = 0,
    min_length: Annotated[int, typer.Option(min=1, help="shortest locus, in bp")] = 1,
    min_activation: Annotated[
        float, typer.Option(min=0, help="bases with a lower activation count as silent")
    ] = 0.0,
) -> None:
    """Align the strongest loci of FEATURE and write what they have in common."""
    from genointerp.command.ask.motif import motif as write_motif
    from genointerp.feature.loci import LocusConfig
    from genointerp.feature.motif import MotifConfig
    from genointerp.feature.specimen_files import SpecimenFiles

    loci = LocusConfig(merge_gap, min_length, min_activation)
    config = MotifConfig(n_loci, anchor, before, after, loci=loci)
    found = write_motif(SpecimenFiles(features, genome), feature, out, config)
    bits = found.information.bits.sum()
    typer.echo(f"{found.n_sites} sites ({found.n_repeated} repeats), {bits:.1f} bits -> {out}")
