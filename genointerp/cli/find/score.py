"""`genointerp score`: labels, held to bases that no labeller saw."""

from pathlib import Path
from typing import Annotated, Any

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
    labels: Annotated[
        list[Path],
        typer.Option(
            help="table of labels; repeatable, for labels of several sources", show_default=False
        ),
    ],
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
    endpoint: Annotated[
        Path | None,
        typer.Option(help="YAML of EndpointConfig: a language model judges labels, too"),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="take replies of the language model from the cache")
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="say what the language model would cost, and stop")
    ] = False,
    seed: Seed = None,
) -> None:
    """Score labels of FEATURES on test, next to labels of other features.

    With --endpoint a language model judges where features fire, given their labels and controls.
    """
    from genointerp.command.find.score import score as score_labels
    from genointerp.command.find.score import score_cost
    from genointerp.core.messages import to_stderr

    known: dict[str, Any] = {
        "genome": genome or (),
        "annotations": annotations or (),
        "associations": associations,
        "concepts": concepts,
        "config": config,
        "seed": seed,
    }
    if estimate:
        typer.echo(str(score_cost(features, labels, endpoint, **known)))
        return
    found = score_labels(
        features,
        labels,
        out,
        endpoint=endpoint,
        offline=offline,
        random_scores=random_scores,
        show=to_stderr,
        **known,
    )
    first = found.summary.iloc[0]
    said = f"{first['n_executable']} labels of {first['labels']}, F1 {first['f1']:.3f}"
    other = found.summary.iloc[1]
    typer.echo(f"{said} (labels of other features {other['f1']:.3f}) -> {out}")
