"""The `ablate` command."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.model_options import ModelChoice, with_model_options


@with_model_options
def ablate(
    genome: Annotated[Path, typer.Argument(help="FASTA or GenBank file", show_default=False)],
    sae: Annotated[
        Path, typer.Option(help="folder of the dictionary, or shipped:nano", show_default=False)
    ],
    features: Annotated[
        Path,
        typer.Option(help="features file of the genome under this dictionary", show_default=False),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="table to write: .tsv, .csv, .parquet or .json", show_default=False
        ),
    ],
    model: ModelChoice,
    feature: Annotated[
        list[str] | None, typer.Option(help="only this feature, by number or name; repeatable")
    ] = None,
    candidates: Annotated[
        Path | None, typer.Option(help="table of `rank`, whose first features are ablated")
    ] = None,
    top: Annotated[int | None, typer.Option(help="number of candidates to ablate")] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(help="only windows around bases in this region; repeatable"),
    ] = None,
    n_windows: Annotated[int | None, typer.Option(help="windows for each feature")] = None,
    n_matched: Annotated[
        int | None, typer.Option(help="matched features to compare each feature with")
    ] = None,
    window: Annotated[int | None, typer.Option(help="bases read of each window")] = None,
    warmup: Annotated[int | None, typer.Option(help="first bases of a window, as context")] = None,
    seed: Annotated[
        int | None, typer.Option(help="random seed of windows and matched features")
    ] = None,
) -> None:
    """Measure what the model loses without each feature, against matched random features."""
    from genointerp.command.intervene.ablate import ablate as ablate_file
    from genointerp.intervention.ablation import AblationConfig

    table = ablate_file(
        genome,
        sae,
        features,
        out,
        model.load(),
        feature=feature or [],
        candidates=candidates,
        config=AblationConfig().changed(
            regions=region or [],
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
