"""`genointerp backtest`: whether the ranking would have found what is known."""

from pathlib import Path
from typing import Annotated

import typer


def backtest(
    features: Annotated[list[Path], typer.Argument(help="features of each genome")],
    annotations: Annotated[
        list[Path],
        typer.Option(help="GFF3 or GenBank of each genome, in the order of FEATURES"),
    ],
    genome: Annotated[list[Path], typer.Option(help="sequence of each genome")],
    associations: Annotated[Path, typer.Option(help="their associations, with nothing hidden")],
    out: Annotated[
        Path, typer.Option(help="classes, .tsv; their features go to NAME_features.tsv beside it")
    ],
    figure: Annotated[Path | None, typer.Option(help="recall against rank: .png, .svg")] = None,
    activations: Annotated[
        list[Path] | None,
        typer.Option(help="activations of each genome, for where windows begin"),
    ] = None,
    random: Annotated[
        list[Path] | None, typer.Option(help="features of the model with random weights")
    ] = None,
    baselines: Annotated[
        Path | None, typer.Option(help="table of baselines: which classes the model knows")
    ] = None,
    concepts: Annotated[Path | None, typer.Option(help="definition of concepts, YAML")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML of RankConfig")] = None,
    seed: Annotated[int | None, typer.Option(help="of the bases sampled for periods")] = None,
) -> None:
    """Hide each known class in turn, and see where the ranking of FEATURES puts what tells it."""
    from genointerp.candidate.backtest_file import BacktestFiles
    from genointerp.candidate.config import read_rank_config
    from genointerp.core.progress import progress_bar
    from genointerp.report.backtest import write_backtest

    files = BacktestFiles(
        features=features,
        annotations=annotations,
        genomes=genome,
        associations=associations,
        activations=activations or (),
        random=random or (),
        concepts=concepts,
        baselines=baselines,
    )
    with progress_bar("backtest") as progress:
        result = write_backtest(
            files,
            out,
            figure=figure,
            config=read_rank_config(config, seed=seed),
            progress=progress,
        )
    counts = result.classes["verdict"].value_counts()
    told = ", ".join(f"{counts[name]} {name}" for name in counts.index)
    typer.echo(f"{len(result.classes)} classes hidden: {told} -> {out}", err=True)
