from dataclasses import replace

import pandas as pd

from genointerp.core.provenance import Provenance
from genointerp.page.browser import Loci
from genointerp.page.hidden import backtest_tables
from genointerp.page.run import open_run
from genointerp.page.table import Links
from genointerp.store.table.schema.candidate import BACKTEST
from genointerp.store.table.table import write_table

DEFAULTS = {"string": "", "int64": 1, "float64": 0.5}
ROW = {c.name: DEFAULTS[c.kind] for c in BACKTEST.columns} | {"class": "tRNA", "verdict": "missed"}


def test_the_page_shows_the_hidden_classes_of_a_run_that_hid_them(run_dir, tmp_path):
    run = replace(open_run(run_dir), path=tmp_path)
    links = Links(Loci(run.specimens))
    assert backtest_tables(run, links) == []
    write_table(pd.DataFrame([ROW]), tmp_path / "backtest.tsv", BACKTEST, Provenance({}, {}))
    (table,) = backtest_tables(run, links)
    assert table.source == "backtest.tsv"
    cells = [cell.exact for cell in table.rows[0]]
    assert (cells[0], cells[BACKTEST.names.index("verdict")]) == ("tRNA", "missed")
