"""Running Snakemake: resuming, locks, failures; on a workflow of two trivial steps."""

import errno
import io
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from types import SimpleNamespace

import pytest

from genointerp.cli.main import main
from genointerp.command.start import run as module
from genointerp.command.start.run import WorkflowError
from genointerp.command.start.run import run as run_workflow
from genointerp.core.errors import InputError
from genointerp.core.progress import StatusLine
from genointerp.workflow.config import read_run_config

pytestmark = pytest.mark.slow

CONFIG = """
genomes: {g: {sequence: g.fa, annotation: g.gff3}}
model: {name: nano}
fit: [g]
fidelity: {genome: g, regions: ["c:1-50"]}
"""

SNAKEFILE = """
rule last:
    input: "first.txt"
    output: "last.txt"
    log: "logs/last.log"
    shell: "echo copying >&2 2> {log}; cp {input} {output} 2>> {log}"

rule first:
    output: "first.txt"
    log: "logs/first.log"
    shell: "(echo begun >&2; echo x >> ../times.txt; STEP; echo done > {output}) 2> {log}"
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A run directory, its configuration, and a function that sets what the first step does."""
    folder = tmp_path / "workflows"
    (folder / "profiles" / "default").mkdir(parents=True)
    (folder / "profiles" / "default" / "config.yaml").write_text("rerun-incomplete: true\n")
    (tmp_path / "g.fa").write_text(f">c\n{'ACGT' * 50}\n")
    (tmp_path / "g.gff3").write_text("##gff-version 3\n")
    (tmp_path / "run.yaml").write_text(CONFIG)
    monkeypatch.setattr(module, "workflow_folder", lambda: folder)
    check = module._check_reading
    monkeypatch.setattr(module, "_check_reading", lambda *_, **__: None)

    def step(command):
        (folder / "Snakefile").write_text(SNAKEFILE.replace("STEP", command))

    step("true")
    return tmp_path, step, check


def n_times(tmp_path):
    return len((tmp_path / "times.txt").read_text().split())


def test_a_second_run_repeats_no_step_and_progress_is_shown(place):
    tmp_path, step, _ = place
    lines, seen = [], []
    step("sleep 1")
    out = tmp_path / "out"
    config = read_run_config(tmp_path / "run.yaml")
    module.run_resolved(config, out, where="a", line=StatusLine(lines.append, seen.append), cores=1)
    assert (tmp_path / "out" / "last.txt").read_text() == "done\n"
    assert lines[0].startswith("fit and test are alternate blocks of 48 bases")
    assert lines[1].startswith("1 of 2 steps done: first: begun (about ")
    assert lines[2:] == ["2 of 2 steps done: last"]
    assert seen[0] == "planning the steps"
    assert any(line.startswith("0 of 2 steps done; first at work; ") for line in seen)
    lines.clear()
    run_workflow(tmp_path / "run.yaml", tmp_path / "out", cores=1, show=lines.append)
    assert len(lines) == 1
    assert n_times(tmp_path) == 1


def test_warnings_are_told_once_at_the_end_and_an_error_at_once(place):
    tmp_path, step, _ = place
    step("echo 'warning: g.fa: odd' >&2; echo 'warning: g.fa: odd' >&2; test -e ../mended || "
         "(echo 'genointerp: g.fa: expected x, found y' >&2; false)")  # fmt: skip
    lines = []
    with pytest.raises(WorkflowError):
        run_workflow(tmp_path / "run.yaml", tmp_path / "out", cores=1, show=lines.append)
    assert lines[1:] == ["first: g.fa: expected x, found y", "warning: g.fa: odd (first)"]
    (tmp_path / "mended").touch()
    lines.clear()
    run_workflow(tmp_path / "run.yaml", tmp_path / "out", cores=1, show=lines.append)
    assert [line for line in lines if "odd" in line] == [lines[-1]]


