"""`genointerp train`: activation stores, or genomes that a model reads, to dictionaries."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.model_options import ModelChoice, with_model_options


@with_model_options
def train(
    model: ModelChoice,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="directory of the dictionary", show_default=False)
    ],
    activations: Annotated[
        list[Path] | None,
        typer.Argument(help="activation stores, read together", show_default=False),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="YAML of settings; defaults otherwise")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="replaces the seed of the configuration")] = None,
    n_features: Annotated[
        list[int] | None,
        typer.Option(help="size; repeatable, and so are k and init-seed: a folder for each"),
    ] = None,
    k: Annotated[list[int] | None, typer.Option(help="features that may fire on a token")] = None,
    init_seed: Annotated[
        list[int] | None, typer.Option(help="random seed of the initial weights; repeatable")
    ] = None,
    genome: Annotated[
        list[Path] | None,
        typer.Option(help="FASTA or GenBank that the model reads, in place of ACTIVATIONS"),
    ] = None,
    site: Annotated[
        str | None, typer.Option(help="site in the model; by default the model's own")
    ] = None,
    region: Annotated[
        list[str] | None, typer.Option(help="only this region of the genome; repeatable")
    ] = None,
    window: Annotated[int | None, typer.Option(help="bases read in one pass")] = None,
    warmup: Annotated[int | None, typer.Option(help="first bases of a pass, discarded")] = None,
    tensorboard: Annotated[
        Path | None, typer.Option(help="folder for curves, if tensorboard is installed")
    ] = None,
) -> None:
    """Train sparse autoencoders on ACTIVATIONS, or straight from a model with --genome."""
    from genointerp.command.build.train import train as train_from_store
    from genointerp.reading.harvest import HarvestConfig
    from genointerp.sae.parallel import is_first_process
    from genointerp.training.train import Grid, Runtime

    trained = train_from_store(
        activations or [],
        out,
        config=config,
        seed=seed,
        grid=Grid(tuple(n_features or ()), tuple(k or ()), tuple(init_seed or ())),
        genome=genome or [],
        model=model.loader(up_to=site),
        site=site,
        region=region or [],
        windows=HarvestConfig().with_windows(window, warmup),
        runtime=Runtime(model.device, tensorboard),
    )
    for folder, log in trained if is_first_process() else []:
        typer.echo(f"fvu={log.fvu:.4f} l0={log.l0:.1f} dead={log.dead_share:.2%} -> {folder}")
