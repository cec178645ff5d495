"""StripedHyena 2 in plain torch: short, medium and long convolutions with a little attention.

The design of Evo 2 (Ku et al. 2025, arXiv 2503.01868; Brixi et al. 2025); parameter names are those
of its published checkpoints. Runs on CPU and CUDA without fused kernels.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from genointerp.core.errors import ConfigError
from genointerp.model.attention import causal_attention

Mixer = Literal["SE", "MR", "LI", "ATT"]


@dataclass(frozen=True)
class HyenaConfig:
    """Shape of a StripedHyena 2 network.

    The kinds of ``mixers``: ``SE`` short explicit filter (7 taps), ``MR`` medium regularised filter
    (128 taps), ``LI`` long implicit filter (a sum of real exponentials), ``ATT`` causal attention
    with rotary positions.
    """

    vocab_size: int
    """number of token ids"""
    d_model: int
    """width of the residual stream"""
    d_mlp: int
    """inner width of the gated MLP"""
    mixers: tuple[Mixer, ...]
    """kind of each block, first to last"""
    n_heads: int
    """attention heads"""
    n_filter_groups: int
    """channels d_model / n_filter_groups share one explicit filter"""
    medium_taps: int = 128
    """length of MR filters in tokens"""
    short_taps: int = 7
    """length of SE filters in tokens"""
    n_poles: int = 16
    """state size of LI filters"""
    rotary_base: float = 10_000.0
    """base of the rotary frequencies"""
    rotary_scale: float = 1.0
    """positions are divided by this"""
    eps: float = 1e-6
    """added to the root mean square, outside the root"""

    def __post_init__(self) -> None:
        for name in ("n_heads", "n_filter_groups"):
            if self.d_model % getattr(self, name):
                found = f"{name}={getattr(self, name)}"
                raise ConfigError("model config", f"a divisor of d_model={self.d_model}", found)


class RMSNorm(nn.Module):
    """Division by the root mean square; eps is added outside the root, as in StripedHyena."""

    def __init__(self, d_model: int, eps: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(d_model))
        self.eps = eps

    def forward(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        """Return the normalised rows."""
        norm = x.float().square().mean(-1, keepdim=True).sqrt() + self.eps
        return (x.float() / norm).to(x.dtype) * self.scale


class GatedMlp(nn.Module):
    """``l3(act(l1 x) * l2 x)``; gelu in the first block, identity in the others."""

    def __init__(self, d_model: int, d_mlp: int, *, gelu: bool) -> None:
        super().__init__()
        self.l1 = nn.Linear(d_model, d_mlp, bias=False)
        self.l2 = nn.Linear(d_model, d_mlp, bias=False)
        self.l3 = nn.Linear(d_mlp, d_model, bias=False)
        self.gelu = gelu

    def forward(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        """Return the MLP's output, before the residual addition."""
        gate = self.l1(x)
        out: Tensor = self.l3((F.gelu(gate) if self.gelu else gate) * self.l2(x))
        return out


class HyenaFilter(nn.Module):
    """Gated causal convolution: ``x2 * (h conv (x1 * v))`` behind a short FIR of 3 taps."""

    def __init__(self, config: HyenaConfig, mixer: Mixer) -> None:
        super().__init__()
        d, groups = config.d_model, config.n_filter_groups
        self.mixer = mixer
        self.repeats = d // groups
        self.short_filter_weight = nn.Parameter(torch.zeros(3 * d, 1, 3))
        if mixer == "LI":
            self.log_poles = nn.Parameter(torch.zeros(d, config.n_poles, 1))
            self.residues = nn.Parameter(torch.zeros(d, config.n_poles))
        else:
            taps = config.short_taps if mixer == "SE" else config.medium_taps
            self.h = nn.Parameter(torch.zeros(groups, 1, taps))
        if mixer != "SE":
            self.D = nn.Parameter(torch.ones(d))

    def forward(self, z: Float[Tensor, "batch token d3"]) -> Float[Tensor, "batch token d"]:
        """Mix along the tokens; ``z`` is the projection, channels interleaved x2, x1, v."""
        z = fir_correlation(z, self.short_filter_weight[:, 0])
        x2, x1, v = z[..., 0::3], z[..., 1::3], z[..., 2::3]
        gated = x1 * v
        if self.mixer == "SE":
            taps = self.h[:, 0].repeat_interleave(self.repeats, dim=0)
            return x2 * fir_correlation(gated, taps)
        mixed = fft_convolution(gated, self.impulse(gated.shape[1]))
        return x2 * (mixed + gated * self.D)

    def impulse(self, length: int) -> Float[Tensor, "d lag"]:
        """Return the filter's response at lags 0, 1, ..., at most ``length`` of them."""
        if self.mixer == "LI":
            lags = torch.arange(length, device=self.residues.device, dtype=torch.float32)
            decay = torch.exp(self.log_poles.float() * lags)
            return torch.einsum("ds,dst->dt", self.residues.float(), decay)
        return self.h[:, 0, :length].repeat_interleave(self.repeats, dim=0).float()


