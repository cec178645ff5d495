"""The `convert` command."""

from pathlib import Path
from typing import Annotated

import typer


def convert(
    sae: Annotated[
        Path,
        typer.Argument(
            help="folder of a dictionary, run directory, or shipped:nano", show_default=False
        ),
    ],
    to: Annotated[
        str,
        typer.Option(help="saelens, dictionary_learning, sparsify or interplm", show_default=False),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="folder to write", show_default=False)],
) -> None:
    """Write a dictionary in the format of another library; `adopt --format` reads them."""
    from genointerp.command.build.convert import convert as convert_dictionary

    convert_dictionary(sae, out, to=to)
    typer.echo(f"{sae} as {to} -> {out}")