def test_the_steps_that_a_run_has_before_it_are_listed_and_nothing_is_made(place):
    tmp_path, *_ = place
    out = tmp_path / "out"
    steps = module.plan_run(tmp_path / "run.yaml", out)
    assert {step.rule for step in steps} == {"first", "last"}
    assert not out.exists()
    run_workflow(tmp_path / "run.yaml", out, cores=1)
    (out / "last.txt").unlink()
    assert [step.rule for step in module.plan_run(tmp_path / "run.yaml", out)] == ["last"]
    again = ["--forcerun", "first"]
    for is_locked in (True, False):
        steps = module.plan_run(tmp_path / "run.yaml", out, extra=again, is_locked=is_locked)
        assert {step.rule for step in steps} == {"first", "last"}
    assert not (out / "last.txt").exists()


def test_a_step_that_fails_is_named_and_the_next_run_takes_it_up(place):
    tmp_path, step, _ = place
    step("test -e ../mended")
    with pytest.raises(WorkflowError, match=r"found an error in first \(see .*logs\)") as caught:
        run_workflow(tmp_path / "run.yaml", tmp_path / "out", cores=1)
    assert "\n" not in str(caught.value)
    (tmp_path / "mended").touch()
    run_workflow(tmp_path / "run.yaml", tmp_path / "out", cores=1)
    assert (tmp_path / "out" / "last.txt").exists()


