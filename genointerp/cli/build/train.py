"""`genointerp train`: activation stores, or genomes that a model reads, to dictionaries."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.model_options import ModelChoice, with_model_options
from genointerp.cli.options import Region, Site, Warmup, Window, option_of

_CONFIG = "sae.config"


@with_model_options
def train(
    model: ModelChoice,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="directory of the dictionary", show_default=False)
    ],
    activations: Annotated[
        list[Path] | None,
        typer.Argument(
            help="activations files, read together, or run directory", show_default=False
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="YAML of settings; defaults otherwise")
    ] = None,
    seed: Annotated[
        int | None, option_of(f"{_CONFIG}.TrainConfig.seed", help="random seed")
    ] = None,
    n_features: Annotated[
        list[int] | None,
        option_of(
            f"{_CONFIG}.SaeConfig.n_features",
            help="size; repeatable, and so are k and init-seed: a folder for each",
        ),
    ] = None,
    k: Annotated[
        list[int] | None,
        option_of(f"{_CONFIG}.SaeConfig.k", help="features that may fire on a token; repeatable"),
    ] = None,
    init_seed: Annotated[
        list[int] | None,
        typer.Option(
            help="random seed of the initial weights; repeatable", show_default="that of --seed"
        ),
    ] = None,
    n_tokens: Annotated[
        int | None, typer.Option(help="tokens to train on; else so many passes as --config says")
    ] = None,
    genome: Annotated[
        list[Path] | None,
        typer.Option(help="FASTA or GenBank that the model reads, in place of ACTIVATIONS"),
    ] = None,
    site: Site = None,
    region: Region = None,
    window: Window = None,
    warmup: Warmup = None,
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
        n_tokens=n_tokens,
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
