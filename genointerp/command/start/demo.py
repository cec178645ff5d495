"""Run the shipped Snakemake workflow in a subprocess; steps already done are not repeated."""

from collections.abc import Callable

from genointerp.command.start.run import run as run_workflow
from genointerp.core.arguments import StrPath
from genointerp.workflow.folder import workflow_folder


def demo(
    out: StrPath,
    *,
    cores: int = 2,
    show: Callable[[str], None] | None = None,
    is_locked: bool = True,
) -> None:
    """Run the shipped demonstration: regions of both shipped genomes, the shipped model.

    Parameters and errors are those of `genointerp.run`.
    """
    config = workflow_folder() / "config" / "demo.yaml"
    run_workflow(config, out, cores=cores, show=show, is_locked=is_locked)
