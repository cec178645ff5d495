"""Run the shipped Snakemake workflow in a subprocess; steps already done are not repeated."""

import fcntl
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

import yaml

from genointerp.core.arguments import StrPath
from genointerp.core.errors import GenointerpError, InputError, StorageError
from genointerp.core.files import atomic_path, check_writable, replacing
from genointerp.core.messages import WARNING
from genointerp.core.progress import StatusLine, status_line
from genointerp.core.version import __version__
from genointerp.genome.read import read_genome
from genointerp.sae.header import read_header
from genointerp.workflow.account import Account
from genointerp.workflow.check import check_inputs
from genointerp.workflow.config import read_run_config, relative_to
from genointerp.workflow.cost import Step, estimate, planned, speed
from genointerp.workflow.folder import workflow_folder
from genointerp.workflow.follow import GrowingLog, LogFollower
from genointerp.workflow.inputs import RECORD, InputRecord, weights_digest
from genointerp.workflow.own_inputs import take_inputs
from genointerp.workflow.process_group import process_group

INTERVAL = 0.3
"""Seconds between two looks at the logs."""


class WorkflowError(GenointerpError, RuntimeError):
    """A step of the workflow failed; its own message has been shown before."""


def run(
    config: StrPath,
    out: StrPath,
    *,
    cores: int = 2,
    extra: Sequence[str] = (),
    show: Callable[[str], None] | None = None,
    is_locked: bool = True,
) -> None:
    """Bring the run directory ``out`` up to date with a configuration.

    The directory gets copies of the inputs, so that it can be moved; weights of a model of one's
    own stay where they are.

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
        Called with a line for each step that is done, and at the end for each kind of warning, in
        place of showing them.
    is_locked
        Whether other runs are kept out of the directory, for which its file system must have
        locks. Where they are not, the caller has to see to it that there is no other run.

    Raises
    ------
    ConfigError
        If the configuration is wrong; nothing has been run or written then.
    InputError
        If a genome or an annotation that it names is damaged, or the directory cannot be locked.
        Nothing has been run then either.
    WorkflowError
        If model, windows and dictionary do not fit each other, before anything is run; or if a
        step failed.
    """
    with status_line(show) as line:
        run_resolved(
            read_run_config(Path(config)),
            Path(out),
            where=str(config),
            cores=cores,
            extra=extra,
            line=line,
            is_locked=is_locked,
        )


def run_resolved(
    config: Mapping[str, Any],
    out: Path,
    *,
    where: str,
    line: StatusLine,
    cores: int = 2,
    extra: Sequence[str] = (),
    is_locked: bool = True,
) -> None:
    """Bring a run directory up to date with a resolved configuration, as :func:`run` does.

    Parameters
    ----------
    where
        Beginning of error messages about the configuration.
    line
        What shows where the run is.
    """
    for told in check_inputs(config, where=where):
        line.show(told)
    # a scheduler runs the jobs elsewhere: what they find there cannot be known here
    is_here = not any(it in ("-e", "--executor") or it.startswith("--executor=") for it in extra)
    with _only_run_in(out) if is_locked else nullcontext() as lock:
        environment = _prepare(config, out, where=where, is_here=is_here)
        command = snakemake_command(out, cores=cores)
        log = out / "logs" / "snakemake" / "latest.txt"
        log.parent.mkdir(parents=True, exist_ok=True)
        account = Account(_bases(config), cores=cores, speed=speed(), show=line.show)
        with (
            log.open("wb") as sink,
            # the lock is handed down: it is held until the last of us has ended, even by SIGKILL
            process_group(
                [*command, *extra],
                output=None if extra else sink,
                environment=environment,
                keep_open=() if lock is None else (lock,),
            ) as snakemake,
        ):
            # Snakemake says itself where it is, if it has arguments
            status = None if extra else line.status
            _follow(snakemake, account, log=log, logs=out / "logs", status=status)
    for warning in account.warnings():
        line.show(f"{WARNING}{warning}")
    if snakemake.returncode != 0:
        raise WorkflowError(_reason(log, out, snakemake.returncode, extra))


