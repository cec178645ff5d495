"""``genointerp annotate``: the elements of each concept, or those that gene finders see."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.options import Concepts


def annotate(
    source: Annotated[
        Path, typer.Argument(help="GFF3 or GenBank; with --find the sequence, FASTA or GenBank")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="table of elements, .tsv, .csv, .parquet or .json; with --find .gff3[.gz]",
        ),
    ],
    genome: Annotated[
        Path | None, typer.Option(help="FASTA or GenBank of the genome of an annotation")
    ] = None,
    concepts: Concepts = None,
    find: Annotated[
        list[str] | None,
        typer.Option(
            help="run a finder on the sequence: pyrodigal, pyaragorn, pybarrnap, diced, pyinfernal,"
            " pyhmmer, motif, pydustmasker, pytrf; may be repeated"
        ),
    ] = None,
    translation_table: Annotated[int, typer.Option(help="genetic code of --find")] = 11,
    covariance_models: Annotated[Path | None, typer.Option(help=".cm of pyinfernal")] = None,
    protein_profiles: Annotated[Path | None, typer.Option(help=".hmm of pyhmmer")] = None,
    motifs: Annotated[Path | None, typer.Option(help="MEME or JASPAR file of motif")] = None,
) -> None:
    """List the elements of each concept in SOURCE, or predict elements from its sequence."""
    from genointerp.annotation.finders.finding import FindConfig
    from genointerp.command.build.annotate import annotate as annotate_or_find

    config = FindConfig(translation_table, covariance_models, protein_profiles, motifs)
    counts = annotate_or_find(
        source, out, genome=genome, concepts=concepts, find=find or (), config=config
    )
    for name, count in counts.items():
        typer.echo(f"{name}\t{count}")
