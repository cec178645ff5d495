"""Run the shipped Snakemake workflow in a subprocess; steps already done are not repeated."""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import yaml

from genointerp.core.errors import GenointerpError, InputError
from genointerp.core.files import atomic_path, check_writable
from genointerp.workflow.check import check_inputs
from genointerp.workflow.config import read_run_config
from genointerp.workflow.folder import workflow_folder
from genointerp.workflow.follow import LogFollower
from genointerp.workflow.process_group import process_group

INTERVAL = 0.3
"""Seconds between two looks at the logs."""


class WorkflowError(GenointerpError, RuntimeError):
    """A step of the workflow failed; its own message has been shown before."""


def run_workflow(
    config: Path,
    out: Path,
    *,
    cores: int,
    extra: Sequence[str] = (),
    show: Callable[[str], None] = lambda line: None,
) -> None:
    """Bring the run directory ``out`` up to date with a configuration.

    A run that was killed is taken up where it stopped: a lock that it left behind is removed,
    since the operating system tells that no other run is at work in the directory.

    Parameters
    ----------
    config
        YAML, as ``workflows/config/config.schema.json`` describes it.
    cores
        Threads that all steps together may use.
    extra
        Arguments for Snakemake, whose own messages are then shown too.
    show
        Called with each line of progress.

    Raises
    ------
    ConfigError
        If the configuration is wrong; nothing has been run or written then.
    InputError
        If a genome or an annotation that it names is damaged; likewise.
    WorkflowError
        If a step failed.
    """
    resolved = read_run_config(config)
    check_inputs(resolved, where=str(config))
    out = Path(out)
    with _only_run_in(out) as lock:
        _write_if_changed(yaml.safe_dump(resolved, sort_keys=False), out / "config.yaml")
        command = snakemake_command(out, cores=cores)
        if _is_locked(out):
            subprocess.run([*command, "--unlock"], check=True, capture_output=True, env=_path())
        log = out / "logs" / "snakemake" / "latest.txt"
        log.parent.mkdir(parents=True, exist_ok=True)
        follower = LogFollower(out / "logs", show)
        with log.open("wb") as sink:
            messages = None if extra else sink
            status = _wait([*command, *extra], messages, lock, follower)
    if status != 0:
        raise WorkflowError(_reason(log, out, status))


def run_demo(out: Path, *, cores: int, show: Callable[[str], None] = lambda line: None) -> None:
    """Run the shipped demonstration: regions of both shipped genomes, the shipped model."""
    run_workflow(workflow_folder() / "config" / "demo.yaml", out, cores=cores, show=show)


def snakemake_command(out: Path, *, cores: int) -> list[str]:
    """Return the Snakemake command line for a run directory that holds a ``config.yaml``."""
    folder = workflow_folder()
    arguments = {
        "--snakefile": folder / "Snakefile",
        "--workflow-profile": folder / "profiles" / "default",
        "--directory": out.resolve(),
        "--configfile": out.resolve() / "config.yaml",
        "--cores": cores,
    }
    pairs = [str(part) for pair in arguments.items() for part in pair]
    return [sys.executable, "-m", "snakemake", *pairs]


def _wait(
    command: Sequence[str], messages: IO[bytes] | None, lock: int, follower: LogFollower
) -> int:
    # the lock is handed down: it is held until the last of us has ended, even by SIGKILL
    with process_group(
        command, output=messages, environment=_path(), keep_open=(lock,)
    ) as snakemake:
        while snakemake.poll() is None:
            follower.look()
            time.sleep(INTERVAL)
    follower.finish()
    return int(snakemake.returncode)


@contextmanager
def _only_run_in(out: Path) -> Iterator[int]:
    check_writable(out / ".lock")
    with (out / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(str(out), "a directory of its own", "another run at work") from error
        yield handle.fileno()


def _is_locked(out: Path) -> bool:
    return any((out / ".snakemake" / "locks").glob("*"))


def _write_if_changed(text: str, path: Path) -> None:
    if path.exists() and path.read_text() == text:
        return
    with atomic_path(path) as temporary:
        temporary.write_text(text)


def _path() -> dict[str, str]:
    """Return the environment with this interpreter's programs first, activated or not."""
    programs = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": os.pathsep.join([programs, os.environ.get("PATH", "")])}


def _reason(log: Path, out: Path, status: int) -> str:
    text = log.read_text(errors="replace") if log.exists() else ""
    rules = [line.split()[-1].rstrip(":") for line in text.splitlines() if "Error in rule" in line]
    if rules:
        names = ", ".join(dict.fromkeys(rules))
        return f"{out}: expected every step to finish, found an error in {names} (see {out}/logs)"
    last = [line for line in text.splitlines() if line.strip()][-1:]
    said = f": {last[0].strip()}" if last else ""
    return f"{out}: expected Snakemake to finish, found exit status {status}{said} (see {log})"
