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


CLADES = {"a": "Bacilli", "b": "Bacilli", "c": "Gammaproteobacteria"}
THREE = [
    [ContigInfo("a", 10, circular=True)],
    [ContigInfo("b", 5, circular=False)],
    [ContigInfo("c", 7, circular=True)],
]


def test_whole_clades_go_to_one_side():
    found = split_genomes(THREE, AssociateConfig(clades=CLADES, test_clades=("Bacilli",)))
    assert [bool(split.test) for split in found] == [True, True, False]
    assert [bool(split.fit) for split in found] == [False, False, True]


def test_sequences_of_test_may_not_divide_a_clade():
    with pytest.raises(InputError, match="each clade on one side, found 'Bacilli' on both"):
        split_genomes(THREE, AssociateConfig(clades=CLADES, test=("a",)))
    split_genomes(THREE, AssociateConfig(clades=CLADES, test=("a", "b")))


@pytest.mark.parametrize(
    ("clades", "test_clades", "message"),
    [
        pytest.param({"a": "x"}, ("x",), "the clade of each sequence, found none for b", id="gap"),
        pytest.param(CLADES | {"d": "x"}, ("x",), "clades: expected one of the sequences", id="d"),
        pytest.param(CLADES, ("Bacili",), "test_clades: .* Bacilli, Gamma.*'Bacili'", id="typo"),
        pytest.param(CLADES, (), "where clades are given, found none", id="no-test"),
        pytest.param(
            CLADES, ("Bacilli", "Gammaproteobacteria"), "one sequence left for fit", id="all"
        ),
    ],
)
def test_clades_that_make_no_split_are_refused(clades, test_clades, message):
    with pytest.raises(InputError, match=message):
        split_genomes(THREE, AssociateConfig(clades=clades, test_clades=test_clades))


def test_sequences_and_clades_of_test_exclude_each_other():
    with pytest.raises(ConfigError, match="either test or test_clades"):
        AssociateConfig(clades=CLADES, test=("a",), test_clades=("Bacilli",))
    with pytest.raises(ConfigError, match="the clade of each sequence, for test_clades"):
        AssociateConfig(test_clades=("Bacilli",))
