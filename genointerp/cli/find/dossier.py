"""`genointerp dossier`: all that is known of each of the first candidates."""

from pathlib import Path
from typing import Annotated

import typer


def dossier(
    candidates: Annotated[Path, typer.Argument(help="table of candidates")],
    features: Annotated[list[Path], typer.Option(help="features of each genome")],
    genome: Annotated[list[Path], typer.Option(help="sequence of each genome, in any order")],
    annotations: Annotated[list[Path], typer.Option(help="annotation of each genome")],
    out: Annotated[Path, typer.Option(help="folder to make")],
    predictions: Annotated[
        list[Path] | None,
        typer.Option(help="GFF3 of each genome that finders wrote (annotate --find)"),
    ] = None,
    sae: Annotated[
        Path | None, typer.Option(help="folder of the dictionary, for the nearest features")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML of DossierConfig")] = None,
) -> None:
    """Write a dossier of each of the first candidates: checks, loci, neighbours, what next."""
    from genointerp.candidate.evidence.locus import DossierConfig
    from genointerp.command.find.dossier import DossierFiles
    from genointerp.command.find.dossier import dossier as write_dossiers
    from genointerp.core.config import read_config

    files = DossierFiles(candidates, features, genome, annotations, predictions or (), sae)
    written = write_dossiers(files, out, read_config(DossierConfig, config))
    typer.echo(f"{len(written)} dossiers -> {out}", err=True)
