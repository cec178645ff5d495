"""The pages say what the files of the seeds say."""

import pandas as pd

from scripts.seeds_table import KEPT, NAMES, PAGE, README, filled


def test_the_pages_hold_the_figures_of_the_files():
    for path, tables in ((PAGE, ("backtests", "seeds")), (README, ("headline",))):
        page = path.read_text(encoding="utf-8")
        assert all(f"<!-- table {name} -->" in page for name in tables)
        assert filled(page) == page


def test_every_genome_and_seed_is_there():
    for name in ("concepts", "backtest"):
        table = pd.read_csv(KEPT / f"{name}.tsv", sep="\t")
        assert set(table["genome"]) == set(NAMES)
        assert table.groupby("genome")["seed"].nunique().eq(5).all()
