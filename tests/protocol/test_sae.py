"""What every architecture must do."""

import numpy as np
import pytest
import torch

from genointerp.core.seed import rng
from genointerp.sae.architecture.gated import Gated
from genointerp.sae.architecture.registry import ARCHITECTURES, make_sae
from genointerp.sae.architecture.tied_batch_topk import TiedBatchTopK
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.data import Standardiser
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.io import save_sae
from genointerp.sae.kernel.sparse import sparse_decode
from genointerp.sae.step import Trainer, remove_parallel_gradient
from tests.protocol.dense_sae import dense_auxiliary, dense_loss

METADATA = {"model": "toy", "model_sha256": "ab" * 32, "site": "blocks.1"}
D_IN, N_FEATURES, K = 12, 40, 5
WIDTHS = {"transcoder": (12, 9), "batch_topk_crosscoder": (7, 5)}


@pytest.fixture(params=sorted(ARCHITECTURES))
def sae(request):
    widths = WIDTHS.get(request.param, ())
    # a wide band and a high threshold, so that some are on, some are near and some are neither
    config = SaeConfig(
        request.param,
        n_features=N_FEATURES,
        k=K,
        widths=widths,
        bandwidth=0.05,
        initial_threshold=0.2,
        l0_coefficient=0.3,
    )
    sae = make_sae(config, sum(widths) or D_IN, seed=3)
    with torch.no_grad():
        for name, weight in sae.named_parameters():
            if name in ("b_enc", "b_dec", "r_mag", "b_mag"):
                noise = rng(1, name).normal(size=len(weight))
                weight.copy_(torch.from_numpy(noise if name == "b_dec" else 0.1 * noise))
            if name == "threshold":
                weight.add_(torch.from_numpy(rng(1, name).random(len(weight))))
        if sae.has_threshold:
            sae.threshold.fill_(0.7)
    return sae


def rows(n=64, seed=0, width=D_IN):
    return torch.from_numpy(rng(seed, "rows").normal(size=(n, width)).astype(np.float32))


def trainer_of(sae):
    config = TrainConfig(
        sae=sae.config, n_tokens=5_000_000, batch_tokens=64, sparsity_warmup_share=0.0
    )
    return Trainer(sae, config, variance=float(sae.b_dec.shape[0]))


def test_decoder_rows_have_unit_norm_after_each_step(sae):
    trainer = trainer_of(sae)
    for seed in range(4):
        trainer.step(rows(seed=seed, width=sae.d_row))
        assert sae.W_dec.shape == (N_FEATURES, len(sae.b_dec))
        torch.testing.assert_close(sae.W_dec.norm(dim=1), torch.ones(N_FEATURES))


def test_gradients_equal_those_of_dense_autograd(sae):
    trainer, x = trainer_of(sae), rows(width=sae.d_row)
    z = sae.pre_activations(sae.split(x).x).detach()
    pattern = sae.training_pattern(z)
    loss = trainer.loss(sae.split(x), z, pattern).loss
    loss.backward()
    sparse = {name: weight.grad.clone() for name, weight in sae.named_parameters()}
    sae.zero_grad()
    dense = dense_loss(sae, x, trainer.variance, z)
    dense.backward()
    torch.testing.assert_close(loss, dense)
    for name, weight in sae.named_parameters():
        scale = weight.grad.abs().max()
        assert scale > 0, name
        torch.testing.assert_close(sparse[name] / scale, weight.grad / scale, rtol=0, atol=1e-5)


@pytest.mark.parametrize("n_dead", [2, 16])
def test_gradients_with_dead_features_equal_those_of_dense_autograd(sae, n_dead):
    if not sae.has_auxiliary:
        pytest.skip("its dead features have no auxiliary loss")
    config = TrainConfig(
        sae=sae.config,
        n_tokens=5_000_000,
        batch_tokens=64,
        learning_rate=1e-9,
        aux_k=4,
        aux_coefficient=0.5,
    )
    trainer = Trainer(sae, config, variance=float(sae.b_dec.shape[0]))
    dead = torch.arange(N_FEATURES) < n_dead
    trainer.silent_tokens[dead] = config.dead_after
    x = rows(width=sae.d_row)
    z = sae.pre_activations(sae.split(x).x).detach()
    auxiliary = dense_auxiliary(sae, x, z, dead, min(4, n_dead))
    weight = 0.5 * min(1.0, n_dead / 4)
    (dense_loss(sae, x, trainer.variance, z) + weight * auxiliary).backward()
    remove_parallel_gradient(sae)
    expected = {name: one.grad.clone() for name, one in sae.named_parameters()}
    result = trainer.step(x)
    assert result.aux_fvu == pytest.approx(auxiliary.item(), rel=1e-4)
    for name, one in sae.named_parameters():
        scale = expected[name].abs().max()
        assert scale > 0, name
        torch.testing.assert_close(one.grad / scale, expected[name] / scale, rtol=0, atol=1e-5)


