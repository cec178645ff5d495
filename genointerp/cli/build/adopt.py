"""The `adopt` command."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.options import Device


def adopt(
    file: Annotated[
        Path, typer.Argument(help="weights as published, or a folder", show_default=False)
    ],
    activations: Annotated[
        list[Path],
        typer.Argument(help="activations files to take the threshold from, or run directory"),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="folder of the dictionary", show_default=False)
    ],
    format: Annotated[
        str | None,
        typer.Option(
            help="library that wrote the folder: saelens, dictionary_learning, sparsify, interplm"
        ),
    ] = None,
    device: Device = "cpu",
) -> None:
    """Make a dictionary of others, such as the published one of Evo 2, ready for `encode`."""
    from genointerp.command.build.adopt import AdoptConfig
    from genointerp.command.build.adopt import adopt as adopt_dictionary

    found = adopt_dictionary(
        file,
        activations,
        out,
        config=AdoptConfig(format=format),
        device=device,
    )
    figures = f"l0={found.l0:.1f} fvu={found.fvu:.4f} dead={found.dead_share:.2%}"
    typer.echo(f"threshold={found.threshold:.4g} {figures} on {found.n_rows} rows -> {out}")
