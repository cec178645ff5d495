"""`genointerp start`: the whole chain on a genome of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.options import Cores, DryRun, NoLock


def start(
    genome: Annotated[
        list[Path], typer.Argument(help="FASTA or GenBank, .gz too", show_default=False)
    ],
    annotations: Annotated[
        list[Path] | None,
        typer.Option(help="GFF3 or GenBank of each genome; by default found or predicted"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="run directory; by default results/NAME")
    ] = None,
    train: Annotated[
        bool, typer.Option("--train", help="train a dictionary, in place of the shipped one")
    ] = False,
    cores: Cores = 2,
    dry_run: DryRun = False,
    no_lock: NoLock = False,
) -> None:
    """Run the whole chain on GENOME, then print what it found and what to do next."""
    from genointerp.command.start.start import next_commands, plan_start
    from genointerp.command.start.start import start as start_run
    from genointerp.workflow.headline import headline

    if dry_run:
        lines = plan_start(
            genome,
            out,
            annotations=annotations or (),
            train=train,
            cores=cores,
            is_locked=not no_lock,
        )
        typer.echo("\n".join(lines))
        return
    run_dir = start_run(
        genome,
        out,
        annotations=annotations or (),
        train=train,
        cores=cores,
        is_locked=not no_lock,
    )
    typer.echo(headline(run_dir))
    typer.echo("\n".join(["", "next:", *(f"  {line}" for line in next_commands(run_dir))]))
