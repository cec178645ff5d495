"""`genointerp associate`: every feature against every concept."""

from pathlib import Path
from typing import Annotated

import typer


def associate(
    features: Annotated[list[Path], typer.Argument(help="features of each genome")],
    annotations: Annotated[
        list[Path],
        typer.Option(help="GFF3 or GenBank of each genome, in the order of FEATURES"),
    ],
    out: Annotated[Path, typer.Option(help="associations, .parquet, .tsv or .json")],
    genome: Annotated[
        list[Path] | None, typer.Option(help="sequences to check FEATURES against")
    ] = None,
    test: Annotated[
        list[str] | None,
        typer.Option(help="seqid of the test side; alternate blocks of each contig where none"),
    ] = None,
    concepts: Annotated[Path | None, typer.Option(help="definition of concepts, YAML")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML of AssociateConfig")] = None,
    seed: Annotated[int | None, typer.Option(help="of the circular shifts")] = None,
) -> None:
    """Compare every feature of FEATURES with every concept, in either orientation.

    Threshold and pair are chosen on the fit side; every score after f1_fit is measured on test.
    """
    from genointerp.association.config import read_associate_config
    from genointerp.association.file import associate_files
    from genointerp.core.progress import progress_bar

    settings = read_associate_config(config, test=test or (), seed=seed)
    with progress_bar("associate") as progress:
        table = associate_files(
            features,
            annotations,
            out,
            genomes=genome or (),
            concepts=concepts,
            config=settings,
            progress=progress,
        )
    significant = int((table["q_value"] <= 0.05).sum())
    typer.echo(f"{len(table)} associations, {significant} with q <= 0.05 -> {out}", err=True)
