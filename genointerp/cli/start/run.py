"""`genointerp run`: the whole workflow of one configuration."""

from pathlib import Path
from typing import Annotated

import typer


def run(
    config: Annotated[Path, typer.Argument(help="YAML of the run")],
    snakemake: Annotated[
        list[str] | None, typer.Argument(help="after --: arguments for Snakemake, such as -n")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="run directory")] = Path("results"),
    cores: Annotated[int, typer.Option(min=1, help="threads for all steps together")] = 2,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="list the steps and their cost, compute nothing")
    ] = False,
    no_lock: Annotated[
        bool,
        typer.Option(
            "--no-lock",
            help="for a file system without locks: make sure yourself that no other run is active",
        ),
    ] = False,
) -> None:
    """Run the workflow of CONFIG; steps that are done are kept, a killed run goes on."""
    from genointerp.command.start.run import plan_run
    from genointerp.command.start.run import run as run_workflow
    from genointerp.workflow.cost import as_lines

    if dry_run:
        typer.echo("\n".join(as_lines(plan_run(config, out), cores)))
        return
    run_workflow(
        config,
        out,
        cores=cores,
        extra=snakemake or (),
        show=lambda line: typer.echo(line, err=True),
        is_locked=not no_lock,
    )
    typer.echo(f"run directory: {out}")
