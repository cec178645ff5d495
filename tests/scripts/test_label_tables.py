from scripts.label_tables import PAGE, filled


def test_page_holds_the_tables_that_were_measured():
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page
