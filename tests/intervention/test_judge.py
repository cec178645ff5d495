"""What judges designs, by hand and against counting."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.genome.letters import reverse_complement
from genointerp.intervention.judge.dose import dose_scores
from genointerp.intervention.judge.finders import Found, warn_of_absent_finders
from genointerp.intervention.judge.sequences import Texts, divergence, diversity, word_shares
from genointerp.intervention.judge.stops import stop_codons, stop_ratio, stop_ratio_interval
from genointerp.intervention.judge.trna import TrnaSigns, trna_signs
from genointerp.intervention.judge.verdict import n_moved

GENE = (
    "ATGAAAACCATTATTGCGCTGAGCTATATTTTTTGCCTGGTTTTTGCGGATTATAAAGATGATGATGATAAAGGTGCGGGTAGCGAACTG"
    "GTTCCGCGTGGTAGCCATATGGCTGAAATTAAACGTCTGGCTGAAGCGATTGGTGAACTGCGTGATCGTCTGGAAAAATAA"
)
TRNA = "GGGGCTATAGCTCAGCTGGGAGAGCGCCTGCTTTGCACGCAGGAGGTCTGCGGTTCGATCCCGCATAGCTCCACCA"


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
        shares = {it: found.coding(it)[0] for it in (0, 1, 2, None)}
        assert shares[frame] > 0.9
        assert sum(shares.values()) == shares[frame]
    assert Found(["A" * 200]).coding(0).tolist() == [0]


def test_a_transfer_rna_is_found_in_the_designs_that_have_it():
    pytest.importorskip("pyaragorn")
    found = Found([f"ACGTA{TRNA}TTTTT", "A" * (len(TRNA) + 10)])
    assert found.has("pyaragorn").tolist() == [1, 0]


def test_what_is_not_installed_judges_nothing(monkeypatch, caplog):
    finders = "genointerp.intervention.judge.finders.installed_finders"
    monkeypatch.setattr(finders, lambda _names: [])
    found = Found(["ACGT" * 20] * 2)
    assert np.isnan(found.coding(0)).tolist() == [True, True]
    assert np.isnan(found.has("pybarrnap")).tolist() == [True, True]
    warn_of_absent_finders()
    assert "judges no design: pyaragorn, pybarrnap, pyrodigal" in caplog.text


def test_the_signs_of_a_transfer_rna_are_looked_for_where_they_belong():
    assert trna_signs(TRNA) == TrnaSigns(t_loop=True, d_loop=True, cca=True, acceptor_pairs=7)
    assert not trna_signs(f"CCCC{TRNA}").d_loop
    assert not trna_signs(f"{TRNA}T").cca
    # G pairs with T, and A with no C
    assert trna_signs("G" * 7 + "A" * 10 + "T" * 3 + "A" * 4 + "TACA").acceptor_pairs == 3
    assert trna_signs("ACG") == TrnaSigns(t_loop=False, d_loop=False, cca=False, acceptor_pairs=0)


letters = st.lists(st.sampled_from(list(b"ACGTN")), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(letters, min_size=1, max_size=3), own=letters, cut=st.integers(0, 40))
def test_the_longest_copy_is_that_of_every_run_sought_on_both_strands(parts, own, cut):
    texts = [np.array(part, np.uint8) for part in parts]
    # something is copied more often than chance would have it
    design = np.array([*own, *parts[0][cut:], *reverse_complement(texts[-1])[:cut], 65], np.uint8)
    both = [bytes(it) for text in texts for it in (text, reverse_complement(text))]
    runs = [
        end - start
        for start in range(len(design))
        for end in range(start + 12, len(design) + 1)
        if b"N" not in (run := bytes(design[start:end])) and any(run in text for text in both)
    ]
    assert Texts(texts).longest_copy(design) == max(runs, default=0)


def test_compositions_differ_by_their_words():
    one, other = as_rows("AAAAA", "AAAAA"), as_rows("CCCCCC")
    assert divergence(word_shares(one), word_shares(one)) == 0
    assert divergence(word_shares(one), word_shares(other)) == 1
    shares = word_shares(as_rows("AACA"), 2)
    assert {i: shares[i] for i in np.flatnonzero(shares)} == pytest.approx(
        {0: 1 / 3, 1: 1 / 3, 4: 1 / 3}
    )


def test_features_that_moved_are_those_with_a_large_z_that_were_not_painted():
    draw = np.random.default_rng(0)
    before = draw.normal(size=(32, 5)).astype(np.float32)
    change = draw.normal(size=(32, 5)) * 0.1 + np.array([0, 1, 1, 0, 0])
    # the last one never differs
    change[:, 4] = 0
    after = (before + change).astype(np.float32)
    assert n_moved(after, before, [1]) == 1
    assert n_moved(after, before, []) == 2
    # of one design nothing can be said
    assert np.isnan(n_moved(after[:1], before[:1], []))


def designs_of(n, t_share, seed):
    """Designs whose stop codons in frame become fewer with the share of T as first base."""
    draw = np.random.default_rng(seed)
    codons = draw.choice(list(b"ACGT"), (n, 60, 3)).astype(np.uint8)
    stop = np.array([*b"TAA"], np.uint8)
    keep = draw.random((n, 60)) < t_share
    codons = np.where((codons == stop).all(2)[..., None] & ~keep[..., None], 67, codons)
    texts = [row.tobytes().decode() for row in codons.reshape(n, -1)]
    log_p = draw.normal(-1.3, 0.1, n)
    return pd.DataFrame({"number": np.arange(1, n + 1), "sequence": texts, "log_p": log_p})


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 99))
def test_what_the_other_half_says_changes_no_choice_of_a_dose(seed):
    designs = {dose: designs_of(12, 1 / dose, seed) for dose in (1.0, 2.0, 4.0)}
    plain = designs_of(12, 1.0, seed + 100)
    found = dose_scores(designs, plain, ["CDS_phase0", "CDS_phase1"], frame=0)
    assert sum(score.chosen for score in found.values()) == 1
    for table in (*designs.values(), plain):
        even = table["number"] % 2 == 0
        table.loc[even, "sequence"] = "TAA" * 60
        table.loc[even, "log_p"] = -9.0
    again = dose_scores(designs, plain, ["CDS_phase0", "CDS_phase1"], frame=0)
    assert [it.fit for it in again.values()] == [it.fit for it in found.values()]
    assert [it.chosen for it in again.values()] == [it.chosen for it in found.values()]
    assert all(it.test == 0 for it in again.values())


def test_a_score_is_the_harmonic_mean_of_the_effect_and_of_what_it_costs():
    signs = {"t_loop": 1, "d_loop": 1, "cca": 0, "acceptor_pairs": 7}
    designs = pd.DataFrame([signs | {"number": number, "log_p": -2.0} for number in (1, 2)])
    plain = designs.assign(log_p=-1.5)
    effect, natural = 0.75, np.exp(-0.5)
    found = dose_scores({1.0: designs}, plain, ["tRNA"], frame=None)[1.0]
    assert found.fit == pytest.approx(2 * effect * natural / (effect + natural))
    assert found.chosen
    # of several concepts, or of others, there is no score
    assert not dose_scores({1.0: designs}, plain, ["tRNA", "CDS"], frame=None)[1.0].chosen
    assert np.isnan(dose_scores({1.0: designs}, plain, ["promoter"], frame=None)[1.0].fit)


def test_a_score_of_coding_sequences_is_of_the_frame_of_the_canvas():
    plain, designs = designs_of(12, 1.0, 0), designs_of(12, 1.0, 1)
    # two bases before the first codon: no stop codons in frame 2, as many as before in the others
    texts = [f"CC{text[:-2]}" for text in designs_of(12, 0.0, 1)["sequence"]]
    shifted = designs.assign(sequence=[it.replace("TAG", "CAG") for it in texts])
    scores = {
        frame: dose_scores({1.0: shifted}, plain, ["CDS"], frame=frame)[1.0].fit
        for frame in (0, 1, 2, None)
    }
    assert scores[2] > max(scores[0], scores[1])
    assert np.isnan(scores[None])
