"""`genointerp serve`: a run in the browser, on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.server.address import PORT


def serve(
    run_dir: Annotated[Path, typer.Argument(help="run directory")],
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="port on this machine; 0 takes any that is free")
    ] = PORT,
) -> None:
    """Serve the run in RUN_DIR as a local web application, until Ctrl-C.

    Open the address that it prints, which holds a token; other machines do not reach it.
    """
    from genointerp.command.ask.serve import serve as serve_run

    serve_run(run_dir, port=port, show=typer.echo)
