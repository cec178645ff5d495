import dataclasses

import pytest
import torch

from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.step import Trainer, learning_rate_share, remove_parallel_gradient

CONFIG = TrainConfig(
    sae=SaeConfig("topk", n_features=4, k=1),
    n_tokens=1000,
    batch_tokens=10,
    learning_rate=1.0,
    warmup_steps=10,
    decay_share=0.2,
    dead_after=25,
)


def trainer(**changes):
    sae = make_sae(CONFIG.sae, 4)
    with torch.no_grad():
        sae.W_dec.copy_(torch.eye(4))
        sae.W_enc.copy_(torch.eye(4))
        sae.b_enc.copy_(torch.tensor([0.0, 0.0, 0.0, -0.5]))
    return Trainer(sae, dataclasses.replace(CONFIG, **changes), variance=2.0)


@pytest.mark.parametrize(
    ("step", "decay", "rate"),
    [
        (0, "linear", 0.1),
        (4, "linear", 0.5),
        (9, "linear", 1.0),
        (80, "linear", 1.0),
        (90, "linear", 0.5),
        (99, "linear", 0.05),
        (90, "cosine", 0.5),
        (99, "none", 1.0),
    ],
)
def test_learning_rate_rises_stays_and_falls(step, decay, rate):
    config = dataclasses.replace(CONFIG, decay=decay)
    assert learning_rate_share(step, config) == pytest.approx(rate)


def test_step_measures_fvu_and_l0_before_its_update():
    # each token keeps its 2 and loses its 1: error 1 a token, over a variance of 2
    x = torch.tensor([[2.0, 1.0, 0.0, 0.0]]).repeat(10, 1)
    result = trainer().step(x)
    assert result.fvu == pytest.approx(0.5)
    assert result.l0 == 1.0
    assert result.dead_share == 0.0


def test_features_are_dead_after_the_stated_tokens_of_silence():
    run = trainer(learning_rate=1e-9)
    x = torch.tensor([[2.0, 1.0, 0.0, 0.0]]).repeat(10, 1)
    for _ in range(2):
        run.step(x)
    assert run.is_dead.tolist() == [False] * 4
    run.step(x)
    assert run.silent_tokens.tolist() == [0, 30, 30, 30]
    assert run.is_dead.tolist() == [False, True, True, True]


def test_auxiliary_loss_trains_dead_features_on_the_residual():
    run = trainer(learning_rate=1e-9, aux_k=2)
    run.silent_tokens[1] = run.silent_tokens[3] = 100
    x = torch.tensor([[2.0, 1.0, 0.0, 0.0]]).repeat(10, 1)
    result = run.step(x)
    # the residual is (0, 1, 0, 0), which dead feature 1 explains wholly; feature 3 is below zero
    assert result.aux_fvu == pytest.approx(0.0, abs=1e-6)
    assert result.dead_share == 0.5


def test_auxiliary_loss_does_not_reach_live_features_through_the_residual():
    x = torch.tensor([[2.0, 1.0, 0.5, 0.3]]).repeat(10, 1)
    gradients = []
    for aux_coefficient in (0.0, 10.0):
        run = trainer(aux_coefficient=aux_coefficient, learning_rate=1e-9)
        run.silent_tokens[1] = 100
        with torch.no_grad():
            run.sae.W_enc[1, 1] = 0.5
        run.step(x)
        gradients.append((run.sae.W_dec.grad.clone(), run.sae.b_dec.grad.clone()))
    (plain, plain_b), (with_aux, with_aux_b) = gradients
    assert torch.equal(plain[0], with_aux[0])
    assert torch.equal(plain_b, with_aux_b)
    assert not torch.equal(plain[1], with_aux[1])


