import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.errors import CoordinateError
from genointerp.genome.interval import (
    GenomicInterval,
    format_region,
    parse_region,
    split_at_origin,
)

LENGTHS = {"chrI": 5000, "NC_000913.2": 4639675, "HLA:1-50": 80, "HLA": 100, "a:b:c": 9}
bounds = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted)
intervals = st.builds(
    lambda seqid, pair, strand: GenomicInterval(seqid, *pair, strand),
    st.sampled_from(["a", "b"]),
    bounds,
    st.sampled_from("+-."),
)


@given(intervals, intervals)
def test_intersection_is_the_set_of_common_bases(a, b):
    common = {(a.seqid, i) for i in range(a.start, a.end)}
    common &= {(b.seqid, i) for i in range(b.start, b.end)}
    found = a.intersection(b)
    expected = set() if found is None else {(found.seqid, i) for i in range(found.start, found.end)}
    assert common == expected


@pytest.mark.parametrize(
    ("region", "seqid", "start", "end"),
    [
        pytest.param("chrI:1-1", "chrI", 0, 1, id="single-base"),
        pytest.param("chrI:7", "chrI", 6, 5000, id="from-there-to-the-end-as-samtools-reads-it"),
        pytest.param("chrI:4,901-", "chrI", 4900, 5000, id="no-last"),
        pytest.param("chrI:-100", "chrI", 0, 100, id="no-first"),
        pytest.param("{chrI}:3-4", "chrI", 2, 4, id="name-in-braces"),
        pytest.param("{HLA}:1-50", "HLA", 0, 50, id="braces-tell-a-range-from-a-name"),
        pytest.param("{HLA:1-50}", "HLA:1-50", 0, 80, id="whole-contig-in-braces"),
        pytest.param("{HLA:1-50}:71-", "HLA:1-50", 70, 80, id="range-of-a-name-in-braces"),
        pytest.param("HLA:1-50:71", "HLA:1-50", 70, 80, id="name-that-looks-like-a-region-from"),
        pytest.param("a:b:c:2-3", "a:b:c", 1, 3, id="several-colons"),
        pytest.param("a:b:c", "a:b:c", 0, 9, id="several-colons-whole"),
        pytest.param("chrI:1-1,000", "chrI", 0, 1000, id="thousands-separators"),
        pytest.param("NC_000913.2:5-9", "NC_000913.2", 4, 9, id="accession-with-version"),
        pytest.param("chrI", "chrI", 0, 5000, id="whole-contig"),
        pytest.param("HLA:1-50", "HLA:1-50", 0, 80, id="name-that-looks-like-a-region"),
        pytest.param("HLA:1-50:3-4", "HLA:1-50", 2, 4, id="colon-in-the-name"),
        pytest.param("HLA:1-49", "HLA", 0, 49, id="region-that-looks-like-a-name"),
    ],
)
def test_parse_region_converts_from_one_based_closed(region, seqid, start, end):
    assert parse_region(region, LENGTHS) == GenomicInterval(seqid, start, end)


@pytest.mark.parametrize(
    ("region", "message"),
    [
        ("chrII:1-10", "a region of chrI, .*found 'chrII:1-10'"),
        ("chrI:0-10", "1 <= first <= last <= 5000 on chrI, found first=0, last=10"),
        ("chrI:10-9", "found first=10, last=9"),
        ("chrI:4999-5001", "last <= 5000 on chrI, found first=4999, last=5001"),
        ("chrI:", "a region of"),
        ("chrI:-", "a region of"),
        ("chrI:--5", "a region of"),
        ("chrI:5001", "1 <= first <= last <= 5000 on chrI, found first=5001, last=5000"),
        ("chrI:-5001", "found first=1, last=5001"),
        ("chrI:-0", "found first=1, last=0"),
        ("chrI:\u0661-\u0662", "a region of"),
        ("chrI:" + 5000 * "9", "a region of .*found 'chrI:9+\\.\\.\\.'$"),
        ("", "a region of"),
    ],
)
def test_a_region_that_does_not_exist_is_an_error(region, message):
    with pytest.raises(CoordinateError, match=message):
        parse_region(region, LENGTHS)


@given(st.integers(0, 4999).flatmap(lambda s: st.tuples(st.just(s), st.integers(s + 1, 5000))))
def test_a_formatted_region_is_parsed_to_the_same_interval(pair):
    interval = GenomicInterval("chrI", *pair)
    assert parse_region(format_region(interval), LENGTHS) == interval


def test_reversed_interval_names_the_contig_and_both_ends():
    with pytest.raises(CoordinateError, match=r"chrI: .*start=9, end=3"):
        GenomicInterval("chrI", 9, 3)


@pytest.mark.parametrize(
    ("region", "start", "end"),
    [
        pytest.param("HLA:96-5", 95, 105, id="last-before-first"),
        pytest.param("HLA:96-105", 95, 105, id="beyond-the-length"),
        pytest.param("HLA:100-99", 99, 199, id="a-whole-turn"),
        pytest.param("HLA:1-100", 0, 100, id="not-over-the-origin"),
    ],
)
def test_a_region_may_span_the_origin_of_a_circular_contig(region, start, end):
    found = parse_region(region, LENGTHS, circular={"HLA"})
    assert found == GenomicInterval("HLA", start, end)


@pytest.mark.parametrize("region", ["HLA:96-196", "HLA:101-5", "HLA:101-101", "HLA:0-5", "HLA:5-0"])
def test_a_region_of_more_than_a_turn_or_off_the_contig_is_an_error(region):
    with pytest.raises(CoordinateError, match="1 <= first <= last <= 100 on HLA"):
        parse_region(region, LENGTHS, circular={"HLA"})


@given(st.integers(0, 99), st.integers(0, 100))
def test_parts_at_the_origin_are_the_bases_of_the_turn(start, length):
    interval = GenomicInterval("HLA", start, start + length, "-")
    parts = split_at_origin(interval, 100)
    bases = [base for part in parts for base in range(part.start, part.end)]
    assert bases == [base % 100 for base in range(start, start + length)]
    assert {part.strand for part in parts} == {"-"}
    if length:
        again = parse_region(format_region(interval), LENGTHS, circular={"HLA"})
        assert (again.start, again.end) == (start, start + length)
