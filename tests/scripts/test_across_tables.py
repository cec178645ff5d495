from scripts.across_tables import PAGE, filled


def test_page_holds_the_table_that_was_measured():
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page
