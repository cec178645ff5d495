import numpy as np
import pandas as pd
import pytest

from genointerp.candidate.config import RankConfig
from genointerp.candidate.evidence.gather import gather_evidence
from genointerp.candidate.evidence.pattern import mark_boundaries, motif_information, motif_share
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.store.contigs import ContigInfo
from tests.plant import make_store, silence
from tests.specimens import specimen

LENGTH, WINDOW = 40_000, 1000
ELEMENT, MOTIF, POINT, PERIODIC, HEAD, DIFFUSE = range(6)
BOX = np.frombuffer(b"TTGACATATAAT", np.uint8)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    draw = np.random.default_rng(0)
    sequence = draw.choice(np.frombuffer(b"ACGT", np.uint8), LENGTH)
    dense = silence(LENGTH, 6)
    for i, start in enumerate(range(300, LENGTH - 300, 700)):
        sequence[start : start + len(BOX)] = BOX
        dense["+"][start + len(BOX) - 1, MOTIF] = 1
        dense["+-"[i % 2]][start + 200 : start + 300, ELEMENT] = 1
        dense["+-"[i % 2]][start + 100 + 37 * i % 50, POINT] = 1
        dense["+"][start + 350 : start + 450 : 10, PERIODIC] = 1
    for start in range(0, LENGTH, WINDOW):
        dense["+"][start : start + 8, HEAD] = 1
    for strand in "+-":
        dense[strand][draw.random(LENGTH) < 0.01, DIFFUSE] = 2
        spread = draw.random(LENGTH) < 0.3
        dense[strand][spread, DIFFUSE] = np.maximum(dense[strand][spread, DIFFUSE], 0.5)
    genome = Genome([Contig("c", sequence)])
    path = tmp_path_factory.mktemp("pattern") / "f.h5"
    store = make_store(path, dense, ContigInfo.of(genome), genome_sha256=genome.sha256)
    windows = [
        GenomicInterval("c", start, start + WINDOW, strand)
        for strand in "+-"
        for start in range(0, LENGTH, WINDOW)
    ]
    config = RankConfig()
    known = [specimen(store, sequence=genome, windows=windows)]
    return gather_evidence(known, config, trained_on=set()).set_index("feature")


@pytest.mark.parametrize(
    ("feature", "pattern"),
    [
        pytest.param(ELEMENT, "element-long", id="elements"),
        pytest.param(MOTIF, "motif", id="a-box"),
        pytest.param(POINT, "point", id="single-bases"),
        pytest.param(PERIODIC, "periodic", id="every-tenth-base"),
        pytest.param(HEAD, "window artefact", id="heads-of-windows"),
        pytest.param(DIFFUSE, "diffuse", id="everywhere"),
    ],
)
def test_planted_patterns_are_told_apart(evidence, feature, pattern):
    assert evidence.loc[feature, "pattern"] == pattern


def test_measures_of_planted_patterns(evidence):
    assert evidence.loc[ELEMENT, "locus_length"] == 100
    assert evidence.loc[PERIODIC, "period"] == 10
    assert evidence.loc[MOTIF, "motif_bits"] > 20
    assert evidence.loc[POINT, "motif_bits"] < 2
    assert evidence.loc[HEAD, "window_bias_16"] == pytest.approx(2 * LENGTH / (2 * 16 * 40))
    assert evidence.loc[HEAD, "window_bias_1024"] == pytest.approx(1.0)
    assert evidence["seen_share"].tolist() == [0.0] * 6


def test_what_is_small_and_keeps_to_the_ends_of_elements_is_a_boundary():
    table = pd.DataFrame(
        {
            "pattern": ["motif", "point", "point", "motif", "element-long", "periodic"],
            "boundary_share": [0.5, 0.9, 0.49, np.nan, 0.9, 0.9],
        }
    )
    assert mark_boundaries(table, boundary=0.5).tolist() == [
        *("boundary", "boundary", "point", "motif", "element-long", "periodic"),
    ]


def test_information_of_a_worked_example():
    # one column always A, one evenly spread, of 16 different sequences
    words = [b"A" + bytes([x, y]) for x in b"ACGT" for y in b"ACGT"]
    correction = 3 / (2 * np.log(2) * 16)
    found = motif_information([*words, *words], np.full(4, 0.25))
    assert found == pytest.approx(2 - correction)
    assert np.isnan(motif_information(words[:9], np.full(4, 0.25)))


def test_a_motif_that_tells_its_loci_has_full_share():
    # 16 loci among 65,536 places: 12 bits find them
    assert motif_share(6.0, 16, 65_536) == 0.5
    assert motif_share(20.0, 16, 65_536) == 1.0
    assert np.isnan(motif_share(float("nan"), 16, 65_536))
    assert np.isnan(motif_share(1.0, 16, 16))
