"""The tables of bases in the documentation are those of the kept files."""

import pytest

from scripts.dependency_tables import KEPT, PAGE, PARTS, STEMS, filled, stems

TRNA = "GGTCCGGTAGTTCAGTTGGTTAGAATGCCTGCCTGTCACGCAGGAGGTCGCGGGTTCGAGTCCCGTCCGGACCGCCA"
CLOVER_LEAF = "(((((((..((((.........)))).(((((.......))))).....(((((.......))))))))))))...."


def test_the_page_has_the_tables_of_the_files():
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page
    assert all((KEPT / f"{part}.tsv").exists() for part in PARTS)


@pytest.mark.parametrize("end", ["GCCA", "G"], ids=["with CCA", "without"])
def test_the_stems_of_a_trna_are_those_of_its_clover_leaf(end):
    found = stems(TRNA.removesuffix("GCCA") + end)
    drawn = ["."] * len(CLOVER_LEAF)
    for pair in found:
        drawn[pair.first], drawn[pair.second] = "()"
    assert "".join(drawn) == CLOVER_LEAF
    assert [sum(pair.stem == stem for pair in found) for stem in STEMS] == [7, 5, 5, 4]


def test_what_does_not_fold_has_no_stems():
    assert stems("A" * 76) == []
    assert stems(TRNA[::-1]) == []
