"""The `models` command."""

from typing import Annotated, Literal

import typer


def models(
    format: Annotated[
        Literal["table", "tsv", "json"], typer.Option(help="form on the standard output")
    ] = "table",
) -> None:
    """List the DNA language models that can be named, and what each needs here."""
    from genointerp.command.models import models as list_models

    typer.echo(list_models(format), nl=False)
