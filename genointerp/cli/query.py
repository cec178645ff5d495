"""The `query` command."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def query(
    features: Annotated[Path, typer.Argument(help="features file", show_default=False)],
    region: Annotated[
        str,
        typer.Argument(help="like NC_000913.2:3,424,000-3,426,000; 1-based", show_default=False),
    ],
    top: Annotated[int, typer.Option(min=1, help="rows at most")] = 20,
    feature: Annotated[str | None, typer.Option(help="only this feature: number or name")] = None,
    strand: Annotated[Literal["+", "-"] | None, typer.Option(help="only this strand")] = None,
    associations: Annotated[
        Path | None, typer.Option(help="associations table: adds the best concept of each feature")
    ] = None,
    format: Annotated[
        Literal["table", "tsv", "json"], typer.Option(help="form on the standard output")
    ] = "table",
    out: Annotated[
        Path | None, typer.Option(help="write .tsv, .json or .parquet there instead")
    ] = None,
) -> None:
    """List the features that fire in REGION, strongest first; start and end are 0-based."""
    from genointerp.feature.query import query as query_file
    from genointerp.store.tables import render_table

    table = query_file(
        features,
        region,
        top=top,
        feature=feature,
        strand=strand,
        associations=associations,
        out=out,
    )
    written = None if out is None else f"{len(table)} rows -> {out}\n"
    typer.echo(written or render_table(table, format), nl=False)
