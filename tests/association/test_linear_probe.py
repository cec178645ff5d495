import numpy as np
import pytest

from genointerp.association.baseline import linear_probe
from genointerp.association.baseline.linear_probe import PENALTIES, fit_probe
from genointerp.core.errors import InputError


def planted(n=4000, d=6, seed=0):
    """Two labels, one common and one rare, each a logistic draw from known log odds."""
    generator = np.random.default_rng(seed)
    x = (generator.normal(size=(n, d)) * [1, 5, 0.2, 1, 1, 1] + 3).astype(np.float32)
    weight = np.zeros((d, 2))
    weight[0, 0], weight[2, 1] = 2.0, 15.0
    logit = x @ weight + [-6.0, -51.0]
    y = generator.random((n, 2)) < 1 / (1 + np.exp(-logit))
    return x, y, np.arange(n) // 100 % 2 == 1


def test_the_planted_weights_are_found():
    x, y, fold = planted(n=20_000)
    probe = fit_probe(x, y, fold)
    assert probe.weight[0, 0] == pytest.approx(2.0, rel=0.15)
    assert np.abs(np.delete(probe.weight[:, 0], 0)).max() < 0.2
    assert probe.weight[2, 1] == pytest.approx(15.0, rel=0.3)


def test_log_odds_at_the_optimum_are_calibrated_over_all_rows(monkeypatch):
    monkeypatch.setattr(linear_probe, "MAX_ROWS", 5000)
    x, y, fold = planted(n=20_000)
    probe = fit_probe(x, y, fold)
    chance = 1 / (1 + np.exp(-probe.log_odds(x)))
    # the bias is free of penalty: mean probability is the base rate, drawn rows or not
    assert chance.mean(axis=0) == pytest.approx(y.mean(axis=0), rel=0.1)


def test_a_label_that_is_noise_gets_the_strongest_penalty():
    x, _, fold = planted(n=2000)
    noise = np.random.default_rng(5).random((2000, 1)) < 0.3
    assert fit_probe(x, noise, fold).penalty[0] == max(PENALTIES)


def test_a_constant_activation_does_no_harm():
    x, y, fold = planted(n=1000)
    x[:, 3] = 7
    assert np.isfinite(fit_probe(x, y, fold).log_odds(x)).all()


def test_one_fold_is_refused():
    x, y, fold = planted(n=100)
    with pytest.raises(InputError, match="rows in both"):
        fit_probe(x, y, np.zeros_like(fold))