def test_gradient_along_decoder_rows_is_removed():
    sae = trainer().sae
    sae.W_dec.grad = torch.tensor([[3.0, 1.0, 0, 0], [0, 0, 0, 0], [0, 0, 5.0, 0], [1.0, 0, 0, 1]])
    remove_parallel_gradient(sae)
    assert sae.W_dec.grad.tolist() == [[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]


def test_fused_adam_updates_the_transposed_encoder_as_plain_adam_does():
    x = torch.tensor([[2.0, 1.0, 0.5, 0.3], [0.1, 0.2, 3.0, 0.4]]).repeat(5, 1)
    fused, plain = trainer(), trainer()
    plain.adam = torch.optim.Adam(plain.sae.parameters(), lr=1.0, eps=6.25e-10, fused=False)
    for _ in range(3):
        fused.step(x)
        plain.step(x)
    for (name, ours), theirs in zip(
        fused.sae.named_parameters(), plain.sae.parameters(), strict=True
    ):
        torch.testing.assert_close(ours, theirs, msg=name)


def test_threshold_follows_the_smallest_kept_pre_activation():
    sae = make_sae(SaeConfig("batch_topk", n_features=4, k=1), 4)
    with torch.no_grad():
        sae.W_enc.copy_(torch.eye(4))
    config = dataclasses.replace(CONFIG, sae=sae.config, learning_rate=1e-12, threshold_decay=0.9)
    run = Trainer(sae, config, variance=1.0)
    run.step(torch.tensor([[4.0, 3.0, 0, 0], [1.0, 0, 0, 0]]))
    assert float(sae.threshold) == pytest.approx(3.0)
    run.step(torch.tensor([[4.0, 2.0, 0, 0], [1.0, 0, 0, 0]]))
    assert float(sae.threshold) == pytest.approx(0.9 * 3 + 0.1 * 2)


@pytest.mark.parametrize(
    ("architecture", "weight", "value"),
    # the gate is open but the magnitude below 0; within half a bandwidth below the threshold
    [("gated", "b_mag", -100.0), ("jumprelu", "threshold", 1.01)],
)
def test_features_that_encode_nothing_become_dead_whatever_training_looks_at(
    architecture, weight, value
):
    sae = make_sae(SaeConfig(architecture, n_features=4, k=1, bandwidth=0.1), 4)
    x = torch.eye(4)[:1].repeat(10, 1)
    with torch.no_grad():
        sae.W_enc.copy_(torch.ones(4, 4))
        getattr(sae, weight)[1:] = value
    config = dataclasses.replace(CONFIG, sae=sae.config, learning_rate=1e-9)
    run = Trainer(sae, config, variance=1.0)
    assert len(sae.training_pattern(sae.pre_activations(x)).row) == 40
    assert (sae.encode(x) > 0).any(dim=0).tolist() == [True, False, False, False]
    for _ in range(3):
        assert run.step(x).l0 == 1.0
    assert run.is_dead.tolist() == [False, True, True, True]


@pytest.mark.parametrize("architecture", ["topk", "batch_topk", "matryoshka_batch_topk"])
def test_a_fresh_encoder_is_scaled_to_least_squares(architecture):
    config = SaeConfig(architecture, n_features=64, k=6)
    sae = make_sae(config, 8)
    # most of the variance in one dimension: features that are chosen together point the same way
    x = torch.randn(200, 8, generator=torch.Generator().manual_seed(0)) * torch.tensor(
        [9.0] + 7 * [1.0]
    )
    before = sae.W_enc.detach().clone()

    def error(factor):
        with torch.no_grad():
            sae.W_enc.copy_(before * factor)
            z = sae.pre_activations(x)
            pattern = sae.training_pattern(z)
            return float((pattern.dense(pattern.values_of(z)) @ sae.W_dec - x).square().sum())

    factors = torch.logspace(-2, 0.5, 400).tolist()
    best = min(factors, key=error)
    with torch.no_grad():
        sae.W_enc.copy_(before)
    sae.fit_encoder(x)
    assert float(sae.W_enc.detach()[0, 0] / before[0, 0]) == pytest.approx(best, rel=0.02)
    assert best < 0.5
    torch.testing.assert_close(sae.W_dec.norm(dim=1), torch.ones(64))


@pytest.mark.parametrize("architecture", ["tied_batch_topk", "relu", "gated", "jumprelu"])
def test_an_encoder_that_is_tied_or_has_a_scale_of_its_own_is_left_alone(architecture):
    sae = make_sae(SaeConfig(architecture, n_features=16, k=4), 8)
    before = sae.W_enc.detach().clone()
    sae.fit_encoder(torch.ones(5, 8))
    assert torch.equal(sae.W_enc, before)


def test_the_learning_rate_falls_with_the_root_of_the_width_unless_it_is_given():
    config = TrainConfig()
    assert config.peak_rate(100) == pytest.approx(0.003)
    assert config.peak_rate(400) == pytest.approx(0.0015)
    assert dataclasses.replace(config, learning_rate=0.5).peak_rate(400) == 0.5
    run = Trainer(make_sae(SaeConfig("topk", n_features=8, k=2), 4), config, variance=1.0)
    assert run.config.learning_rate == run.peak_rate == pytest.approx(0.015)
