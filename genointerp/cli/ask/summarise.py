"""`genointerp summarise`: the headline figures of a run."""

from pathlib import Path
from typing import Annotated

import typer


def summarise(
    out: Annotated[Path, typer.Option("--out", "-o", help="headline figures, JSON")],
    associations: Annotated[
        Path | None,
        typer.Argument(
            help="table of associations, none where no genome is annotated; or run directory, "
            "which has the other files too",
            show_default=False,
        ),
    ] = None,
    fidelity: Annotated[Path | None, typer.Option(help="JSON of `genointerp evaluate`")] = None,
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
    best_out: Annotated[
        Path | None, typer.Option(help="write the best feature of each concept there, a table")
    ] = None,
    text_out: Annotated[
        Path | None, typer.Option(help="write all associations there, as TSV")
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
    typer.echo(" ".join(str(path) for path in (out, best_out, text_out) if path is not None))
