import dataclasses

import numpy as np
import pytest

from genointerp.core.errors import ConfigError, InputError
from genointerp.sae.config import TrainConfig
from genointerp.sae.data import Position, batches, prefetched, row_norms, survey
from genointerp.sae.source import RowSource
from tests.sae.sources import array_source, sparse_rows

CONFIG = TrainConfig(n_tokens=12_800, batch_tokens=128, outlier_sd=None)


@pytest.fixture(scope="module")
def rows():
    return sparse_rows()


def fit_rows(source, config):
    return np.concatenate(list(source.chunks(config.seed, 0, eval_share=config.eval_share)))


def taken(source, start, n, **options):
    stream = batches(source, CONFIG, start, **options)
    found = [item for item, _ in zip(stream, range(n), strict=False)]
    stream.close()
    return found


def test_held_out_blocks_are_whole_and_never_trained_on_in_any_epoch(rows):
    numbered = np.arange(len(rows), dtype=np.float32)[:, None] * np.ones((1, 3), np.float32)
    source = RowSource(numbered, block=np.arange(len(rows)) // 100, chunk_rows=300)
    held_out = survey(source, CONFIG).held_out[:, 0]
    blocks = set((held_out // 100).tolist())
    # 10 % of 30 blocks, each whole
    assert len(blocks) == 3
    assert len(held_out) == 300
    used = np.concatenate([batch for _, batch in taken(source, Position(), 60)])[:, 0]
    assert len(used) > 2 * len(rows)
    assert not blocks & set((used // 100).tolist())


def test_what_is_held_out_follows_from_the_seed(rows):
    def held_out(seed):
        return survey(array_source(rows), dataclasses.replace(CONFIG, seed=seed)).held_out

    np.testing.assert_array_equal(held_out(0), held_out(0))
    assert not np.array_equal(held_out(0)[:, 0], held_out(1)[:, 0])


def test_rows_may_be_given_more_than_once_an_epoch_but_are_held_out_once(rows):
    weight = 1 + (np.arange(len(rows)) % 2)
    source = RowSource(rows, weight=weight)
    _, times = np.unique(fit_rows(source, CONFIG), axis=0, return_counts=True)
    assert set(times.tolist()) == {1, 2}
    held_out = np.concatenate(list(source.held_out(0, eval_share=0.1)))
    assert len(np.unique(held_out, axis=0)) == len(held_out) == 300
    assert source.n_rows == weight.sum()


@pytest.mark.parametrize("used", [0, 1, 20, 21, 22, 29, 49])
def test_batches_from_a_position_on_are_those_that_follow_it(rows, used):
    source = array_source(rows)
    whole = taken(source, Position(), 60)
    start = whole[used - 1][0] if used else Position()
    for (expected_position, expected), (position, found) in zip(
        whole[used:], taken(source, start, 60 - used), strict=True
    ):
        assert position == expected_position
        np.testing.assert_array_equal(found, expected)


def test_batches_go_on_at_the_chunk_of_the_position_and_read_none_before_it(rows):
    read = []

    class Watched(RowSource):
        def chunks(self, seed, epoch, *, eval_share, start=0):
            for number, chunk in enumerate(
                super().chunks(seed, epoch, eval_share=eval_share, start=start), start
            ):
                read.append((epoch, number))
                yield chunk

    source = Watched(rows, chunk_rows=300)
    taken(source, Position(1, 4, 44), 1)
    assert read[0] == (1, 4)


def test_an_epoch_gives_every_row_at_most_once(rows):
    used = [batch for position, batch in taken(array_source(rows), Position(), 60)
            if position.epoch == 0]  # fmt: skip
    assert len(used) == 2700 // 128
    assert len(np.unique(np.concatenate(used), axis=0)) == len(used) * 128


def test_an_error_while_reading_ahead_reaches_the_reader():
    def failing():
        yield 1
        raise InputError("row 7", "a number", "none")

    stream = prefetched(failing())
    assert next(stream) == 1
    with pytest.raises(InputError, match="row 7"):
        next(stream)


def test_survey_finds_the_moments_of_the_rows_to_train_on(rows):
    source = array_source(rows)
    found = survey(source, CONFIG)
    fit = fit_rows(source, CONFIG).astype(np.float64)
    np.testing.assert_allclose(found.standardiser.mean, fit.mean(axis=0), rtol=1e-9)
    total = ((fit - fit.mean(axis=0)) ** 2).sum(axis=1).mean()
    assert found.variance.sum() == pytest.approx(rows.shape[1])
    assert found.standardiser.scale == pytest.approx(np.sqrt(total / rows.shape[1]))
    assert found.mean_to_spread == pytest.approx(np.linalg.norm(fit.mean(axis=0)) / np.sqrt(total))
    assert (found.outlier_share, found.outlier_norm) == (0, np.inf)


def test_the_mean_stays_where_it_is_not_to_be_subtracted(rows):
    config = dataclasses.replace(CONFIG, centre=False, normalise="none")
    found = survey(array_source(rows), config)
    np.testing.assert_array_equal(found.standardiser(rows[:5]).numpy(), rows[:5])
    assert found.mean_to_spread > 1


def test_whitened_rows_have_the_identity_for_covariance(rows):
    config = dataclasses.replace(CONFIG, normalise="whiten", moment_rows=10**6)
    source = array_source(rows)
    found = survey(source, config)
    white = found.standardiser(fit_rows(source, config)).double().numpy()
    covariance = np.cov(white.T, bias=True)
    # what the ridge leaves out: some 1e-4 of the mean eigenvalue over each eigenvalue
    np.testing.assert_allclose(covariance, np.eye(16), atol=5e-3)
    np.testing.assert_allclose(found.variance, np.diagonal(covariance), rtol=1e-4)


def test_sites_joined_in_a_row_are_scaled_each_by_itself(rows):
    class TwoSites(RowSource):
        widths = (16, 16)

        def __init__(self, x):
            super().__init__(x)
            self.widths = (16, 16)

    found = survey(TwoSites(np.concatenate([rows, 10 * rows], axis=1)), CONFIG)
    scale = found.standardiser.scale
    np.testing.assert_allclose(scale[16:], 10 * scale[:16], rtol=1e-5)
    white = found.standardiser(np.concatenate([rows, 10 * rows], axis=1)[:9]).numpy()
    np.testing.assert_allclose(white[:, 16:], white[:, :16], rtol=1e-4, atol=1e-5)


def test_rows_of_a_norm_beyond_four_deviations_are_counted_and_not_trained_on(rows):
    loud = rows.copy()
    loud[::100] *= 50
    source = RowSource(loud, block=np.arange(len(rows)) // 100)
    config = dataclasses.replace(CONFIG, outlier_sd=4.0)
    found = survey(source, config)
    fit = fit_rows(source, config)
    norm = row_norms(fit).astype(np.float64)
    assert found.outlier_norm == pytest.approx(norm.mean() + 4 * norm.std(), rel=1e-5)
    assert found.outlier_share == np.mean(norm > found.outlier_norm) > 0.005
    kept = fit[norm <= found.outlier_norm].astype(np.float64)
    np.testing.assert_allclose(found.standardiser.mean, kept.mean(axis=0), rtol=1e-6)
    used = taken(source, Position(), 40, outlier_norm=found.outlier_norm)
    assert max(row_norms(batch).max() for _, batch in used) <= found.outlier_norm
    # held out too, but apart
    assert row_norms(found.held_out).max() <= found.outlier_norm
    assert len(found.held_out_outliers) == 3
    assert len(found.held_out) + len(found.held_out_outliers) == 300


def test_held_out_rows_that_are_all_outliers_are_refused(rows):
    class Loud(RowSource):
        def held_out(self, seed, **options):
            return (50 * chunk for chunk in super().held_out(seed, **options))

    config = dataclasses.replace(CONFIG, outlier_sd=4.0)
    with pytest.raises(InputError, match=r"to hold out, found \d+ and 0, outliers apart"):
        survey(Loud(rows), config)


def test_resuming_counts_rows_without_the_outliers(rows):
    loud = rows.copy()
    loud[::100] *= 50
    source = array_source(loud)
    whole = taken(source, Position(), 40, outlier_norm=40.0)
    rest = taken(source, whole[12][0], 27, outlier_norm=40.0)
    for (_, expected), (_, found) in zip(whole[13:], rest, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_rows_of_one_norm_are_no_outliers():
    rows = np.tile(np.eye(7, dtype=np.float32) * np.float32(0.3), (90, 1))
    config = dataclasses.replace(CONFIG, outlier_sd=4.0)
    assert survey(RowSource(rows), config).outlier_share == 0


@pytest.mark.parametrize("name", ["outlier_sd", "clip_norm"])
def test_limits_are_more_than_zero(name):
    with pytest.raises(ConfigError, match=rf"{name}: expected more than 0, found 0\.0"):
        dataclasses.replace(CONFIG, **{name: 0.0})
