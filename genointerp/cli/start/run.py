"""`genointerp run`: the whole workflow of one configuration."""

from pathlib import Path
from typing import Annotated

import typer

from genointerp.cli.options import Cores, DryRun, NoLock


def run(
    config: Annotated[Path, typer.Argument(help="YAML of the run")],
    snakemake: Annotated[
        list[str] | None, typer.Argument(help="after --: arguments for Snakemake, such as -n")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="run directory")] = Path("results"),
    cores: Cores = 2,
    dry_run: DryRun = False,
    no_lock: NoLock = False,
) -> None:
    """Run the workflow of CONFIG; steps that are done are kept, a killed run goes on."""
    from genointerp.command.start.run import plan_run
    from genointerp.command.start.run import run as run_workflow
    from genointerp.workflow.cost import as_lines

    if dry_run:
        steps = plan_run(config, out, extra=snakemake or (), is_locked=not no_lock)
        typer.echo("\n".join(as_lines(steps, cores)))
        return
    run_workflow(
        config,
        out,
        cores=cores,
        extra=snakemake or (),
        is_locked=not no_lock,
    )
    typer.echo(f"run directory: {out}")
