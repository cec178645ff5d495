"""Grow a trained StripedHyena 2 network into a larger one that computes the same function.

Channels are copied, and the weights that read them are divided among the copies, as in Net2Net
(Chen, Goodfellow and Shlens 2016, arXiv 1511.05641); new blocks begin as the identity. Training of
the large network then continues where that of the small one stopped.
"""

import torch
from torch import Tensor, nn

from genointerp.core.errors import ConfigError
from genointerp.model.hyena.network import (
    AttentionMixer,
    Block,
    HyenaConfig,
    StripedHyena,
    initialise,
)

_SPREAD = 0.3
"""Largest relative deviation from the mean of the weights that read the copies of a channel: equal
copies would get equal gradients and stay equal for ever."""
_SCALED = ("d_model", "d_mlp", "n_heads", "n_filter_groups")


@torch.no_grad()
def grow(small: StripedHyena, large: StripedHyena, generator: torch.Generator) -> None:
    """Fill ``large`` so that it computes the same as ``small``, apart from rounding.

    Parameters
    ----------
    small
        Trained network, whose blocks become the first blocks of ``large``.
    large
        Network to fill; its widths, heads and filter groups are those of ``small`` times one whole
        number.
    generator
        Random generator of the unequal shares, and of the inner weights of new blocks.

    Raises
    ------
    ConfigError
        If ``small`` cannot grow into ``large``.
    """
    copies = _copies(small.config, large.config)
    initialise(large, generator)
    large.embedding_layer.weight.copy_(small.embedding_layer.weight.repeat(1, copies))
    # the tied unembedding sums over the copies of a channel
    large.norm.scale.copy_(small.norm.scale.repeat(copies) / copies)
    for old, new in zip(small.blocks, large.blocks, strict=False):
        for name, parameter in new.named_parameters():
            parameter.copy_(_widened(name, old.get_parameter(name), copies, generator))
    for block in large.blocks[len(small.blocks) :]:
        if isinstance(block, Block):
            _silence(block)


def _copies(small: HyenaConfig, large: HyenaConfig) -> int:
    """Return the number of copies of each channel."""
    copies = large.d_model // small.d_model
    for name in _SCALED:
        wanted = copies * getattr(small, name)
        if copies < 1 or getattr(large, name) != wanted:
            where = f"network grown from one with {name}={getattr(small, name)}"
            raise ConfigError(where, f"{name}={wanted}", str(getattr(large, name)))
    if large.mixers[: len(small.mixers)] != small.mixers:
        raise ConfigError("mixers", f"first {' '.join(small.mixers)}", " ".join(large.mixers))
    return copies


def _widened(name: str, old: Tensor, copies: int, generator: torch.Generator) -> Tensor:
    if name.endswith("Wqkv.weight"):
        parts = old.chunk(3)
        return torch.cat([_shared_out(part, copies, generator) for part in parts])
    if name.endswith(".weight") and old.ndim == 2:
        return _shared_out(old, copies, generator)
    return old.repeat(copies, *[1] * (old.ndim - 1))


def _shared_out(weight: Tensor, copies: int, generator: torch.Generator) -> Tensor:
    """Copy the rows, and divide each weight among the copies of the channel that it reads."""
    rows, columns = weight.shape
    shares = torch.rand((rows * copies, copies, columns), generator=generator) * 2 - 1
    shares = 1 + _SPREAD * shares
    shares /= shares.sum(1, keepdim=True)
    wide = weight.repeat(copies, 1)[:, None] * shares.to(weight)
    return wide.reshape(rows * copies, copies * columns)


def _silence(block: Block) -> None:
    """Make a block add nothing to the residual stream; its output maps can learn at once."""
    mixer = block.mixer
    out = mixer.out_proj if isinstance(mixer, AttentionMixer) else mixer.out_filter_dense
    for parameter in (*out.parameters(), block.mlp.l3.weight):
        nn.init.zeros_(parameter)
