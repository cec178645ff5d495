"""The tutorial runs as it stands, on a small run directory, and does what its headings say."""

import re
from pathlib import Path

import pytest

from genointerp.store.table.schema.association import ASSOCIATIONS
from genointerp.store.table.schema.candidate import CANDIDATES
from tests.page.conftest import run_dir  # noqa: F401 (a fixture)

DOCS = Path(__file__).parents[1] / "docs"


def blocks_of(page):
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


BLOCKS = blocks_of("tutorial.md")


def test_it_has_fewer_than_30_lines_of_code():
    lines = [line for block in BLOCKS for line in block.splitlines() if line.strip()]
    assert 15 < len(lines) < 30


@pytest.fixture
def execute(run_dir, tmp_path, monkeypatch):  # noqa: F811
    """Execute blocks where a run lies in results/demo, and return the names that they define."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "demo").symlink_to(run_dir)
    monkeypatch.chdir(tmp_path)

    def run(blocks):
        found = {}
        for block in blocks:
            exec(compile(block, "page", "exec"), found)
        return found

    return run


@pytest.fixture
def names(execute):
    return execute(BLOCKS)


def test_it_runs_from_loading_to_ranking(names):
    assert list(names["associations"].columns) == ASSOCIATIONS.names
    assert set(names["associations"]["concept"]) == {"tRNA", "CDS"}
    assert list(names["ranked"].table.columns) == CANDIDATES.names
    assert len(names["ranked"].table) == 11
    genes, _, track = names["figure"].axes
    assert len(genes.patches) > 0
    assert track.get_xlabel() == f"{names['interval'].seqid} (bp)"


def test_the_page_on_queries_runs_with_a_gene_of_this_run(execute):
    found = execute(block.replace("dnaA", "abcA") for block in blocks_of("query.md"))
    assert set(found["table"]["region"]) == {"abcA"}
    assert len(found["loci"]) == 10
    assert found["figure"].axes