class HyenaMixer(nn.Module):
    """Projections, filter and output map of a convolution block."""

    def __init__(self, config: HyenaConfig, mixer: Mixer) -> None:
        super().__init__()
        self.projections = nn.Linear(config.d_model, 3 * config.d_model, bias=False)
        self.filter = HyenaFilter(config, mixer)
        self.out_filter_dense = nn.Linear(config.d_model, config.d_model)

    def forward(self, x: Float[Tensor, "batch token d"]) -> Float[Tensor, "batch token d"]:
        """Return the mixer's output, before the residual addition."""
        out: Tensor = self.out_filter_dense(self.filter(self.projections(x)))
        return out


class AttentionMixer(nn.Module):
    """Causal attention with NeoX rotary positions over the whole head."""

    def __init__(self, config: HyenaConfig) -> None:
        super().__init__()
        self.Wqkv = nn.Linear(config.d_model, 3 * config.d_model, bias=False)
        self.out_proj = nn.Linear(config.d_model, config.d_model)
        self.n_heads = config.n_heads
        self.rotary_scale = config.rotary_scale
        half = torch.arange(0, config.d_model // config.n_heads, 2, dtype=torch.float32)
        frequency = config.rotary_base ** (-half / (2 * len(half)))
        self.register_buffer("inv_freq", frequency, persistent=False)

    def forward(self, x: Float[Tensor, "batch token d"]) -> Float[Tensor, "batch token d"]:
        """Return the mixer's output, before the residual addition."""
        batch, tokens, d_model = x.shape
        qkv = self.Wqkv(x).view(batch, tokens, 3, self.n_heads, -1).permute(2, 0, 3, 1, 4)
        positions = torch.arange(tokens, device=x.device, dtype=torch.float32) / self.rotary_scale
        angle = torch.outer(positions, self.inv_freq)  # type: ignore[arg-type]
        query, key = (_rotate(part, angle) for part in (qkv[0], qkv[1]))
        mixed = causal_attention(query, key, qkv[2])
        out: Tensor = self.out_proj(mixed.transpose(1, 2).reshape(batch, tokens, d_model))
        return out


class Block(nn.Module):
    """Pre-normalised mixer and MLP on the residual stream. Its output is the site ``blocks.i``."""

    def __init__(self, config: HyenaConfig, index: int) -> None:
        super().__init__()
        mixer = config.mixers[index]
        self.pre_norm = RMSNorm(config.d_model, config.eps)
        self.mixer = AttentionMixer(config) if mixer == "ATT" else HyenaMixer(config, mixer)
        self.post_norm = RMSNorm(config.d_model, config.eps)
        self.mlp = GatedMlp(config.d_model, config.d_mlp, gelu=index == 0)

    def forward(self, x: Float[Tensor, "batch token d"]) -> Float[Tensor, "batch token d"]:
        """Return the residual stream after this block."""
        x = x + self.mixer(self.pre_norm(x))
        out: Tensor = x + self.mlp(self.post_norm(x))
        return out


class StripedHyena(nn.Module):
    """The network: embedding, blocks, final norm, tied unembedding."""

    def __init__(self, config: HyenaConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding_layer = nn.Embedding(config.vocab_size, config.d_model)
        self.blocks = nn.ModuleList(Block(config, i) for i in range(len(config.mixers)))
        self.norm = RMSNorm(config.d_model, config.eps)

    def forward(self, tokens: Int[Tensor, "batch token"]) -> Float[Tensor, "batch token vocab"]:
        """Return the logits of the next token at each token."""
        return self.unembed(self.stream(tokens))

    def stream(self, tokens: Int[Tensor, "batch token"]) -> Float[Tensor, "batch token d"]:
        """Return the residual stream after the last block."""
        x: Tensor = self.embedding_layer(tokens)
        for block in self.blocks:
            x = block(x)
        return x

    def unembed(self, x: Float[Tensor, "batch token d"]) -> Float[Tensor, "batch token vocab"]:
        """Return the logits that a residual stream stands for."""
        return F.linear(self.norm(x), self.embedding_layer.weight)


def fir_correlation(
    x: Float[Tensor, "batch token d"], taps: Float[Tensor, "d tap"]
) -> Float[Tensor, "batch token d"]:
    """Causal cross-correlation per channel; the last tap meets the present token."""
    n_taps = taps.shape[1]
    out = x * taps[:, -1]
    for lag in range(1, min(n_taps, x.shape[1])):
        # shifted sums beat torch's depthwise conv1d on CPU at these few taps
        shifted = x[:, :-lag] * taps[:, n_taps - 1 - lag]
        out = out + F.pad(shifted, (0, 0, lag, 0))
    return out


def fft_convolution(
    x: Float[Tensor, "batch token d"], impulse: Float[Tensor, "d lag"]
) -> Float[Tensor, "batch token d"]:
    """Causal convolution per channel, by FFT in float32; lag 0 meets the present token."""
    tokens = x.shape[1]
    size = _fft_size(tokens + impulse.shape[1] - 1)
    spectrum = torch.fft.rfft(x.float().transpose(1, 2), n=size) * torch.fft.rfft(impulse, n=size)
    mixed: Tensor = torch.fft.irfft(spectrum, n=size)[..., :tokens]
    return mixed.transpose(1, 2).to(x.dtype)


def initialise(network: StripedHyena, generator: torch.Generator) -> None:
    """Draw the weights before training.

    Linear maps have std ``1/sqrt(fan-in)``, those that write to the residual stream .02; the short
    filter is the identity plus noise, explicit filters have std ``1/sqrt(taps)``, the poles of
    implicit ones are spread over time scales of 1 to 1,000 tokens, each with the same energy.
    """

    def normal(parameter: Tensor, std: float) -> None:
        with torch.no_grad():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * std)

    normal(network.embedding_layer.weight, network.config.d_model**-0.5)
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear):
            writes = name.endswith(("l3", "out_filter_dense", "out_proj"))
            normal(module.weight, 0.02 if writes else module.in_features**-0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, HyenaFilter):
            normal(module.short_filter_weight, 0.1)
            with torch.no_grad():
                module.short_filter_weight[:, 0, -1] += 1.0
            if module.mixer == "LI":
                decay = torch.logspace(-3, 0, module.log_poles.shape[1])
                normal(module.residues, 0.3)
                with torch.no_grad():
                    module.log_poles.copy_(-decay[None, :, None])
                    module.residues.mul_((2 * decay).sqrt())
            else:
                normal(module.h, module.h.shape[-1] ** -0.5)


def _rotate(
    x: Float[Tensor, "batch head token d"], angle: Float[Tensor, "token half"]
) -> Float[Tensor, "batch head token d"]:
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


def _fft_size(at_least: int) -> int:
    """Smallest 2^a or 3*2^a that holds ``at_least`` samples: FFTs are fast at these lengths."""
    power = 1 << (at_least - 1).bit_length()
    return power * 3 // 4 if power * 3 // 4 >= at_least else power
