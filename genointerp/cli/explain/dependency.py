"""The `dependency` command."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.model_options import ModelChoice, with_recorded_model
from genointerp.cli.options import GenomeOrRun, Strand, option_of

_CONFIG = "explanation.dependency.DependencyConfig"


@with_recorded_model
def dependency(
    genome: GenomeOrRun,
    region: Annotated[
        str, typer.Argument(help="1-based closed, like chrI:1-80", show_default=False)
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="table of the pairs: .tsv, .csv, .parquet or .json",
            show_default=False,
        ),
    ],
    model: ModelChoice,
    strand: Strand = None,
    context: Annotated[
        int | None, option_of(f"{_CONFIG}.context", help="bases read before the region")
    ] = None,
    n_shuffles: Annotated[
        int | None,
        option_of(f"{_CONFIG}.n_shuffles", help="shuffled copies of the region, as a control"),
    ] = None,
    max_bases: Annotated[
        int | None, option_of(f"{_CONFIG}.max_bases", help="longest region")
    ] = None,
    batch: Annotated[
        int | None, option_of(f"{_CONFIG}.batch", help="mutants in one call of the model")
    ] = None,
    seed: Annotated[int | None, option_of(f"{_CONFIG}.seed", help="random seed")] = None,
) -> None:
    """Map which bases of REGION the predictions of which others depend on.

    A model that reads from left to right sees what a base does to those after it; so each reading
    strand shows one half of the map.
    """
    from genointerp.command.explain.dependency import dependency as dependency_file
    from genointerp.core.config import changed
    from genointerp.explanation.dependency import DependencyConfig, in_short

    table = dependency_file(
        genome,
        out,
        region,
        model.load_or_recorded(),
        config=changed(
            DependencyConfig(),
            strands=None if strand is None else (strand,),
            context=context,
            n_shuffles=n_shuffles,
            max_bases=max_bases,
            batch=batch,
            seed=seed,
        ),
    )
    typer.echo(f"{in_short(table)} -> {out}")
