import pytest

from genointerp.activation.firing_windows import strongest_intervals
from genointerp.core.errors import UnknownNameError
from genointerp.genome.interval import GenomicInterval
from tests.plant import contigs_of, make_store, silence

CONTIGS = contigs_of(a=100, b=60)


@pytest.fixture
def store(tmp_path):
    dense = silence(160, 2)
    # contig a, +: a strong stretch and a weaker one; contig b, -: the strongest base, at its end
    dense["+"][48:52, 0] = [3, 5, 4, 3]
    dense["+"][70, 0] = 2
    dense["-"][159, 0] = 6
    return make_store(tmp_path / "f.h5", dense, CONTIGS)


def test_intervals_lie_around_the_strongest_bases_of_both_strands(store):
    assert strongest_intervals(store, 0, 2, length=20) == [
        GenomicInterval("b", 40, 60, "-"),
        GenomicInterval("a", 39, 59, "+"),
    ]


def test_a_base_of_an_interval_is_no_peak_of_another(store):
    found = strongest_intervals(store, 0, 9, length=20)
    assert [interval.start for interval in found] == [40, 39, 60]


def test_an_interval_is_no_longer_than_its_contig(store):
    assert strongest_intervals(store, 0, 1, length=500) == [GenomicInterval("b", 0, 60, "-")]


def test_regions_hold_the_peaks(store):
    region = GenomicInterval("a", 50, 80)
    found = strongest_intervals(store, 0, 9, length=20, regions=[region])
    assert found == [GenomicInterval("a", 40, 60, "+"), GenomicInterval("a", 60, 80, "+")]


def test_a_feature_that_never_fires_has_none(store):
    assert strongest_intervals(store, 1, 4, length=20) == []


def test_of_equals_the_first_on_plus_comes_first(tmp_path):
    dense = silence(160, 1)
    dense["-"][10, 0] = dense["+"][80, 0] = dense["+"][120, 0] = 1
    store = make_store(tmp_path / "g.h5", dense, CONTIGS)
    found = strongest_intervals(store, 0, 3, length=10)
    assert [(it.seqid, it.start, it.strand) for it in found] == [
        ("a", 75, "+"),
        ("b", 15, "+"),
        ("a", 5, "-"),
    ]


def test_an_unknown_feature_is_refused(store):
    with pytest.raises(UnknownNameError, match="a feature from 0 to 1, found 2"):
        strongest_intervals(store, 2, 1, length=20)
