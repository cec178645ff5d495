import numpy as np
import pytest
import torch

from genointerp.core.errors import ConfigError, UnknownNameError
from genointerp.sae.architecture.jumprelu import jump
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.step import Trainer, sparsity_ramp


def identity_sae(architecture, k, width=3):
    sae = make_sae(SaeConfig(architecture, n_features=width, k=k), width)
    with torch.no_grad():
        sae.W_enc.copy_(torch.eye(width))
        sae.W_dec.copy_(torch.eye(width))
    return sae


def test_topk_keeps_the_largest_of_each_token():
    sae = identity_sae("topk", 2)
    x = torch.tensor([[1.0, 3.0, 2.0], [5.0, -1.0, -2.0]])
    assert sae.encode(x).tolist() == [[0, 3, 2], [5, 0, 0]]
    codes = sae.encode_sparse(x)
    assert codes.index.tolist() == [[1, 2], [0, 0]]
    assert codes.value.tolist() == [[3, 2], [5, 0]]


def test_topk_adds_both_biases():
    sae = identity_sae("topk", 1)
    with torch.no_grad():
        sae.b_enc.copy_(torch.tensor([0.0, 0.0, 2.0]))
        sae.b_dec.copy_(torch.tensor([10.0, 20.0, 30.0]))
    assert sae(torch.tensor([[1.0, 0.0, 0.5]])).tolist() == [[10, 20, 32.5]]


def test_batch_topk_spends_its_budget_where_it_matters_in_training():
    sae = identity_sae("batch_topk", 1)
    z = torch.tensor([[4.0, 3.0, 2.0], [1.0, 0.5, -7.0]])
    pattern = sae.training_pattern(z)
    assert pattern.dense(pattern.values_of(z)).tolist() == [[4, 3, 0], [0, 0, 0]]


def test_batch_topk_fires_above_its_threshold_at_inference():
    sae = identity_sae("batch_topk", 1)
    sae.threshold.fill_(1.0)
    assert sae.encode(torch.tensor([[4.0, 1.0, 2.0]])).tolist() == [[4, 0, 2]]
    codes = sae.encode_sparse(torch.tensor([[0.0, 0.0, 0.0], [4.0, 1.0, 2.0]]))
    assert codes.index.tolist() == [[0, 0], [0, 2]]
    assert codes.value.tolist() == [[0, 0], [4, 2]]


def test_no_token_fires_gives_codes_of_no_width():
    sae = identity_sae("topk", 2)
    assert sae.encode_sparse(-torch.ones(4, 3)).index.shape == (4, 0)
    assert sae(-torch.ones(4, 3)).tolist() == [[0, 0, 0]] * 4


def loss_of(sae, x, variance, **config):
    settings = TrainConfig(sae=sae.config, n_tokens=5_000_000, sparsity_warmup_share=0.0, **config)
    trainer, split = Trainer(sae, settings, variance=variance), sae.split(x)
    with torch.no_grad():
        z = sae.pre_activations(split.x)
    return float(trainer.loss(split, z, sae.training_pattern(z)).loss.detach())


def test_relu_keeps_what_is_positive_and_pays_for_its_sum():
    sae = identity_sae("relu", 1)
    assert sae.encode(torch.tensor([[2.0, -1.0, 0.5]])).tolist() == [[2, 0, 0.5]]
    # nothing is lost; 5 (the coefficient) times rms 1 times (2 + 1), over a variance of 3
    assert loss_of(sae, torch.tensor([[2.0, 1.0, 0.0]]), 3.0) == pytest.approx(5.0)


def test_balance_of_error_and_price_does_not_depend_on_the_scale():
    sae = identity_sae("relu", 1)
    x = torch.tensor([[2.0, 1.0, -3.0]])
    assert loss_of(sae, 4 * x, 16 * 3.0) == pytest.approx(loss_of(sae, x, 3.0))


def test_price_of_sparsity_rises_over_the_first_steps():
    config = TrainConfig(n_tokens=1000, batch_tokens=10, sparsity_warmup_share=0.1)
    assert [sparsity_ramp(step, config) for step in (0, 4, 9, 50)] == [0.1, 0.5, 1.0, 1.0]


def test_jumprelu_fires_above_the_threshold_of_each_feature():
    sae = identity_sae("jumprelu", 1)
    with torch.no_grad():
        sae.threshold.copy_(torch.tensor([0.5, 1.5, 1.0]))
    assert sae.encode(torch.tensor([[1.0, 1.0, 2.0]])).tolist() == [[1, 0, 2]]
    # the error of 1 for the feature below its threshold, over 3, and two features at 0.001
    assert loss_of(sae, torch.tensor([[1.0, 1.0, 2.0]]), 3.0) == pytest.approx(1 / 3 + 0.002)


def test_jump_has_the_stated_derivatives_near_the_threshold_and_none_far_from_it():
    pre = torch.tensor([1.0, 1.04, 9.0], requires_grad=True)
    threshold = torch.tensor([1.02, 1.0, 1.0], requires_grad=True)
    value, is_on = jump(pre, threshold, 0.1)
    assert value.tolist() == pytest.approx([0, 1.04, 9])
    assert is_on.tolist() == [0, 1, 1]
    torch.autograd.backward([value, is_on], [torch.tensor([2.0, 3.0, 4.0]), torch.ones(3)])
    # -(threshold times 2 + 1) / 0.1 and -(1 times 3 + 1) / 0.1
    assert threshold.grad.tolist() == pytest.approx([-30.4, -40.0, 0.0])
    assert pre.grad.tolist() == [0, 3, 4]


