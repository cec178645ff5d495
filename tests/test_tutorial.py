"""The tutorial runs as it stands, on a small run directory, and does what its headings say."""

import re
from pathlib import Path

import matplotlib as mpl
import pytest

from genointerp.store.table.schema.association import ASSOCIATIONS
from genointerp.store.table.schema.candidate import CANDIDATES
from tests.page.conftest import run_dir  # noqa: F401 (a fixture)

PAGE = (Path(__file__).parents[1] / "docs" / "tutorial.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_it_has_fewer_than_40_lines_of_code():
    lines = [line for block in BLOCKS for line in block.splitlines() if line.strip()]
    assert 20 < len(lines) < 40


@pytest.fixture
def names(run_dir, tmp_path, monkeypatch):  # noqa: F811
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "demo").symlink_to(run_dir)
    monkeypatch.chdir(tmp_path)
    mpl.use("agg")
    found = {}
    for block in BLOCKS:
        exec(compile(block, "tutorial.md", "exec"), found)
    yield found
    found["plt"].close("all")


def test_it_runs_from_loading_to_ranking(names):
    assert list(names["associations"].columns) == ASSOCIATIONS.names
    assert set(names["associations"]["concept"]) == {"tRNA", "CDS"}
    assert list(names["ranked"].table.columns) == CANDIDATES.names
    assert len(names["ranked"].table) == 11
    genes, track = names["axes"]
    assert len(genes.patches) > 0
    assert track.get_xlabel() == f"{names['interval'].seqid} (bp)"
    assert names["values"].plus.max() == 5.0
