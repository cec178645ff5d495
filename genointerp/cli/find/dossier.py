"""`genointerp dossier`: all that is known of each of the first candidates."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.find.rank_options import Dictionary
from genointerp.cli.options import Genomes, ManyAnnotations, Predictions


def dossier(
    candidates: Annotated[Path, typer.Argument(help="table of candidates, or run directory")],
    out: Annotated[Path, typer.Option("--out", "-o", help="folder to make")],
    features: Annotated[
        list[Path] | None,
        typer.Option(help="features of each genome; those of the run where CANDIDATES is one"),
    ] = None,
    genome: Genomes = None,
    annotations: ManyAnnotations = None,
    predictions: Predictions = None,
    sae: Dictionary = None,
    config: Annotated[Path | None, typer.Option(help="YAML of DossierConfig")] = None,
) -> None:
    """Write a dossier of each of the first candidates: checks, loci, neighbours, what next."""
    from genointerp.command.find.dossier import dossier as gather_dossiers

    written = gather_dossiers(
        candidates,
        out,
        features=features,
        genome=genome or (),
        annotations=annotations or (),
        predictions=predictions or (),
        sae=sae,
        config=config,
    )
    typer.echo(f"{len(written)} dossiers -> {out}")
