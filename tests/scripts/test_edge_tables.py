from scripts.edge_tables import PAGE, filled


def test_the_page_has_the_tables_of_the_files():
    page = PAGE.read_text(encoding="utf-8")
    assert page.count("<!-- table ") == 5
    assert filled(page) == page
