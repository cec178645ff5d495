"""`genointerp plot`: figures of a region, of the overlap with concepts, of a feature."""

from pathlib import Path
from typing import Annotated

import typer

plot = typer.Typer(no_args_is_help=True, help="Draw a figure; its suffix is its format.")

Out = Annotated[Path, typer.Option(help="figure: .png, .pdf or .svg")]


@plot.command()
def region(
    features: Annotated[Path, typer.Argument(help="feature store")],
    region: Annotated[str, typer.Argument(help="1-based closed, like chrI:1-1,000")],
    annotations: Annotated[Path, typer.Option(help="GFF3 or GenBank")],
    genome: Annotated[Path, typer.Option(help="FASTA or GenBank")],
    out: Out,
    associations: Annotated[
        Path | None, typer.Option(help="names each feature's best concept")
    ] = None,
    feature: Annotated[
        list[str] | None,
        typer.Option(help="number or name of a feature to draw; repeatable; else the strongest"),
    ] = None,
) -> None:
    """Draw genes, concepts and features along REGION."""
    from genointerp.report.figures import draw_region

    draw_region(
        features,
        region,
        out,
        annotations=annotations,
        genome=genome,
        associations=associations,
        feature_ids=feature or [],
    )
    typer.echo(out)


@plot.command()
def overlap(
    associations: Annotated[Path, typer.Argument(help="table of associations")],
    out: Out,
) -> None:
    """Draw the test F1 of the best features with every concept."""
    from genointerp.report.figures import draw_overlap

    draw_overlap(associations, out)
    typer.echo(out)


@plot.command()
def feature(
    features: Annotated[Path, typer.Argument(help="feature store")],
    feature: Annotated[str, typer.Option(help="number or name in the dictionary")],
    out: Out,
) -> None:
    """Draw the activations of one feature: how strong, how often, what shape and where."""
    from genointerp.report.figures import draw_feature

    draw_feature(features, feature, out)
    typer.echo(out)


@plot.command()
def training(
    metrics: Annotated[Path, typer.Argument(help="metrics.jsonl of a dictionary")],
    out: Out,
) -> None:
    """Draw the training curves of a dictionary."""
    from genointerp.report.figures import draw_training

    draw_training(metrics, out)
    typer.echo(out)
