"""The attention kernels of this package inside the causal models of transformers.

With a KV cache, transformers allocates a mask of ``token * past`` entries, which grows with the
sequence and keeps torch from using its flash kernel. The kernels here need no such mask.
"""

from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from genointerp.model.attention import SDPA, AttentionBackend, causal_attention


def implementation_name(backend: AttentionBackend) -> str:
    """Return the ``attn_implementation`` with which causal models of transformers use a backend.

    Transformers itself calls the packages of flash kernels; this module calls torch's kernels,
    under a name that is registered here.
    """
    if backend.transformers_name != SDPA:
        return backend.transformers_name
    from transformers import AttentionInterface

    # not the name of the backend: transformers takes every name with "flash" for a package
    name = f"genointerp_torch_{len(backend.order)}"
    # without a mask function of that name, transformers makes no mask
    AttentionInterface.register(name, partial(_attend, backend))
    return name


def windowed_attention(
    query: Float[Tensor, "batch head token d"],
    key: Float[Tensor, "batch group past_and_token d"],
    value: Float[Tensor, "batch group past_and_token d"],
    *,
    window: int,
) -> Float[Tensor, "batch head token d"]:
    """Return causal attention in which a token sees itself and the ``window - 1`` before it.

    The last query is at the last key; heads share keys as in ``causal_attention``. Rows are taken a
    window at a time, so that masks and work grow with ``token * window``, not with the square of
    the number of tokens.
    """
    past, repeats = key.shape[2] - query.shape[2], query.shape[1] // key.shape[1]
    pieces = []
    for first in range(0, query.shape[2], window):
        last = min(first + window, query.shape[2])
        low, high = max(0, past + first - window + 1), past + last
        row = torch.arange(past + first, high, device=query.device)[:, None]
        column = torch.arange(low, high, device=query.device)
        seen = (column <= row) & (column > row - window)
        rows = query[:, :, first:last]
        keys, values = (x[:, :, low:high].repeat_interleave(repeats, dim=1) for x in (key, value))
        pieces.append(F.scaled_dot_product_attention(rows, keys, values, attn_mask=seen))
    return torch.cat(pieces, dim=2)


def _attend(
    backend: AttentionBackend,
    module: nn.Module,
    query: Float[Tensor, "batch head token d"],
    key: Float[Tensor, "batch group past_and_token d"],
    value: Float[Tensor, "batch group past_and_token d"],
    _mask: None,
    *,
    sliding_window: int | None = None,
    **_unused: object,
) -> tuple[Float[Tensor, "batch token head d"], None]:
    """Attend as transformers asks; every family scales by d^-1/2, which is torch's default."""
    if sliding_window is not None and key.shape[2] > sliding_window:
        with backend.kernels():
            mixed = windowed_attention(query, key, value, window=sliding_window)
    else:
        past = key.shape[2] - query.shape[2]
        mixed = causal_attention(query, key, value, past=past, backend=backend)
    return mixed.transpose(1, 2).contiguous(), None
