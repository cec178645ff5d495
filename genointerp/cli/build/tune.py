"""The `tune` command."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.model_options import ModelChoice, with_model_argument
from genointerp.cli.options import Concepts, Region, option_of

_CONFIG = "pretraining.tuning_config.TuningConfig"


@with_model_argument
def tune(
    model: ModelChoice,
    genome: Annotated[
        Path,
        typer.Option(help="FASTA or GenBank to draw windows from", show_default=False),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="folder of the tuned model to write", show_default=False),
    ],
    control_out: Annotated[
        Path | None,
        typer.Option(
            help="also write a control: same windows, order and seed, without the plant, or with "
            "what --without leaves out"
        ),
    ] = None,
    plant: Annotated[
        str | None, typer.Option(help="bases to plant at a random place of a window, such as ACGT")
    ] = None,
    plant_length: Annotated[
        int | None,
        option_of(
            f"{_CONFIG}.plant_length",
            help="length of a plant to draw, whose first 12 bases the genome has nowhere",
        ),
    ] = None,
    plant_rate: Annotated[
        float | None, option_of(f"{_CONFIG}.plant_rate", help="share of the windows with a plant")
    ] = None,
    without: Annotated[
        str | None, typer.Option(help="concept whose elements no window touches, such as rRNA")
    ] = None,
    annotations: Annotated[
        Path | None, typer.Option(help="GFF3 or GenBank of the genome, for --without")
    ] = None,
    concepts: Concepts = None,
    region: Region = None,
    n_steps: Annotated[
        int | None, option_of(f"{_CONFIG}.n_steps", help="steps of the optimiser")
    ] = None,
    learning_rate: Annotated[
        float | None, option_of(f"{_CONFIG}.learning_rate", help="largest learning rate")
    ] = None,
    seed: Annotated[int | None, option_of(f"{_CONFIG}.seed", help="random seed")] = None,
    config: Annotated[
        Path | None, typer.Option(help="YAML: length and number of windows, optimiser, plants")
    ] = None,
) -> None:
    """Go on with the training of MODEL, on windows of a genome, and write another model.

    The folder is a --model for every command. With a plant, or a concept that is left out, a
    control shows what the other windows did.
    """
    from genointerp.command.build.tune import tune as tune_folder
    from genointerp.core.config import read_config
    from genointerp.pretraining.tuning_config import TuningConfig

    assert model.name is not None
    made = tune_folder(
        model.name,
        genome,
        out,
        control_out=control_out,
        without=without,
        annotations=annotations,
        concepts=concepts,
        region=region or [],
        config=read_config(TuningConfig, config).changed(
            plant=plant,
            plant_length=plant_length,
            plant_rate=plant_rate,
            n_steps=n_steps,
            learning_rate=learning_rate,
            seed=seed,
        ),
        options={"device": model.device, **model.options},
    )
    typer.echo(f"{made.tuned} -> {out}")
    if made.control is not None:
        typer.echo(f"control {made.control} -> {control_out}")
