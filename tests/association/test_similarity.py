import importlib.util
import logging

import numpy as np
import pytest

from genointerp.association import similarity
from genointerp.association.config import AssociateConfig
from genointerp.association.similarity import K, compare_sides
from genointerp.genome.genome import Contig, Genome
from genointerp.store.contigs import ContigInfo
from tests.plant import contigs_of, make_store, silence
from tests.specimens import specimen

LENGTH = 60_000
COMPLEMENT = np.zeros(256, np.uint8)
COMPLEMENT[np.frombuffer(b"ACGT", np.uint8)] = np.frombuffer(b"TGCA", np.uint8)


def random_bases(seed):
    return np.random.default_rng(seed).choice(np.frombuffer(b"ACGT", np.uint8), LENGTH)


def compare(folder, fit, test, config=None):
    contigs = contigs_of(fit=len(fit), test=len(test))
    config = AssociateConfig(test=("test",)) if config is None else config
    genome = Genome([Contig("fit", fit), Contig("test", test)])
    dense = silence(len(fit) + len(test), 1)
    store = make_store(folder / "f.h5", dense, contigs, genome_sha256=genome.sha256)
    return compare_sides([specimen(store, sequence=genome)], config)


def naive_share(fit, test):
    known = set()
    for bases in (fit, COMPLEMENT[fit[::-1]]):
        text = bases.tobytes()
        known |= {text[i : i + K] for i in range(len(text) - K + 1)}
    text = test.tobytes()
    found = [text[i : i + K] in known for i in range(len(text) - K + 1)]
    return sum(found) / len(found)


def test_unlike_sides_share_nothing_and_nobody_is_warned(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    row = compare(tmp_path, random_bases(1), random_bases(2)).iloc[0]
    assert (row["shared_kmers"], row["similar"]) == (0, 0)
    assert (row["fit_bp"], row["test_bp"]) == (LENGTH, LENGTH)
    assert "sequence of test (fit) that also occurs in fit (fit): 0.0%" in caplog.text
    assert "too much" not in caplog.text


@pytest.mark.parametrize("reverse", [False, True], ids=["same-strand", "other-strand"])
def test_shared_words_are_those_of_either_strand(tmp_path, monkeypatch, reverse):
    monkeypatch.setattr(similarity, "_SAMPLE", 1)
    fit, test = random_bases(1), random_bases(2)
    copy = fit[20_000:26_000]
    test[7000:13_000] = COMPLEMENT[copy[::-1]] if reverse else copy
    test[8000] = ord("N")
    found = compare(tmp_path, fit, test)["shared_kmers"].iloc[0]
    n_words, n_lost = LENGTH - K + 1, K
    assert found == pytest.approx(naive_share(fit, test) * n_words / (n_words - n_lost))
    assert found == pytest.approx((6000 - K + 1 - n_lost) / (n_words - n_lost), abs=1e-4)


def test_one_word_in_sixty_four_tells_nearly_the_same(tmp_path, caplog):
    fit, test = random_bases(1), random_bases(2)
    test[:12_000] = fit[:12_000]
    row = compare(tmp_path, fit, test).iloc[0]
    assert row["shared_kmers"] == pytest.approx(0.2, abs=0.05)
    assert row["similar"] == 1
    assert "5% is too much: scores may be remembered" in caplog.text


def test_blocks_of_one_genome_are_compared_with_its_other_blocks(tmp_path):
    bases = random_bases(1)
    bases[21_000:29_000] = bases[1000:9000]
    config = AssociateConfig(block_bp=10_000, gap_bp=500)
    genome = Genome([Contig("c", bases)])
    dense, contigs = silence(LENGTH, 1), contigs_of(c=LENGTH)
    store = make_store(tmp_path / "f.h5", dense, contigs, genome_sha256=genome.sha256)
    table = compare_sides([specimen(store, sequence=genome)], config)
    assert table["fit_genome"].tolist() == table["test_genome"].tolist() == ["c"]
    # both copies lie in even blocks, which are fit
    assert table["shared_kmers"].tolist() == [0]
    assert table["test_bp"].tolist() == [9000 + 9000 + 9500]


def test_no_word_spans_two_contigs(tmp_path, monkeypatch):
    monkeypatch.setattr(similarity, "_SAMPLE", 1)
    bases = random_bases(1)
    genome = Genome([Contig("a", bases[:900]), Contig("b", bases[900:2000])])
    genome = Genome([*genome.values(), Contig("test", bases[900 - K + 1 : 900 + K - 1])])
    dense, contigs = silence(2000 + 2 * K - 2, 1), ContigInfo.of(genome)
    store = make_store(tmp_path / "f.h5", dense, contigs, genome_sha256=genome.sha256)
    table = compare_sides([specimen(store, sequence=genome)], AssociateConfig(test=("test",)))
    assert table["shared_kmers"].tolist() == [0]


def draft(folder, bases, number):
    # the topology tells a genome from its copy
    first = Contig("contig_1", bases[:40_000], circular=number == 2)
    genome = Genome([first, Contig("contig_2", bases[40_000:])])
    path, contigs = folder / f"{number}.h5", ContigInfo.of(genome)
    store = make_store(path, silence(LENGTH, 1), contigs, genome_sha256=genome.sha256)
    return specimen(store, sequence=genome)


@pytest.mark.parametrize("first", [0, 1], ids=["copy-first", "copy-last"])
def test_drafts_whose_contigs_have_the_same_names_are_told_apart(tmp_path, first):
    """Of two genomes on fit one is that of test."""
    pytest.importorskip("pyskani")
    bases = [random_bases(1), random_bases(2), random_bases(1)]
    bases = bases if first == 0 else [bases[1], bases[0], bases[2]]
    drafts = [draft(tmp_path, one, i) for i, one in enumerate(bases)]
    table = compare_sides(drafts, AssociateConfig(test_genomes=(drafts[2].genome_sha256,)))
    assert table["fit_genome"].tolist() == ["contig_1 (genome 1)", "contig_1 (genome 2)"]
    assert set(table["test_genome"]) == {"contig_1 (genome 3)"}
    expected = [1.0, 0.0] if first == 0 else [0.0, 1.0]
    assert table["shared_kmers"].tolist() == expected
    assert table["aligned_share"].tolist() == pytest.approx(expected, abs=0.02)
    assert table["similar"].tolist() == expected


def test_a_relative_is_found_by_alignment(tmp_path, caplog):
    pytest.importorskip("pyskani")
    fit = random_bases(1)
    test = fit.copy()
    changed = np.random.default_rng(3).random(LENGTH) < 0.12
    test[changed] = COMPLEMENT[test[changed]]
    row = compare(tmp_path, fit, test).iloc[0]
    assert row["shared_kmers"] < 0.05
    assert row["ani"] == pytest.approx(0.88, abs=0.03)
    assert row["aligned_share"] > 0.5
    assert row["similar"] == 1
    assert "too much" in caplog.text


def test_without_pyskani_the_log_says_that_relatives_were_not_searched_for(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    row = compare(tmp_path, random_bases(1), random_bases(2)).iloc[0]
    assert np.isnan(row["ani"])
    assert np.isnan(row["aligned_share"])
    assert row["similar"] == 0
    assert "pyskani is not installed: test was not searched for relatives of fit" in caplog.text
