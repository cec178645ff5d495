"""`genointerp ablate`: what the model loses without each feature."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.model_options import ModelChoice, with_model_options


@with_model_options
def ablate(
    genome: Annotated[Path, typer.Argument(help="FASTA or GenBank file", show_default=False)],
    features: Annotated[Path, typer.Option(help="features of the genome", show_default=False)],
    sae: Annotated[Path, typer.Option(help="folder of the dictionary", show_default=False)],
    out: Annotated[Path, typer.Option(help="table to write", show_default=False)],
    model: ModelChoice,
    feature: Annotated[
        list[int] | None, typer.Option(help="only this feature; repeatable; else all that fire")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML of AblationConfig")] = None,
) -> None:
    """Measure what the loss of a model says of each feature of a genome."""
    from genointerp.activation.ablation import AblationConfig, ablate_file
    from genointerp.core.config import read_config
    from genointerp.core.progress import progress_bar

    with progress_bar("ablate (features)") as progress:
        table = ablate_file(
            genome,
            features,
            sae,
            out,
            model.load(),
            only=feature or [],
            config=read_config(AblationConfig, config),
            progress=progress,
        )
    used = int((table["loss_effect"] > table["loss_effect_matched"].clip(lower=0)).sum())
    typer.echo(f"{used} of {len(table)} features cost more than others -> {out}", err=True)
