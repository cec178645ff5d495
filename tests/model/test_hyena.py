import numpy as np
import pytest
import torch

from genointerp.core.errors import ConfigError, SchemaError, UnknownNameError
from genointerp.model.hyena import (
    HyenaConfig,
    HyenaFilter,
    StripedHyena,
    fft_convolution,
    fir_correlation,
    initialise,
)
from genointerp.model.protocol import Edit
from genointerp.model.registry import MODELS, load_model, save_model

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


@pytest.fixture
def model(network, tmp_path):
    save_model(network, tmp_path / "tiny", name="tiny", context=64, default_site="blocks.2")
    return load_model(str(tmp_path / "tiny"))


def tokens_of(batch, length, seed=0):
    return torch.randint(0, 4, (batch, length), generator=torch.Generator().manual_seed(seed))


def test_fir_correlation_meets_the_present_token_with_its_last_tap():
    x = torch.tensor([[[1.0], [10.0], [100.0]]])
    taps = torch.tensor([[0.5, 2.0]])
    assert fir_correlation(x, taps)[0, :, 0].tolist() == [2.0, 20.5, 205.0]


def test_fft_convolution_is_the_sum_over_lags():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(2, 23, 3, generator=generator)
    impulse = torch.randn(3, 9, generator=generator)
    naive = torch.zeros_like(x)
    for t in range(23):
        for lag in range(min(9, t + 1)):
            naive[:, t] += impulse[:, lag] * x[:, t - lag]
    assert torch.allclose(fft_convolution(x, impulse), naive, atol=1e-5)


def test_long_filter_is_a_sum_of_exponentials():
    layer = HyenaFilter(CONFIG, "LI")
    with torch.no_grad():
        layer.log_poles[0, :2, 0] = torch.tensor([0.0, -1.0])
        layer.residues[0, :2] = torch.tensor([1.0, 2.0])
    expected = [1 + 2 * np.exp(-t) for t in range(4)]
    assert layer.impulse(4)[0].tolist() == pytest.approx(expected, rel=1e-6)


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


def test_early_exit_gives_the_values_of_the_whole_pass(model):
    tokens = tokens_of(2, 30)
    everything = model.run(tokens, capture=list(model.spec.sites))
    for site in model.spec.sites:
        assert torch.equal(model.run(tokens, capture=[site])[site], everything[site])


def test_nothing_above_the_site_is_computed(model):
    ran = []
    handle = model.network.blocks[3].register_forward_hook(lambda *_: ran.append(3))
    model.run(tokens_of(1, 8), capture=["blocks.1"])
    handle.remove()
    assert ran == []


def test_an_edit_changes_what_follows_and_leaves_the_model_as_found(model):
    tokens = tokens_of(1, 20)
    clean = model.log_probs(tokens)
    edited = model.log_probs(tokens, edits=[Edit("blocks.1", torch.zeros_like)])
    assert not torch.allclose(clean, edited)
    assert torch.equal(model.log_probs(tokens), clean)


def test_the_model_is_left_as_found_when_an_edit_fails(model):
    def fail(_x):
        raise RuntimeError("no")

    tokens = tokens_of(1, 20)
    clean = model.log_probs(tokens)
    with pytest.raises(RuntimeError, match="no"):
        model.log_probs(tokens, edits=[Edit("blocks.0", fail)])
    assert torch.equal(model.log_probs(tokens), clean)


def test_log_probs_are_a_distribution_over_four_bases(model):
    prefix = tokens_of(1, 10)
    total = 0.0
    for base in range(4):
        last = torch.full((1, 1), base)
        total += float(model.log_probs(torch.cat([prefix, last], dim=1))[0, -1].exp())
    assert total == pytest.approx(1.0, abs=1e-5)


def test_log_probs_of_an_unknown_base_are_nan(model):
    tokens = tokens_of(1, 10)
    tokens[0, 5] = 4
    assert torch.isnan(model.log_probs(tokens))[0].tolist() == [i == 4 for i in range(9)]


def test_an_unknown_site_names_those_that_there_are(model):
    with pytest.raises(UnknownNameError, match=r"blocks\.0, blocks\.1.*found blocks\.9"):
        model.run(tokens_of(1, 4), capture=["blocks.9"])


def test_an_unknown_model_names_those_that_there_are():
    with pytest.raises(UnknownNameError, match=r"nano.*found evo9"):
        load_model("evo9")


def test_weights_of_another_network_are_refused(network, tmp_path):
    save_model(network, tmp_path / "m", name="m", context=64, default_site="blocks.0")
    path = tmp_path / "m" / "config.json"
    path.write_text(path.read_text().replace('"LI"', '"MR"'))
    with pytest.raises(SchemaError, match="parameters of the configured network"):
        load_model(str(tmp_path / "m"))


def test_heads_must_divide_the_width():
    with pytest.raises(ConfigError, match="a divisor of d_model=16, found n_heads=3"):
        HyenaConfig(8, 16, 24, ("ATT",), n_heads=3, n_filter_groups=4)


@pytest.mark.parametrize("name", MODELS)
def test_shipped_model_is_better_than_chance_on_real_dna(name, phix174):
    model = load_model(name)
    tokens = torch.from_numpy(model.tokenize(phix174.sequence).ids)[None, :1024]
    bits = -float(model.log_probs(tokens).mean()) / np.log(2)
    assert 1.0 < bits < 2.0
