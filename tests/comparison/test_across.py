"""Matching of features across genomes, by what they do in orthologous genes."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from genointerp.annotation.annotation_set import AnnotationSet, Element, Part
from genointerp.comparison.matching.across import AcrossConfig, match_across
from genointerp.comparison.matching.orthologs import composition, find_genes, gene_means
from genointerp.core.errors import ConfigError, InputError
from genointerp.genome.genome import Contig, Genome
from tests.plant import contigs_of, make_store, silence
from tests.specimens import specimen

N_GENES, LENGTH, GAP = 60, 90, 30
N_NOISE = 15
N_BP = N_GENES * (LENGTH + GAP)
CONFIG = AcrossConfig(n_shuffles=20, n_draws=50, min_genes=10)


def name_of(number):
    return f"{'abcdefghij'[number // 10]}aa{'ABCDEFGHIJ'[number % 10]}"


def element(number, start, strand, **attributes):
    phase = 0
    parts = (Part("c", start, start + LENGTH, strand, phase),)
    found = {"gene": (name_of(number),), **attributes}
    return Element("CDS", f"cds{start}", parts, found, "test", "CDS")


def world(folder, name, seed, order, *, sae="s"):
    """Genes in some order; features 0 to 4 have a level in each, by its name; others are noise."""
    rng = np.random.default_rng(seed)
    levels = np.random.default_rng(99).gamma(1.0, size=(N_GENES, 5))
    dense = silence(N_BP, 5 + N_NOISE)
    elements = []
    for place, number in enumerate(order):
        start = place * (LENGTH + GAP)
        strand = "+-"[place % 2]
        elements.append(element(number, start, strand))
        dense[strand][start : start + LENGTH, :5] = levels[number] + 0.05 * rng.random(5)
        # on the other strand they fire as well, which must not count
        other = "-" if strand == "+" else "+"
        dense[other][start : start + LENGTH, :5] = rng.gamma(1.0, size=5)
        dense[strand][start : start + LENGTH, 5:] = rng.gamma(1.0, size=N_NOISE)
    letters = rng.choice(np.frombuffer(b"ACGT", np.uint8), N_BP)
    genome = Genome([Contig("c", letters)])
    store = make_store(
        folder / f"{name}.h5",
        dense,
        contigs_of(c=N_BP),
        genome_sha256=genome.sha256,
        sae_sha256=sae,
    )
    annotation = AnnotationSet(elements, {"c": N_BP})
    return specimen(store, sequence=genome, annotation=annotation)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("across")
    order = np.random.default_rng(3).permutation(N_GENES)
    return world(folder, "a", 1, np.arange(N_GENES)), world(folder, "b", 2, order)


def test_features_are_found_again_by_the_genes_that_they_fire_in(worlds):
    found = match_across([worlds[0]], [worlds[1]], CONFIG)
    for side in "ab":
        table = found.table[found.table["side"] == side].set_index("feature")
        assert table["partner"].tolist()[:5] == [0, 1, 2, 3, 4]
        assert table["is_matched"].tolist() == [1] * 5 + [0] * N_NOISE
        assert (table["own_rank"].tolist()[:5]) == [1] * 5
        assert (table["q_value"].iloc[:5] <= 0.05).all()
        # noise is at its rank by chance
        assert (table["p_value"].iloc[5:] <= 0.05).mean() <= 0.2
        assert table["null_r"].iloc[:5].max() < 0.7
    summary = found.summary[found.summary["side"] == "a"].set_index("comparison")
    assert summary.loc["found", "share"] == pytest.approx(0.25)
    assert summary.loc["shuffled", "share"] < 0.1
    assert summary.loc["itself", "share"] >= 0.25
    assert summary.loc["itself, residual", "share"] >= 0.25
    assert summary.loc["itself, shuffled", "share"] < 0.12
    assert summary.loc["found", "n_genes"] == N_GENES


def test_r_is_spearmans_over_means_on_the_genes_own_strand(worlds):
    genes = [find_genes([one]) for one in worlds]
    keys = sorted(set(genes[0]) & set(genes[1]))
    means = [
        gene_means([one], [own[k] for k in keys]) for one, own in zip(worlds, genes, strict=True)
    ]
    for one, own, mean in zip(worlds, genes, means, strict=True):
        for number, key in enumerate(keys[:5]):
            part = own[key][0].parts[0]
            track = one.features.feature(2, part.strand)
            inside = (track.row >= part.start) & (track.row < part.end)
            assert mean[2, number] == pytest.approx(track.value[inside].sum() / LENGTH, rel=1e-3)
    found = match_across([worlds[0]], [worlds[1]], CONFIG).table
    expected = spearmanr(means[0][1], means[1][1]).statistic
    assert found.loc[1, "r"] == pytest.approx(expected)


def test_other_dictionaries_have_no_feature_that_is_itself(worlds, tmp_path):
    other = world(tmp_path, "c", 4, np.arange(N_GENES), sae="t")
    found = match_across([worlds[0]], [other], CONFIG)
    assert found.table["own_r"].isna().all()
    assert "itself" not in set(found.summary["comparison"])


def test_composition_counts_bases_by_place_in_the_codon(worlds):
    genes = find_genes([worlds[0]])
    key = next(iter(genes))
    row = composition([worlds[0]], [genes[key]])[0]
    part = genes[key][0].parts[0]
    text = worlds[0].sequence["c"].sequence[part.start : part.end].tobytes().decode()
    assert part.strand == "+"
    naive = [text[place::3].count(base) / LENGTH for place in range(3) for base in "ACGT"]
    assert row[:12] == pytest.approx(naive)
    assert row[12] == pytest.approx(np.log(LENGTH))


def test_genes_without_a_partner_of_their_own_do_not_count(worlds):
    elements = [
        element(0, 0, "+"),
        element(0, 120, "-"),
        element(1, 240, "+", gene=("BSU_00010",)),
        element(2, 360, "+", gene=("",), EC_number=("2.7.7.7",)),
        Element("tRNA", "t", (Part("c", 480, 556, "+"),), {"product": ("tRNA-Ala",)}, "x", "tRNA"),
        Element("tRNA", "u", (Part("c", 600, 676, "-"),), {"product": ("tRNA-Ala",)}, "x", "tRNA"),
    ]
    own = specimen(worlds[0].features, annotation=AnnotationSet(elements, {"c": N_BP}))
    found = find_genes([own])
    assert sorted(found) == [("CDS", "2.7.7.7"), ("tRNA", "trna-ala")]
    assert len(found["tRNA", "trna-ala"]) == 2


def test_too_few_genes_are_refused(worlds):
    elements = [element(number, 120 * number, "+") for number in range(5)]
    annotation = AnnotationSet(elements, {"c": N_BP})
    few = specimen(worlds[1].features, sequence=worlds[1].sequence, annotation=annotation)
    with pytest.raises(InputError, match="30 orthologous genes or more"):
        match_across([worlds[0]], [few], CONFIG)
    with pytest.raises(ConfigError, match="n_shuffles"):
        AcrossConfig(n_shuffles=1)
