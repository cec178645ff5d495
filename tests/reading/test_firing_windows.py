import pytest

from genointerp.core.errors import UnknownNameError
from genointerp.genome.interval import GenomicInterval
from genointerp.reading.firing_windows import drawn_intervals
from tests.plant import contigs_of, make_store, silence

CONTIGS = contigs_of(a=100, b=60)


@pytest.fixture
def store(tmp_path):
    dense = silence(160, 3)
    dense["+"][48:52, 0] = [3, 5, 4, 3]
    dense["-"][159, 0] = 6
    dense["+"][:, 2] = dense["-"][:40, 2] = 1
    return make_store(tmp_path / "f.h5", dense, CONTIGS)


@pytest.mark.parametrize("seed", range(5))
def test_each_interval_is_around_a_base_on_which_the_feature_fires(store, seed):
    on_minus, on_plus = sorted(
        drawn_intervals(store, 0, 9, length=20, seed=seed), key=lambda it: it.strand, reverse=True
    )
    # bases beside the drawn one lie inside its interval; the end of the contig moves the other
    assert on_minus == GenomicInterval("b", 40, 60, "-")
    assert (on_plus.seqid, on_plus.length, on_plus.strand) == ("a", 20, "+")
    assert on_plus.start + 10 in range(48, 52)


def test_no_drawn_base_lies_in_an_earlier_interval_of_its_strand(store):
    found = drawn_intervals(store, 2, 99, length=10, seed=0)
    for number, one in enumerate(found):
        middle = one.start + 5
        before = [it for it in found[:number] if (it.seqid, it.strand) == (one.seqid, one.strand)]
        # an interval that was moved into its contig is around another base than its middle
        if middle not in (5, 55, 95):
            assert not any(it.start <= middle < it.end for it in before)
    covered = {
        (it.seqid, base) for it in found if it.strand == "+" for base in range(it.start, it.end)
    }
    assert len(covered) == 160


def test_bases_of_both_strands_are_drawn_alike(store):
    strands = [drawn_intervals(store, 2, 1, length=10, seed=seed)[0].strand for seed in range(200)]
    # 160 of 200 firing bases are on +
    assert 140 <= strands.count("+") <= 180


def test_the_seed_says_which(store):
    def draw(seed):
        return drawn_intervals(store, 2, 4, length=10, seed=seed)

    assert draw(0) == draw(0) != draw(1)
    assert len(draw(0)) == 4


def test_an_interval_is_no_longer_than_its_contig(store):
    found = drawn_intervals(store, 0, 9, length=500, seed=0)
    assert set(found) == {GenomicInterval("b", 0, 60, "-"), GenomicInterval("a", 0, 100, "+")}


def test_regions_hold_the_drawn_bases(store):
    region = GenomicInterval("a", 50, 51)
    found = drawn_intervals(store, 0, 9, length=20, seed=0, regions=[region])
    assert found == [GenomicInterval("a", 40, 60, "+")]


def test_a_feature_that_never_fires_has_none(store):
    assert drawn_intervals(store, 1, 4, length=20, seed=0) == []


def test_an_unknown_feature_is_refused(store):
    with pytest.raises(UnknownNameError, match="a feature from 0 to 2, found 3"):
        drawn_intervals(store, 3, 1, length=20, seed=0)
