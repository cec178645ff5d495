"""The attention kernel, chosen in one place and recorded in every output."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

_CUDA_ORDER = [
    SDPBackend.FLASH_ATTENTION,
    SDPBackend.CUDNN_ATTENTION,
    SDPBackend.EFFICIENT_ATTENTION,
    SDPBackend.MATH,
]


def causal_attention(
    query: Float[Tensor, "batch head token d"],
    key: Float[Tensor, "batch head token d"],
    value: Float[Tensor, "batch head token d"],
) -> Float[Tensor, "batch head token d"]:
    """Return causal softmax attention.

    On CUDA by the first eligible kernel of flash, cuDNN, efficient and math. Inputs are unpadded
    and the mask is ``is_causal``, so that the flash kernel is eligible.
    """
    if query.device.type != "cuda":
        return F.scaled_dot_product_attention(query, key, value, is_causal=True)
    with sdpa_kernel(_CUDA_ORDER, set_priority=True):
        return F.scaled_dot_product_attention(query, key, value, is_causal=True)


def backend_name(device: torch.device) -> str:
    """Name the kernels that :func:`causal_attention` uses on a device, for provenance."""
    if device.type != "cuda":
        return f"torch-sdpa-{device.type}"
    return "torch-sdpa-cuda[flash,cudnn,efficient,math]"
