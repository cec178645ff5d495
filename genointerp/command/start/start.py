"""`start`: a run of somebody's own genome, with everything chosen by its size."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shlex import quote

from genointerp.association.summary import one_per_concept
from genointerp.command.ask.query import query
from genointerp.command.ask.top import top
from genointerp.command.start.run import plan_resolved, run_resolved
from genointerp.core.arguments import OneOrMorePaths, StrPath, as_path, as_paths
from genointerp.core.errors import InputError
from genointerp.core.progress import status_line
from genointerp.feature.regions import find_place
from genointerp.page.run import Run, open_run
from genointerp.workflow.cost import as_lines
from genointerp.workflow.start import bring, check_directory, run_lines, start_config

WHERE = "start"
"""Beginning of messages about what was chosen."""


def start(
    genome: OneOrMorePaths,
    out: StrPath | None = None,
    *,
    annotations: OneOrMorePaths = (),
    train: bool = False,
    cores: int = 2,
    show: Callable[[str], None] | None = None,
    is_locked: bool = True,
) -> Path:
    """Run the workflow on genomes of one's own; return the run directory.

    What is read and measured is chosen by size, as docs/start.md says, and said before it begins.

    Parameters
    ----------
    genome
        FASTA or GenBank, plain or gzip.
    out
        Run directory; ``results/NAME`` of the first genome where None.
    annotations
        One for each genome. Where there is none, that of a GenBank file is taken, or a GFF3 file
        with the same stem next to the sequence, or what the installed finders predict.
    train
        Whether a dictionary is trained on the genomes, in place of the shipped one.
    cores
        Threads that all steps together may use.
    show
        Called with what will be done, then as in `run`.
    is_locked
        As in `run`.

    Raises
    ------
    InputError
        If a genome is too small to measure anything, or the directory holds something else.
    WorkflowError
        If a step failed.

    Examples
    --------
    >>> import genointerp as gi
    >>> run_dir = gi.start("phage.fa")  # doctest: +SKIP
    """
    brought = bring(as_paths(genome), as_paths(annotations))
    folder = as_path(out) or Path("results") / brought[0].name
    check_directory(folder, brought)
    config = start_config(brought, train=train)
    steps = plan_resolved(config, folder, where=WHERE, is_made=True, is_locked=is_locked)
    with status_line(show) as line:
        for told in [*run_lines(brought, train=train), as_lines(steps, cores)[-1]]:
            line.show(told)
        run_resolved(config, folder, where=WHERE, line=line, cores=cores, is_locked=is_locked)
    return folder


def plan_start(
    genome: OneOrMorePaths,
    out: StrPath | None = None,
    *,
    annotations: OneOrMorePaths = (),
    train: bool = False,
    cores: int = 2,
    is_locked: bool = True,
) -> list[str]:
    """Return what `start` would do, in lines: what is read, then each step with an estimate.

    Parameters and errors are those of :func:`start`.
    """
    brought = bring(as_paths(genome), as_paths(annotations))
    folder = as_path(out) or Path("results") / brought[0].name
    check_directory(folder, brought)
    config = start_config(brought, train=train)
    steps = plan_resolved(config, folder, where=WHERE, is_locked=is_locked)
    return [*run_lines(brought, train=train), *as_lines(steps, cores)]


def next_commands(run_dir: StrPath) -> list[str]:
    """Return three commands for a finished run: of one of its genes and its best feature."""
    run = open_run(run_dir)
    feature = _best_feature(run)
    gene = _gene(run, feature)
    path, figure = (quote(str(it)) for it in (run.path, run.path / f"feature_{feature}.png"))
    return [
        f"genointerp query {path} {gene}",
        f"genointerp top {path} {feature}",
        f"genointerp plot region {path} {gene} --feature {feature} --out {figure}",
    ]


def _best_feature(run: Run) -> int:
    best = one_per_concept(run.best) if len(run.best) else run.best
    if len(best):
        return int(best["feature"].iloc[0])
    strongest = query(run.path, _first_bases(run), top=1)
    return int(strongest["feature"].iloc[0]) if len(strongest) else 0


def _gene(run: Run, feature: int) -> str:
    """Return an element where the feature fires, by a name that means one place; else bases."""
    for element in top(run.path, feature, top=20).get("element", ()):
        with suppress(InputError):
            find_place(str(element), run.specimens)
            return quote(str(element))
    return quote(_first_bases(run))


def _first_bases(run: Run) -> str:
    store = run.specimens[0].features
    first = store.coverage("+")[0]
    return f"{first.seqid}:{first.start + 1:,}-{min(first.end, first.start + 2000):,}"
