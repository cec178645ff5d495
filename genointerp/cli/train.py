"""`genointerp train`: activation stores to a dictionary."""

from pathlib import Path
from typing import Annotated

import typer


def train(
    activations: Annotated[list[Path], typer.Argument(help="activation stores, read together")],
    out: Annotated[Path, typer.Option(help="directory of the dictionary")],
    config: Annotated[Path | None, typer.Option(help="YAML; the defaults otherwise")] = None,
    seed: Annotated[int | None, typer.Option(help="replaces the seed of the configuration")] = None,
) -> None:
    """Train a sparse autoencoder on ACTIVATIONS."""
    from genointerp.activation.train_from_store import train_from_store
    from genointerp.core.progress import progress_bar

    with progress_bar("train") as progress:
        log = train_from_store(activations, out, config=config, seed=seed, progress=progress)
    typer.echo(f"fvu={log.fvu:.4f} l0={log.l0:.1f} dead={log.dead_share:.2%} -> {out}")