def plan_run(
    config: StrPath, out: StrPath, *, extra: Sequence[str] = (), is_locked: bool = True
) -> list[Step]:
    """Return the steps that a run has before it, each with an estimate of its time.

    A run directory gets the configuration and its inputs; one that is not there is not made.
    Parameters and errors are those of :func:`run`.
    """
    return plan_resolved(
        read_run_config(Path(config)),
        Path(out),
        where=str(config),
        extra=extra,
        is_locked=is_locked,
    )


def plan_resolved(
    config: Mapping[str, Any],
    out: Path,
    *,
    where: str,
    is_made: bool = False,
    extra: Sequence[str] = (),
    is_locked: bool = True,
) -> list[Step]:
    """Return the steps of a resolved configuration, as :func:`plan_run` does.

    Parameters
    ----------
    is_made
        Whether a run directory that is not there is made, since the run follows.
    """
    check_inputs(config, where=where)
    if not (is_made or (out / "config.yaml").is_file()):
        with TemporaryDirectory() as folder:
            return _planned(config, Path(folder), where=where, extra=extra)
    with _only_run_in(out) if is_locked else nullcontext():
        return _planned(config, out, where=where, extra=extra)


def _planned(
    config: Mapping[str, Any], out: Path, *, where: str, extra: Sequence[str]
) -> list[Step]:
    environment = _prepare(config, out, where=where, is_here=True)
    command = [*snakemake_command(out, cores=1), *extra, "--dry-run"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise WorkflowError(f"{where}: expected steps to plan, found {' '.join(last)}")
    return estimate(planned(done.stdout + done.stderr), _bases(config), speed=speed())


def _bases(config: Mapping[str, Any]) -> dict[str, int]:
    """Return the number of bases that are read of each genome, on each strand."""
    bases = {}
    for name, entry in config["genomes"].items():
        genome = read_genome(entry["sequence"])
        parts = genome.regions(entry.get("regions", genome))
        bases[name] = sum(part.length for part in parts)
    return bases


def _follow(
    snakemake: "subprocess.Popen[bytes]",
    account: Account,
    *,
    log: Path,
    logs: Path,
    status: Callable[[str], None] | None,
) -> None:
    """Read the logs of a run until it has ended."""
    own, steps = GrowingLog(log), LogFollower(logs, account.of_step)
    is_over = False
    while not is_over:
        is_over = snakemake.poll() is not None
        # first, since a step has written its last line before Snakemake says that it has ended
        lines = own.lines(is_over=is_over)
        steps.look(is_over=is_over)
        for line in lines:
            account.of_snakemake(line)
        if status is not None:
            status(account.status())
        if not is_over:
            time.sleep(INTERVAL)


def _prepare(config: Mapping[str, Any], out: Path, *, where: str, is_here: bool) -> dict[str, str]:
    """Bring configuration and inputs of a run directory up to date; return the environment."""
    environment = _environment(out)
    record = InputRecord.read(out / RECORD)
    if is_here:
        _check_reading(config, record, environment, out=out, where=where)
    own = take_inputs(config, out)
    record.update(own, out)
    record.write(out / RECORD)
    _write_if_changed(yaml.safe_dump(own, sort_keys=False), out / "config.yaml")
    if _is_locked(out):
        command = [*snakemake_command(out, cores=1), "--unlock"]
        subprocess.run(command, check=True, capture_output=True, env=environment)
    return environment


def snakemake_command(out: Path, *, cores: int) -> list[str]:
    """Return the Snakemake command line for a run directory that holds a ``config.yaml``."""
    folder = workflow_folder()
    arguments = {
        "--snakefile": folder / "Snakefile",
        "--workflow-profile": folder / "profiles" / "default",
        "--directory": out.resolve(),
        "--configfile": out.resolve() / "config.yaml",
        # what computes on a GPU has it for itself
        "--resources": "gpu=1",
        # last, since it takes one value: a target that follows would be one more of the others
        "--cores": cores,
    }
    pairs = [str(part) for pair in arguments.items() for part in pair]
    return [sys.executable, "-m", "snakemake", *pairs]


def _check_reading(
    config: Mapping[str, Any],
    record: InputRecord,
    environment: Mapping[str, str],
    *,
    out: Path,
    where: str,
) -> None:
    """Load the model and plan a harvest, in a process that ends, since it needs torch."""
    genome = next(iter(config["genomes"].values()))
    asked: dict[str, Any] = {
        "model": relative_to(config, out)["model"],
        "windows": config["windows"],
        "weights": weights_digest(config, out),
        "version": __version__,
    }
    if "sae" in config:
        asked["sae"] = read_header(config["sae"]).sha256
    if record.checked == asked:
        return
    options = config["model"] | config["windows"]
    names = {"name": "model", "length": "window"}
    place = (out / "activations.h5").resolve()
    command = ["genointerp", "harvest", genome["sequence"], "--dry-run", f"--out={place}"]
    command += [f"--{names.get(key, key)}={value}" for key, value in options.items()]
    command += [f"--region={region}" for region in genome.get("regions", ())]
    if "sae" in config:
        command.append(f"--sae={config['sae']}")
    with TemporaryFile() as messages:
        with process_group(command, output=messages, environment=environment) as harvest:
            status = harvest.wait()
        messages.seek(0)
        said = messages.read().decode(errors="replace").strip().splitlines() or ["no message"]
    if status != 0:
        raise WorkflowError(f"{where}: {said[-1].removeprefix('genointerp: ')}")
    record.checked = asked


@contextmanager
def _only_run_in(out: Path) -> Iterator[int | None]:
    check_writable(out / ".lock")
    with (out / ".lock").open("w", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(str(out), "a directory of its own", "another run at work") from error
        except OSError as error:
            expected = (
                "a file system with file locks (name a directory on another by --out, or "
                "see to it that no other run is at work there and say --no-lock)"
            )
            raise InputError(str(out), expected, error.strerror or str(error)) from error
        yield handle.fileno()


def _is_locked(out: Path) -> bool:
    return any((out / ".snakemake" / "locks").glob("*"))


def _write_if_changed(text: str, path: Path) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    with replacing(), atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _environment(out: Path) -> dict[str, str]:
    """Return the environment with this interpreter's programs first, activated or not.

    Snakemake writes to the user's cache. Where that cannot be, as with a home that is read-only,
    it has a cache in the run directory; models are still read from where they were downloaded to.
    """
    programs = str(Path(sys.executable).parent)
    found = {
        **os.environ,
        "PATH": os.pathsep.join([programs, os.environ.get("PATH", "")]),
        # of paths and annotations, whatever the locale
        "PYTHONUTF8": "1",
    }
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    try:
        check_writable(cache / "snakemake" / "genointerp")
    except StorageError:
        found["XDG_CACHE_HOME"] = str((out / ".snakemake" / "cache").resolve())
        found.setdefault("HF_HOME", str(cache / "huggingface"))
    return found


def _reason(log: Path, out: Path, status: int, extra: Sequence[str]) -> str:
    if extra:
        told = "its own message is above"
        if not extra[0].startswith("-"):
            told += "; write a file of the run or a rule here, and the run directory by --out"
        asked = f"expected Snakemake to finish with {shlex.join(extra)!r}"
        return f"{out}: {asked}, found exit status {status} ({told})"
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    rules = [line.split()[-1].rstrip(":") for line in text.splitlines() if "Error in rule" in line]
    if rules:
        names = ", ".join(dict.fromkeys(rules))
        return f"{out}: expected every step to finish, found an error in {names} (see {out}/logs)"
    last = [line for line in text.splitlines() if line.strip()][-1:]
    said = f": {last[0].strip()}" if last else ""
    return f"{out}: expected Snakemake to finish, found exit status {status}{said} (see {log})"
