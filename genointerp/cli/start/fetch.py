"""``genointerp fetch``: a genome and its annotation from NCBI."""

from pathlib import Path
from typing import Annotated

import typer


def fetch(
    accession: Annotated[str, typer.Argument(help="nucleotide accession, such as NC_000913.2")],
    out: Annotated[Path, typer.Option("--out", "-o", help="folder to make")],
    base_url: Annotated[
        str | None, typer.Option(help="another efetch server", show_default="that of NCBI")
    ] = None,
) -> None:
    """Download sequence and annotation of ACCESSION from NCBI."""
    from genointerp.command.start.fetch import fetch as fetch_genome
    from genointerp.genome.fetch import EFETCH, FetchConfig

    found = fetch_genome(accession, out, config=FetchConfig(base_url=base_url or EFETCH))
    typer.echo(f"{found.name}: {found.length:,} bp, {found.n_elements:,} elements -> {out}")
