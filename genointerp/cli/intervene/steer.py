"""The `steer` command."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.intervene.options import (
    CanvasOut,
    Controls,
    Doses,
    NMatched,
    NRandom,
    OwnFeatures,
    Profiles,
    Seed,
)
from genointerp.cli.model_options import ModelChoice, with_recorded_model
from genointerp.cli.options import Annotations, Concepts, GenomeOrRun, OwnSae, option_of

_CONFIG = "intervention.steer.SteerConfig"


@with_recorded_model
def steer(
    genome: GenomeOrRun,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="table to write: .tsv, .csv, .parquet or .json", show_default=False
        ),
    ],
    canvas: Annotated[
        Path,
        typer.Option(
            help="table of what is painted where (docs: schema/tables)", show_default=False
        ),
    ],
    model: ModelChoice,
    region: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[REGION]...",
            help="where it is measured, like chrI:1-1,000 (1-based, closed); else the whole genome",
            show_default=False,
        ),
    ] = None,
    sae: OwnSae = None,
    features: OwnFeatures = None,
    annotations: Annotations = None,
    concepts: Concepts = None,
    profiles: Profiles = None,
    bases_out: Annotated[
        Path | None, typer.Option(help="also write a table of each base that it can reach")
    ] = None,
    canvas_out: CanvasOut = None,
    dose: Doses = None,
    controls: Controls = True,
    n_matched: NMatched = None,
    n_random: NRandom = None,
    window: Annotated[
        int | None, option_of(f"{_CONFIG}.window", help="bases read in one pass, warm-up included")
    ] = None,
    warmup: Annotated[
        int | None, option_of(f"{_CONFIG}.warmup", help="first bases of a pass, as context")
    ] = None,
    seed: Seed = None,
) -> None:
    """Measure how the predictions of a model change under a canvas, next to controls.

    A run directory gives genome, dictionary, features and annotation, as far as none are given.
    """
    from genointerp.command.intervene.steer import steer as steer_file
    from genointerp.intervention.control import changed
    from genointerp.intervention.steer import SteerConfig, in_short

    table = steer_file(
        genome,
        out,
        canvas,
        model.load_or_recorded(),
        region=region or [],
        sae=sae,
        features=features,
        annotations=annotations,
        concepts=concepts,
        profiles=profiles,
        bases_out=bases_out,
        canvas_out=canvas_out,
        config=changed(
            SteerConfig(),
            doses=dose or [],
            controls=controls,
            n_matched=n_matched,
            n_random=n_random,
            window=window,
            warmup=warmup,
            seed=seed,
        ),
    )
    typer.echo(f"{in_short(table)} -> {out}")
