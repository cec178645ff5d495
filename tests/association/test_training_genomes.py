"""Sketches of training genomes against sets of words."""

import numpy as np
import pytest

from genointerp.annotation.catalogue import shipped
from genointerp.association.similarity import K
from genointerp.association.training_genomes import (
    SCALE_BITS,
    SKETCH,
    TrainingSketch,
    nearest,
    read_sketch,
    sketch,
    tell_seen,
    write_sketch,
)
from genointerp.genome.letters import reverse_complement
from genointerp.genome.read import read_genome


def draw(n, seed):
    return np.random.default_rng(seed).choice(np.frombuffer(b"ACGT", np.uint8), n)


def words(bases):
    """Words of K bases, the lesser of either strand."""
    text, back = bytes(bases), bytes(reverse_complement(bases))
    n = len(text) - K + 1
    return {min(text[i : i + K], back[n - 1 - i : n - 1 - i + K]) for i in range(n)}


def test_the_shared_share_is_that_of_sets_of_words_within_its_error():
    known, other = draw(300_000, 1), draw(300_000, 2)
    mixed = np.concatenate([known[:120_000], draw(180_000, 3)])
    expected = len(words(mixed) & words(known)) / len(words(mixed))
    training = TrainingSketch(("m",), ("other", "known"), (sketch([other]), sketch([known])))
    found = nearest([mixed], training)
    assert found.genome == "known"
    assert found.n_words == pytest.approx(300_000 / 2**SCALE_BITS, rel=0.3)
    error = (expected * (1 - expected) / found.n_words) ** 0.5
    assert abs(found.share - expected) < 4 * error


def test_a_sketch_does_not_depend_on_strand_or_pieces():
    bases = draw(200_000, 4)
    whole = sketch([bases])
    assert np.array_equal(sketch([reverse_complement(bases)]), whole)
    assert np.array_equal(sketch([bases[: 100_000 + K - 1], bases[100_000:]]), whole)
    assert len(sketch([np.full(50_000, ord("N"), np.uint8)])) == 0


def test_a_sketch_is_read_as_it_was_written(tmp_path):
    found = TrainingSketch(("m", "n"), ("a", "b"), (sketch([draw(90_000, 5)]), sketch([])))
    write_sketch(tmp_path / "s.npz", found)
    again = read_sketch(tmp_path / "s.npz")
    assert again[:2] == found[:2]
    assert all(np.array_equal(*pair) for pair in zip(again.hashes, found.hashes, strict=True))


def test_the_model_is_told_to_have_seen_its_training_genome_and_not_another(caplog):
    training = read_sketch()
    ecoli, bsubtilis = (
        [contig.sequence for contig in read_genome(shipped(name).sequence).values()]
        for name in ("ecoli_mg1655", "bsubtilis_168")
    )
    found = tell_seen("ecoli", "nano", ecoli, training)
    assert (found.genome, found.share) == ("ecoli_mg1655", 1)
    assert "ecoli: 100 % of the bases read on test occur in ecoli_mg1655, which" in caplog.text
    caplog.clear()
    assert tell_seen("bsubtilis", "small", bsubtilis, training).share < 0.01
    assert tell_seen("ecoli", "another-model", ecoli, training) is None
    assert caplog.text == ""


def test_a_strain_of_a_training_genome_is_told_and_a_half_of_its_bases(caplog):
    """One base in sixty is exchanged, as between strains of a species."""
    (contig,) = read_genome(shipped("ecoli_mg1655").sequence).values()
    bases = contig.sequence[:1_000_000].copy()
    at = np.random.default_rng(0).choice(len(bases), len(bases) // 60, replace=False)
    bases[at] = draw(len(at), 6)
    found = tell_seen("strain", "nano", [bases], read_sketch())
    # a quarter of those drawn anew are the same
    assert found.share == pytest.approx((1 - 0.75 / 60) ** K, abs=0.09)
    assert found.genome == "ecoli_mg1655"
    assert "strain: " in caplog.text


def test_the_shipped_sketch_is_small_and_is_of_every_training_genome():
    assert SKETCH.stat().st_size < 300_000
    found = read_sketch()
    assert found.models == ("nano", "small")
    assert len(found.genomes) == 39
    assert all(len(own) for own in found.hashes)
