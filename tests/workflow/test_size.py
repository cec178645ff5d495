"""What a run reads of genomes of several sizes."""

import numpy as np
import pytest

from genointerp.core.errors import InputError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import parse_region
from genointerp.workflow.size import FOR_CONTROLS, LEAST_BASES, MOST_BASES, STRETCH, choose


def genome_of(*lengths):
    bases = np.full(max(lengths), ord("A"), dtype=np.uint8)
    return Genome(
        [Contig(f"c{i}", bases[:length], circular=False) for i, length in enumerate(lengths)]
    )


def n_read(regions, genome):
    return sum(parse_region(region, genome.lengths).length for region in regions)


@pytest.mark.parametrize("n_bases", [LEAST_BASES, 48_502, MOST_BASES])
def test_a_genome_that_is_affordable_is_read_whole(n_bases):
    choice = choose({"g": genome_of(n_bases)})
    assert (choice.regions, choice.n_bases) == ({}, n_bases)
    assert choice.has_controls == (n_bases <= FOR_CONTROLS)


def test_of_a_larger_genome_stretches_are_read_that_reach_from_end_to_end():
    genome = genome_of(2 * MOST_BASES, 400_000)
    choice = choose({"g": genome})
    places = [parse_region(region, genome.lengths) for region in choice.regions["g"]]
    assert n_read(choice.regions["g"], genome) == choice.n_bases == MOST_BASES
    assert {place.seqid for place in places} == {"c0", "c1"}
    assert max(place.length for place in places) == STRETCH
    starts = [place.start for place in places if place.seqid == "c0"]
    assert np.ptp(np.diff(starts)) <= 1
    assert choice.settings()["backtest"] is False
    assert "baselines" not in choice.settings()


def test_several_genomes_share_what_is_read():
    genomes = {"large": genome_of(MOST_BASES), "small": genome_of(10_000)}
    choice = choose(genomes)
    assert n_read(choice.regions["large"], genomes["large"]) == MOST_BASES // 2
    assert "small" not in choice.regions
    assert choice.n_bases == MOST_BASES // 2 + 10_000


def test_a_genome_of_which_nothing_can_be_measured_is_refused_with_the_reason():
    with pytest.raises(InputError, match=r"tiny: expected 2,000 bases or more.*found 1,999"):
        choose({"tiny": genome_of(LEAST_BASES - 1)})
