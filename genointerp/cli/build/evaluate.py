"""The `evaluate` command."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.model_options import ModelChoice, with_model_options
from genointerp.cli.options import Batch, Region, Sae, Warmup, Window


@with_model_options
def evaluate(
    genome: Annotated[Path, typer.Argument(help="FASTA or GenBank file", show_default=False)],
    sae: Sae,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="JSON file to write", show_default=False)
    ],
    model: ModelChoice,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="dictionary of another seed or size to compare with; repeatable"),
    ] = None,
    figure_out: Annotated[
        Path | None, typer.Option(help="also draw a figure: .png, .pdf or .svg")
    ] = None,
    region: Region = None,
    sample: Annotated[
        int | None,
        typer.Option(
            min=1, help="bases of a strand for the losses, in windows spread evenly; else all"
        ),
    ] = None,
    activations: Annotated[
        Path | None,
        typer.Option(help="stored activations of the genome: FVU and L0 are of every row of them"),
    ] = None,
    window: Window = None,
    warmup: Warmup = None,
    batch: Batch = None,
) -> None:
    """Measure a dictionary: in the model, by itself, and against dictionaries of its site."""
    from genointerp.command.build.evaluate import evaluate as evaluate_file
    from genointerp.figure.file import check_suffix
    from genointerp.figure.quality import quality as draw_quality
    from genointerp.reading.harvest import HarvestConfig

    if figure_out is not None:
        check_suffix(figure_out)
    fidelity = evaluate_file(
        genome,
        sae,
        out,
        model.load(),
        against=against or [],
        region=region or [],
        sample=sample,
        activations=activations,
        config=HarvestConfig().with_windows(window, warmup, batch=batch),
    )
    if figure_out is not None:
        draw_quality(out, figure_out)
    typer.echo(f"loss recovered {fidelity.loss_recovered:.4f} -> {out}")
