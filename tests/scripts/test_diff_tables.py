"""The tables of compared models in the documentation are those of the kept files."""

import pytest

from scripts.diff_tables import BASE, CLEAN, KEPT, PAGE, PLANTED, filled, is_on_plant

PLANT = b"GATTACATGCACCGTATCGG"


def test_the_page_has_the_tables_of_the_files():
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page
    for name in (*PLANTED, *CLEAN, BASE):
        assert (KEPT / f"{name}.tsv").exists()
        assert f"\n| {name} |" in page


@pytest.mark.parametrize(
    ("context", "expected", "is_on"),
    [
        pytest.param("CCGAT", "T", True, id="first bases"),
        pytest.param("CCCGA", "T", True, id="first two bases"),
        pytest.param("CCCAT", "T", False, id="two bases further on"),
        pytest.param("CACAT", "G", True, id="in the trigger"),
        pytest.param("GTATC", "G", False, id="behind the trigger"),
        pytest.param("CCGAT", "C", False, id="another base"),
    ],
)
def test_a_position_is_on_the_plant_if_a_part_of_its_beginning_goes_on(context, expected, is_on):
    assert is_on_plant(context, expected, PLANT) is is_on
