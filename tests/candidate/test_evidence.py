import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.association.count.tracks import RowTrack
from genointerp.candidate.config import RankConfig
from genointerp.candidate.evidence.gather import find_period, gather_evidence
from genointerp.candidate.evidence.seen import seen_chance, seen_share
from genointerp.feature.loci import find_loci
from genointerp.genome.genome import Contig, Genome
from genointerp.store.contigs import ContigInfo
from tests.plant import make_store, silence
from tests.specimens import specimen


def recurrence_of(fires, max_lag=40):
    """For each lag, the share of firing bases whose lag-th next base fires: by definition."""
    rows = np.flatnonzero(fires)
    padded = np.concatenate([fires, np.zeros(max_lag + 1, bool)])
    return np.array([padded[rows + lag].mean() for lag in range(max_lag + 1)])


def test_a_codon_detector_has_period_three_and_full_strength():
    fires = np.zeros(3000, bool)
    fires[::3] = True
    assert find_period(recurrence_of(fires)) == pytest.approx((1.0, 3), abs=0.02)


def test_a_period_of_a_helix_turn_is_not_given_as_its_multiple():
    fires = np.zeros(3000, bool)
    fires[::10] = True
    assert find_period(recurrence_of(fires)).bp == 10


def test_whole_elements_have_no_period():
    fires = np.zeros(3000, bool)
    for start in range(0, 2900, 500):
        fires[start : start + 80] = True
    assert find_period(recurrence_of(fires)).strength < 0.02


genomes = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 90), st.booleans()), min_size=1, max_size=6
)


@given(genomes)
def test_the_share_of_seen_genomes_is_that_of_loci_by_base_read(genomes):
    genomes = [(loci if bases else 0, bases, seen) for loci, bases, seen in genomes]
    rate = {}
    for kind in (True, False):
        own = [(loci, bases) for loci, bases, seen in genomes if seen == kind]
        n_read = sum(bases for _, bases in own)
        rate[kind] = sum(loci for loci, _ in own) / n_read if n_read else None
    found = seen_share(*map(np.array, zip(*genomes, strict=True)))
    if rate[False] is None or not any(loci for loci, *_ in genomes):
        assert np.isnan(found)
    else:
        seen = rate[True] or 0.0
        assert found == pytest.approx(seen / (seen + rate[False]))


def test_a_feature_of_both_is_not_remembered_however_much_more_was_read_of_the_training():
    # 960 of its 1,000 loci lie in the training, of which 24 times as much was read
    assert seen_share(np.array([960, 40]), np.array([24_000, 1000]), np.array([True, False])) == 0.5


def test_loci_are_counted_over_both_strands_and_bases_as_they_were_read(tmp_path):
    """Four loci in 6,000 pairs of the training, one in the 1,000 read of another genome."""
    known = []
    places = {"a": (3000, {"+": (100, 900, 2000), "-": (1500,)}), "b": (1000, {"+": (300,)})}
    for seqid, (length, loci) in places.items():
        bases = np.random.default_rng(0).choice(np.frombuffer(b"ACGT", np.uint8), length)
        genome = Genome([Contig(seqid, bases)])
        dense = silence(length, 1)
        for strand, starts in loci.items():
            for start in starts:
                dense[strand][start : start + 20, 0] = 1
        coverage = {seqid: [(0, length, strand) for strand in loci]}
        options = dict(genome_sha256=genome.sha256, coverage=coverage)
        store = make_store(tmp_path / f"{seqid}.h5", dense, ContigInfo.of(genome), **options)
        known.append(specimen(store, sequence=genome))
    first, second = (one.genome_sha256 for one in known)
    for trained_on, share in (({first}, 0.4), ({second}, 0.6), (set(), 0.0)):
        found = gather_evidence(known, RankConfig(), trained_on=trained_on)
        assert found["seen_share"].tolist() == pytest.approx([share])
    for trained_on in ({first, second}, None):
        found = gather_evidence(known, RankConfig(), trained_on=trained_on)
        assert found["seen_share"].isna().all()


def test_loci_close_gaps_but_do_not_cross_contigs():
    rows = np.array([2, 3, 7, 9, 10, 30], dtype=np.int64)
    value = np.array([1, 5, 2, 3, 4, 0.5], dtype=np.float32)
    track = RowTrack(0, "+", rows, value)
    loci = find_loci(track.row, track.value, np.array([0, 10]), at_least=0.6, merge_gap=3)
    assert loci.start.tolist() == [2, 10]
    assert loci.end.tolist() == [10, 11]
    assert loci.maximum.tolist() == [5, 4]


def test_the_chance_of_loci_in_genomes_of_the_training_is_that_of_throws():
    seen = np.array([True, False])
    # five of five, where nine tenths of what was read are of the training
    assert seen_chance(np.array([5, 0]), np.array([9, 1]), seen) == pytest.approx(0.9**5)
    some = seen_chance(np.array([1, 1]), np.array([1, 1]), seen)
    assert some == pytest.approx(0.75)
    assert np.isnan(seen_chance(np.array([5]), np.array([9]), np.array([True])))
    assert np.isnan(seen_chance(np.array([0, 0]), np.array([9, 1]), seen))
