"""Gradient clipping and bfloat16 products."""

import dataclasses

import pytest
import torch

from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.step import Trainer
from genointerp.sae.train import train_sae
from tests.sae.sources import array_source, sparse_rows

CONFIG = TrainConfig(
    sae=SaeConfig("topk", n_features=40, k=3), n_tokens=128 * 60, batch_tokens=128,
    learning_rate=1e-2, warmup_steps=5,
)  # fmt: skip
METADATA = {"model": "toy", "model_sha256": "ab" * 32, "site": "blocks.1"}


def gradients(clip_norm):
    sae = make_sae(CONFIG.sae, 16)
    config = dataclasses.replace(CONFIG, clip_norm=clip_norm)
    x = torch.from_numpy(sparse_rows(128, mean=0.0))
    Trainer(sae, config, variance=16.0).step(x)
    return torch.cat([weight.grad.reshape(-1) for weight in sae.parameters()])


def test_the_gradient_is_cut_to_the_stated_norm_and_keeps_its_direction():
    whole, cut, loose = (gradients(clip_norm) for clip_norm in (None, 1e-3, 1e3))
    # clipped before what is along decoder rows is taken from it
    assert 0.5e-3 < float(cut.norm()) <= 1e-3 < float(whole.norm())
    assert float(torch.cosine_similarity(cut, whole, dim=0)) == pytest.approx(1, abs=1e-5)
    assert torch.equal(loose, whole)


def test_products_in_bfloat16_choose_features_by_rounded_values_and_train_as_well():
    results = [
        train_sae(
            array_source(sparse_rows()), dataclasses.replace(CONFIG, autocast=autocast),
            metadata=METADATA,
        )
        for autocast in ("none", "bfloat16")
    ]  # fmt: skip
    exact, low = (result.sae for result in results)
    assert not torch.equal(exact.W_dec, low.W_dec)
    assert {weight.dtype for weight in low.parameters()} == {torch.float32}
    assert results[1].log.fvu == pytest.approx(results[0].log.fvu, abs=0.05)


def test_the_values_of_a_bfloat16_product_are_those_of_bfloat16():
    sae = make_sae(CONFIG.sae, 16)
    trainer = Trainer(sae, dataclasses.replace(CONFIG, autocast="bfloat16"), variance=1.0)
    x = torch.from_numpy(sparse_rows(32))
    z = trainer._pre_activations(x)
    assert z.dtype == torch.float32
    assert torch.equal(z, z.bfloat16().float())
    torch.testing.assert_close(z, sae.pre_activations(x).detach(), rtol=2e-2, atol=5e-2)
