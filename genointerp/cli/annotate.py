"""``genointerp annotate``: the elements of each concept."""

from pathlib import Path
from typing import Annotated

import typer


def annotate(
    annotation: Annotated[Path, typer.Argument(help="GFF3 or GenBank")],
    genome: Annotated[Path, typer.Option(help="FASTA or GenBank")],
    out: Annotated[Path, typer.Option(help="table of elements, .tsv, .parquet or .json")],
    concepts: Annotated[
        Path | None, typer.Option(help="YAML; the shipped concepts otherwise")
    ] = None,
) -> None:
    """List the elements of each concept in ANNOTATION, and count them."""
    from genointerp.annotation.file import annotate_file

    elements = annotate_file(annotation, genome, out, concepts=concepts)
    for concept, count in elements.counts().items():
        typer.echo(f"{concept}\t{count}")
