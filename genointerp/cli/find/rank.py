"""`genointerp rank`: the features that no known concept explains."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.find.rank_options import (
    Ablation,
    Activations,
    Dictionary,
    Measured,
    OtherDictionaries,
    Settings,
    TrainedOn,
)
from genointerp.cli.options import (
    Associations,
    Genomes,
    Labels,
    ManyAnnotations,
    ManyFeatures,
    Predictions,
    Seed,
)


def rank(
    features: ManyFeatures,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="candidates, .tsv; loci go to .gff3 and .fasta next to it"
        ),
    ],
    associations: Associations = None,
    genome: Genomes = None,
    activations: Activations = None,
    ablation: Ablation = None,
    sae: Dictionary = None,
    other_sae: OtherDictionaries = None,
    trained_on: TrainedOn = None,
    matches: Annotated[
        list[Path] | None,
        typer.Option(help="table of `genointerp match` with another dictionary; repeatable"),
    ] = None,
    measured: Measured = None,
    annotations: ManyAnnotations = None,
    predictions: Predictions = None,
    labels: Labels = None,
    config: Settings = None,
    seed: Seed = None,
) -> None:
    """Rank the features of FEATURES as candidates for something unknown."""
    from genointerp.command.find.rank import rank as rank_features

    result = rank_features(
        features,
        out,
        associations=associations,
        genome=genome or (),
        activations=activations or (),
        ablation=ablation,
        sae=sae,
        other_sae=other_sae or (),
        trained_on=trained_on or (),
        matches=matches or (),
        measured=measured,
        annotations=annotations or (),
        predictions=predictions or (),
        labels=labels or (),
        config=config,
        seed=seed,
    )
    plain = int((result.table["demoting"] == "").sum())
    message = f"{len(result.table)} candidates, {plain} without a flag that demotes"
    typer.echo(f"{message} -> {out}")
