"""The Python of the page on queries runs as it stands, with a gene of a small run."""

import re
from pathlib import Path

from tests.page.conftest import run_dir  # noqa: F401 (a fixture)

PAGE = Path(__file__).parents[1] / "docs" / "query.md"


def test_the_page_on_queries_runs_with_a_gene_of_this_run(run_dir, tmp_path, monkeypatch):  # noqa: F811
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "demo").symlink_to(run_dir)
    monkeypatch.chdir(tmp_path)
    found = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(compile(block.replace("dnaA", "abcA"), "page", "exec"), found)
    assert set(found["table"]["region"]) == {"abcA"}
    assert len(found["loci"]) == 10
    assert found["figure"].axes
