import numpy as np
import pytest
import torch

from genointerp.core.errors import ConfigError
from genointerp.core.seed import rng
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.latent_scaling import latent_scaling


def crosscoder(widths=(3, 3), n_features=7, scales=(1.0, 4.0)):
    config = SaeConfig("batch_topk_crosscoder", n_features, 2, widths=widths, site_scales=scales)
    sae = make_sae(config, sum(widths), seed=1)
    random = rng(0, "biases")
    with torch.no_grad():
        sae.b_dec.copy_(torch.from_numpy(random.normal(size=sum(widths))))
        sae.b_enc[-1] = -100
        sae.threshold.fill_(0.5)
    return sae


def naive(sae, rows, target):
    """Return nu of every feature by explicit least squares, one feature at a time."""
    scale = np.repeat(sae.config.site_scales, 3)
    f = sae.encode(torch.from_numpy(rows)).detach().double().numpy()
    directions = sae.W_dec.detach().double().numpy() / scale
    x = (rows - sae.b_dec.detach().double().numpy()) / scale
    nu = np.full((sae.n_features, 2), np.nan)
    for feature in np.flatnonzero(f.any(axis=0)):
        others = np.delete(np.arange(sae.n_features), feature)
        y = x - f[:, others] @ directions[others] if target == "error" else f @ directions
        for side in (0, 1):
            probe = directions[feature, 3 * side : 3 * side + 3]
            column = np.outer(f[:, feature], probe).reshape(-1, 1)
            beta = [
                np.linalg.lstsq(column, y[:, 3 * m : 3 * m + 3].reshape(-1), rcond=None)[0][0]
                for m in (side, 1 - side)
            ]
            nu[feature, side] = beta[1] / beta[0] if beta[0] > 0 else np.nan
    return nu


def test_scaling_equals_naive_least_squares():
    sae = crosscoder()
    rows = rng(2, "rows").normal(size=(500, 6)).astype(np.float32)
    found = latent_scaling(sae, [rows[:123], rows[123:]])
    np.testing.assert_allclose(found.nu_error, naive(sae, rows, "error"), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(
        found.nu_reconstruction, naive(sae, rows, "reconstruction"), rtol=1e-6, atol=1e-9
    )
    f = sae.encode(torch.from_numpy(rows)).detach().numpy()
    assert found.n_fired.tolist() == (f > 0).sum(axis=0).tolist()
    assert found.largest.tolist() == pytest.approx(f.max(axis=0).tolist())
    assert found.n_rows == 500
    # the last feature never fires
    assert found.n_fired[-1] == 0
    assert np.isnan(found.nu_error[-1]).all()


def test_a_feature_that_the_dictionary_hides_in_the_other_model_is_found_in_its_error():
    config = SaeConfig("batch_topk_crosscoder", 2, 1, widths=(2, 2))
    sae = make_sae(config, 4)
    with torch.no_grad():
        sae.W_dec.copy_(torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]))
        sae.W_enc.copy_(sae.W_dec.t())
    # feature 0 is in both models, at half its strength in the second; feature 1 in the first alone
    rows = np.array([[2.0, 0.0, 1.0, 0.0], [0.0, 3.0, 0.0, 0.0]], np.float32)
    found = latent_scaling(sae, [rows])
    assert found.nu_error[:, 0].tolist() == [0.5, 0]
    assert found.nu_reconstruction[:, 0].tolist() == [0, 0]


def test_a_feature_that_other_features_say_is_found_in_the_reconstruction():
    sae = make_sae(SaeConfig("batch_topk_crosscoder", 2, 2, widths=(2, 2)), 4)
    with torch.no_grad():
        sae.W_dec.copy_(torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]))
        sae.W_enc.copy_(sae.W_dec.t())
    rows = np.array([[2.0, 0.0, 2.0, 0.0]], np.float32)
    found = latent_scaling(sae, [rows])
    assert found.nu_error[:, 0].tolist() == [0, pytest.approx(np.nan, nan_ok=True)]
    assert found.nu_reconstruction[0, 0] == 1


def test_models_of_other_widths_are_refused():
    with pytest.raises(ConfigError, match=r"widths: expected two equal ones, .*found \(3, 2\)"):
        latent_scaling(crosscoder(widths=(3, 2)), [])
