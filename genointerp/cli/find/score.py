"""`genointerp score`: labels, held to bases that no labeller saw."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.options import (
    Associations,
    Concepts,
    Genomes,
    ManyAnnotations,
    ManyFeatures,
    Seed,
)


def score(
    features: ManyFeatures,
    labels: Annotated[Path, typer.Option(help="table of labels", show_default=False)],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="scores to write, .tsv; the summary goes next to them"),
    ],
    genome: Genomes = None,
    annotations: ManyAnnotations = None,
    associations: Associations = None,
    concepts: Concepts = None,
    random_scores: Annotated[
        Path | None,
        typer.Option(help="scores of labels of features that should mean nothing, as a control"),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML of ScoreConfig")] = None,
    seed: Seed = None,
) -> None:
    """Score labels of FEATURES on test, next to labels of other features."""
    from genointerp.command.find.score import score as score_labels

    found = score_labels(
        features,
        labels,
        out,
        genome=genome or (),
        annotations=annotations or (),
        associations=associations,
        concepts=concepts,
        random_scores=random_scores,
        config=config,
        seed=seed,
    )
    first = found.summary.iloc[0]
    said = f"{first['n_executable']} labels of {first['labels']}, F1 {first['f1']:.3f}"
    other = found.summary.iloc[1]
    typer.echo(f"{said} (labels of other features {other['f1']:.3f}) -> {out}")
