"""The `ablate` command."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.model_options import ModelChoice, with_recorded_model
from genointerp.cli.options import Features, Genome, OwnSae, Region, option_of

_CONFIG = "intervention.ablation.AblationConfig"


@with_recorded_model
def ablate(
    features: Features,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="table to write: .tsv, .csv, .parquet or .json", show_default=False
        ),
    ],
    model: ModelChoice,
    genome: Genome = None,
    sae: OwnSae = None,
    feature: Annotated[
        list[str] | None,
        typer.Option(help="number or name of a feature: only this one; repeatable"),
    ] = None,
    candidates: Annotated[
        Path | None, typer.Option(help="table of `rank`, whose first features are ablated")
    ] = None,
    top: Annotated[
        int | None, option_of(f"{_CONFIG}.top", help="how many candidates at most, best first")
    ] = None,
    region: Region = None,
    n_windows: Annotated[
        int | None, option_of(f"{_CONFIG}.n_windows", help="windows for each feature")
    ] = None,
    n_matched: Annotated[
        int | None,
        option_of(f"{_CONFIG}.n_matched", help="matched features to compare each feature with"),
    ] = None,
    window: Annotated[
        int | None,
        option_of(f"{_CONFIG}.window", help="bases read of each window, around a base that fires"),
    ] = None,
    warmup: Annotated[
        int | None, option_of(f"{_CONFIG}.warmup", help="first bases of a window, as context")
    ] = None,
    seed: Annotated[int | None, option_of(f"{_CONFIG}.seed", help="random seed")] = None,
) -> None:
    """Measure what the model loses without each feature, against matched random features.

    Of a run, the genome is read on which its configuration measures, unless --genome names another.
    """
    from genointerp.command.intervene.ablate import ablate as ablate_file
    from genointerp.core.config import changed
    from genointerp.intervention.ablation import AblationConfig

    table = ablate_file(
        features,
        out,
        model.load_or_recorded(),
        genome=genome,
        sae=sae,
        feature=feature or [],
        candidates=candidates,
        config=changed(
            AblationConfig(),
            regions=tuple(region or ()),
            n_windows=n_windows,
            n_matched=n_matched,
            window=window,
            warmup=warmup,
            top=top,
            seed=seed,
        ),
    )
    used = int((table["p_value"] <= 0.05).sum())
    typer.echo(f"{len(table)} features ablated, {used} with p <= .05 -> {out}")
