"""The `models` command."""

import typer


def models() -> None:
    """List the DNA language models that can be named."""
    from genointerp.model.registry import MODELS

    for name, entry in MODELS.items():
        typer.echo(f"{name}\t{entry.summary}")
