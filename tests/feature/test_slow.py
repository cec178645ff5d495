import numpy as np
import pytest
import torch

from genointerp.core.errors import ConfigError, InputError
from genointerp.feature.slow import SlowConfig, fit_slow_map, neighbour_mean
from genointerp.sae.config import SaeConfig
from genointerp.sae.registry import make_sae


@pytest.mark.parametrize("config", [SlowConfig(1, 2), SlowConfig(3, 2), SlowConfig(3, 50)])
@pytest.mark.parametrize("n", [1, 4, 31])
def test_the_mean_of_the_neighbours_is_that_of_a_loop(config, n):
    rows = np.random.default_rng(n).normal(size=(n, 3)).astype(np.float32)
    found, known = neighbour_mean(rows, config)
    for i in range(n):
        steps = [j for j in range(-config.half, config.half + 1) if j]
        others = [i + j * config.step for j in steps if 0 <= i + j * config.step < n]
        assert known[i] == bool(others)
        if others:
            np.testing.assert_allclose(found[i], rows[others].mean(axis=0), atol=1e-5)


def test_what_changes_from_base_to_base_is_taken_away_and_what_lasts_stays():
    generator = np.random.default_rng(0)
    state = np.repeat(generator.normal(size=200), 100)
    noise = 3 * generator.normal(size=(20_000, 2))
    x = (np.column_stack([state, noise]) + np.array([5, 0, 0])).astype(np.float32)
    offsets = np.arange(0, 20_001, 1000)
    slow = fit_slow_map(x, offsets, SlowConfig(3, 5))
    y = slow(x)
    assert np.corrcoef(y[:, 0], state)[0, 1] > 0.95
    assert y[:, 1:].std() < 0.1
    np.testing.assert_allclose(y.mean(axis=0), x.mean(axis=0), atol=1e-3)
    assert slow.share == pytest.approx(y.var(axis=0).sum() / x.var(axis=0).sum(), rel=0.01)


@pytest.mark.parametrize("architecture", ["topk", "batch_topk"])
def test_a_folded_dictionary_reads_activations_as_the_other_reads_slow_parts(architecture):
    x = np.random.default_rng(1).normal(size=(600, 5)).astype(np.float32) + 2
    slow = fit_slow_map(x, np.array([0, 300, 600]), SlowConfig(1, 3))
    sae = make_sae(SaeConfig(architecture, 12, 3), 5)
    with torch.no_grad():
        sae.b_enc.normal_(generator=torch.Generator().manual_seed(0))
        sae.threshold.fill_(0.2)
        expected = sae.encode(torch.from_numpy(slow(x)))
        slow.fold(sae)
        found = sae.encode(torch.from_numpy(x))
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_windows_without_neighbours_are_refused():
    with pytest.raises(InputError, match="more than 3 bases"):
        fit_slow_map(np.ones((2, 2), np.float32), np.array([0, 2]), SlowConfig(3, 1))


def test_a_step_of_none_is_refused():
    with pytest.raises(ConfigError, match="step"):
        SlowConfig(0, 1)
