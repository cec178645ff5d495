"""The `motif` command."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from genointerp.cli.look import with_look
from genointerp.cli.options import (
    Feature,
    Features,
    Genomes,
    MergeGap,
    MinActivation,
    MinLength,
    Top,
)

if TYPE_CHECKING:
    from genointerp.figure.file import Look


@with_look
def motif(
    features: Features,
    feature: Feature,
    look: "Look",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="write .meme, table (.tsv, .csv, .parquet, .json) or logo (.png, .pdf, .svg) "
            "there instead",
        ),
    ] = None,
    genome: Genomes = None,
    top: Top = 200,
    anchor: Annotated[
        Literal["peak", "start", "end"],
        typer.Option(help="base of a locus that is laid on offset 0, in reading direction"),
    ] = "peak",
    before: Annotated[int, typer.Option(min=0, help="bases before the anchor")] = 30,
    after: Annotated[int, typer.Option(min=0, help="bases after the anchor")] = 10,
    merge_gap: MergeGap = 0,
    min_length: MinLength = 1,
    min_activation: MinActivation = 0.0,
    format: Annotated[
        Literal["table", "tsv", "csv", "json"],
        typer.Option(help="form on the standard output: a row for each column of the alignment"),
    ] = "table",
) -> None:
    """Align the strongest loci of FEATURE and show what they have in common."""
    from genointerp.command.ask.motif import motif as find_motif
    from genointerp.store.table.table import render_table

    found = find_motif(
        features,
        feature,
        out,
        genome=genome or (),
        top=top,
        anchor=anchor,
        before=before,
        after=after,
        merge_gap=merge_gap,
        min_length=min_length,
        min_activation=min_activation,
        **look,
    )
    bits = found.information.bits.sum()
    said = f"{found.n_sites} sites ({found.n_repeated} repeats), {bits:.1f} bits"
    text = render_table(found.table(), format) if out is None else f"{said} -> {out}\n"
    typer.echo(text, nl=False)
