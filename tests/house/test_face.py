"""The public face: one import, names that load when they are used, and one name for one thing."""

import ast
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer

import genointerp as gi
from genointerp.cli.main import app

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "genointerp"
COMMANDS = typer.main.get_command(app).commands
FUNCTIONS = sorted(set(COMMANDS) - {"plot"})
FIGURES = sorted(COMMANDS["plot"].commands)

LIGHT = (
    "import sys\n"
    "import genointerp as gi\n"
    "assert set(gi.__all__) <= set(dir(gi))\n"
    "found = {'torch', 'numpy', 'pandas', 'matplotlib', 'h5py'} & set(sys.modules)\n"
    "assert not found, found\n"
)


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_the_import_loads_nothing_heavy():
    result = run_python(LIGHT)
    assert result.returncode == 0, result.stderr


def test_results_are_read_and_drawn_without_torch():
    names = ["read_genome", "read_annotation", "open_run", "query", "top", "motif", "associate"]
    names += ["rank", "dossier", "backtest", "report", "serve", "plot", "FeatureStore"]
    names += ["AnnotationSet"]
    code = "import sys, genointerp as gi\n"
    code += "".join(f"gi.{name}\n" for name in names)
    result = run_python(code + "assert 'torch' not in sys.modules\n")
    assert result.returncode == 0, result.stderr


def test_editors_and_type_checkers_see_the_names_that_there_are():
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text())
    imported = {
        alias.asname: f"{node.module}.{alias.name}"
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    homes = {name: f"{home}.{name}" for name, home in gi._HOMES.items()}
    own = {"plot": "genointerp.plot", "__version__": "genointerp.core.version.__version__"}
    assert imported == {**homes, **own}
    (listed,) = (
        ast.literal_eval(node.value)
        for node in stub.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    assert listed == gi.__all__ == sorted(gi.__all__)


@pytest.mark.parametrize("name", gi.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name):
    found = getattr(gi, name)
    assert inspect.getdoc(found)
    if name != "plot":
        assert found.__name__ == name


def test_a_name_that_is_not_there_is_no_attribute():
    with pytest.raises(AttributeError, match="module 'genointerp' has no attribute 'hravest'"):
        gi.hravest  # noqa: B018 - the look-up itself


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_command_its_function_and_its_files_have_one_name(name):
    (path,) = (PACKAGE / "command").rglob(f"{name}.py")
    group = path.parent.name
    home = f"genointerp.command.{group}.{name}"
    assert getattr(gi, name) is getattr(import_module(home), name)
    source = (PACKAGE / "cli" / group / path.name).read_text()
    assert re.search(rf"from {re.escape(home)} import {name}(_text)?\b", source)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_its_function_and_its_file_have_one_name(name):
    (path,) = (PACKAGE / "figure").rglob(f"{name}.py")
    home = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    function = getattr(import_module(home), name)
    assert getattr(gi.plot, name) is function


def test_no_folder_is_flat():
    for folder in {path.parent for path in PACKAGE.rglob("*.py")}:
        modules = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(modules) <= 20, f"{folder} holds {len(modules)} modules"
