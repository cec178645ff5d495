import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.association.baseline.dense import dense_sides
from genointerp.association.baseline.dense_counts import (
    DenseCounts,
    choose_columns,
    count_values,
    key_values,
    score_values,
    value_keys,
)
from genointerp.association.config import AssociateConfig
from tests.plant import contigs_of, make_elements, make_store, silence
from tests.specimens import specimens

CONFIG = AssociateConfig(test=("test",))
GENE, OTHER = 0, 1


@pytest.fixture
def sides(tmp_path):
    features = [
        make_store(tmp_path / f"{seqid}.h5", silence(length, 2), contigs_of(**{seqid: length}),
                   genome_sha256=seqid)
        for seqid, length in (("fit", 300), ("test", 200))
    ]  # fmt: skip
    elements = [
        make_elements(("gene", seqid, 20, 60, "."), ("other", seqid, 50, 90, "."),
                      unstranded=("gene", "other"))
        for seqid in ("fit", "test")
    ]  # fmt: skip
    return dense_sides(specimens(features, elements=elements), CONFIG)


def everywhere(values):
    """What gives the detectors' values at every cell of either side, in two blocks."""

    def values_on(side):
        own = values[side.universe.n_cells]
        cell = np.random.default_rng(1).permutation(len(own))
        for part in (cell[:150], cell[150:]):
            yield part, own[part]

    return values_on


def draw(sides, n_detectors=3, seed=0):
    generator = np.random.default_rng(seed)
    # few values, so that there are ties
    return {
        side.universe.n_cells: generator.integers(-6, 6, (side.universe.n_cells, n_detectors))
        .astype(np.float32) / 4
        for side in sides
    }  # fmt: skip


@given(st.lists(st.floats(-60_000, 60_000, width=32), min_size=1, max_size=40))
def test_keys_rise_with_the_values_rounded_to_float16_and_give_them_back(values):
    values = np.array(values, np.float32)
    half = values.astype(np.float16)
    keys = value_keys(values)
    assert (key_values(keys) == half.astype(np.float64)).all()
    order = half[:, None] < half[None, :]
    assert (order == (keys[:, None] < keys[None, :])).all()


def test_values_beyond_float16_are_its_ends():
    ends = key_values(value_keys(np.array([-1e9, 1e9], np.float32)))
    assert ends.tolist() == [-65504.0, 65504.0]


def test_scores_are_those_of_a_loop_over_thresholds_and_pairs(sides):
    values = draw(sides)
    labels = np.array([GENE, OTHER, OTHER])
    found = score_values(everywhere(values), labels, *sides)
    for detector, (label, score) in enumerate(zip(labels, found, strict=True)):
        (x, truth), (z, wanted) = (
            (values[s.universe.n_cells][:, detector], s.labels.mask(int(label))) for s in sides
        )
        f1 = {
            t: 2 * (truth & (x >= t)).sum() / ((x >= t).sum() + truth.sum()) for t in np.unique(x)
        }
        best = max(f1, key=lambda t: (f1[t], -t))
        assert (score.threshold, score.f1_fit) == (best, pytest.approx(f1[best]))
        detected = z >= best
        assert score.precision == pytest.approx((wanted & detected).sum() / detected.sum())
        assert score.recall == pytest.approx((wanted & detected).sum() / wanted.sum())
        inside, outside = z[wanted][:, None], z[~wanted][None, :]
        wins = (inside > outside).mean() + (inside == outside).mean() / 2
        assert score.auroc == pytest.approx(wins)
        # a detector of every base tells nothing
        told = 0.0 if detected.all() else np.corrcoef(wanted, detected)[0, 1]
        assert score.mcc == pytest.approx(told)
        precision = {t: wanted[z >= t].mean() for t in np.unique(z)}
        assert score.average_precision == pytest.approx(np.mean([precision[t] for t in z[wanted]]))


def test_what_is_tested_does_not_move_the_threshold(sides):
    values = draw(sides, n_detectors=1)
    other = {**values, 400: -values[400]}
    first, second = (score_values(everywhere(each), np.array([GENE]), *sides)[0] for each in (
        values, other))  # fmt: skip
    assert (first.threshold, first.f1_fit) == (second.threshold, second.f1_fit)
    assert first.auroc == pytest.approx(1 - second.auroc)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_planted_column_and_its_sign_are_chosen(sides, sign):
    fit, _ = sides
    matrix = draw(sides, n_detectors=4)[600]
    matrix[:, 2] += sign * 9 * fit.labels.mask(OTHER)
    assert choose_columns(matrix, np.arange(600), fit)[OTHER] == (2, sign)


def test_columns_are_chosen_on_the_rows_given_alone(sides):
    fit, _ = sides
    matrix = draw(sides)[600]
    truth = fit.labels.mask(GENE)
    matrix[:, 0] += 9 * truth
    rows = np.arange(0, 600, 5)
    # on the other rows a column that is perfect there would win
    matrix[:, 1] = np.where(np.arange(600) % 5 == 0, matrix[:, 1], 99.0 * truth)
    assert choose_columns(matrix[rows], rows, fit)[GENE] == (0, 1)


def test_a_label_without_a_base_has_no_threshold_and_no_score():
    fit, test = DenseCounts(np.array([0])), DenseCounts(np.array([0]))
    values = np.arange(5, dtype=np.float32)[:, None]
    fit.add(values, np.zeros((5, 1), np.bool_))
    test.add(values, np.array([[0], [0], [0], [1], [1]], np.bool_))
    assert np.isnan(test.score(*fit.thresholds())[0]).all()
    # the other way round the threshold is known, and nothing else
    score = fit.score(*test.thresholds())[0]
    assert (score.threshold, score.f1_fit) == (3.0, 1.0)
    assert np.isnan(score[2:]).all()


def test_counts_do_not_depend_on_blocks(sides):
    fit, _ = sides
    values = draw(sides)
    whole = DenseCounts(np.array([GENE, OTHER, OTHER]))
    whole.add(values[600], fit.truth(np.arange(600)))
    parts = count_values(everywhere(values), whole.label, fit)
    assert (whole.n_all == parts.n_all).all()
    assert (whole.n_both == parts.n_both).all()
