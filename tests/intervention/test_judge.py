"""What judges designs, by hand and against counting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.intervention.judge import (
    Found,
    diversity,
    stop_codons,
    stop_ratio,
    stop_ratio_interval,
    warn_of_absent_finders,
)

GENE = (
    "ATGAAAACCATTATTGCGCTGAGCTATATTTTTTGCCTGGTTTTTGCGGATTATAAAGATGATGATGATAAAGGTGCGGGTAGCGAACTG"
    "GTTCCGCGTGGTAGCCATATGGCTGAAATTAAACGTCTGGCTGAAGCGATTGGTGAACTGCGTGATCGTCTGGAAAAATAA"
)


def as_rows(*texts):
    return np.array([[*text.encode()] for text in texts], np.uint8)


designs = st.integers(6, 30).flatmap(
    lambda n: st.lists(st.text("ACGT", min_size=n, max_size=n), min_size=1, max_size=6)
)


@settings(max_examples=80, deadline=None)
@given(texts=designs, frame=st.integers(0, 2))
def test_stop_codons_over_those_expected_by_composition(texts, frame):
    codons = [text[i : i + 3] for text in texts for i in range(frame, len(text) - 2, 3)]
    stops = [codon in ("TAA", "TAG", "TGA") for codon in codons]
    assert stop_codons(as_rows(*texts), frame).sum() == sum(stops)

    def share(place, letter):
        return np.mean([codon[place] == letter for codon in codons])

    third = share(2, "A"), share(2, "G")
    expected = share(0, "T") * (
        share(1, "A") * third[0] + share(1, "A") * third[1] + share(1, "G") * third[0]
    )
    found = stop_ratio(as_rows(*texts), frame)
    if expected:
        assert found == pytest.approx(np.mean(stops) / expected)
        low, high = stop_ratio_interval(as_rows(*texts), frame, seed=0)
        assert np.isnan(low) or 0 <= low <= high
    else:
        assert np.isnan(found)


def test_composition_alone_does_not_change_the_ratio():
    draw = np.random.default_rng(0)
    for p in ([0.25] * 4, [0.1, 0.4, 0.4, 0.1]):
        random = draw.choice(list(b"ACGT"), (400, 300), p=p).astype(np.uint8)
        assert stop_ratio(random, 0) == pytest.approx(1, abs=0.1)
        low, high = stop_ratio_interval(random, 0, seed=1)
        assert low < 1 < high


def test_diversity_is_the_share_of_differing_bases_over_pairs():
    # the pairs differ in 1, 2 and 2 of four bases
    assert diversity(as_rows("ACGT", "ACGA", "AGGC")) == pytest.approx((1 + 2 + 2) / 12)
    assert diversity(as_rows("ACGT", "ACGT")) == 0
    assert np.isnan(diversity(as_rows("ACGT")))


def test_a_gene_is_found_in_its_frame_and_on_its_strand():
    pytest.importorskip("pyrodigal")
    complement = GENE.translate(str.maketrans("ACGT", "TGCA"))[::-1]
    for text, frame in ((f"{GENE}CC", 0), (f"C{GENE}C", 1), (f"CC{GENE}", 2), (complement, None)):
        found = Found([text])
        shares = {it: found.coding(it) for it in (0, 1, 2, None)}
        assert shares[frame] > 0.9
        assert sum(shares.values()) == shares[frame]
    assert Found(["A" * 200]).coding(0) == 0


def test_a_transfer_rna_is_found_in_the_designs_that_have_it():
    pytest.importorskip("pyaragorn")
    trna = "GGGGCTATAGCTCAGCTGGGAGAGCGCCTGCTTTGCACGCAGGAGGTCTGCGGTTCGATCCCGCATAGCTCCACCA"
    found = Found([f"ACGTA{trna}TTTTT", "A" * (len(trna) + 10)])
    assert found.share_with("pyaragorn") == 0.5


def test_what_is_not_installed_judges_nothing(monkeypatch, caplog):
    monkeypatch.setattr("genointerp.intervention.judge.installed_finders", lambda _names: [])
    found = Found(["ACGT" * 20])
    assert np.isnan(found.coding(0))
    assert np.isnan(found.share_with("pybarrnap"))
    warn_of_absent_finders()
    assert "judges no design: pyaragorn, pybarrnap, pyrodigal" in caplog.text
