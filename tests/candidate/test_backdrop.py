import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.candidate.evidence.backdrop import local_gc, tandem_repeats


def codes(text):
    return np.frombuffer(text.encode(), np.uint8)


def test_local_gc_is_scaled_up_at_the_ends():
    assert local_gc(codes("GGGAA"), 3).tolist() == [3, 3, 2, 1, 0]


@given(st.text("ACGTN", min_size=1, max_size=60), st.integers(1, 21))
def test_local_gc_equals_a_naive_count(text, window):
    found = local_gc(codes(text), window)
    for i in range(len(text)):
        around = text[max(0, i - window // 2) : i - window // 2 + window]
        strong = sum(letter in "GCS" for letter in around)
        assert abs(int(found[i]) - strong * window / len(around)) <= 0.5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("ACGT" + "A" * 9 + "CGTC", 9, id="homopolymer"),
        pytest.param("GGTC" + "A" * 8 + "CGTC", 0, id="too-short"),
        pytest.param("TCGA" + "AC" * 5 + "GTTG", 10, id="five-dinucleotides"),
        pytest.param("T" + "ACGGTCA" * 3 + "G", 21, id="three-units-of-seven"),
        pytest.param("N" * 20, 0, id="unknown-bases-are-no-repeat"),
        pytest.param("A", 0, id="single-base"),
    ],
)
def test_tandem_repeats_are_found(text, expected):
    assert int(tandem_repeats(codes(text)).sum()) == expected
