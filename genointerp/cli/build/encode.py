"""The `encode` command."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from genointerp.cli.options import Device, Sae


def encode(
    activations: Annotated[
        list[Path],
        typer.Argument(
            help="activations files of one genome, or run directory", show_default=False
        ),
    ],
    sae: Sae,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="features file to write", show_default=False)
    ],
    genome: Annotated[str | None, typer.Option(help="name of the genome of a run")] = None,
    device: Device = "cpu",
    compression: Annotated[
        Literal["none", "zstd"],
        typer.Option(help="zstd gives a smaller file that is slower to query"),
    ] = "none",
    of_parent: Annotated[
        bool,
        typer.Option(
            "--of-parent",
            help="let an edited or tuned model be read with dictionaries of its parent",
        ),
    ] = False,
) -> None:
    """Encode the ACTIVATIONS of a genome into the features of a dictionary, both strands."""
    from genointerp.command.build.encode import encode as encode_files

    store = encode_files(
        activations,
        sae,
        out,
        genome=genome,
        device=device,
        compression=compression,
        of_parent=of_parent,
    )
    hits = sum(int(store.n_firing(strand).sum()) for strand in store.strands)
    bases = sum(part.length for strand in store.strands for part in store.coverage(strand))
    typer.echo(f"{bases} bases read, {hits} activations -> {out}")
