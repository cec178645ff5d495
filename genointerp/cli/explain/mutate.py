"""The `mutate` command."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from genointerp.cli.model_options import ModelChoice, with_recorded_model
from genointerp.cli.options import GenomeOrRun, OwnSae, Strand, option_of

_CONFIG = "explanation.upstream.UpstreamConfig"
_MUTAGENESIS = "explanation.mutagenesis.MutagenesisConfig"


@with_recorded_model
def mutate(
    genome: GenomeOrRun,
    at: Annotated[
        list[str],
        typer.Argument(
            metavar="PLACE...",
            help="a base, chrI:900, or a stretch, chrI:901-960, that is predicted (1-based, "
            "closed)",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="table of the bases: .tsv, .csv, .parquet or .json",
            show_default=False,
        ),
    ],
    model: ModelChoice,
    feature: Annotated[
        str | None,
        typer.Option(help="in place of the prediction, this feature of the dictionary there"),
    ] = None,
    strand: Strand = None,
    sae: OwnSae = None,
    chain_out: Annotated[
        Path | None,
        typer.Option(help="also write a table of the features through which effects pass"),
    ] = None,
    measure: Annotated[
        Literal["contrast", "log_odds", "log_p"] | None,
        option_of(f"{_CONFIG}.measure", help="what of a prediction"),
    ] = None,
    upstream: Annotated[
        int | None, option_of(f"{_MUTAGENESIS}.upstream", help="bases upstream that are replaced")
    ] = None,
    only: Annotated[
        int | None,
        typer.Option(help="replace only so many of them, those with the largest gradients"),
    ] = None,
    context: Annotated[
        int | None, option_of(f"{_CONFIG}.context", help="bases read before what is asked for")
    ] = None,
    n_bases: Annotated[
        int | None, option_of(f"{_CONFIG}.n_bases", help="bases that --chain-out follows")
    ] = None,
    n_features: Annotated[
        int | None, option_of(f"{_CONFIG}.n_features", help="features of each in --chain-out")
    ] = None,
    batch: Annotated[
        int | None, option_of(f"{_MUTAGENESIS}.batch", help="mutants in one call of the model")
    ] = None,
) -> None:
    """Replace each base before a prediction, and measure what that does to it.

    With a feature of the dictionary, what is measured is how far it fires at the base.
    """
    from genointerp.command.explain.mutate import mutate as mutate_file
    from genointerp.core.config import changed
    from genointerp.explanation.upstream import UpstreamConfig, in_short

    found = mutate_file(
        genome,
        out,
        at,
        model.load_or_recorded(),
        feature=feature,
        strand=strand,
        sae=sae,
        chain_out=chain_out,
        config=changed(
            UpstreamConfig(),
            measure=measure,
            upstream=upstream,
            only=only,
            context=context,
            n_bases=n_bases,
            n_features=n_features,
            batch=batch,
        ),
    )
    typer.echo(f"{in_short(found)} -> {out}")