def test_reconstruction_follows_from_the_hits_as_it_does_from_dense_codes(sae):
    x = rows()
    codes = sae.codes(x)
    x_hat = sparse_decode(codes.value, sae.W_dec, codes.pattern) + sae.b_dec
    torch.testing.assert_close(x_hat, sae(x))


def test_codes_do_not_depend_on_the_batch(sae):
    x = rows()
    together = sae.encode(x)
    alone = torch.cat([sae.encode(x[i : i + 1]) for i in range(len(x))])
    assert torch.equal(together > 0, alone > 0)
    torch.testing.assert_close(together, alone)


def test_sparse_codes_are_the_dense_ones(sae):
    x = rows()
    codes = sae.encode_sparse(x)
    dense = torch.zeros(len(x), N_FEATURES).scatter_add_(1, codes.index, codes.value)
    assert torch.equal(dense, sae.encode(x).detach())
    assert bool((codes.value >= 0).all())


def test_saved_and_loaded_dictionary_is_bit_for_bit_the_same(sae, tmp_path):
    save_sae(sae, tmp_path / "sae", METADATA)
    loaded = Dictionary.load(tmp_path / "sae")
    assert type(loaded.sae) is type(sae)
    assert loaded.sae.config == sae.config
    for name, tensor in sae.state_dict().items():
        assert torch.equal(loaded.sae.state_dict()[name], tensor), name
    assert torch.equal(loaded.sae(rows()), sae(rows()))
    assert {name: getattr(loaded.header, name) for name in METADATA} == METADATA
    assert loaded.header.d_in == D_IN


def test_folded_dictionary_does_on_raw_rows_what_it_did_on_standardised_ones(sae):
    raw = (5 + 3 * rows(width=sae.d_row).numpy()).astype(np.float32)
    standardiser = Standardiser(mean=raw.astype(np.float64).mean(axis=0), scale=3.0)
    x = sae.split(standardiser(raw)).x
    codes, x_hat = sae.encode(x).detach(), sae(x).detach().numpy()
    standardiser.fold(sae)
    raw_x = sae.split(torch.from_numpy(raw)).x
    folded = sae.encode(raw_x).detach()
    assert torch.equal(folded > 0, codes > 0)
    torch.testing.assert_close(folded, 3 * codes, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        sae(raw_x).detach().numpy(), 3 * x_hat + standardiser.mean[sae.target_columns], atol=1e-4
    )
    torch.testing.assert_close(sae.W_dec.norm(dim=1), torch.ones(N_FEATURES))


def test_a_scale_for_each_column_folds_to_the_same_reconstruction(sae):
    if isinstance(sae, TiedBatchTopK):
        pytest.skip("one matrix cannot take two scales")
    scale = torch.linspace(1, 2, sae.d_row, dtype=torch.float64)
    mean = torch.linspace(-1, 3, sae.d_row, dtype=torch.float64)
    raw = mean + scale * rows(width=sae.d_row)
    x = sae.split(((raw - mean) / scale).float()).x
    x_hat = sae(x).double() * scale[sae.target_columns] + mean[sae.target_columns]
    is_on = sae.encode(x) > 0
    sae.fold(mean, scale)
    raw_x = sae.split(raw.float()).x
    assert torch.equal(sae.encode(raw_x) > 0, is_on)
    torch.testing.assert_close(sae(raw_x).double(), x_hat, rtol=0, atol=1e-4)


def test_encode_passes_gradients_to_the_activations(sae):
    x = rows(4).requires_grad_()
    sae.encode(x).sum().backward()
    slope = sae.r_mag.exp() if isinstance(sae, Gated) else 1.0
    expected = ((sae.encode(x) > 0) * slope).float() @ sae.W_enc.t()
    torch.testing.assert_close(x.grad, expected)
