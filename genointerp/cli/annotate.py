"""``genointerp annotate``: the elements of each concept."""

from pathlib import Path
from typing import Annotated

import typer


def annotate(
    annotation: Annotated[Path, typer.Argument(exists=True, help="GFF3 or GenBank")],
    genome: Annotated[Path, typer.Option(exists=True, help="FASTA or GenBank")],
    out: Annotated[Path, typer.Option(help="table of elements, .tsv")],
    concepts: Annotated[
        Path | None, typer.Option(exists=True, help="YAML; the shipped concepts otherwise")
    ] = None,
) -> None:
    """List the elements of each concept in ANNOTATION, and count them."""
    from genointerp.annotation.concepts import define_elements, load_concepts, write_elements
    from genointerp.annotation.read import read_annotation
    from genointerp.genome.read import read_genome

    bases = read_genome(genome)
    elements = define_elements(read_annotation(annotation, bases), bases, load_concepts(concepts))
    write_elements(elements, out)
    for concept, count in elements.counts().items():
        typer.echo(f"{concept}\t{count}")
