"""StripedHyena 2 in plain torch: short, medium and long convolutions with a little attention.

This is the architecture of Evo 2 (Ku et al. 2025, arXiv 2503.01868; Brixi et al. 2025). It runs on
CPU and CUDA without fused kernels, and rounds where the published inference code (vtx) does:
float32 inside filters and rotations, the dtype of the weights elsewhere.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from genointerp.core.errors import ConfigError
from genointerp.model.attention import AttentionBackend, causal_attention
from genointerp.model.hyena.convolution import (
    convolution_at_last,
    exponential_sum,
    fft_convolution,
    fir_correlation,
    modal_state,
)
from genointerp.model.hyena.state import BlockState, FilterState, KeyValueCache, Tail

Mixer = Literal["SE", "MR", "LI", "ATT"]
_SIZES = (
    "vocab_size",
    "d_model",
    "d_mlp",
    "n_heads",
    "n_filter_groups",
    "medium_taps",
    "short_taps",
    "n_poles",
)
FLOAT32_PARAMETERS = ("log_poles", "residues", "inv_freq")
"""Endings of the names of parameters that stay float32 in half precision, as in Evo 2."""
_FFT_VALUES = 1 << 27
"""Most samples of one transform (.5 GiB); if the channels need more, they are taken in turn."""


@dataclass(frozen=True)
class HyenaConfig:
    """Shape of a StripedHyena 2 network.

    Kinds of ``mixers`` are ``SE``, a short explicit filter (7 taps); ``MR``, a medium regularised
    filter (128 taps); ``LI``, a long implicit filter (a sum of real exponentials); and ``ATT``,
    causal attention with rotary positions.
    """

    vocab_size: int
    """Number of token ids."""
    d_model: int
    """Width of the residual stream."""
    d_mlp: int
    """Inner width of the gated MLP."""
    mixers: tuple[Mixer, ...]
    """Kind of each block, first to last."""
    n_heads: int
    """Number of attention heads."""
    n_filter_groups: int
    """Number of explicit filters, each shared by ``d_model / n_filter_groups`` channels."""
    medium_taps: int = 128
    """Length of MR filters, in tokens."""
    short_taps: int = 7
    """Length of SE filters, in tokens."""
    n_poles: int = 16
    """Number of exponentials, and so the size of the state, of LI filters."""
    rotary_base: float = 10_000.0
    """Base of the rotary frequencies."""
    rotary_scale: float = 1.0
    """Divisor of the positions."""
    eps: float = 1e-6
    """Added to the root mean square, outside the root."""

    def __post_init__(self) -> None:
        for size in _SIZES:
            if getattr(self, size) < 1:
                raise ConfigError(f"model config: {size}", "1 or more", str(getattr(self, size)))
        for scale in ("rotary_base", "rotary_scale", "eps"):
            if not 0 < getattr(self, scale) < math.inf:
                expected = "a finite number above 0"
                raise ConfigError(f"model config: {scale}", expected, str(getattr(self, scale)))
        if not self.mixers:
            raise ConfigError("model config: mixers", "one or more blocks", "none")
        for name in ("n_heads", "n_filter_groups"):
            if self.d_model % getattr(self, name):
                found = f"{name}={getattr(self, name)}"
                raise ConfigError("model config", f"a divisor of d_model={self.d_model}", found)
        if "ATT" in self.mixers and self.d_model // self.n_heads % 2:
            found = f"{self.d_model} / {self.n_heads}"
            raise ConfigError(
                "model config", "heads of an even width, which rotate in pairs", found
            )


class RMSNorm(nn.Module):
    """Division by the root mean square; eps is added outside the root, as in StripedHyena."""

    def __init__(self, d_model: int, eps: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(d_model))
        self.eps = eps

    def forward(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        """Return the normalised rows."""
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True) * x.shape[-1] ** -0.5 + self.eps
        out: Tensor = x / norm * self.scale
        return out


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
    """Gated causal convolution: ``x2 * (h conv (x1 * v))``, after a short FIR filter of 3 taps."""

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

    def forward(
        self, z: Float[Tensor, "batch token d3"], state: FilterState | None = None
    ) -> Float[Tensor, "batch token d"]:
        """Mix along the tokens; channels of the projection ``z`` are interleaved as x2, x1, v."""
        before = None if state is None else state.projected.swap(z)
        z = fir_correlation(z, self.short_filter_weight[:, 0], before)
        x2, x1, v = z[..., 0::3], z[..., 1::3], z[..., 2::3]
        gated = x1 * v
        if self.mixer == "LI":
            return x2 * (self._implicit(gated, state) + gated * self.D)
        before = None if state is None else state.gated.swap(gated)
        if self.mixer == "SE":
            taps = self.h[:, 0].repeat_interleave(self.repeats, dim=0)
            return x2 * fir_correlation(gated, taps, before)
        mixed = self._by_channels(gated, before)
        return x2 * (mixed + gated.float() * self.D.float()).to(gated.dtype)

    def impulse(self, length: int, channels: slice = slice(None)) -> Float[Tensor, "channel lag"]:
        """Return the impulse response at lags 0, 1, ..., at most ``length`` of them, in float32."""
        if self.mixer == "LI":
            return exponential_sum(self.residues[channels], self.log_poles[channels, :, 0], length)
        taps = self.h[:, 0, :length].repeat_interleave(self.repeats, dim=0)
        return taps[channels].float()

    def state(self) -> FilterState:
        """Return the state before the first token."""
        explicit = self.h.shape[-1] - 1 if self.mixer != "LI" else 0
        return FilterState(Tail(self.short_filter_weight.shape[-1] - 1), Tail(explicit))

    def _implicit(
        self, gated: Float[Tensor, "batch token d"], state: FilterState | None
    ) -> Float[Tensor, "batch token d"]:
        log_poles = self.log_poles[..., 0]
        if state is not None and gated.shape[1] == 1:
            state.modes = modal_state(gated, log_poles, state.modes)
            return (state.modes * self.residues.float()).sum(-1)[:, None].to(gated.dtype)
        mixed = self._by_channels(gated, None)
        if state is not None:
            if state.modes is not None:
                # at the first token of this chunk each mode has decayed once
                weights = state.modes * self.residues.float() * log_poles.float().exp()
                carried = exponential_sum(weights, log_poles, gated.shape[1])
                mixed = mixed + carried.transpose(1, 2)
            state.modes = modal_state(gated, log_poles, state.modes)
        return mixed.to(gated.dtype)

    def _by_channels(
        self, gated: Float[Tensor, "batch token d"], before: Float[Tensor, "batch lag d"] | None
    ) -> Float[Tensor, "batch token d"]:
        """Convolve with the impulse response, in float32."""
        batch, tokens, d_model = gated.shape
        reach = tokens if before is None else tokens + before.shape[1]
        if before is not None and tokens == 1:
            return convolution_at_last(torch.cat([before, gated], dim=1), self.impulse(reach))
        width = max(1, _FFT_VALUES // (batch * tokens))
        parts = []
        for first in range(0, d_model, width):
            part = slice(first, first + width)
            past = None if before is None else before[..., part]
            parts.append(fft_convolution(gated[..., part], self.impulse(reach, part), past))
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)


class HyenaMixer(nn.Module):
    """Projections, filter and output map of a convolution block."""

    def __init__(self, config: HyenaConfig, mixer: Mixer) -> None:
        super().__init__()
        self.projections = nn.Linear(config.d_model, 3 * config.d_model, bias=False)
        self.filter = HyenaFilter(config, mixer)
        self.out_filter_dense = nn.Linear(config.d_model, config.d_model)

    def forward(
        self, x: Float[Tensor, "batch token d"], state: FilterState | None = None
    ) -> Float[Tensor, "batch token d"]:
        """Return the mixer's output, before the residual addition."""
        out: Tensor = self.out_filter_dense(self.filter(self.projections(x), state))
        return out

    def state(self, _n_tokens: int) -> FilterState:
        """Return the state before the first token; its size does not depend on their number."""
        return self.filter.state()


