import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.annotation.gff3.order import in_reading_order
from genointerp.annotation.gff3.row import Row

LENGTH = 1000


def row(first, last, strand="+", phase=-1, **attributes):
    said = {name: (value,) for name, value in attributes.items()}
    return Row("a.gff3: line 2", 2, "c", "CDS", first, last, strand, phase, said)


def order(*rows, circular=False):
    return [row.first for row in in_reading_order(rows, length=LENGTH, circular=circular)]


@pytest.mark.parametrize(
    ("rows", "firsts"),
    [
        pytest.param([row(1, 9), row(21, 29)], [1, 21], id="plus-upward"),
        pytest.param([row(1, 9, "-"), row(21, 29, "-")], [21, 1], id="minus-upward"),
        pytest.param([row(21, 29, "-"), row(1, 9, "-")], [21, 1], id="minus-downward"),
        pytest.param([row(91, 99), row(1, 9)], [91, 1], id="plus-over-an-origin-not-declared"),
        pytest.param([row(91, 99), row(41, 49), row(1, 9)], [1, 41, 91], id="plus-downward"),
        pytest.param([row(91, 99), row(1, 9), row(41, 49)], [91, 1, 41], id="three-over-an-origin"),
        pytest.param(
            [row(41, 49, "-"), row(91, 99, "-"), row(1, 9, "-")], [41, 91, 1], id="minus-put-so"
        ),
        pytest.param([row(1, 9), row(991, 1000)], [1, 991], id="a-contig-of-one-gene"),
        pytest.param(
            [row(1, 9, exception="trans-splicing"), row(21, 29)], [1, 21], id="trans-spliced-plus"
        ),
        pytest.param(
            [row(1, 9, "-", exception="trans-splicing"), row(21, 29, "-")],
            [1, 21],
            id="trans-spliced-minus",
        ),
        pytest.param(
            [row(500, 600, "-"), row(700, 800), row(20, 30)], [500, 700, 20], id="two-strands"
        ),
        pytest.param([row(1, 9, part="2/2"), row(21, 29, part="1/2")], [21, 1], id="part-says-it"),
    ],
)
def test_rows_without_phases_are_read_as_their_order_is_usually_meant(rows, firsts):
    assert order(*rows) == firsts


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_gene_over_the_origin_begins_behind_its_widest_gap(strand, turned):
    rows = [row(901, 950, strand), row(11, 60, strand)]
    expected = [901, 11] if strand == "+" else [11, 901]
    assert order(*(rows[::-1] if turned else rows), circular=True) == expected


@pytest.mark.parametrize(
    ("rows", "firsts"),
    [
        # 9 bases, then phase 0; 11 bases, then phase 1
        pytest.param([row(60, 70, phase=0), row(50, 58, phase=0)], [50, 60], id="along-the-strand"),
        pytest.param([row(60, 70, phase=0), row(50, 58, phase=1)], [60, 50], id="as-in-the-file"),
        pytest.param(
            [row(50, 60, "-", phase=0), row(70, 78, "-", phase=1)], [50, 70], id="trans-spliced"
        ),
        pytest.param(
            [row(50, 60, "-", phase=0), row(70, 78, "-", phase=0)], [70, 50], id="minus-upward"
        ),
        pytest.param(
            [row(50, 60, "-", phase=2), row(70, 78, "-", phase=0)], [70, 50], id="none-fits"
        ),
        pytest.param(
            [row(50, 58, "-", 1), row(70, 80, "-", 0), row(90, 99, "+", 1)],
            [70, 50, 90],
            id="a-run-of-two-strands",
        ),
        pytest.param(
            [row(1, 101, "-", 0), row(901, 1000, "-", 1)], [1, 901], id="origin-minus-upward"
        ),
        pytest.param(
            [row(901, 1000, "-", 1), row(1, 101, "-", 0)], [1, 901], id="origin-minus-downward"
        ),
        pytest.param([row(1, 101, phase=2), row(901, 1000, phase=0)], [901, 1], id="origin-plus"),
        pytest.param(
            [row(1, 40, phase=2), row(51, 111, phase=1), row(901, 1000, phase=0)],
            [901, 1, 51],
            id="origin-plus-three",
        ),
        pytest.param(
            [row(1, 101, phase=2), row(901, 1000, phase=0, partial="true")],
            [1, 901],
            id="an-end-is-missing",
        ),
        pytest.param(
            [row(90, 98, "+", 1), row(70, 80, "-", 0)], [70, 90], id="two-strands-from-the-end"
        ),
    ],
)
def test_phases_decide_between_orders_that_are_possible(rows, firsts):
    assert order(*rows) == firsts


def gene(start, pieces, strand):
    """Rows of a gene 5' to 3', with the phases that follow; a part over the origin is two rows."""
    upward = []
    for size, gap in pieces:
        first, last = (start - 1) % LENGTH + 1, (start - 1) % LENGTH + size
        upward.append((first, min(last, LENGTH)))
        if last > LENGTH:
            upward.append((1, last - LENGTH))
        start += size + gap
    rows, phase = [], 0
    for first, last in upward if strand == "+" else upward[::-1]:
        rows.append(row(first, last, strand, phase))
        phase = (phase - rows[-1].length) % 3
    return rows


pieces = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=2, max_size=4)
habits = {
    ("+", "reading"): lambda rows: rows,
    ("+", "upward"): lambda rows: sorted(rows, key=lambda one: one.first),
    ("-", "reading"): lambda rows: rows,
    ("-", "upward"): lambda rows: sorted(rows, key=lambda one: one.first),
    ("-", "downward"): lambda rows: sorted(rows, key=lambda one: -one.first),
    ("-", "along the forward strand"): lambda rows: rows[::-1],
}


@pytest.mark.parametrize(("strand", "habit"), habits)
@pytest.mark.parametrize("circular", [False, True])
@given(start=st.integers(1, LENGTH), pieces=pieces)
def test_a_gene_is_read_alike_whatever_the_habit(strand, habit, circular, start, pieces):
    rows = gene(start if circular else 1, pieces, strand)
    written = habits[strand, habit](rows)
    assert order(*written, circular=circular) == [one.first for one in rows]
