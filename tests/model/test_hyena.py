import json
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import torch

from genointerp.core.errors import ConfigError
from genointerp.model.hyena.network import (
    HyenaConfig,
    HyenaFilter,
    RMSNorm,
    StripedHyena,
    initialise,
    set_dtype,
)

CONFIG = HyenaConfig(
    vocab_size=8,
    d_model=16,
    d_mlp=24,
    mixers=("SE", "MR", "LI", "ATT"),
    n_heads=2,
    n_filter_groups=4,
)


@pytest.fixture
def network():
    made = StripedHyena(CONFIG)
    initialise(made, torch.Generator().manual_seed(0))
    return made


def tokens_of(batch, length, seed=0):
    return torch.randint(0, 4, (batch, length), generator=torch.Generator().manual_seed(seed))


def test_norm_adds_eps_outside_the_root():
    norm = RMSNorm(2, eps=0.5)
    # root mean square of 3 and 4 is sqrt(12.5)
    expected = np.array([3.0, 4.0]) / (12.5**0.5 + 0.5)
    assert norm(torch.tensor([3.0, 4.0])).tolist() == pytest.approx(expected.tolist(), rel=1e-6)


def test_long_filter_is_a_sum_of_exponentials():
    layer = HyenaFilter(CONFIG, "LI")
    with torch.no_grad():
        layer.log_poles[0, :2, 0] = torch.tensor([0.0, -1.0])
        layer.residues[0, :2] = torch.tensor([1.0, 2.0])
    expected = [1 + 2 * np.exp(-t) for t in range(4)]
    assert layer.impulse(4)[0].tolist() == pytest.approx(expected, rel=1e-6)


def test_channels_that_do_not_fit_one_transform_are_convolved_in_turn(network, monkeypatch):
    tokens = tokens_of(2, 40)
    with torch.no_grad():
        whole = network(tokens)
        # three channels of 2 x 40 tokens at a time
        monkeypatch.setattr("genointerp.model.hyena.network._FFT_VALUES", 240)
        assert torch.allclose(network(tokens), whole, rtol=1e-5, atol=1e-6)


def test_no_token_depends_on_a_later_one(network):
    tokens = tokens_of(1, 40)
    changed = tokens.clone()
    changed[0, 25:] = (changed[0, 25:] + 1) % 4
    with torch.no_grad():
        before, after = network(tokens), network(changed)
    assert torch.allclose(before[:, :25], after[:, :25], atol=1e-5)
    assert not torch.allclose(before[:, 25:], after[:, 25:], atol=1e-2)


def test_a_sequence_may_be_shorter_than_the_filters(network):
    with torch.no_grad():
        long = network(tokens_of(1, 40))
        assert torch.allclose(network(tokens_of(1, 40)[:, :2]), long[:, :2], atol=1e-5)


def test_every_parameter_is_trained(network):
    network(tokens_of(2, 40)).square().mean().backward()
    assert all(x.grad.abs().sum() > 0 for x in network.parameters())


def test_half_precision_spares_poles_residues_and_frequencies(network):
    before = {name: x.clone() for name, x in network.named_parameters()}
    set_dtype(network, torch.bfloat16)
    for name, x in network.named_parameters():
        kept = name.endswith(("log_poles", "residues"))
        assert x.dtype == (torch.float32 if kept else torch.bfloat16)
        assert torch.equal(x.float(), before[name]) or not kept
    assert network.blocks[3].mixer.inv_freq.dtype == torch.float32
    with torch.no_grad():
        assert network(tokens_of(1, 20)).dtype == torch.bfloat16


def test_heads_must_divide_the_width():
    with pytest.raises(ConfigError, match=r"a divisor of d_model=16, found n_heads=3"):
        HyenaConfig(8, 16, 24, ("ATT",), n_heads=3, n_filter_groups=4)


def test_parameters_of_the_shipped_model_keep_their_names():
    # a network of another version must still read every file of weights that was ever written
    folder = Path(str(resources.files("genointerp.model"))) / "weights" / "nano"
    header = (folder / "model.safetensors").read_bytes()
    size = int.from_bytes(header[:8], "little")
    names = set(json.loads(header[8 : 8 + size])) - {"__metadata__"}
    values = json.loads((folder / "config.json").read_text())["network"]
    values["mixers"] = tuple(values["mixers"])
    assert names == set(StripedHyena(HyenaConfig(**values)).state_dict())
