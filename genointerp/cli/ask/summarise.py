"""`genointerp summarise`: the headline figures of a run."""

from pathlib import Path
from typing import Annotated

import typer


def summarise(
    fidelity: Annotated[Path, typer.Option(help="JSON of `genointerp evaluate`")],
    out: Annotated[Path, typer.Option("--out", "-o", help="headline figures, JSON")],
    best_out: Annotated[Path, typer.Option(help="best feature of each concept, table")],
    text_out: Annotated[Path, typer.Option(help="all associations as TSV")],
    associations: Annotated[
        Path | None,
        typer.Argument(help="table of associations; none where no genome is annotated"),
    ] = None,
    training: Annotated[
        Path | None, typer.Option(help="log.json of the dictionary, if it was trained")
    ] = None,
    sae: Annotated[
        Path | None, typer.Option(help="folder of the dictionary, if it was there")
    ] = None,
    baselines: Annotated[
        Path | None,
        typer.Option(help="table of `genointerp associate --baselines-out`, if measured"),
    ] = None,
) -> None:
    """Collect the headline figures of a run, and the best feature of each concept."""
    from genointerp.command.ask.summarise import summarise as write_summary

    write_summary(
        associations,
        training=training,
        sae=sae,
        fidelity=fidelity,
        baselines=baselines,
        out=out,
        best_out=best_out,
        text_out=text_out,
    )
    typer.echo(f"{out} {best_out} {text_out}")
