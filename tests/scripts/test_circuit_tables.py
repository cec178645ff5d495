"""The tables of circuits in the documentation are those of the kept files."""

from genointerp.store.table.schema.circuit import CIRCUIT_FAMILIES
from genointerp.store.table.table import read_table
from scripts.circuit_tables import KEPT, PAGE, filled


def test_the_page_has_the_tables_of_the_files():
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page
    assert page.count("<!-- table ") == 6


def test_the_codon_cycle_is_the_largest_family():
    first = read_table(KEPT / "families.tsv", CIRCUIT_FAMILIES).iloc[0]
    assert (first["members"], first["kind"], first["period"]) == ("108+127 > 86 > 82", "cycle", 3)
