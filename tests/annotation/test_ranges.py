"""Intervals to pyranges and back: names change, places and strands do not."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.annotation.annotation_set import AnnotationSet, Element, Part
from genointerp.annotation.ranges import from_pyranges, to_pyranges
from genointerp.core.errors import AnnotationError, InputError
from genointerp.genome.interval import GenomicInterval

LENGTHS = {"chr10": 100, "chr2": 60}
COLUMNS = ["seqid", "start", "end", "strand"]


@st.composite
def intervals(draw):
    seqid = draw(st.sampled_from(list(LENGTHS)))
    start = draw(st.integers(0, LENGTHS[seqid] - 1))
    end = draw(st.integers(start + 1, LENGTHS[seqid]))
    return GenomicInterval(seqid, start, end, draw(st.sampled_from("+-.")))


@given(st.lists(intervals(), max_size=8))
def test_every_interval_comes_back_with_its_place_its_strand_and_its_values(given_intervals):
    rows = [
        (one.seqid, one.start, one.end, one.strand, number / 8)
        for number, one in enumerate(given_intervals)
    ]
    table = pd.DataFrame(rows, columns=[*COLUMNS, "value"])
    found = from_pyranges(to_pyranges(table))
    if not rows:
        assert (len(found), list(found)[:4]) == (0, COLUMNS)
        return
    assert list(found) == [*COLUMNS, "value"]
    assert sorted(map(tuple, found.to_numpy().tolist())) == sorted(rows)
    assert found.dtypes[["start", "end", "value"]].tolist() == ["int64", "int64", "float64"]


@given(st.lists(st.lists(intervals(), min_size=1, max_size=3), max_size=6))
def test_elements_come_back_with_their_parts_in_order(groups):
    elements = [
        Element(
            "CDS",
            f"e{number}",
            tuple(Part(one.seqid, one.start, one.end, one.strand, 2) for one in group),
            {"gene": (f"g{number}",), "note": ("one, with a comma", "two")},
        )
        for number, group in enumerate(groups)
    ]
    annotations = AnnotationSet(elements, LENGTHS)
    if not elements:
        return
    found = AnnotationSet.from_pyranges(annotations.to_pyranges(), LENGTHS)
    assert len(found) == len(annotations)
    for element in annotations:
        again = found[element.id]
        assert (again.type, again.parts) == (element.type, element.parts)
        assert again.attributes == element.attributes


def test_a_row_over_the_origin_becomes_two_where_the_lengths_are_known():
    table = pd.DataFrame({"seqid": ["chr2"], "start": [50], "end": [65], "strand": ["-"], "f": [7]})
    assert to_pyranges(table).df["End"].tolist() == [65]
    found = from_pyranges(to_pyranges(table, LENGTHS))
    assert found.to_numpy().tolist() == [["chr2", 50, 60, "-", 7], ["chr2", 0, 5, "-", 7]]


def test_what_pyranges_finds_is_what_the_definition_says():
    a = [GenomicInterval("chr2", 0, 10, "+"), GenomicInterval("chr2", 30, 40, "-")]
    b = [GenomicInterval("chr2", 9, 12, "+"), GenomicInterval("chr2", 40, 50, "-")]
    common = from_pyranges(to_pyranges(a).intersect(to_pyranges(b)))
    assert common[COLUMNS].to_numpy().tolist() == [["chr2", 9, 10, "+"]]


def test_a_gff3_as_pyranges_reads_it_becomes_elements(tmp_path):
    pyranges = pytest.importorskip("pyranges")
    rows = [
        "chr2\tx\tgene\t5\t40\t.\t-\t.\tID=g;Name=abc",
        "chr2\tx\tCDS\t5\t10\t.\t-\t1\tID=c;Parent=g",
        "chr2\tx\tCDS\t20\t40\t.\t-\t0\tID=c;Parent=g",
    ]
    (tmp_path / "a.gff3").write_text("\n".join(rows) + "\n")
    found = AnnotationSet.from_pyranges(pyranges.read_gff3(str(tmp_path / "a.gff3")), LENGTHS)
    assert found["g"].attribute("Name") == "abc"
    assert [(part.start, part.end, part.phase) for part in found["c"].parts] == [
        (19, 40, 0),
        (4, 10, 1),
    ]
    assert found.parents(found["c"]) == [found["g"]]


def test_ranges_without_a_type_and_tables_without_a_place_are_refused(monkeypatch):
    with pytest.raises(AnnotationError, match="pyranges: expected a column type or Feature"):
        AnnotationSet.from_pyranges(to_pyranges([GenomicInterval("chr2", 0, 1)]), LENGTHS)
    with pytest.raises(InputError, match="expected a table with the columns seqid, start and end"):
        to_pyranges(pd.DataFrame({"seqid": ["c"], "first": [1]}))
    monkeypatch.setitem(__import__("sys").modules, "pyranges", None)
    with pytest.raises(InputError, match=r'pip install "genointerp\[pyranges\]"'):
        to_pyranges([])