class AttentionMixer(nn.Module):
    """Causal attention with NeoX rotary positions over the whole head."""

    def __init__(self, config: HyenaConfig) -> None:
        super().__init__()
        self.Wqkv = nn.Linear(config.d_model, 3 * config.d_model, bias=False)
        self.out_proj = nn.Linear(config.d_model, config.d_model)
        self.n_heads = config.n_heads
        self.rotary_scale = config.rotary_scale
        self.backend: AttentionBackend | None = None
        self.register_buffer("inv_freq", rotary_frequencies(config), persistent=False)

    def forward(
        self, x: Float[Tensor, "batch token d"], state: KeyValueCache | None = None
    ) -> Float[Tensor, "batch token d"]:
        """Return the mixer's output, before the residual addition."""
        batch, tokens, d_model = x.shape
        past = 0 if state is None else state.n_tokens
        qkv = self.Wqkv(x).view(batch, tokens, 3, self.n_heads, -1).permute(2, 0, 3, 1, 4)
        angle = self._angles(past, tokens)
        query, key, value = _rotate(qkv[0], angle), _rotate(qkv[1], angle), qkv[2]
        if state is not None:
            key, value = state.extend(key, value)
        mixed = causal_attention(query, key, value, past=past, backend=self.backend)
        out: Tensor = self.out_proj(mixed.transpose(1, 2).reshape(batch, tokens, d_model))
        return out

    def state(self, n_tokens: int) -> KeyValueCache:
        """Return an empty cache with room for ``n_tokens`` tokens."""
        return KeyValueCache(n_tokens)

    def _angles(self, first: int, n_tokens: int) -> Float[Tensor, "token half"]:
        frequency = self.get_buffer("inv_freq")
        positions = torch.arange(
            first, first + n_tokens, device=frequency.device, dtype=torch.float32
        )
        return torch.outer(positions / self.rotary_scale, frequency)


