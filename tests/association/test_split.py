import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.association.config import AssociateConfig
from genointerp.association.split import Divisible, Split, fit_blocks, sides_read
from genointerp.association.split import split_genomes as split_divisible
from genointerp.core.errors import ConfigError, InputError, UnknownNameError
from genointerp.genome.interval import GenomicInterval
from genointerp.store.contigs import ContigInfo


def divisible(contigs, sha256="", read=None):
    whole = [GenomicInterval(it.seqid, 0, it.length) for it in contigs]
    return Divisible(contigs, sha256, tuple(whole if read is None else read))


def split_genomes(genomes, config):
    return split_divisible([divisible(contigs) for contigs in genomes], config)


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


LIKE_NAMED = [
    divisible([ContigInfo("c1", 10, circular=False), ContigInfo("c2", 5, circular=False)], "x"),
    divisible([ContigInfo("c1", 7, circular=False)], "y"),
]


def test_one_of_two_genomes_with_like_named_sequences_can_be_held_out():
    first, second = split_divisible(LIKE_NAMED, AssociateConfig(test_genomes=("y",)))
    assert first == ((GenomicInterval("c1", 0, 10), GenomicInterval("c2", 0, 5)), ())
    assert second == ((), (GenomicInterval("c1", 0, 7),))


def test_a_genome_and_a_sequence_of_another_can_be_held_out_together():
    first, second = split_divisible(LIKE_NAMED, AssociateConfig(test=("c2",), test_genomes=("y",)))
    assert (first.test, second.fit) == ((GenomicInterval("c2", 0, 5),), ())


def test_names_that_genomes_share_are_named_as_the_reason_for_an_empty_side():
    with pytest.raises(InputError, match=r"share their names \(name a genome instead\)"):
        split_divisible(LIKE_NAMED, AssociateConfig(test=("c1", "c2")))
    with pytest.raises(UnknownNameError, match="test_genomes: expected one of the genomes x, y"):
        split_divisible(LIKE_NAMED, AssociateConfig(test_genomes=("z",)))


@pytest.mark.parametrize(
    ("length", "block", "gap"),
    [
        pytest.param(4_641_652, 200_000, 10_000, id="chromosome"),
        pytest.param(150_000, 25_000, 1250, id="plasmid"),
        pytest.param(48_502, 12_500, 625, id="lambda"),
        pytest.param(5386, 1562, 78, id="phiX174"),
        pytest.param(12, 3, 0, id="tiny"),
    ],
)
def test_blocks_are_halved_until_a_contig_has_room_for_them(length, block, gap):
    genomes = [divisible([ContigInfo("a", length, circular=True)])]
    config = fit_blocks(genomes, AssociateConfig())
    assert (config.block_bp, config.gap_bp) == (block, gap)
    assert fit_blocks(genomes, config) == config


@given(
    st.lists(st.integers(1, 3000), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 1500)), max_size=3),
    st.integers(1, 1000),
)
def test_fitted_blocks_give_either_side_enough_of_what_is_read(lengths, places, block_bp):
    contigs = [ContigInfo(f"c{i}", length, circular=False) for i, length in enumerate(lengths)]
    read = [
        GenomicInterval("c0", start, min(start + length, lengths[0]))
        for start, length in places[:1]
        if start < lengths[0]
    ]
    genome = divisible(contigs, read=read or None)
    n_read = sum(part.length for part in genome.read)
    config = AssociateConfig(block_bp=block_bp, gap_bp=block_bp // 20)
    with contextlib.suppress(InputError):
        fitted = fit_blocks([genome], config)
        assert_enough(genome, fitted)
        return
    # what cannot be divided is small, or nothing but the first blocks of contigs
    assert n_read < 8 or len(lengths) > 1


def assert_enough(genome, fitted):
    (split,) = split_divisible([genome], fitted)
    naive = [
        sum(
            any(
                stretch.seqid == region.seqid
                and stretch.start <= base < stretch.end
                and region.start <= base < region.end
                for stretch in side
            )
            for region in genome.read
            for base in range(region.start, region.end)
        )
        for side in split
    ]
    assert naive == [sum(part.length for part in side) for side in sides_read([genome], fitted)]
    assert min(naive) >= sum(naive) / 4 > 0


def test_sides_that_are_named_need_no_blocks():
    genomes = [divisible([ContigInfo("a", 10, circular=False), ContigInfo("b", 9, circular=False)])]
    config = AssociateConfig(test=("b",))
    assert fit_blocks(genomes, config) is config
    (split,) = split_divisible(genomes, config)
    assert isinstance(split, Split)
