from dataclasses import replace

import numpy as np
import pytest
import torch

from genointerp.core.errors import ConfigError, UnknownNameError
from genointerp.core.seed import rng
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.io import save_training
from genointerp.sae.metrics import evaluate
from genointerp.sae.source import RowSource
from genointerp.sae.step import Trainer
from genointerp.sae.train import train_sae
from tests.sae.sources import sparse_rows

METADATA = {"model": "toy + other", "model_sha256": "", "site": "blocks.1"}
SAE = SaeConfig("batch_topk_crosscoder", n_features=24, k=3)
CONFIG = TrainConfig(sae=SAE, n_tokens=12_800, batch_tokens=128, learning_rate=1e-2)


def crosscoder(n_features=1, widths=(2, 2), seed=0, **settings):
    config = SaeConfig("batch_topk_crosscoder", n_features, 1, widths=widths, **settings)
    return make_sae(config, sum(widths), seed=seed)


def pairs(n=4000, scale=1.0, d=12, seed=0):
    """Rows of a model and of one that is equal but for its scale and a little noise."""
    x = sparse_rows(n, d_in=d)
    noise = rng(seed, "noise").normal(0, 0.05, x.shape)
    return np.concatenate([x, scale * (x + noise)], axis=1).astype(np.float32)


def source(rows):
    return RowSource(rows, widths=(rows.shape[1] // 2, rows.shape[1] // 2))


def trained(rows, **settings):
    return train_sae(source(rows), replace(CONFIG, sae=replace(SAE, **settings)), metadata=METADATA)


def test_the_delta_loss_adds_the_missed_difference_as_a_share_of_the_whole():
    sae = crosscoder(delta_coefficient=2.0)
    with torch.no_grad():
        sae.W_enc.copy_(torch.tensor([[1.0], [0.0], [0.0], [0.0]]))
        sae.W_dec.copy_(torch.tensor([[1.0, 0.0, 0.0, 0.0]]))
    x = torch.tensor([[3.0, 1.0, 2.0, 0.0]])
    settings = TrainConfig(sae=sae.config, n_tokens=5_000_000)
    trainer = Trainer(sae, settings, variance=10.0)
    z = sae.pre_activations(x)
    loss = trainer.loss(sae.split(x), z, sae.training_pattern(z)).loss
    # errors (0, 1) and (2, 0): 5 in all; their difference (2, -1) is 5 too, and counts twice
    assert float(loss.detach()) == pytest.approx((5 + 2 * 5) / 10)


def test_dedicated_features_keep_to_their_site_through_training(tmp_path):
    result = trained(pairs(), dedicated=(0.25, 0.125))
    sae = result.sae
    assert sae.dedicated_features == (slice(0, 6), slice(6, 9))
    for weight in (sae.W_dec, sae.W_enc.t()):
        assert not weight[:6, 12:].any()
        assert not weight[6:9, :12].any()
        assert weight[9:].all()
    assert sae.W_dec[:6, :12].norm(dim=1).min() > 0
    save_training(result, tmp_path / "sae")
    norms = Dictionary.load(tmp_path / "sae").sae.site_norms()
    assert norms[:9].tolist() == [pytest.approx([1, 0])] * 6 + [pytest.approx([0, 1])] * 3


def test_norms_at_the_sites_do_not_depend_on_the_units_of_a_model(tmp_path):
    one = trained(pairs())
    ten = trained(pairs(scale=10.0))
    (first, second), (again, scaled) = one.sae.config.site_scales, ten.sae.config.site_scales
    assert (again, scaled) == (pytest.approx(first), pytest.approx(10 * second))
    assert torch.allclose(one.sae.site_norms(), ten.sae.site_norms(), atol=0.02)
    assert one.sae.site_norms().square().sum(dim=1).tolist() == pytest.approx([1] * 24)
    save_training(ten, tmp_path / "sae")
    loaded = Dictionary.load(tmp_path / "sae").sae
    assert torch.equal(loaded.site_norms(), ten.sae.site_norms())


def test_z_of_whole_rows_is_the_mean_of_those_from_each_site():
    result = trained(pairs(), encode_from="any")
    x = torch.from_numpy(pairs())
    each = [result.sae.pre_activations(result.sae.seen_from(x, site)) for site in (0, 1)]
    torch.testing.assert_close((each[0] + each[1]) / 2, result.sae.pre_activations(x))
    changed = x.clone()
    changed[:, 12:] = 7.0
    assert torch.equal(result.sae.seen_from(x, 0), result.sae.seen_from(changed, 0))


def test_a_dictionary_that_is_encoded_from_any_site_is_read_from_one():
    rows = pairs()
    sae = trained(rows, encode_from="any").sae
    assert max(one_site_fvu(sae, rows, site) for site in (0, 1)) < 0.3


def one_site_fvu(sae, rows, site):
    x = torch.from_numpy(rows)
    with torch.no_grad():
        error = x - sae(sae.seen_from(x, site))
    return float(error.square().sum() / (x - x.mean(dim=0)).square().sum())


def test_one_site_is_asked_only_of_a_dictionary_that_was_trained_so():
    with pytest.raises(ConfigError, match=r"encode_from: expected any, .*, found 'all'"):
        crosscoder().seen_from(torch.zeros(1, 4), 0)
    with pytest.raises(UnknownNameError, match="site: expected an index from 0 to 1, found 2"):
        crosscoder(encode_from="any").seen_from(torch.zeros(1, 4), 2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"delta_coefficient": -1.0}, "delta_coefficient: expected 0 or more, found -1.0"),
        ({"dedicated": (0.5, 0.5)}, r"dedicated: expected shares .* less than 1"),
        ({"dedicated": (0.1,)}, r"dedicated: expected a number for each of 2 sites, or none"),
        ({"delta_coefficient": 1.0, "widths": (2, 3)}, "widths: expected two equal ones"),
    ],
)
def test_settings_that_do_not_fit_two_sites_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        crosscoder(**{"n_features": 8, **settings})


def test_settings_of_crosscoders_are_refused_elsewhere():
    with pytest.raises(ConfigError, match=r"delta_coefficient: expected 0 unless for batch_topk_c"):
        SaeConfig("batch_topk", delta_coefficient=1.0)
    sae = SaeConfig("batch_topk_crosscoder", delta_coefficient=1.0)
    with pytest.raises(ConfigError, match="normalise: expected scale where a difference"):
        TrainConfig(sae=sae, normalise="none")


def test_evaluation_of_a_dictionary_for_any_site_reads_all():
    result = trained(pairs(), encode_from="any")
    assert evaluate(result.sae, [pairs()]).fvu < 0.3
