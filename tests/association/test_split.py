import pytest

from genointerp.association.config import AssociateConfig
from genointerp.association.split import split_genomes
from genointerp.core.errors import ConfigError, InputError, UnknownNameError
from genointerp.genome.interval import GenomicInterval
from genointerp.store.contigs import ContigInfo


def test_named_sequences_are_test_and_all_others_fit():
    genomes = [
        [ContigInfo("a", 10, circular=True), ContigInfo("b", 5, circular=False)],
        [ContigInfo("c", 7, circular=True)],
    ]
    first, second = split_genomes(genomes, AssociateConfig(test=("b", "c")))
    assert first == ((GenomicInterval("a", 0, 10),), (GenomicInterval("b", 0, 5),))
    assert second == ((), (GenomicInterval("c", 0, 7),))


def test_alternate_blocks_lose_a_gap_on_either_side_of_each_boundary():
    config = AssociateConfig(block_bp=100, gap_bp=10)
    (split,) = split_genomes([[ContigInfo("a", 350, circular=False)]], config)
    assert [(i.start, i.end) for i in split.fit] == [(0, 90), (210, 290)]
    assert [(i.start, i.end) for i in split.test] == [(110, 190), (310, 350)]


def test_the_origin_of_a_circular_contig_is_a_boundary():
    config = AssociateConfig(block_bp=100, gap_bp=10)
    (split,) = split_genomes([[ContigInfo("a", 300, circular=True)]], config)
    assert [(i.start, i.end) for i in split.fit] == [(10, 90), (210, 290)]


def test_unknown_test_sequence_is_named_with_those_there_are():
    with pytest.raises(UnknownNameError, match="test: expected one of the sequences a, found 'x'"):
        split_genomes([[ContigInfo("a", 350, circular=False)]], AssociateConfig(test=("x",)))


def test_a_split_without_a_fit_side_is_refused():
    with pytest.raises(InputError, match="at least one sequence left for fit"):
        split_genomes([[ContigInfo("a", 350, circular=False)]], AssociateConfig(test=("a",)))


def test_gaps_that_swallow_the_blocks_are_refused():
    with pytest.raises(ConfigError, match="gap_bp"):
        AssociateConfig(block_bp=100, gap_bp=50)
