import numpy as np
import pytest

from genointerp.association.baseline import dense
from genointerp.association.baseline.dense import (
    activation_blocks,
    check_activations,
    dense_sides,
    folds,
    thinning,
)
from genointerp.association.config import AssociateConfig
from genointerp.core.errors import InputError
from tests.plant import contigs_of, make_elements, make_store, silence
from tests.specimens import specimens
from tests.stores import activation_header, write_activations, write_words

CONFIG = AssociateConfig(test=("test",))
FIT_GENE, TEST_GENE = (20, 60, "+"), (10, 30, "-")


def header_of(features, **changes):
    own = features.header
    values = {"contigs": own.contigs, "genome_sha256": own.genome_sha256, "model_sha256": "m"}
    return activation_header(**{**values, **changes})


def write_like(folder, features, x, **changes):
    """Activations of all bases of a features file, both strands, in reading order."""
    windows = features.coverage("+") + features.coverage("-")
    path = folder / f"{features.path.stem}.a.h5"
    return write_activations(path, x, windows=windows, header=header_of(features, **changes))


def make_features(folder, seqid, length, coverage=None):
    contigs = contigs_of(**{seqid: length})
    return make_store(
        folder / f"{seqid}.h5",
        silence(length, 2),
        contigs,
        genome_sha256=seqid,
        coverage=coverage,
    )


@pytest.fixture
def world(tmp_path):
    features = [make_features(tmp_path, "fit", 200), make_features(tmp_path, "test", 100)]
    # each row holds its own base and strand: base / 8, and 0 on + or 1 on -
    stores = []
    for own, length in zip(features, (200, 100), strict=True):
        base = np.concatenate([np.arange(length), np.arange(length)[::-1]]) / 8
        strand = np.repeat([0, 1], length)
        x = np.column_stack([base, strand, base, strand]).astype(np.float32)
        stores.append(write_like(tmp_path, own, x))
    elements = [
        make_elements(("gene", "fit", *FIT_GENE)),
        make_elements(("gene", "test", *TEST_GENE)),
    ]
    return features, stores, elements


def gathered(stores, side):
    blocks = list(activation_blocks(stores, side.universe))
    return np.concatenate([b.cell for b in blocks]), np.concatenate([b.x for b in blocks])


@pytest.mark.parametrize("block_bytes", [64 << 20, 7 * 16])
def test_rows_in_reading_order_get_the_cells_and_labels_of_their_bases(
    world, monkeypatch, block_bytes
):
    monkeypatch.setattr(dense, "BLOCK_BYTES", block_bytes)
    features, stores, elements = world
    fit, test = dense_sides(specimens(features, elements=elements), CONFIG)
    check_activations(specimens(features, activations=stores), (fit, test))
    for side, length in ((fit, 200), (test, 100)):
        cell, x = gathered(stores, side)
        assert sorted(cell.tolist()) == list(range(2 * length))
        assert (x[:, 0] * 8 == cell % length).all()
        assert (x[:, 1] == cell // length).all()
    cell, _ = gathered(stores, test)
    truth = test.truth(cell)[:, test.label("gene")]
    # a gene on - is read in its sense on -
    assert sorted(cell[truth].tolist()) == list(range(110, 130))


def test_blocks_of_one_genome_divide_its_rows(world):
    features, stores, elements = world
    config = AssociateConfig(block_bp=50, gap_bp=5)
    sides = dense_sides(specimens(features, elements=elements), config)
    check_activations(specimens(features, activations=stores), sides)
    for side, wanted in zip(sides, ((0, 45), (55, 95)), strict=True):
        _, x = gathered(stores[:1], side)
        bases = np.unique(x[:, 0] * 8)
        assert (bases.min(), np.flatnonzero(np.diff(bases) > 1)[0] + bases.min() + 1) == wanted


def test_activations_of_other_bases_than_the_features_are_refused(world, tmp_path):
    features, stores, elements = world
    folder = tmp_path / "part"
    folder.mkdir()
    part = make_features(folder, "fit", 200, coverage={"fit": [(0, 150, "+"), (0, 200, "-")]})
    fewer = write_like(folder, part, np.zeros((350, 4), np.float32))
    both = [part, features[1]]
    known = specimens(both, elements=elements, activations=[fewer, stores[1]])
    check_activations(known, dense_sides(known, CONFIG))
    sides = dense_sides(specimens(features, elements=elements), CONFIG)
    with pytest.raises(InputError, match="the 400 bases of the features, each once, found 350"):
        check_activations(specimens(features, activations=[fewer, stores[1]]), sides)


def test_activations_of_every_genome_are_needed_where_one_has_them(world):
    features, stores, elements = world
    sides = dense_sides(specimens(features, elements=elements), CONFIG)
    with pytest.raises(InputError, match="specimen test: expected the activations that its"):
        check_activations(specimens(features, activations=[stores[0], None]), sides)


def test_tokens_of_several_bases_are_refused_with_the_reason(world, tmp_path):
    features, stores, elements = world
    windows = features[0].coverage("+") + features[0].coverage("-")
    words = write_words(tmp_path / "words.h5", windows=windows, header=header_of(features[0]))
    sides = dense_sides(specimens(features, elements=elements), CONFIG)
    with pytest.raises(
        InputError, match="tokens that are bases, since a concept is a set of bases"
    ):
        check_activations(specimens(features, activations=[words, stores[1]]), sides)


def test_folds_are_long_stretches_that_both_strands_share(world):
    features, _, elements = world
    fit, _ = dense_sides(specimens(features, elements=elements), CONFIG)
    fold = folds(np.arange(400), fit)
    assert (fold[:200] == fold[200:]).all()
    assert np.flatnonzero(np.diff(fold[:200].astype(int))).tolist() == [
        -(-200 * stretch // 16) - 1 for stretch in range(1, 16)
    ]


@pytest.mark.parametrize("n_rows", [1, 300_000, 300_001, 600_001, 1_900_000])
def test_thinning_keeps_every_phase_of_codons_and_enough_rows(n_rows):
    stride = thinning(n_rows, 300_000)
    assert stride == 1 or (stride % 2 and stride % 3)
    assert n_rows / stride <= 300_000
