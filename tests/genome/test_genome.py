import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.errors import CoordinateError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.letters import reverse_complement

LETTERS = np.random.default_rng(0).choice(list(b"ACGT"), 30).astype(np.uint8)
GENOME = Genome([Contig("ring", LETTERS, circular=True), Contig("line", LETTERS[:10])])


@given(st.integers(0, 29), st.integers(0, 30), st.sampled_from("+-."))
def test_bases_of_a_circular_contig_go_on_at_the_origin(start, length, strand):
    found = GENOME.fetch(GenomicInterval("ring", start, start + length, strand))
    expected = np.array([LETTERS[i % 30] for i in range(start, start + length)], dtype=np.uint8)
    expected = reverse_complement(expected) if strand == "-" else expected
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("interval", "end"),
    [(GenomicInterval("ring", 5, 36), "30, found end=36"), (GenomicInterval("line", 8, 11), "10")],
    ids=["more-than-a-turn", "linear"],
)
def test_bases_beyond_the_end_are_refused(interval, end):
    with pytest.raises(CoordinateError, match=f"expected end <= {end}"):
        GENOME.fetch(interval)
