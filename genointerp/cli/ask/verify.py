"""The `verify` command."""

from pathlib import Path
from typing import Annotated

import typer


def verify(
    file: Annotated[
        Path,
        typer.Argument(
            help="features or activations, table, file with its metadata, or run directory",
            show_default=False,
        ),
    ],
    input: Annotated[
        list[Path] | None,
        typer.Option(help="file that FILE must have been made from, by sha256; repeatable"),
    ] = None,
) -> None:
    """Check contents, checksums and provenance of FILE; status 1 where one is wrong.

    Features, activations and tables of a run are also checked against each other; one that is
    missing is wrong, but for activations.
    """
    from genointerp.command.ask.verify import verify as verify_file
    from genointerp.store.verify import all_passed, render_checks

    checks = verify_file(file, input=input or [])
    typer.echo(render_checks(checks), nl=False)
    raise typer.Exit(0 if all_passed(checks) else 1)
