"""Run the shipped Snakemake workflow in a subprocess; steps already done are not repeated."""

from collections.abc import Callable
from pathlib import Path

from genointerp.command.run import run as run_workflow
from genointerp.workflow.folder import workflow_folder


def demo(out: Path, *, cores: int, show: Callable[[str], None] = lambda line: None) -> None:
    """Run the shipped demonstration: regions of both shipped genomes, the shipped model."""
    run_workflow(workflow_folder() / "config" / "demo.yaml", out, cores=cores, show=show)
