"""The tables of paintings in the documentation are those of the kept files."""

from genointerp.store.table.schema.intervention import PAINTING, STEERING
from genointerp.store.table.table import read_written
from scripts.painting_tables import CLOVER_LEAF, KEPT, PAGE, PARTS, TRNA, filled


def test_the_page_has_the_tables_of_the_files():
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page
    assert page.count("<!-- table ") == 3


def test_a_file_of_each_part_can_be_drawn():
    for part in PARTS:
        schema = STEERING if part == "gene" else PAINTING
        table = read_written(KEPT / f"{part}.tsv", schema)
        assert set(table["dose"]) >= set(PARTS[part].get("doses", [1.0]))


def test_the_structure_is_as_long_as_the_place():
    first, last = (int(it.replace(",", "")) for it in TRNA.split(":")[1].split("-"))
    assert len(CLOVER_LEAF) == last - first + 1