def test_thresholds_of_jumprelu_stay_at_zero_or_above():
    sae = identity_sae("jumprelu", 1)
    with torch.no_grad():
        sae.threshold.copy_(torch.tensor([-0.5, 0.2, 0.0]))
    sae.constrain()
    assert sae.threshold.tolist() == pytest.approx([0, 0.2, 0])


def test_gated_tells_whether_and_how_much_apart():
    sae = identity_sae("gated", 1)
    with torch.no_grad():
        sae.b_enc.fill_(-0.5)
        sae.r_mag.fill_(np.log(2.0))
        sae.b_mag.copy_(torch.tensor([0.5, 0.5, -3.0]))
    # 2 x 1 + 0.5; a closed gate; an open one whose magnitude is 2 x 1 - 3
    x = torch.tensor([[1.0, 0.4, 1.0]])
    assert sae.encode(x).tolist() == [[pytest.approx(2.5), 0, 0]]
    assert sae.encode_sparse(x).index.tolist() == [[0]]


def test_matryoshka_loss_is_the_mean_over_prefixes():
    config = SaeConfig("matryoshka_batch_topk", n_features=4, k=3, prefixes=(0.25, 0.5, 1.0))
    sae = make_sae(config, 4)
    with torch.no_grad():
        sae.W_enc.copy_(torch.eye(4))
        sae.W_dec.copy_(torch.eye(4))
    assert sae.prefix_sizes == (1, 2, 4)
    # feature 0 leaves 2^2 + 1^2, the first two leave 1^2, all leave nothing
    assert loss_of(sae, torch.tensor([[3.0, 2.0, 1.0, 0.0]]), 14.0) == pytest.approx(6 / 3 / 14)


def test_transcoder_reads_one_site_and_writes_another():
    sae = make_sae(SaeConfig("transcoder", n_features=2, k=2, widths=(2, 1)), 3)
    with torch.no_grad():
        sae.W_enc.copy_(torch.eye(2))
        sae.W_dec.copy_(torch.tensor([[1.0], [-1.0]]))
        sae.b_dec.fill_(10.0)
    assert (sae.d_in, sae.d_row, sae.target_columns) == (2, 3, slice(2, 3))
    assert sae(torch.tensor([[3.0, 1.0]])).tolist() == [[12]]
    # the target is 15, the reconstruction 12
    assert loss_of(sae, torch.tensor([[3.0, 1.0, 15.0]]), 2.0) == pytest.approx(9 / 2)


def test_crosscoder_has_a_direction_for_each_site():
    sae = make_sae(SaeConfig("batch_topk_crosscoder", n_features=1, k=1, widths=(2, 1)), 3)
    with torch.no_grad():
        sae.W_dec.copy_(torch.tensor([[0.6, 0.0, 0.8]]))
        sae.W_enc.copy_(sae.W_dec.t())
    assert sae.site_norms().tolist() == [pytest.approx([0.6, 0.8])]
    # it is read from both sites: 0.6 x 1 + 0.8 x 2
    assert sae.encode(torch.tensor([[1.0, 5.0, 2.0]])).tolist() == [[pytest.approx(2.2)]]


@pytest.mark.parametrize(
    ("architecture", "widths", "message"),
    [
        ("transcoder", (), r"widths: expected two widths, of input and target, .* 8, found \(\)"),
        ("transcoder", (4, 5), r"add up to 8, found \(4, 5\)"),
        ("batch_topk_crosscoder", (8,), r"widths: expected a width for each of two sites or more"),
        ("topk", (4, 4), r"widths: expected none, as topk reads one site of width 8"),
    ],
)
def test_widths_that_do_not_fit_the_architecture_are_refused(architecture, widths, message):
    with pytest.raises(ConfigError, match=message):
        make_sae(SaeConfig(architecture, n_features=4, k=1, widths=widths), 8)


def test_unknown_architecture_names_the_known_ones():
    config = SaeConfig()
    object.__setattr__(config, "architecture", "vanilla")
    with pytest.raises(UnknownNameError, match=r"one of batch_topk, .*, topk, .*found 'vanilla'"):
        make_sae(config, 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SaeConfig(n_features=8, k=9), r"k: expected 1 to n_features = 8, found 9"),
        (lambda: SaeConfig(k=0), r"k: expected 1 to n_features = 2048, found 0"),
        (lambda: TrainConfig(n_tokens=10), r"n_tokens: expected at least batch_tokens = 2048"),
        (lambda: TrainConfig(eval_share=0.0), r"eval_share: expected between 0 and 1, found 0.0"),
        (lambda: SaeConfig(prefixes=(0.5, 0.25, 1.0)), r"prefixes: expected shares that rise"),
        (lambda: SaeConfig(prefixes=(0.5,)), r"prefixes: expected shares that rise from above 0"),
        (lambda: SaeConfig(bandwidth=0.0), r"bandwidth: expected more than 0, found 0.0"),
        (
            lambda: TrainConfig(sae=SaeConfig("jumprelu"), normalise="none"),
            r"normalise: expected scale or whiten for jumprelu, .*, found 'none'",
        ),
        (lambda: TrainConfig(aux_k=0), r"aux_k: expected 1 or more, found 0"),
    ],
)
def test_a_setting_out_of_range_is_named(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
