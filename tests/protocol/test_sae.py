"""What every architecture must do."""

import numpy as np
import pytest
import torch

from genointerp.core.seed import rng
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.data import Standardiser
from genointerp.sae.io import load_sae, save_sae
from genointerp.sae.registry import ARCHITECTURES, make_sae
from genointerp.sae.sparse import sparse_decode, sparse_encode
from genointerp.sae.step import Trainer

METADATA = {"model": "toy", "model_sha256": "ab" * 32, "site": "blocks.1"}
D_IN, N_FEATURES, K = 12, 40, 5


@pytest.fixture(params=sorted(ARCHITECTURES))
def sae(request):
    sae = make_sae(SaeConfig(request.param, n_features=N_FEATURES, k=K), D_IN, seed=3)
    with torch.no_grad():
        sae.b_enc.copy_(torch.from_numpy(0.1 * rng(1, "b_enc").normal(size=N_FEATURES)))
        sae.b_dec.copy_(torch.from_numpy(rng(1, "b_dec").normal(size=D_IN)))
        if sae.has_threshold:
            sae.threshold.fill_(0.7)
    return sae


def rows(n=64, seed=0):
    return torch.from_numpy(rng(seed, "rows").normal(size=(n, D_IN)).astype(np.float32))


def test_decoder_rows_have_unit_norm_after_each_step(sae):
    trainer = Trainer(sae, TrainConfig(sae=sae.config, batch_tokens=64), variance=float(D_IN))
    for seed in range(4):
        trainer.step(rows(seed=seed))
        assert sae.W_dec.shape == (N_FEATURES, D_IN)
        torch.testing.assert_close(sae.W_dec.norm(dim=1), torch.ones(N_FEATURES))


def test_gradients_equal_those_of_dense_autograd(sae):
    x = rows()
    with torch.no_grad():
        z = sae.pre_activations(x)
        pattern = sae.training_pattern(z)
    value = sparse_encode(x, sae.W_enc, sae.b_enc, z, pattern)
    x_hat = sparse_decode(value, sae.W_dec, pattern) + sae.b_dec
    (x - x_hat).square().sum().backward()
    sparse = {name: weight.grad.clone() for name, weight in sae.named_parameters()}
    sae.zero_grad()
    mask = pattern.dense(torch.ones(len(pattern.row)))
    dense_hat = (mask * (x @ sae.W_enc + sae.b_enc)) @ sae.W_dec + sae.b_dec
    (x - dense_hat).square().sum().backward()
    for name, weight in sae.named_parameters():
        scale = weight.grad.abs().max()
        torch.testing.assert_close(sparse[name] / scale, weight.grad / scale, rtol=0, atol=1e-5)


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
    loaded = load_sae(tmp_path / "sae")
    assert type(loaded.sae) is type(sae)
    assert loaded.sae.config == sae.config
    for name, tensor in sae.state_dict().items():
        assert torch.equal(loaded.sae.state_dict()[name], tensor), name
    assert torch.equal(loaded.sae(rows()), sae(rows()))
    assert {name: loaded.metadata[name] for name in METADATA} == METADATA
    assert loaded.metadata["d_in"] == D_IN


def test_folded_dictionary_does_on_raw_rows_what_it_did_on_standardised_ones(sae):
    raw = (5 + 3 * rows().numpy()).astype(np.float32)
    standardiser = Standardiser(mean=raw.astype(np.float64).mean(axis=0), scale=3.0)
    x = standardiser(raw)
    codes, x_hat = sae.encode(x).detach(), sae(x).detach().numpy()
    standardiser.fold(sae)
    folded = sae.encode(torch.from_numpy(raw)).detach()
    assert torch.equal(folded > 0, codes > 0)
    torch.testing.assert_close(folded, 3 * codes, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        sae(torch.from_numpy(raw)).detach().numpy(), 3 * x_hat + standardiser.mean, atol=1e-4
    )
    torch.testing.assert_close(sae.W_dec.norm(dim=1), torch.ones(N_FEATURES))


def test_encode_passes_gradients_to_the_activations(sae):
    x = rows(4).requires_grad_()
    sae.encode(x).sum().backward()
    expected = (sae.encode(x) > 0).float() @ sae.W_enc.t()
    torch.testing.assert_close(x.grad, expected)