def test_a_workflow_that_snakemake_cannot_read_is_told_in_one_line(place):
    tmp_path, *_ = place
    (tmp_path / "workflows" / "Snakefile").write_text('rule a:\n    input: "absent.txt"\n')
    with pytest.raises(WorkflowError, match="expected Snakemake to finish") as caught:
        run_workflow(tmp_path / "run.yaml", tmp_path / "out", cores=1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_no_process_and_is_taken_up(place, number):
    tmp_path, step, _ = place
    step("test -e ../mended || (echo $BASHPID > ../pid; trap '' TERM INT; sleep 600; sleep 600)")
    out = tmp_path / "out"
    begun = begin(tmp_path, out)
    wait_until((tmp_path / "pid").exists)
    with pytest.raises(InputError, match="found another run at work"):
        run_workflow(tmp_path / "run.yaml", out, cores=1)
    begun.send_signal(number)
    status = begun.wait(timeout=10)
    assert status in (-number, 128 + number)
    job = int((tmp_path / "pid").read_text())
    wait_until(lambda: not is_running(job), seconds=10)

    (tmp_path / "mended").touch()
    wait_until(lambda: is_free(out))
    run_workflow(tmp_path / "run.yaml", out, cores=1)
    assert (out / "last.txt").read_text() == "done\n"
    assert not locks(out)


def test_a_lock_that_snakemake_left_behind_is_removed(place):
    tmp_path, *_ = place
    out = tmp_path / "out"
    run_workflow(tmp_path / "run.yaml", out, cores=1, extra=["--dry-run"])
    left = out / ".snakemake" / "locks" / "0.output.lock"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_text(f"{out / 'first.txt'}\n")
    run_workflow(tmp_path / "run.yaml", out, cores=1)
    assert not locks(out)


def begin(tmp_path, out):
    """Begin a run in a process of its own, as from a terminal."""
    code = (
        "import signal\nfrom pathlib import Path\n"
        # ignored where the suite itself was begun by nohup
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
        "from genointerp.command.start import run as module\n"
        f"module.workflow_folder = lambda: Path({str(tmp_path / 'workflows')!r})\n"
        "module._check_reading = lambda *_, **__: None\n"
        f"module.run(Path({str(tmp_path / 'run.yaml')!r}), Path({str(out)!r}), cores=1)\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.DEVNULL, start_new_session=True
    )


def locks(out: Path):
    return list((out / ".snakemake" / "locks").glob("*"))


def is_free(out: Path):
    try:
        with module._only_run_in(out):
            return True
    except InputError:
        return False


def is_running(pid: int):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    # one that nobody has collected yet is dead all the same
    return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def wait_until(condition, *, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_arguments_after_the_configuration_go_to_snakemake(place):
    tmp_path, *_ = place
    out = tmp_path / "out"
    run_workflow(tmp_path / "run.yaml", out, cores=1, extra=["first.txt"])
    assert (out / "first.txt").exists()
    assert not (out / "last.txt").exists()


def test_what_no_step_makes_is_told_in_one_line_with_what_to_write(place, capfd):
    tmp_path, *_ = place
    config, out = tmp_path / "run.yaml", tmp_path / "out"
    with pytest.raises(WorkflowError, match=r"with 'elsewhere'.*run directory by --out") as caught:
        run_workflow(config, out, cores=1, extra=["elsewhere"])
    assert "\n" not in str(caught.value)
    said = capfd.readouterr().err
    assert "No rule to produce elsewhere" in said
    assert "Traceback" not in said


def test_a_file_system_without_locks_is_told_at_once_with_the_way_out(place, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    tmp_path, *_ = place
    monkeypatch.setattr(module.fcntl, "flock", refuse)
    with pytest.raises(InputError, match=r"file locks .*--out.*--no-lock.*No locks") as caught:
        run_workflow(tmp_path / "run.yaml", tmp_path / "out", cores=1)
    assert "\n" not in str(caught.value)
    run_workflow(tmp_path / "run.yaml", tmp_path / "out", cores=1, is_locked=False)
    assert (tmp_path / "out" / "last.txt").exists()


def test_a_home_that_cannot_be_written_to_does_not_stop_a_run(place, monkeypatch):
    tmp_path, *_ = place
    # what no privilege can write into
    monkeypatch.setenv("HOME", "/proc/1")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    run_workflow(tmp_path / "run.yaml", tmp_path / "out", cores=1)
    assert (tmp_path / "out" / "last.txt").exists()


def test_a_run_directory_may_have_braces_and_other_letters_in_its_name(place):
    tmp_path, *_ = place
    out = tmp_path / "-o {x} $HOME'\"*\u00e9{}"
    run_workflow(tmp_path / "run.yaml", out, cores=1)
    assert (out / "last.txt").exists()


@contextmanager
def in_this_process(command, *, output, **_):
    """Run a command where torch is loaded already, in place of `process_group`."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stderr(said):
        patch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as ended:
            main()
    output.write(said.getvalue().encode())
    yield SimpleNamespace(wait=lambda: ended.value.code)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            "nano",
            "nanoo",
            "model: expected a name that .*, found 'nanoo' .did you mean 'nano'",
            id="model",
        ),
        pytest.param(
            "name: nano", "name: nano, site: blocks.99", "site: expected .*'blocks.99'$", id="site"
        ),
        pytest.param(
            "fit:",
            "windows: {length: 100, warmup: 200}\nfit:",
            "0 <= warmup < length=100",
            id="warm",
        ),
        pytest.param(
            "model: {name: nano}\nfit: [g]",
            "model: {name: nano, site: blocks.4}\nsae: shipped:nano",
            r"expected site blocks.5 as in .*nano, found site blocks.4",
            id="site-of-the-dictionary",
        ),
        pytest.param(
            "model: {name: nano}\nfit: [g]",
            "model: {name: small}\nsae: shipped:nano",
            r"small: expected model nano.*, found model small",
            id="model-of-the-dictionary",
        ),
    ],
)
def test_what_a_model_cannot_do_is_told_before_the_first_step(
    place, monkeypatch, old, new, message
):
    tmp_path, _, check = place
    monkeypatch.setattr(module, "_check_reading", check)
    if "nanoo" not in new:
        monkeypatch.setattr(module, "process_group", in_this_process)
    (tmp_path / "run.yaml").write_text(CONFIG.replace(old, new))
    with pytest.raises(WorkflowError, match=message) as caught:
        run_workflow(tmp_path / "run.yaml", tmp_path / "out", cores=1)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "times.txt").exists()
    assert not (tmp_path / "out" / "config.yaml").exists()
