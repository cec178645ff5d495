"""Dependency maps, against their formula over whole passes, and their coordinates."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from genointerp.core.errors import ConfigError, CoordinateError, InputError
from genointerp.explanation.dependency import (
    DependencyConfig,
    dependencies,
    dependency_map,
    shuffled,
)
from genointerp.explanation.mutagenesis import base_ids
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.model.registry import load_model
from genointerp.reading.question import window_passage
from tests.toy_model import ToyDnaModel

TEXT = b"ACGTTGCAACGGTTACATTTGAANACCGTGATTACGCTAGGCATCGATTT"
GENOME = Genome([Contig("c", np.frombuffer(TEXT, np.uint8), circular=True)])


@pytest.fixture(scope="module")
def nano():
    return load_model("nano")


def passage_of(model, start, end, strand, context=12):
    return window_passage(model, GENOME, GenomicInterval("c", start, end, strand), context)


@pytest.mark.parametrize(("start", "end", "strand"), [(18, 27, "+"), (45, 54, "-")])
@pytest.mark.parametrize("batch", [3, 48])
def test_a_map_is_that_of_its_formula(nano, start, end, strand, batch):
    passage = passage_of(nano, start, end, strand)
    found = dependencies(nano, passage, batch=batch)
    ids, bases = nano.tokenize(passage.bases).ids, base_ids(nano).tolist()
    for i in range(9):
        rows = np.repeat(ids[None], 4, axis=0)
        rows[:, 12 + i] = bases
        if ids[12 + i] not in bases:
            assert np.isnan(found.largest[i]).all()
            assert np.isnan(found.largest[:, i]).all()
            continue
        p = nano.next_log_probs(torch.from_numpy(rows)).double().exp().numpy()
        odds = np.log(p / (1 - p))
        change = odds - odds[bases.index(ids[12 + i])]
        for j in range(9):
            if j <= i or ids[12 + j] not in bases:
                assert np.isnan(found.largest[i, j])
                continue
            at = change[:, 12 + j - 1]
            assert found.largest[i, j] == pytest.approx(np.abs(at).max(), abs=1e-4)
            assert found.frobenius[i, j] == pytest.approx(np.sqrt((at**2).sum()), abs=1e-4)


def test_a_model_that_repeats_a_base_depends_on_the_one_before_alone():
    config = DependencyConfig(context=5, n_shuffles=0)
    table = dependency_map(ToyDnaModel(), GENOME, GenomicInterval("c", 47, 53), config)
    assert (table["dependency"] > 0).tolist() == (table["distance"] == 1).tolist()
    assert table["shuffled"].isna().all()
    plus, minus = (table[table["strand"] == strand] for strand in "+-")
    assert plus["replaced"].tolist()[:5] == [47] * 5
    assert plus["affected"].tolist()[:5] == [48, 49, 0, 1, 2]
    assert minus["replaced"].tolist()[:5] == [2] * 5
    assert minus["affected"].tolist()[:5] == [1, 0, 49, 48, 47]
    assert len(plus) == len(minus) == 15


def test_letters_that_are_no_bases_have_no_dependencies():
    genome = Genome([Contig("c", np.frombuffer(b"ACGTNNNN", np.uint8))])
    config = DependencyConfig(n_shuffles=1)
    assert not len(dependency_map(ToyDnaModel(), genome, GenomicInterval("c", 4, 8), config))


def test_the_control_is_what_one_pair_in_twenty_exceeds_at_its_distance(nano):
    region, config = GenomicInterval("c", 2, 14), DependencyConfig(context=9, strands=("-",))
    table = dependency_map(nano, GENOME, region, config)
    passage = passage_of(nano, 2, 14, "-", 9)
    controls = [dependencies(nano, shuffled(passage, 0, i)).largest for i in (1, 2)]
    for distance, rows in table.groupby("distance"):
        pairs = np.concatenate([np.diagonal(control, distance) for control in controls])
        assert rows["shuffled"].to_numpy() == pytest.approx(np.quantile(pairs, 0.95))


def test_a_shuffle_keeps_what_is_before_and_the_dinucleotides():
    passage = passage_of(ToyDnaModel(), 2, 22, "+")
    found = [shuffled(passage, 0, number).bases for number in (1, 2)]
    assert found[0].tolist() != found[1].tolist()
    for bases in found:
        assert bases[:12].tolist() == passage.bases[:12].tolist()
        pairs = [sorted(pairwise(x[12:].tolist())) for x in (bases, passage.bases)]
        assert pairs[0] == pairs[1]


def test_what_cannot_be_mapped_is_refused():
    model, config = ToyDnaModel(), DependencyConfig(max_bases=10)
    with pytest.raises(InputError, match="c:3-3: expected a region of 2 to 10 bases, found 1"):
        dependency_map(model, GENOME, GenomicInterval("c", 2, 3), config)
    with pytest.raises(InputError, match="found 11"):
        dependency_map(model, GENOME, GenomicInterval("c", 2, 13), config)
    linear = Genome([Contig("c", np.frombuffer(TEXT, np.uint8))])
    with pytest.raises(CoordinateError):
        dependency_map(model, linear, GenomicInterval("c", 47, 53), config)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch": 2}, "batch: expected at least 3, found 2"),
        ({"context": -1}, "context: expected at least 0, found -1"),
        ({"strands": ()}, "strands: expected [+], - or both, found none"),
        ({"strands": (".",)}, "found [.]"),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        DependencyConfig(**settings)
