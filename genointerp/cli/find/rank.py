"""`genointerp rank`: the features that no known concept explains."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.find.rank_options import (
    Ablation,
    Activations,
    Dictionary,
    Features,
    Measured,
    OtherDictionaries,
    Seed,
    Sequences,
    Settings,
    TrainedOn,
)


def rank(
    features: Features,
    associations: Annotated[Path, typer.Option(help="table of associations of FEATURES")],
    genome: Sequences,
    out: Annotated[
        Path, typer.Option(help="candidates, .tsv; loci go to .gff3 and .fasta beside it")
    ],
    activations: Activations = None,
    ablation: Ablation = None,
    sae: Dictionary = None,
    other_sae: OtherDictionaries = None,
    trained_on: TrainedOn = None,
    measured: Measured = None,
    annotations: Annotated[
        list[Path] | None,
        typer.Option(help="annotation of each genome, to tell loci that it lacks; in their order"),
    ] = None,
    predictions: Annotated[
        list[Path] | None,
        typer.Option(help="GFF3 of each genome that finders wrote (annotate --find), beside it"),
    ] = None,
    config: Settings = None,
    seed: Seed = None,
) -> None:
    """Rank the features of FEATURES as candidates for something unknown."""
    from genointerp.candidate.config import read_rank_config
    from genointerp.candidate.evidence.given import GivenFiles
    from genointerp.candidate.inputs import RankFiles
    from genointerp.command.find.rank import rank as rank_files
    from genointerp.core.progress import progress_bar

    evidence = GivenFiles(ablation, sae, other_sae or (), trained_on or ())
    files = RankFiles(
        features,
        associations,
        genome,
        activations or (),
        evidence,
        annotations=annotations or (),
        predictions=predictions or (),
        measured=measured,
    )
    settings = read_rank_config(config, seed=seed)
    with progress_bar("rank") as progress:
        result = rank_files(files, out, config=settings, progress=progress)
    plain = int((result.table["demoting"] == "").sum())
    message = f"{len(result.table)} candidates, {plain} without a flag that demotes"
    typer.echo(f"{message} -> {out}", err=True)
