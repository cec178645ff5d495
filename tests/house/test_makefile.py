"""The two commands of the README, and what surrounds them."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def make(*arguments, cwd=ROOT, env=None):
    return subprocess.run(
        ["make", *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("target", ["demo", "test", "check", "docs"])
def test_target_exists_and_its_recipe_expands(target, tmp_path):
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "pyproject.toml").touch()
    result = make("-n", target, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "-m venv .venv" in result.stdout
    assert result.stdout.index("torch==") < result.stdout.index("-e .")


def test_a_second_run_sets_nothing_up_again(tmp_path):
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / ".venv").mkdir()
    for stamp in (".created", ".installed", ".installed-dev"):
        (tmp_path / ".venv" / stamp).touch()
    assert "pip" not in make("-n", "test", cwd=tmp_path).stdout


def test_without_a_new_enough_python_make_says_what_it_wants(tmp_path):
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "pyproject.toml").touch()
    programs = tmp_path / "bin"
    programs.mkdir()
    old = programs / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    for name in ("python3.11", "python3.12", "python3.13", "python3.14", "python", "false"):
        (programs / name).symlink_to(old)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    result = make("demo", cwd=tmp_path, env={**os.environ, "PATH": path})
    assert result.returncode != 0
    assert "expected Python 3.11 or newer" in result.stderr
    assert not (tmp_path / ".venv").exists()


def test_continuous_integration_runs_the_command_of_the_readme():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in script.read_text()
    commands = re.findall(r"^make .*$", script.read_text(), re.MULTILINE)
    assert commands == ["make test", "make docs"]


def test_pre_commit_runs_the_tools_of_make_check():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = {hook["id"] for repo in config["repos"] for hook in repo["hooks"]}
    assert {"ruff", "ruff-format", "mypy", "lint-imports", "snakefmt", "large-files"} <= hooks
