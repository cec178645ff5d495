"""The table of organisms in the documentation is that of the kept file."""

import pandas as pd

from scripts.organisms import ORGANISMS, PAGE, TABLE, filled


def test_the_page_has_the_table_of_the_file():
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page
    assert page.count("| `planted") == 3


def test_every_organism_and_control_was_measured():
    expected = [it for name, one in ORGANISMS.items() for it in (name, one.control) if it]
    assert pd.read_csv(TABLE, sep="\t")["organism"].tolist() == expected
