"""`genointerp twin`: the random-weight twin of a model, with a dictionary of its own."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.options import Genomes, OwnSae, Seed


def twin(
    activations: Annotated[
        list[Path],
        typer.Argument(help="activations of each genome, or run directory", show_default=False),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="folder to write")],
    sae: OwnSae = None,
    genome: Genomes = None,
    model: Annotated[
        str | None, typer.Option(help="name or folder of the model; as ACTIVATIONS say otherwise")
    ] = None,
    device: Annotated[
        str, typer.Option(help="where the model and the dictionary run, such as cuda")
    ] = "cpu",
    seed: Seed = None,
) -> None:
    """Read the genomes of ACTIVATIONS with random weights, and train a dictionary on that.

    The seed is that of the weights alone; the dictionary keeps that of its settings.

    The features are a null of `match`, and the activations one of `similar`: what two models share
    that their twins share too is composition and architecture.
    """
    from genointerp.command.compare.twin import twin as make_twin

    stores = make_twin(
        activations,
        out,
        sae=sae,
        genome=genome or (),
        model=model,
        device=device,
        seed=seed or 0,
    )
    typer.echo(f"features of {len(stores)} genomes with random weights -> {out}")
