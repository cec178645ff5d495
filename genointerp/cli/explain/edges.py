"""The `edges` command."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.model_options import ModelChoice, with_recorded_model
from genointerp.cli.options import Features, Genome, OwnSae, Region, option_of

_CONFIG = "wiring.edges.EdgeConfig"


@with_recorded_model
def edges(
    features: Features,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="table to write: .tsv, .csv, .parquet or .json", show_default=False
        ),
    ],
    below: Annotated[
        Path,
        typer.Option(help="folder of a dictionary of a site below", show_default=False),
    ],
    model: ModelChoice,
    genome: Genome = None,
    sae: OwnSae = None,
    feature: Annotated[
        list[str] | None,
        typer.Option(help="number or name of a target feature: only this one; repeatable"),
    ] = None,
    targets_out: Annotated[
        Path | None, typer.Option(help="also write a table with a row for each target feature")
    ] = None,
    region: Region = None,
    n_windows: Annotated[
        int | None, option_of(f"{_CONFIG}.n_windows", help="windows for each target feature")
    ] = None,
    n_checked: Annotated[
        int | None,
        option_of(f"{_CONFIG}.n_checked", help="targets of each that are checked by ablation"),
    ] = None,
    top: Annotated[
        int | None, option_of(f"{_CONFIG}.top", help="edges of each target in the table")
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
    """Measure which features of a site below make features of a dictionary fire, and how far away.

    FEATURES are those of the upper dictionary. Of a run, the genome is read on which its
    configuration measures, unless --genome names another.
    """
    from genointerp.command.explain.edges import edges as edges_file
    from genointerp.core.config import changed
    from genointerp.wiring.edges import EdgeConfig

    table = edges_file(
        features,
        out,
        below,
        model.load_or_recorded(),
        genome=genome,
        sae=sae,
        feature=feature or [],
        targets_out=targets_out,
        config=changed(
            EdgeConfig(),
            regions=tuple(region or ()),
            n_windows=n_windows,
            n_checked=n_checked,
            top=top,
            window=window,
            warmup=warmup,
            seed=seed,
        ),
    )
    n_targets, found = table["target"].nunique(), int((table["q_value"] <= 0.05).sum())
    typer.echo(f"{len(table)} edges into {n_targets} features, {found} with q <= .05 -> {out}")
