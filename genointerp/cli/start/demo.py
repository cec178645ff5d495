"""`genointerp demo`: the whole chain on the shipped genomes and model."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.options import Cores, NoLock


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="run directory")] = Path("results/demo"),
    cores: Cores = 2,
    no_lock: NoLock = False,
) -> None:
    """Run the whole chain on regions of both shipped genomes, then print what it found."""
    from genointerp.command.start.demo import demo as run_demo
    from genointerp.command.start.start import next_commands
    from genointerp.workflow.headline import headline

    run_demo(out, cores=cores, is_locked=not no_lock)
    typer.echo(headline(out))
    typer.echo("\n".join(["", "next:", *(f"  {line}" for line in next_commands(out))]))
