"""The `match` command."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.options import Ceiling, Genomes, TwinA, TwinB, option_of

_CONFIG = "comparison.matching.config.MatchConfig"


def match(
    features_a: Annotated[
        Path,
        typer.Argument(
            help="features file, catalogue (.yaml) or run directory", show_default=False
        ),
    ],
    features_b: Annotated[
        Path,
        typer.Argument(help="the same of another dictionary or model", show_default=False),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="matches to write: .tsv, .csv, .parquet or .json; .summary is written next to it",
            show_default=False,
        ),
    ],
    genome: Genomes = None,
    annotations: Annotated[
        list[Path] | None,
        typer.Option(help="GFF3 or GenBank of each genome, for codon phase; a run names its own"),
    ] = None,
    associations_a: Annotated[
        Path | None, typer.Option(help="associations of FEATURES_A; a run has its own")
    ] = None,
    associations_b: Annotated[
        Path | None, typer.Option(help="associations of FEATURES_B; a run has its own")
    ] = None,
    twin_a: TwinA = None,
    twin_b: TwinB = None,
    ceiling: Ceiling = None,
    min_r: Annotated[
        float | None, option_of(f"{_CONFIG}.min_r", help="smallest correlation of a match")
    ] = None,
    min_bases: Annotated[
        int | None,
        option_of(f"{_CONFIG}.min_bases", help="fewest bases on which a feature that counts fires"),
    ] = None,
    n_rotations: Annotated[
        int | None, option_of(f"{_CONFIG}.n_rotations", help="rotations of each null")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML of MatchConfig")] = None,
    seed: Annotated[int | None, option_of(f"{_CONFIG}.seed", help="random seed")] = None,
) -> None:
    """Match features of two dictionaries on the same bases, next to nulls."""
    from genointerp.command.compare.match import match as match_features

    found = match_features(
        features_a,
        features_b,
        out,
        genome=genome or (),
        annotations=annotations or (),
        associations_a=associations_a,
        associations_b=associations_b,
        twin_a=twin_a or (),
        twin_b=twin_b or (),
        ceiling=ceiling or (),
        config=config,
        min_r=min_r,
        min_bases=min_bases,
        n_rotations=n_rotations,
        seed=seed,
    )
    rows = found.summary[(found.summary["side"] == "a") & (found.summary["decile"] == 0)]
    shares = ", ".join(
        f"{name} {share:.3f}" for name, share in zip(rows["comparison"], rows["share"], strict=True)
    )
    (of_ceiling,) = rows.loc[rows["comparison"] == "found", "of_ceiling"]
    share = f"; {of_ceiling:.2f} of what another seed repeats" if of_ceiling == of_ceiling else ""
    typer.echo(f"share matched: {shares}{share} -> {out}")
