"""The `edit` command."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from genointerp.cli.model_options import ModelChoice, with_model_options
from genointerp.cli.options import Annotations, OwnSae


@with_model_options
def edit(
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="folder of the edited model to write", show_default=False),
    ],
    model: ModelChoice,
    sae: OwnSae = None,
    feature: Annotated[
        str | None, typer.Option(help="number or name of the feature to edit")
    ] = None,
    mode: Annotated[
        Literal["ablate", "scale", "set"],
        typer.Option(help="take it out, multiply its amount, or set it on every token"),
    ] = "ablate",
    value: Annotated[
        float | None,
        typer.Option(help="factor of --mode scale; amount of --mode set, in model units"),
    ] = None,
    method: Annotated[
        Literal["adapter", "closed-form", "distil"],
        typer.Option(
            help="apply the edit while loading (exact); write a probe into weights; or train them"
        ),
    ] = "adapter",
    genome: Annotated[
        Path | None,
        typer.Option(help="FASTA or GenBank to fit on; a shipped model has E. coli"),
    ] = None,
    test_genome: Annotated[
        Path | None,
        typer.Option(help="FASTA or GenBank to measure on; a shipped model has B. subtilis"),
    ] = None,
    annotations: Annotations = None,
    config: Annotated[
        Path | None, typer.Option(help="YAML: what is read, controls and thresholds")
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="write weights even if the probe predicts too little")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="write the parent of an edited --model, bit by bit")
    ] = False,
) -> None:
    """Edit a model: a feature is ablated, scaled or set in a new checkpoint, which is measured.

    The folder is a --model for every command. --undo gives the model back that was edited.
    """
    from genointerp.command.intervene.edit import edit as edit_model

    assert model.name is not None
    summary = edit_model(
        out,
        model.name,
        sae=sae,
        feature=feature,
        mode=mode,
        value=value,
        method=method,
        genome=genome,
        test_genome=test_genome,
        annotations=annotations,
        anyway=anyway,
        undo=undo,
        config=config,
        options={"device": model.device, **model.options},
    )
    typer.echo(f"parent of {model.name} -> {out}" if summary is None else f"{summary} -> {out}")
