"""README, documentation and notebooks import of this package nothing but its public face."""

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
NOTEBOOKS = sorted((ROOT / "docs").rglob("*.ipynb"))
OTHERS = {"pandas", "matplotlib", "pathlib"}


def blocks(path):
    """The Python code of a page, or of the cells of a notebook without its magic lines."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    cells = (cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code")
    return [re.sub(r"^[%!].*$", "", "".join(cell["source"]), flags=re.MULTILINE) for cell in cells]


def imports(code):
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, alias.asname) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module, None


@pytest.mark.parametrize("path", [*PAGES, *NOTEBOOKS], ids=lambda path: path.name)
def test_code_for_readers_needs_one_import(path):
    for code in blocks(path):
        for module, name in imports(code):
            is_face = (module, name) == ("genointerp", "gi")
            assert is_face or module.split(".")[0] in OTHERS, f"{path}: import {module}"


def test_there_is_code_to_check():
    assert sum(len(blocks(path)) for path in [*PAGES, *NOTEBOOKS]) >= 20
