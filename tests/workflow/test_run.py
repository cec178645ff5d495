"""Running Snakemake: resuming, locks, failures; on a workflow of two trivial steps."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from genointerp.core.errors import InputError
from genointerp.workflow import run as module
from genointerp.workflow.run import WorkflowError, run_workflow

pytestmark = pytest.mark.slow

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
    (tmp_path / "run.yaml").write_text("a: 1\n")
    monkeypatch.setattr(module, "workflow_folder", lambda: folder)
    monkeypatch.setattr(module, "read_run_config", lambda path: {"a": 1})
    monkeypatch.setattr(module, "check_inputs", lambda config, where: None)

    def step(command):
        (folder / "Snakefile").write_text(SNAKEFILE.replace("STEP", command))

    step("true")
    return tmp_path, step


def n_times(tmp_path):
    return len((tmp_path / "times.txt").read_text().split())


def test_a_second_run_repeats_no_step_and_progress_is_shown(place):
    tmp_path, _ = place
    lines = []
    run_workflow(tmp_path / "run.yaml", tmp_path / "out", cores=1, show=lines.append)
    assert (tmp_path / "out" / "last.txt").read_text() == "done\n"
    assert "first: begun" in lines
    lines.clear()
    run_workflow(tmp_path / "run.yaml", tmp_path / "out", cores=1, show=lines.append)
    assert lines == []
    assert n_times(tmp_path) == 1


def test_a_step_that_fails_is_named_and_the_next_run_takes_it_up(place):
    tmp_path, step = place
    step("test -e ../mended")
    with pytest.raises(WorkflowError, match=r"found an error in first \(see .*logs\)") as caught:
        run_workflow(tmp_path / "run.yaml", tmp_path / "out", cores=1)
    assert "\n" not in str(caught.value)
    (tmp_path / "mended").touch()
    run_workflow(tmp_path / "run.yaml", tmp_path / "out", cores=1)
    assert (tmp_path / "out" / "last.txt").exists()


def test_a_workflow_that_snakemake_cannot_read_is_told_in_one_line(place):
    tmp_path, _ = place
    (tmp_path / "workflows" / "Snakefile").write_text('rule a:\n    input: "absent.txt"\n')
    with pytest.raises(WorkflowError, match="expected Snakemake to finish") as caught:
        run_workflow(tmp_path / "run.yaml", tmp_path / "out", cores=1)
    assert "\n" not in str(caught.value)


def test_a_killed_run_is_taken_up_and_its_lock_removed(place):
    tmp_path, step = place
    step("test -e ../mended || sleep 600")
    out = tmp_path / "out"
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from genointerp.workflow import run as module\n"
        f"module.workflow_folder = lambda: Path({str(tmp_path / 'workflows')!r})\n"
        "module.read_run_config = lambda path: {'a': 1}\n"
        "module.check_inputs = lambda config, **_: None\n"
        f"module.run_workflow(Path('run.yaml'), Path({str(out)!r}), cores=1)\n"
    )
    killed = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    for _ in range(600):
        if (tmp_path / "times.txt").exists():
            break
        time.sleep(0.1)
    with pytest.raises(InputError, match="found another run at work"):
        run_workflow(tmp_path / "run.yaml", out, cores=1)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert locks(out)

    (tmp_path / "mended").touch()
    wait_until_free(out)
    run_workflow(tmp_path / "run.yaml", out, cores=1)
    assert (out / "last.txt").read_text() == "done\n"
    assert not locks(out)


def locks(out: Path):
    return list((out / ".snakemake" / "locks").glob("*"))


def wait_until_free(out: Path):
    """The operating system takes a moment to bury the processes of the killed group."""
    for _ in range(100):
        try:
            with module._only_run_in(out):
                return
        except InputError:
            time.sleep(0.1)


def test_arguments_after_the_configuration_go_to_snakemake(place):
    tmp_path, _ = place
    run_workflow(tmp_path / "run.yaml", tmp_path / "out", cores=1, extra=["--dry-run"])
    assert not (tmp_path / "out" / "first.txt").exists()
