"""The `models` command."""

from typing import Annotated, Literal

import typer


def models(
    format: Annotated[
        Literal["table", "tsv", "csv", "json"], typer.Option(help="form on the standard output")
    ] = "table",
) -> None:
    """List the DNA language models that can be named, and what each needs here."""
    from genointerp.command.start.models import models as list_models
    from genointerp.model.listing import models_text
    from genointerp.store.table.table import render_table

    found = list_models()
    text = models_text(found) if format == "table" else render_table(found, format)
    typer.echo(text, nl=False)
