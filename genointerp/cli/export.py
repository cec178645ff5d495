"""The `export` command."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def export(
    features: Annotated[Path, typer.Argument(help="features file", show_default=False)],
    feature: Annotated[str, typer.Option(help="its number or name", show_default=False)],
    out: Annotated[Path, typer.Option(help=".bw, .bedgraph or .gff3 to write", show_default=False)],
    strand: Annotated[
        Literal["+", "-"] | None,
        typer.Option(help="only this reading strand; both otherwise (tracks: the larger value)"),
    ] = None,
    merge_gap: Annotated[
        int, typer.Option(min=0, help="for GFF3: silent bases that a locus may span")
    ] = 0,
) -> None:
    """Write one feature as a track or as loci for genome browsers, as the suffix of --out says."""
    from genointerp.feature.export import export_feature
    from genointerp.store.features import FeatureStore

    number = export_feature(
        FeatureStore(features), feature, out, strand=strand, merge_gap=merge_gap
    )
    typer.echo(f"{number} intervals -> {out}")
