import numpy as np
import pytest

from genointerp.association import dense
from genointerp.association.config import AssociateConfig
from genointerp.association.dense import choose_columns, dense_sides, score_dense, thresholds_of
from genointerp.core.errors import InputError
from tests.plant import contigs_of, make_elements, make_store, silence
from tests.stores import activation_header, write_activations

CONFIG = AssociateConfig(test=("test",))
FIT_GENE, TEST_GENE = (20, 60, "+"), (10, 30, "-")


def make_genome(folder, seqid, length, seed):
    """A features file and activations of the same bases, both strands, in reading order."""
    contigs = contigs_of(**{seqid: length})
    features = make_store(
        folder / f"{seqid}.features.h5", silence(length, 2), contigs, genome_sha256=seqid
    )
    x = np.random.default_rng(seed).normal(size=(2 * length, 4)).astype(np.float32)
    windows = features.coverage("+") + features.coverage("-")
    header = activation_header(contigs=contigs, genome_sha256=seqid)
    return features, x, windows, header


@pytest.fixture
def world(tmp_path):
    """Column 1 is low where a gene is read in its sense, with an error of 5 bases on test."""
    genomes = [make_genome(tmp_path, "fit", 200, 0), make_genome(tmp_path, "test", 100, 1)]
    x, z = genomes[0][1], genomes[1][1]
    x[20:60, 1] -= 20
    # rows of a window on - run backward: bases 10 to 30 of 100 are its rows 70 to 90
    z[100 + 70 : 100 + 85, 1] -= 20
    features = [genome[0] for genome in genomes]
    stores = [
        write_activations(tmp_path / f"{number}.h5", rows, windows=windows, header=header)
        for number, (_, rows, windows, header) in enumerate(genomes)
    ]
    elements = [
        make_elements(("gene", "fit", *FIT_GENE)),
        make_elements(("gene", "test", *TEST_GENE)),
    ]
    return features, stores, elements, x, z


def test_rows_in_reading_order_get_the_labels_of_their_bases(world):
    features, stores, elements, _, _ = world
    fit, test = dense_sides(features, stores, elements, CONFIG)
    assert np.flatnonzero(fit.truth(fit.label("gene"))).tolist() == list(range(20, 60))
    assert np.flatnonzero(test.truth(test.label("gene"))).tolist() == list(range(170, 190))
    assert (fit.n_covered, test.n_covered) == (400, 200)


def test_the_planted_column_and_its_sign_are_chosen_on_fit(world):
    features, stores, elements, x, _ = world
    fit, _ = dense_sides(features, stores, elements, CONFIG)
    assert choose_columns(x, fit)[fit.label("gene")] == (1, -1)


def test_scores_of_a_planted_detector_are_those_counted_by_hand(world):
    features, stores, elements, x, z = world
    fit, test = dense_sides(features, stores, elements, CONFIG)
    label = fit.label("gene")
    score = score_dense(-x[:, 1], -z[:, 1], label, fit, test)
    assert score.f1_fit == 1.0
    # 15 of the 20 bases and nothing else
    assert (score.precision, score.recall) == (1.0, 0.75)
    assert score.f1 == pytest.approx(2 * 15 / (15 + 20))
    truth = test.truth(label)
    wins = (-z[truth, 1][:, None] > -z[~truth, 1][None, :]).mean()
    assert score.auroc == pytest.approx(wins)


def test_what_is_tested_does_not_move_the_threshold(world):
    features, stores, elements, x, z = world
    fit, test = dense_sides(features, stores, elements, CONFIG)
    label = fit.label("gene")
    scores = [score_dense(-x[:, 1], values, label, fit, test) for values in (z[:, 1], z[:, 0])]
    assert scores[0].threshold == scores[1].threshold
    assert scores[0].f1_fit == scores[1].f1_fit


def test_rows_outside_the_side_are_refused(world):
    features, stores, elements, _, _ = world
    blocks = AssociateConfig(block_bp=50, gap_bp=5)
    with pytest.raises(InputError, match="rows of the universe"):
        dense_sides(features, stores, elements, blocks)


def test_thresholds_resolve_rare_concepts():
    values = np.arange(100_000, dtype=np.float32)
    grid = thresholds_of(values)
    assert grid[0] == 0
    assert (np.diff(grid) > 0).all()
    assert ((grid > 99_000) & (grid < 99_999)).sum() > 10


@pytest.mark.parametrize("n_rows", [1, 300_000, 300_001, 600_001, 1_900_000])
def test_thinning_keeps_every_phase_of_codons_and_enough_rows(n_rows):
    stride = dense._stride(n_rows)
    assert stride == 1 or (stride % 2 and stride % 3)
    assert n_rows / stride <= dense.CHOICE_ROWS
