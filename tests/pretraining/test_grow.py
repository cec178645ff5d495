"""Growth: a wider, deeper network that computes the same."""

import dataclasses

import pytest
import torch

from genointerp.core.errors import ConfigError
from genointerp.model.hyena.network import HyenaConfig, StripedHyena, initialise
from genointerp.pretraining.grow import grow

SMALL = HyenaConfig(
    vocab_size=8,
    d_model=16,
    d_mlp=24,
    mixers=("SE", "MR", "LI", "ATT"),
    n_heads=2,
    n_filter_groups=4,
    medium_taps=16,
)
LARGE = dataclasses.replace(
    SMALL, d_model=48, d_mlp=72, n_heads=6, n_filter_groups=12, mixers=(*SMALL.mixers, "SE", "ATT")
)


def trained() -> StripedHyena:
    network = StripedHyena(SMALL)
    initialise(network, torch.Generator().manual_seed(1))
    with torch.no_grad():  # as after training: nothing is at its first, special value
        for i, parameter in enumerate(network.parameters()):
            noise = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(i))
            parameter.add_(0.05 * noise)
        for block in network.blocks:
            if hasattr(block.mixer, "filter") and hasattr(block.mixer.filter, "log_poles"):
                block.mixer.filter.log_poles.clamp_(max=-1e-3)
    return network


def grown(small: StripedHyena) -> StripedHyena:
    large = StripedHyena(LARGE)
    grow(small, large, torch.Generator().manual_seed(2))
    return large


def test_a_grown_network_computes_what_the_small_one_does():
    small = trained().double()
    large = grown(small).double()
    tokens = torch.randint(0, 4, (2, 70), generator=torch.Generator().manual_seed(3))
    expected, found = small(tokens), large(tokens)
    assert expected.std() > 0.1
    # long filters are computed in float32
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_copies_of_a_channel_part_once_they_learn():
    large = grown(trained())
    tokens = torch.randint(0, 4, (2, 70), generator=torch.Generator().manual_seed(3))
    large(tokens)[..., 0].square().sum().backward()
    gradient = large.blocks[1].mlp.l1.weight.grad
    copies = gradient.reshape(3, SMALL.d_mlp, -1)
    assert not torch.allclose(copies[0], copies[1], rtol=1e-2)
    # new blocks write nothing yet, and learn to write at once
    assert large.blocks[4].mlp.l3.weight.grad.abs().max() > 0


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"d_mlp": 71}, "d_mlp=72"),
        ({"n_heads": 2}, "n_heads=6"),
        ({"mixers": ("SE", "MR", "ATT", "ATT")}, "first SE MR LI ATT"),
        ({"d_model": 12, "n_filter_groups": 4, "n_heads": 2}, "d_model=0"),
    ],
)
def test_other_shapes_are_refused(change, expected):
    with pytest.raises(ConfigError, match=expected):
        grow(trained(), StripedHyena(dataclasses.replace(LARGE, **change)), torch.Generator())
