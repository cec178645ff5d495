from scripts.match_tables import TABLE


def test_page_holds_the_table_that_was_measured():
    page = TABLE.page.read_text(encoding="utf-8")
    assert TABLE.filled(page) == page
