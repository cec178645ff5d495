"""`genointerp across`: features that do the same in orthologous genes of two genomes."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.options import Seed, option_of

_CONFIG = "comparison.matching.config.MatchConfig"


def across(
    features_a: Annotated[
        Path, typer.Argument(help="features file or run directory", show_default=False)
    ],
    features_b: Annotated[
        Path, typer.Argument(help="the same of another genome", show_default=False)
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="matches to write, .tsv; shares go next to them")
    ],
    genome_a: Annotated[
        list[Path] | None, typer.Option(help="sequence of A; of a run, which of its genomes")
    ] = None,
    genome_b: Annotated[
        list[Path] | None, typer.Option(help="sequence of B; of a run, which of its genomes")
    ] = None,
    annotations_a: Annotated[
        list[Path] | None, typer.Option(help="GFF3 or GenBank of A; a run has its own")
    ] = None,
    annotations_b: Annotated[
        list[Path] | None, typer.Option(help="GFF3 or GenBank of B; a run has its own")
    ] = None,
    min_r: Annotated[
        float | None,
        option_of(f"{_CONFIG}.min_r", help="smallest correlation of a match"),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML of AcrossConfig")] = None,
    seed: Seed = None,
) -> None:
    """Match features of two genomes over the genes that both have.

    What a feature does in a gene is compared by rank over orthologues: coding sequences of one
    name, and RNAs of one kind; next to shuffled pairs, and to what bases and length leave.
    """
    from genointerp.command.compare.across import across as match_across

    found = match_across(
        features_a,
        features_b,
        out,
        genome_a=genome_a or (),
        genome_b=genome_b or (),
        annotations_a=annotations_a or (),
        annotations_b=annotations_b or (),
        min_r=min_r,
        config=config,
        seed=seed,
    )
    own = found.summary[found.summary["side"] == "a"].set_index("comparison")["share"]
    said = ", ".join(f"{name} {share:.3f}" for name, share in own.items())
    typer.echo(f"{said} -> {out}")
