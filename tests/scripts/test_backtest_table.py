"""The page of the backtest says what the files say."""

from scripts.backtest_table import PAGE, RUNS, filled


def test_the_page_holds_the_figures_of_the_files():
    page = PAGE.read_text()
    assert filled(page) == page
    assert all(f"| {words} |" in page for words in RUNS)
