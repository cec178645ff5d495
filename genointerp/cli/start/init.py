"""`genointerp init`: a commented configuration of a run."""

from pathlib import Path
from typing import Annotated

import typer


def init(
    genome: Annotated[
        list[Path] | None, typer.Argument(help="FASTA or GenBank, .gz too", show_default=False)
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="YAML to write")] = Path("run.yaml"),
) -> None:
    """Write a configuration of `run` for GENOME, with every key, its default and its meaning."""
    from genointerp.command.start.init import init as write_config

    write_config(genome or (), out)
    typer.echo(f"{out} (next: genointerp run {out})")
