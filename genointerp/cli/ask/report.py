"""`genointerp report`: one self-contained page of a run, or a folder with all its features."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    run_dir: Annotated[Path, typer.Argument(help="run directory")],
    out: Annotated[Path, typer.Option("--out", "-o", help="HTML page or folder to write")],
    folder: Annotated[
        bool,
        typer.Option("--folder", help="write a folder with a page for every feature that fires"),
    ] = False,
) -> None:
    """Write one HTML file of the run in RUN_DIR, which needs no network."""
    from genointerp.command.ask.report import report as write_report

    write_report(run_dir, out, folder=folder)
    typer.echo(out / "index.html" if folder else out)
