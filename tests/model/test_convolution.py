import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.model.hyena.convolution import (
    convolution_at_last,
    exponential_sum,
    fft_convolution,
    fir_correlation,
    modal_state,
)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_fir_correlation_meets_the_present_token_with_its_last_tap():
    x = torch.tensor([[[1.0], [10.0], [100.0]]])
    taps = torch.tensor([[0.5, 2.0]])
    assert fir_correlation(x, taps)[0, :, 0].tolist() == [2.0, 20.5, 205.0]


def test_fir_correlation_goes_on_from_what_was_before():
    x = torch.tensor([[[1.0], [10.0]]])
    taps = torch.tensor([[4.0, 0.5, 2.0]])
    before = torch.tensor([[[3.0], [5.0]]])
    expected = [4 * 3 + 0.5 * 5 + 2 * 1, 4 * 5 + 0.5 * 1 + 2 * 10]
    assert fir_correlation(x, taps, before)[0, :, 0].tolist() == expected


def test_fir_correlation_of_half_precision_is_rounded_once():
    x, taps = normal(1, 50, 4).bfloat16(), normal(4, 7, seed=1).bfloat16()
    exact = fir_correlation(x.float(), taps.float())
    assert torch.equal(fir_correlation(x, taps), exact.bfloat16())
    # weights of float32, as in training under autocast, keep the result in float32
    assert fir_correlation(x, taps.float()).dtype == torch.float32


def test_fft_convolution_is_the_sum_over_lags():
    x, impulse, before = normal(2, 23, 3), normal(3, 9, seed=1), normal(2, 8, 3, seed=2)
    whole = torch.cat([before, x], dim=1)
    for start, found in ((0, fft_convolution(whole, impulse)), (8, None)):
        naive = torch.zeros_like(whole)
        for t in range(31):
            for lag in range(min(9, t + 1)):
                naive[:, t] += impulse[:, lag] * whole[:, t - lag]
        found = fft_convolution(x, impulse, before) if found is None else found
        assert torch.allclose(found, naive[:, start:], atol=1e-5)


def test_the_convolution_at_the_last_token_is_that_of_the_whole():
    x, impulse = normal(2, 9, 3), normal(3, 9, seed=1)
    whole = fft_convolution(x, impulse)
    assert torch.allclose(convolution_at_last(x, impulse), whole[:, -1:], atol=1e-5)
    hand = convolution_at_last(torch.tensor([[[3.0], [5.0]]]), torch.tensor([[10.0, 100.0]]))
    assert hand.tolist() == [[[5 * 10 + 3 * 100]]]


@pytest.mark.parametrize("length", [1, 2, 3, 16, 17, 100])
def test_exponential_sum_is_its_definition(length):
    weights, log_poles = normal(2, 3, 4), -normal(3, 4, seed=1).abs()
    times = torch.arange(length, dtype=torch.float64)
    decay = torch.exp(log_poles.double()[..., None] * times)
    naive = torch.einsum("bds,dst->bdt", weights.double(), decay)
    found = exponential_sum(weights, log_poles, length)
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), naive, atol=1e-5)


def test_exponential_sum_is_not_rounded_under_autocast():
    weights, log_poles = normal(3, 4), -normal(3, 4, seed=1).abs()
    expected = exponential_sum(weights, log_poles, 50)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(exponential_sum(weights, log_poles, 50), expected)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(0, 2))
def test_modal_state_is_its_recurrence(tokens, seed):
    x, log_poles = normal(2, tokens, 3, seed=seed), -normal(3, 4, seed=seed + 1).abs()
    before = normal(2, 3, 4, seed=seed + 2)
    for start in (None, before):
        state = torch.zeros(2, 3, 4) if start is None else start
        for t in range(tokens):
            state = torch.exp(log_poles) * state + x[:, t, :, None]
        assert torch.allclose(modal_state(x, log_poles, start), state, rtol=1e-4, atol=1e-5)


def test_slow_modes_do_not_drift_token_by_token():
    x, log_poles = normal(1, 2_000, 1), torch.tensor([[-1e-3, -1e-2]])
    state = rounded = torch.zeros(1, 1, 2)
    exact = state.double()
    for t in range(2_000):
        token = x[:, t : t + 1]
        state = modal_state(token, log_poles, state)
        rounded = rounded * log_poles.exp() + token
        exact = exact * log_poles.double().exp() + token
    assert ((state - exact) / exact).abs().max() < 3e-6
    # what the recurrence as it is written would give
    assert ((rounded - exact) / exact).abs().max() > 6e-6


def test_state_and_sum_fit_each_other():
    # the response after a chunk is the sum over modes, each decayed once more
    x, log_poles, residues = normal(1, 30, 2), -normal(2, 5, seed=1).abs(), normal(2, 5, seed=2)
    impulse = exponential_sum(residues, log_poles, 50)
    silence = torch.zeros(1, 20, 2)
    whole = fft_convolution(torch.cat([x, silence], dim=1), impulse)
    weights = modal_state(x, log_poles) * residues * log_poles.exp()
    carried = exponential_sum(weights, log_poles, 20).transpose(1, 2)
    assert np.allclose(whole[:, 30:], carried, atol=1e-5)