class Block(nn.Module):
    """Pre-normalised mixer and MLP on the residual stream; the output is the site ``blocks.i``."""

    def __init__(self, config: HyenaConfig, index: int) -> None:
        super().__init__()
        mixer = config.mixers[index]
        self.pre_norm = RMSNorm(config.d_model, config.eps)
        self.mixer = AttentionMixer(config) if mixer == "ATT" else HyenaMixer(config, mixer)
        self.post_norm = RMSNorm(config.d_model, config.eps)
        self.mlp = GatedMlp(config.d_model, config.d_mlp, gelu=index == 0)

    def forward(
        self, x: Float[Tensor, "batch token d"], state: BlockState | None = None
    ) -> Float[Tensor, "batch token d"]:
        """Return the residual stream after this block."""
        x = x + self.mixer(self.pre_norm(x), state)
        out: Tensor = x + self.mlp(self.post_norm(x))
        return out


class StripedHyena(nn.Module):
    """The network: embedding, blocks, final norm and tied unembedding.

    Blocks may be on several devices; the embedding and the final norm are on the same one.
    """

    def __init__(self, config: HyenaConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding_layer = nn.Embedding(config.vocab_size, config.d_model)
        self.blocks = nn.ModuleList(Block(config, i) for i in range(len(config.mixers)))
        self.norm = RMSNorm(config.d_model, config.eps)

    def forward(self, tokens: Int[Tensor, "batch token"]) -> Float[Tensor, "batch token vocab"]:
        """Return the logits of the next token at each token."""
        return self.unembed(self.stream(tokens))

    def stream(
        self, tokens: Int[Tensor, "batch token"], states: Sequence[BlockState] | None = None
    ) -> Float[Tensor, "batch token d"]:
        """Return the residual stream after the last block.

        Parameters
        ----------
        states
            States of the blocks, from :meth:`states` before the first chunk of a sequence;
            ``tokens`` are then its next chunk. None if ``tokens`` are a whole sequence.
        """
        return self.stream_from(self.embedding_layer(tokens), 0, states)

    def stream_from(
        self,
        x: Float[Tensor, "batch token d"],
        first: int,
        states: Sequence[BlockState] | None = None,
    ) -> Float[Tensor, "batch token d"]:
        """Return the residual stream after the last block, given that before block ``first``."""
        for i, block in enumerate(self.blocks):
            if i < first:
                continue
            x = x.to(block.get_parameter("pre_norm.scale").device)
            x = block(x, None if states is None else states[i])
        return x

    def states(self, n_tokens: int) -> list[BlockState]:
        """Return the state of each block before the first of ``n_tokens`` tokens."""
        return [cast("Block", block).mixer.state(n_tokens) for block in self.blocks]

    def unembed(self, x: Float[Tensor, "batch token d"]) -> Float[Tensor, "batch token vocab"]:
        """Return the logits for a residual stream."""
        x = x.to(self.norm.scale.device)
        return F.linear(self.norm(x), self.embedding_layer.weight)


def set_dtype(network: StripedHyena, dtype: torch.dtype) -> None:
    """Convert a network in place, except for the parameters that must stay float32."""
    tensors: Iterator[tuple[str, Tensor]] = (
        item for items in (network.named_parameters(), network.named_buffers()) for item in items
    )
    for name, tensor in tensors:
        tensor.data = tensor.data.to(torch.float32 if name.endswith(FLOAT32_PARAMETERS) else dtype)


def rotary_frequencies(config: HyenaConfig) -> Float[Tensor, " half"]:
    """Return the angle per position of each pair of a head's channels."""
    even = torch.arange(0, config.d_model // config.n_heads, 2, dtype=torch.float32)
    return config.rotary_base ** (-even / (2 * len(even)))


def initialise(network: StripedHyena, generator: torch.Generator) -> None:
    """Draw the weights before training.

    Linear maps have std ``1/sqrt(fan-in)``, those that write to the residual stream .02. The short
    filter is the identity plus noise; explicit filters have std ``1/sqrt(taps)``. The poles of
    implicit filters are spread over time scales of 1 to 1,000 tokens, each with the same energy.
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
    # as in vtx: the table is in the dtype of the stream, products are in float32
    cos, sin = (table.to(x.dtype).float() for table in (angle.cos(), angle.sin()))
    first, second = x.float().chunk(2, dim=-1)
    turned = torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
    return turned.to(x.dtype)
