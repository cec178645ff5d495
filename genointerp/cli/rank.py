"""`genointerp rank`: the features that no known concept explains."""

from pathlib import Path
from typing import Annotated

import typer


def rank(
    features: Annotated[list[Path], typer.Argument(help="features of each genome")],
    associations: Annotated[Path, typer.Option(help="their table of associations")],
    genome: Annotated[list[Path], typer.Option(help="sequence of each genome")],
    out: Annotated[
        Path, typer.Option(help="candidates, .tsv; loci go to .gff3 and .fasta beside it")
    ],
    activations: Annotated[
        list[Path] | None,
        typer.Option(help="activations of each genome, for where windows begin"),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML of RankConfig")] = None,
    seed: Annotated[int | None, typer.Option(help="of the bases sampled for periods")] = None,
) -> None:
    """Rank the features of FEATURES as candidates for something unknown."""
    from genointerp.candidate.config import read_rank_config
    from genointerp.candidate.write import rank_files
    from genointerp.core.progress import progress_bar

    with progress_bar("rank") as progress:
        result = rank_files(
            features,
            associations,
            genome,
            out,
            activations=activations or (),
            config=read_rank_config(config, seed=seed),
            progress=progress,
        )
    plain = int((result.table["flags"] == "").sum())
    typer.echo(f"{len(result.table)} candidates, {plain} without a flag -> {out}", err=True)
