"""`genointerp similar`: how alike two models or sites are, without dictionaries."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.options import Ceiling, Genomes, ManyAnnotations, Seed, TwinA, TwinB, option_of

_CONFIG = "comparison.similarity.config.SimilarConfig"


def similar(
    activations_a: Annotated[
        Path, typer.Argument(help="activations of the first model or site", show_default=False)
    ],
    activations_b: Annotated[
        Path, typer.Argument(help="activations of the other, same genome", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="table to write, .tsv")],
    genome: Genomes = None,
    annotations: ManyAnnotations = None,
    twin_a: TwinA = None,
    twin_b: TwinB = None,
    ceiling: Ceiling = None,
    every: Annotated[
        int | None, option_of(f"{_CONFIG}.every", help="distance of the bases compared, in bp")
    ] = None,
    n_bases: Annotated[
        int | None, option_of(f"{_CONFIG}.n_bases", help="most bases that are compared")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML of SimilarConfig")] = None,
    seed: Seed = None,
) -> None:
    """Compare what two models or sites compute on the same bases of a genome.

    Aligned kernels, canonical correlations, common nearest neighbours and ridge regression both
    ways, each next to rotations, to what the last five bases do not explain, and to twins.
    """
    from genointerp.command.compare.similar import similar as compare

    table = compare(
        activations_a,
        activations_b,
        out,
        genome=genome or (),
        annotations=annotations or (),
        twin_a=twin_a or (),
        twin_b=twin_b or (),
        ceiling=ceiling or (),
        every=every,
        n_bases=n_bases,
        config=config,
        seed=seed,
    )
    found = table[table["comparison"] == "found"].set_index("measure")["value"]
    said = ", ".join(f"{name} {value:.3f}" for name, value in found.items())
    typer.echo(f"{said} -> {out}")
