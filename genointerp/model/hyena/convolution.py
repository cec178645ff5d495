"""Causal convolutions along the tokens, one filter for each channel, computed in float32.

Each can continue from the tokens before its input, so that a sequence can be read in chunks.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def fir_correlation(
    x: Float[Tensor, "batch token d"],
    taps: Float[Tensor, "d tap"],
    before: Float[Tensor, "batch lag d"] | None = None,
) -> Float[Tensor, "batch token d"]:
    """Return the cross-correlation with a few taps; the last tap is for the present token.

    ``before`` holds the ``tap - 1`` inputs before ``x``; None means zeros.
    """
    n_taps, tokens = taps.shape[1], x.shape[1]
    padded = F.pad(x, (0, 0, n_taps - 1, 0)) if before is None else torch.cat([before, x], dim=1)
    padded, weights = padded.float(), taps.float()
    out = padded[:, n_taps - 1 :] * weights[:, -1]
    for tap in reversed(range(n_taps - 1)):
        # on a CPU, shifted sums are faster than torch's depthwise conv1d for so few taps
        out = out.addcmul_(padded[:, tap : tap + tokens], weights[:, tap])
    return out.to(torch.promote_types(x.dtype, taps.dtype))


def fft_convolution(
    x: Float[Tensor, "batch token d"],
    impulse: Float[Tensor, "d lag"],
    before: Float[Tensor, "batch past d"] | None = None,
) -> Float[Tensor, "batch token d"]:
    """Return the convolution in float32; lag 0 is for the present token.

    ``before`` holds as many inputs before ``x`` as the filter reaches back; None means zeros.
    """
    tokens = x.shape[1]
    whole = x if before is None else torch.cat([before, x], dim=1)
    size = _fft_size(whole.shape[1] + impulse.shape[1] - 1)
    spectrum = torch.fft.rfft(whole.float().transpose(1, 2), n=size)
    spectrum = spectrum * torch.fft.rfft(impulse.float(), n=size)
    mixed: Tensor = torch.fft.irfft(spectrum, n=size)
    return mixed[..., whole.shape[1] - tokens : whole.shape[1]].transpose(1, 2)


def convolution_at_last(
    x: Float[Tensor, "batch lag d"], impulse: Float[Tensor, "d lag"]
) -> Float[Tensor, "batch 1 d"]:
    """Return the convolution at the last token only, in float32, as one more token needs it."""
    return (x.float() * impulse.float().flip(-1).T).sum(dim=1, keepdim=True)


def exponential_sum(
    weights: Float[Tensor, "*batch d pole"], log_poles: Float[Tensor, "d pole"], length: int
) -> Float[Tensor, "*batch d lag"]:
    """Return ``sum_s weights_s exp(log_pole_s t)`` at t = 0, 1, ..., length - 1, in float32.

    Notes
    -----
    With ``t = a * step + b``, each exponential is a function of a times a function of b. The sum is
    therefore a small matrix product for each channel, and no tensor of shape (d, pole, lag) is ever
    allocated.
    """
    # autocast would round the factors to half precision
    with torch.autocast(weights.device.type, enabled=False):
        coarse, fine = _factors(log_poles, length)
        values = (weights.float()[..., None] * coarse).transpose(-1, -2) @ fine
    return values.flatten(-2)[..., :length]


def modal_state(
    x: Float[Tensor, "batch token d"],
    log_poles: Float[Tensor, "d pole"],
    before: Float[Tensor, "batch d pole"] | None = None,
) -> Float[Tensor, "batch d pole"]:
    """Return the state ``s[T - 1]`` of ``s[t] = exp(log_pole) s[t - 1] + x[t]``, in float32.

    ``before`` is the state before ``x``; None means zero.
    """
    tokens = x.shape[1]
    if tokens == 1 and before is not None:
        # expm1, since the rounding error of exp(log_pole) would accumulate in slow modes
        decay = torch.expm1(log_poles.float())
        return torch.addcmul(before + x.float().transpose(1, 2), decay, before)
    coarse, fine = _factors(log_poles, tokens)
    padding = coarse.shape[-1] * fine.shape[-1] - tokens
    # from the last token backwards, token a * step + b decays by coarse[a] * fine[b]
    backwards = F.pad(x.float().transpose(1, 2).flip(-1), (0, padding))
    backwards = backwards.reshape(*backwards.shape[:2], coarse.shape[-1], fine.shape[-1])
    rows = backwards @ fine.transpose(-1, -2)
    state: Tensor = (rows * coarse.transpose(-1, -2)).sum(-2)
    return state if before is None else state + torch.exp(log_poles.float() * tokens) * before


def _factors(
    log_poles: Float[Tensor, "d pole"], length: int
) -> tuple[Float[Tensor, "d pole row"], Float[Tensor, "d pole step"]]:
    """Return ``exp(log_pole * step * a)`` and ``exp(log_pole * b)``, to cover ``length`` lags."""
    step = math.isqrt(length - 1) + 1
    n_rows = -(-length // step)
    row = torch.arange(n_rows, device=log_poles.device, dtype=torch.float32) * step
    column = torch.arange(step, device=log_poles.device, dtype=torch.float32)
    rate = log_poles.float()[..., None]
    return torch.exp(rate * row), torch.exp(rate * column)


def _fft_size(at_least: int) -> int:
    """Return the least 2^a or 3*2^a of at least ``at_least``: FFTs of these lengths are fast."""
    power = 1 << (at_least - 1).bit_length()
    return power * 3 // 4 if power * 3 // 4 >= at_least else power
