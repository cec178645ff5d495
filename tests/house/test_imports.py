"""The import contracts of pyproject.toml, on a small copy of the packages."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = {contract["id"]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]}
LAYERS = [name for line in CONTRACTS["layers"]["layers"] for name in line.split(" | ")]


@pytest.fixture
def tree(tmp_path):
    """Empty packages under the contracts of this project."""
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for name in ["genointerp", *LAYERS]:
        folder = tmp_path.joinpath(*name.split("."))
        folder.mkdir()
        (folder / "__init__.py").touch()
    for name in {*CONTRACTS["torch-free"]["source_modules"]} - {*LAYERS}:
        module = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        module.parent.mkdir(exist_ok=True)
        (module.parent / "__init__.py").touch()
        module.touch()
    return tmp_path


def lint(tree):
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--no-logo"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_tree_that_imports_downward_keeps_every_contract(tree):
    (tree / "genointerp/store/table.py").write_text("import genointerp.genome\nimport numpy\n")
    result = lint(tree)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(CONTRACTS)} kept, 0 broken" in result.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        pytest.param("core/oops.py", "import genointerp.genome", "layers", id="upward"),
        pytest.param("sae/oops.py", "import genointerp.store", "sae-knows-no-biology", id="sae"),
        pytest.param("store/oops.py", "import torch", "torch-free", id="torch"),
        pytest.param(
            "page/oops.py",
            "def write():\n    from genointerp.feature import encode",
            "torch-free",
            id="torch-at-second-hand-inside-a-function",
        ),
    ],
)
def test_a_deliberate_violation_fails(tree, file, line, contract):
    (tree / "genointerp/feature/encode.py").write_text("import torch\n")
    (tree / "genointerp" / file).write_text(f"{line}\n")
    result = lint(tree)
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"{CONTRACTS[contract]['name']} BROKEN" in result.stdout
    assert f"{len(CONTRACTS) - 1} kept, 1 broken" in result.stdout


def test_every_package_has_its_layer():
    packages = {path.parent.name for path in (ROOT / "genointerp").glob("*/__init__.py")}
    assert {f"genointerp.{name}" for name in packages} <= {*LAYERS}
