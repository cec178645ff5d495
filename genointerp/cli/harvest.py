"""The `harvest` command."""

from pathlib import Path
from typing import Annotated

import typer


def harvest(
    genome: Annotated[Path, typer.Argument(help="FASTA or GenBank file", show_default=False)],
    out: Annotated[Path, typer.Option(help="activations file to write", show_default=False)],
    model: Annotated[str, typer.Option(help="registered name, or folder of weights")] = "nano",
    site: Annotated[
        str | None, typer.Option(help="where in the model; the model's default where not given")
    ] = None,
    region: Annotated[
        list[str] | None, typer.Option(help="only this region, like chrI:1-1,000; repeatable")
    ] = None,
    window: Annotated[int | None, typer.Option(help="bases read in one pass")] = None,
    warmup: Annotated[int | None, typer.Option(help="first bases of a pass, discarded")] = None,
    device: Annotated[str, typer.Option(help="where the model runs, such as cuda")] = "cpu",
) -> None:
    """Run a model over a GENOME, both strands, and store its activations at one site."""
    from genointerp.activation.commands import harvest_file
    from genointerp.activation.harvest import HarvestConfig
    from genointerp.core.progress import progress_bar
    from genointerp.model.registry import load_model

    with progress_bar("harvest (bases)") as progress:
        store = harvest_file(
            genome,
            out,
            load_model(model, device=device),
            site=site,
            regions=region or [],
            config=HarvestConfig().with_windows(window, warmup),
            progress=progress,
        )
    typer.echo(f"{store.n_tokens} bases x {store.d_in} at {store.header.site} -> {out}")
