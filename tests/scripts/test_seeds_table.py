"""The page of the backtest says what the files of the seeds say."""

import pandas as pd

from scripts.seeds_table import KEPT, NAMES, PAGE, filled


def test_the_page_holds_the_figures_of_the_files():
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page


def test_every_genome_and_seed_is_there():
    for name in ("concepts", "backtest"):
        table = pd.read_csv(KEPT / f"{name}.tsv", sep="\t")
        assert set(table["genome"]) == set(NAMES)
        assert table.groupby("genome")["seed"].nunique().eq(5).all()
