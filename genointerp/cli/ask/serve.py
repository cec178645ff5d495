"""`genointerp serve`: a run in the browser, on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.server.address import PORT


def serve(
    run_dir: Annotated[Path, typer.Argument(help="run directory")],
    model: Annotated[
        str | None, typer.Option(help="model to paint with [default: that of the run]")
    ] = None,
    device: Annotated[str, typer.Option(help="device of the model, such as cuda")] = "cpu",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="port on this machine; 0 takes any that is free")
    ] = PORT,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="show labels, and write none by hand")
    ] = False,
) -> None:
    """Serve the run in RUN_DIR as a local web application, until Ctrl-C.

    Open the address that it prints, which holds a token; other machines do not reach it.
    With torch installed, features can be painted on the genome.
    """
    from genointerp.command.ask.serve import serve as serve_run

    serve_run(run_dir, model=model, device=device, port=port, read_only=read_only, show=typer.echo)
