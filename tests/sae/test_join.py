import numpy as np
import pytest
import torch

from genointerp.core.errors import ConfigError
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.join import join


def _part(architecture: str, n_features: int, seed: int, d_in: int = 6):
    sae = make_sae(SaeConfig(architecture, n_features, 2), d_in, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        sae.b_enc.normal_(generator=generator)
        sae.b_dec.normal_(generator=generator)
        sae.threshold.fill_(0.1 + 0.2 * seed)
    return sae


def test_the_reconstruction_is_the_sum_and_the_codes_lie_side_by_side():
    parts = [_part("batch_topk", 5, 0), _part("batch_topk", 3, 1), _part("jumprelu", 4, 2)]
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32))
    joined = join(parts)
    with torch.no_grad():
        codes = torch.cat([part.encode(x) for part in parts], dim=1)
        assert 0 < (codes > 0).float().mean() < 1
        torch.testing.assert_close(joined.encode(x), codes)
        torch.testing.assert_close(joined(x), sum(part(x) for part in parts))


def test_each_feature_keeps_the_threshold_of_its_part():
    joined = join([_part("batch_topk", 3, 0), _part("batch_topk", 2, 1)])
    torch.testing.assert_close(joined.threshold.detach(), torch.tensor([0.1, 0.1, 0.1, 0.3, 0.3]))
    assert (joined.config.n_features, joined.config.k) == (5, 4)


def test_a_part_whose_features_depend_on_one_another_is_refused():
    with pytest.raises(ConfigError, match=r"expected one of batch_topk, .* found 'topk'"):
        join([_part("batch_topk", 2, 0), _part("topk", 2, 0)])


def test_parts_of_different_widths_are_refused():
    with pytest.raises(ConfigError, match="width of a part: expected d_in = 6, found 7"):
        join([_part("batch_topk", 2, 0), _part("batch_topk", 2, 0, d_in=7)])
