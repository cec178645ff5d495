"""The `evaluate` command."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genointerp.cli.look import with_look
from genointerp.cli.model_options import ModelChoice, with_recorded_model
from genointerp.cli.options import Batch, OwnSae, Region, Warmup, Window

if TYPE_CHECKING:
    from genointerp.figure.file import Look


@with_look
@with_recorded_model
def evaluate(
    genome: Annotated[
        Path, typer.Argument(help="FASTA or GenBank file, or run directory", show_default=False)
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="JSON file to write", show_default=False)
    ],
    model: ModelChoice,
    look: "Look",
    sae: OwnSae = None,
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
    """Measure a dictionary: in the model, by itself, and against dictionaries of its site.

    Of a run, its own genome, sample, activations and windows are taken, as far as none are given.
    """
    from genointerp.command.build.evaluate import evaluate as evaluate_file
    from genointerp.figure.file import check_suffix
    from genointerp.figure.quality import quality as draw_quality

    if figure_out is not None:
        check_suffix(figure_out)
    windows = {"window": window, "warmup": warmup, "batch": batch}
    fidelity = evaluate_file(
        genome,
        out,
        model.load_or_recorded(),
        sae=sae,
        against=against or [],
        region=region or [],
        sample=sample,
        activations=activations,
        config={name: it for name, it in windows.items() if it is not None},
    )
    if figure_out is not None:
        draw_quality(out, figure_out, **look)
    typer.echo(f"loss recovered {fidelity.loss_recovered:.4f} -> {out}")
