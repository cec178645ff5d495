"""`genointerp backtest`: whether the ranking would have found what is known."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from genointerp.cli.look import with_look
from genointerp.cli.options import (
    Associations,
    Concepts,
    Genomes,
    ManyAnnotations,
    ManyFeatures,
    Seed,
)

if TYPE_CHECKING:
    from genointerp.figure.file import Look


def _random(*, help: str) -> Any:  # noqa: ANN401 - as typer has it
    return typer.Option(help=help, rich_help_panel="Random weights")


@with_look
def backtest(
    features: ManyFeatures,
    look: "Look",
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="classes, .tsv; their features go to NAME_features.tsv next to it"
        ),
    ],
    annotations: ManyAnnotations = None,
    genome: Genomes = None,
    associations: Associations = None,
    figure_out: Annotated[
        Path | None, typer.Option(help="also draw recall against rank: .png, .pdf or .svg")
    ] = None,
    activations: Activations = None,
    ablation: Ablation = None,
    sae: Dictionary = None,
    other_sae: OtherDictionaries = None,
    trained_on: TrainedOn = None,
    measured: Measured = None,
    random_features: Annotated[
        list[Path] | None, _random(help="features of the model with random weights")
    ] = None,
    random_activations: Annotated[
        list[Path] | None, _random(help="their activations, if --activations is given")
    ] = None,
    random_sae: Annotated[
        Path | None, _random(help="folder of their dictionary, if --sae is given")
    ] = None,
    baselines: Annotated[
        Path | None, typer.Option(help="table of baselines: which classes the model knows")
    ] = None,
    concepts: Concepts = None,
    config: Settings = None,
    seed: Seed = None,
) -> None:
    """Hide each known class in turn, and see where the ranking of FEATURES puts what tells it.

    The ranking is that of `genointerp rank` with the same options.
    """
    from genointerp.command.find.backtest import backtest as hide_classes

    result = hide_classes(
        features,
        out,
        annotations=annotations or (),
        genome=genome or (),
        associations=associations,
        figure_out=figure_out,
        activations=activations or (),
        ablation=ablation,
        sae=sae,
        other_sae=other_sae or (),
        trained_on=trained_on or (),
        measured=measured,
        random_features=random_features or (),
        random_activations=random_activations or (),
        random_sae=random_sae,
        baselines=baselines,
        concepts=concepts,
        config=config,
        seed=seed,
        **look,
    )
    counts = result.classes["verdict"].value_counts()
    said = ", ".join(f"{counts[name]} {name}" for name in counts.index)
    typer.echo(f"{len(result.classes)} classes hidden: {said} -> {out}")
