"""Blocks of hits, and that nothing depends upon how features are divided into them."""

import numpy as np
import pytest

from genointerp.association.associate import associate
from genointerp.association.config import AssociateConfig
from genointerp.association.count import hits
from genointerp.association.count.hits import feature_blocks, reaching_codes, read_cells
from genointerp.association.count.tracks import stream_features
from genointerp.association.count.universe import make_universe
from genointerp.genome.interval import GenomicInterval
from tests.association.null_world import make_world
from tests.plant import contigs_of, make_store
from tests.specimens import specimen

LENGTHS = {"c": 50, "d": 30}
SIDE = (GenomicInterval("c", 3, 21), GenomicInterval("c", 24, 48), GenomicInterval("d", 0, 25))
COVERAGE = {"c": [(0, 40, "+"), (10, 50, "-")], "d": [(0, 30, "+"), (5, 20, "-")]}
N_FEATURES = 5


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Two genomes whose strands were read in different places, in tiles of a few bases."""
    folder, rng = tmp_path_factory.mktemp("hits"), np.random.default_rng(0)
    made = []
    for genome in "gh":
        shape = (sum(LENGTHS.values()), N_FEATURES)
        dense = {
            strand: (rng.integers(1, 5, shape) * (rng.random(shape) < 0.4)).astype(np.float32)
            for strand in "+-"
        }
        options = {"coverage": COVERAGE, "genome_sha256": genome, "tile_rows": 7}
        path = folder / f"{genome}.h5"
        made.append(make_store(path, dense, contigs_of(**LENGTHS), **options))
    return made


def test_hits_of_a_block_are_the_cells_of_each_feature_in_ascending_order(stores):
    universe = make_universe(zip(stores, [SIDE, SIDE], strict=True))
    block = read_cells(stores, universe).read(range(1, N_FEATURES))
    for feature, (track,) in stream_features(stores, [universe], range(1, N_FEATURES)):
        own = slice(block.start[feature - 1], block.stop[feature - 1])
        order = np.argsort(track.cell)
        assert len(track.cell) > 20
        assert block.place[own].tolist() == track.cell[order].tolist()
        assert block.code[own].view(np.float16).tolist() == track.value[order].tolist()


@pytest.mark.parametrize("threshold", [0.0, 1.0, 1.5, 3.0, 4.0, 9.0])
def test_detected_are_the_hits_that_reach_the_threshold(stores, threshold):
    universe = make_universe(zip(stores, [SIDE, SIDE], strict=True))
    block = read_cells(stores, universe).read(range(2, N_FEATURES))
    chosen = np.array([4, 2])
    detected = block.detect(chosen, np.array([threshold, np.nan]))
    track = dict(stream_features(stores, [universe], [4]))[4][0]
    found = slice(detected.start[0], detected.stop[0])
    reached = detected.code[found] >= detected.reach[0]
    assert detected.cell[found][reached].tolist() == sorted(track.cell[track.value >= threshold])
    never = detected.code[detected.start[1] : detected.stop[1]]
    assert len(never) > 20
    assert not (never >= detected.reach[1]).any()


def test_a_code_reaches_what_its_value_reaches():
    values = np.array([0.1, 0.5, 2.0, 3.3, 1e-7, 6e4], np.float16)
    for threshold in (0.0, 0.1, 0.25, 0.5, 1.9, 2.0, 6e4, np.inf, np.nan):
        reached = values.view(np.uint16) >= reaching_codes(np.array([threshold]))
        assert reached.tolist() == (values.astype(np.float64) >= threshold).tolist()


def test_associations_do_not_depend_upon_the_blocks(tmp_path, monkeypatch):
    store, elements, genome = make_world(tmp_path, seed=5, n_features=7)
    config = AssociateConfig(test=("test",), n_shifts=19, n_thresholds=4)
    one = associate([specimen(store, elements, sequence=genome)], config=config)
    monkeypatch.setattr(hits, "BLOCK_FEATURES", 2)
    assert len(feature_blocks([store])) == 4
    several = associate([specimen(store, elements, sequence=genome)], config=config)
    assert one["p_max"].notna().sum() >= 7
    assert one.equals(several)
