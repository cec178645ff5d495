"""The `genointerp` program: an explicit list of commands, each in the file of its name."""

import importlib
import importlib.util
import logging
import os
import sys
from typing import Annotated

import typer

from genointerp import __version__
from genointerp.core.errors import GenointerpError

COMMANDS = {
    "fetch": "fetch",
    "annotate": "annotate",
    "models": "models",
    "harvest": "harvest",
    "train": "train",
    "evaluate": "evaluate",
    "encode": "encode",
    "associate": "associate",
    "rank": "rank",
    "query": "query",
    "plot": "plot",
    "export": "export",
    "report": "report",
    "summarise": "summarise",
    "run": "run",
    "demo": "demo",
}
"""Module below ``genointerp.cli`` that holds each command, in the order of the help text."""

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _print_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"genointerp {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="say which")
    ] = False,
) -> None:
    """Look inside DNA foundation models: from a genome to features that tell its biology."""


for _name, _module in COMMANDS.items():
    if importlib.util.find_spec(f"genointerp.cli.{_module}") is None:
        continue
    _command = getattr(importlib.import_module(f"genointerp.cli.{_module}"), _module)
    app.command(_name)(_command)


def main() -> None:
    """Run the program; a wrong input ends it with one line on stderr and status 1."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    try:
        app()
    except BrokenPipeError:
        # the reader, such as `head`, has seen enough; Python must not flush into it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except (GenointerpError, OSError) as error:
        typer.echo(f"genointerp: {error}", err=True)
        raise SystemExit(1) from error
