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
    ablation: Annotated[Path | None, typer.Option(help="table of `genointerp ablate`")] = None,
    sae: Annotated[Path | None, typer.Option(help="folder of the dictionary")] = None,
    other_sae: Annotated[
        list[Path] | None, typer.Option(help="dictionary of another seed; repeatable")
    ] = None,
    trained_on: Annotated[
        list[Path] | None,
        typer.Option(help="genome that the dictionary was trained on; repeatable"),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML of RankConfig")] = None,
    seed: Annotated[int | None, typer.Option(help="of the bases sampled for periods")] = None,
) -> None:
    """Rank the features of FEATURES as candidates for something unknown."""
    from genointerp.candidate.config import read_rank_config
    from genointerp.candidate.given import GivenFiles
    from genointerp.candidate.write import rank_files
    from genointerp.core.progress import progress_bar

    with progress_bar("rank") as progress:
        result = rank_files(
            features,
            associations,
            genome,
            out,
            activations=activations or (),
            evidence=GivenFiles(ablation, sae, other_sae or (), trained_on or ()),
            config=read_rank_config(config, seed=seed),
            progress=progress,
        )
    plain = int((result.table["demoting"] == "").sum())
    message = f"{len(result.table)} candidates, {plain} without a flag that demotes"
    typer.echo(f"{message} -> {out}", err=True)
