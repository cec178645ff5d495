from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.annotation.finders.finding import FindConfig
from genointerp.annotation.finders.motif import find_motifs, read_motifs, scored, sites
from genointerp.core.errors import InputError
from genointerp.feature.motif import Motif, write_meme
from tests.plant import PROVENANCE

JASPAR = """>MA0001.1 one
A [ 10 0 0 ]
C [ 0 10 0 ]
G [ 0 0 10 ]
T [ 0 0 0 ]
"""


@given(st.integers(0, 10_000), st.integers(1, 4))
def test_p_values_are_those_of_every_word(seed, width):
    draw = np.random.default_rng(seed)
    background = draw.dirichlet(np.ones(4) * 5)
    motif = scored("m", draw.integers(0, 9, (4, width)).astype(float) + 0.5, background)
    words = list(product(range(4), repeat=width))
    totals = np.array([sum(motif.score[b, i] for i, b in enumerate(word)) for word in words])
    chance = np.array([np.prod(background[list(word)]) for word in words])
    for score in {*totals.tolist(), 0, len(motif.p_value) - 1}:
        assert motif.p_value[score] == pytest.approx(chance[totals >= score].sum(), abs=1e-12)


@given(st.integers(0, 10_000))
def test_sites_are_those_of_a_loop_over_both_strands(seed):
    draw = np.random.default_rng(seed)
    code = draw.choice(5, 80, p=[0.24] * 4 + [0.04]).astype(np.uint8)
    motif = scored("m", draw.integers(0, 9, (4, 4)).astype(float), np.full(4, 0.25))
    expected = set()
    for start in range(80 - 3):
        word = code[start : start + 4]
        if (word > 3).any():
            continue
        for strand, read in (("+", word), ("-", 3 - word[::-1])):
            p = motif.p_value[sum(motif.score[b, i] for i, b in enumerate(read))]
            if p <= 0.05:
                expected.add((start, strand, float(p)))
    assert set(sites(code, motif, 0.05)) == expected


def test_a_jaspar_motif_is_found_on_either_strand(tmp_path):
    path = tmp_path / "one.jaspar"
    path.write_text(JASPAR)
    found = list(find_motifs({"c": "TTTACGTTCGTTTT"}, FindConfig(motifs=path, max_p=0.01)))
    assert [(f.start, f.end, f.strand) for f in found] == [(3, 6, "+"), (4, 7, "-"), (8, 11, "-")]
    assert {f.attributes["Name"] for f in found} == {"MA0001.1 one"}


def test_no_site_is_reported_where_no_word_is_rare_enough(tmp_path):
    path = tmp_path / "one.jaspar"
    path.write_text(JASPAR)
    assert list(find_motifs({"c": "ACG" * 20}, FindConfig(motifs=path, max_p=1e-6))) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense\n",
        "MEME version 4\n",
        ">x\n",
        ">x\nA [ 1 2 ]\nC [ 1 ]\nG [ 1 2 ]\nT [ 1 2 ]\n",
        "MEME version 4\nMOTIF x\nletter-probability matrix: w= 1\n0 0 x 1\n",
    ],
    ids=repr,
)
def test_a_file_without_motifs_is_refused(text, tmp_path):
    path = tmp_path / "x.meme"
    path.write_text(text)
    with pytest.raises(InputError, match=r"x\.meme: expected motifs in MEME's or JASPAR's format"):
        read_motifs(path)


def test_a_motif_that_this_package_writes_is_read_back(tmp_path):
    counts = np.array([[3, 1, 0, 0], [0, 0, 4, 0], [1, 1, 1, 1]], dtype=np.int64)
    motif = Motif("f/1", counts, 0, np.full(4, 0.25), n_sites=4, n_repeated=0)
    write_meme(motif, tmp_path / "own.meme", PROVENANCE)
    ((_, found),) = read_motifs(tmp_path / "own.meme").items()
    assert found / found.sum(axis=0) == pytest.approx(counts.T / 4, abs=1e-6)
