import numpy as np
import pytest
import torch

from genointerp.core.errors import ConfigError, InputError
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.training.config import SlowConfig
from genointerp.training.slow import RIDGE, fit_parts, neighbour_mean


def _stretches(seed: int = 0, mean: float = 2.0) -> list[np.ndarray]:
    """Rows that hold a state of many bases, one of the codon position, and noise."""
    generator = np.random.default_rng(seed)
    mix = generator.normal(size=(2, 5))
    found = []
    for n in (400, 301, 90):
        state = np.repeat(generator.normal(size=n // 50 + 1), 50)[:n]
        phase = (np.arange(n) % 3 == 0) * np.repeat(generator.normal(size=n // 60 + 1), 60)[:n]
        noise = generator.normal(size=(n, 5))
        found.append((np.column_stack([state, phase]) @ mix + noise + mean).astype(np.float32))
    return found


@pytest.mark.parametrize("config", [SlowConfig(1, 2), SlowConfig(3, 2), SlowConfig(3, 50)])
@pytest.mark.parametrize("n", [1, 4, 31])
def test_the_mean_of_the_neighbours_is_that_of_a_loop(config, n):
    rows = np.random.default_rng(n).normal(size=(n, 3))
    found, known = neighbour_mean(rows, config)
    for i in range(n):
        steps = [j for j in range(-config.half, config.half + 1) if j]
        others = [i + j * config.step for j in steps if 0 <= i + j * config.step < n]
        assert known[i] == bool(others)
        if others:
            np.testing.assert_allclose(found[i], rows[others].mean(axis=0), atol=1e-10)


def test_what_changes_from_base_to_base_is_taken_away_and_what_lasts_stays():
    generator = np.random.default_rng(0)
    state = np.repeat(generator.normal(size=200), 100)
    noise = 3 * generator.normal(size=(20_000, 2))
    x = (np.column_stack([state, noise]) + np.array([5, 0, 0])).astype(np.float32)
    slow, rest = fit_parts(np.split(x, 20), [SlowConfig(3, 5)])
    y = slow(x)
    assert np.corrcoef(y[:, 0], state)[0, 1] > 0.95
    assert y[:, 1:].std() < 0.1
    assert slow.share == pytest.approx(y.var(axis=0).sum() / x.var(axis=0).sum(), rel=0.01)
    assert rest.share == pytest.approx(rest(x).var(axis=0).sum() / x.var(axis=0).sum(), rel=0.01)


@pytest.mark.parametrize("mean", [0.0, 300.0])
def test_the_parts_add_up_to_the_activation_and_the_rest_has_its_mean(mean):
    stretches = _stretches(mean=mean)
    x = np.concatenate(stretches)
    parts = fit_parts(stretches, [SlowConfig(1, 10), SlowConfig(3, 4)])
    assert len(parts) == 3
    np.testing.assert_allclose(sum(part(x) for part in parts), x, rtol=1e-4, atol=1e-4)
    for part in parts[:-1]:
        np.testing.assert_allclose(part(x).mean(axis=0), 0, atol=1e-3)


def test_a_part_is_the_ridge_regression_of_the_neighbours_mean_upon_the_base():
    stretches, config = _stretches(), SlowConfig(3, 4)
    x = np.concatenate(stretches).astype(np.float64)
    pairs = [neighbour_mean(rows.astype(np.float64), config) for rows in stretches]
    known = np.concatenate([pair[1] for pair in pairs])
    around = np.concatenate([pair[0] for pair in pairs])[known]
    own = x[known] - x[known].mean(axis=0)
    ridge = RIDGE * (own**2).sum() / own.shape[1]
    # as least squares with rows that pull the solution to 0
    left = np.concatenate([own, np.sqrt(ridge) * np.eye(own.shape[1])])
    right = np.concatenate([around - around.mean(axis=0), np.zeros((own.shape[1],) * 2)])
    expected = np.linalg.lstsq(left, right, rcond=None)[0]
    found = fit_parts(stretches, [config])[0]
    np.testing.assert_allclose(found.matrix, expected, atol=1e-8)


def test_a_second_part_is_the_first_one_of_what_the_first_leaves():
    stretches, first, second = _stretches(), SlowConfig(1, 10), SlowConfig(3, 4)
    x = np.concatenate(stretches)
    parts = fit_parts(stretches, [first, second])
    left = [(rows - parts[0](rows)).astype(np.float32) for rows in stretches]
    expected = fit_parts(left, [second])[0]
    np.testing.assert_allclose(parts[1](x), expected(x - parts[0](x)), atol=1e-3)


def test_without_slow_parts_the_rest_is_all():
    (rest,) = fit_parts(_stretches(), [])
    x = np.concatenate(_stretches())
    np.testing.assert_array_equal(rest(x), x)
    assert rest.share == 1.0


def test_a_stretch_of_its_own_does_not_reach_into_the_next():
    rows = np.random.default_rng(3).normal(size=(200, 2)).astype(np.float32)
    whole = fit_parts([rows], [SlowConfig(1, 5)])[0]
    cut = fit_parts(np.split(rows, 2), [SlowConfig(1, 5)])[0]
    assert not np.allclose(whole.matrix, cut.matrix, atol=1e-6)


def test_a_folded_dictionary_reads_activations_as_the_other_reads_the_part():
    stretches = _stretches()
    x = np.concatenate(stretches)
    slow = fit_parts(stretches, [SlowConfig(1, 3)])[0]
    sae = make_sae(SaeConfig("batch_topk", 12, 3), x.shape[1])
    with torch.no_grad():
        sae.b_enc.normal_(generator=torch.Generator().manual_seed(0))
        sae.threshold.fill_(0.2)
        expected = sae.encode(torch.from_numpy(slow(x)))
        slow.fold(sae)
        found = sae.encode(torch.from_numpy(x))
    assert (expected > 0).any()
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_windows_without_neighbours_are_refused():
    with pytest.raises(InputError, match="more than 3 bases"):
        fit_parts([np.ones((2, 2), np.float32)], [SlowConfig(3, 1)])


def test_no_rows_at_all_are_refused():
    with pytest.raises(InputError, match="more than 1 bases"):
        fit_parts([], [SlowConfig(1, 1)])


def test_a_step_of_none_is_refused():
    with pytest.raises(ConfigError, match="step"):
        SlowConfig(0, 1)
