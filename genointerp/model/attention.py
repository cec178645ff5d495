"""The attention kernel, chosen in one place and recorded in every output."""

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from itertools import chain
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.backends.cuda import SDPAParams, can_use_efficient_attention, can_use_flash_attention
from torch.nn.attention import SDPBackend, sdpa_kernel

from genointerp.core.errors import InputError
from genointerp.core.nearest import unknown

_CUDA_ORDER = (
    SDPBackend.FLASH_ATTENTION,
    SDPBackend.CUDNN_ATTENTION,
    SDPBackend.EFFICIENT_ATTENTION,
    SDPBackend.MATH,
)
_FLASH_ALONE = _CUDA_ORDER[:1]
_SHORT = {
    SDPBackend.FLASH_ATTENTION: "flash",
    SDPBackend.CUDNN_ATTENTION: "cudnn",
    SDPBackend.EFFICIENT_ATTENTION: "efficient",
    SDPBackend.MATH: "math",
}
_HALF = (torch.bfloat16, torch.float16)
_MASK_ENTRIES = 1 << 20
"""Number of entries of the largest mask that is ever allocated (1 MiB as bool, 4 MiB as float)."""


class FlashPackage(NamedTuple):
    """An installable package of flash kernels: how to find it and what it can do."""

    distribution: str
    module: str
    capabilities: tuple[int, ...]
    head_width: int


FLASH_PACKAGES = {
    # keys are the names of transformers, best first; major compute capabilities and the widest head
    # are those that the documentation of each package states
    "flash_attention_4": FlashPackage("flash-attn-4", "flash_attn.cute", (9, 10, 11), 128),
    "flash_attention_3": FlashPackage("flash-attn-3", "flash_attn_interface", (9,), 256),
    "flash_attention_2": FlashPackage("flash-attn", "flash_attn", (8, 9, 10, 11, 12), 256),
}
SDPA = "sdpa"
"""Torch's scaled_dot_product_attention, which contains its own FlashAttention-2 on CUDA."""


@dataclass(frozen=True)
class AttentionBackend:
    """The kernels that a model attends with.

    Parameters
    ----------
    name
        Name as recorded in outputs: the package and its version, or torch and its order of kernels.
    transformers_name
        Its name in transformers (``attn_implementation``).
    order
        Kernels of torch, best first; empty on other devices than CUDA, and for packages.
    """

    name: str
    transformers_name: str
    order: tuple[SDPBackend, ...] = ()

    def kernels(self) -> AbstractContextManager[None]:
        """Return a context in which torch tries its kernels in this backend's order."""
        return sdpa_kernel(list(self.order), set_priority=True) if self.order else nullcontext()


def choose_backend(
    device: torch.device,
    dtype: torch.dtype,
    *,
    wanted: str | None = None,
    require_flash: bool = False,
    head_width: int | None = None,
) -> AttentionBackend:
    """Choose the attention kernels of a model.

    The choice of the user comes first. Otherwise it is, on CUDA in half precision, the first
    installed package of flash kernels (FlashAttention 4, 3, 2), and if there is none, torch's own
    kernels, on CUDA in the order flash, cuDNN, efficient, math.

    Parameters
    ----------
    device, dtype
        Device and dtype in which the model runs.
    wanted
        ``sdpa`` or a key of :data:`FLASH_PACKAGES`; None chooses the best.
    require_flash
        Whether it is an error if no flash kernel can run.
    head_width
        Width of an attention head, if known; flash kernels have an upper limit.

    Raises
    ------
    UnknownNameError
        If there is no such backend.
    InputError
        If the wanted backend, or the required flash kernel, cannot run here; the message says why.
    """
    if wanted not in (None, SDPA, *FLASH_PACKAGES):
        raise unknown("attention backend", wanted, (SDPA, *FLASH_PACKAGES))
    obstacles = {
        name: _obstacles(name, device, dtype, head_width)
        for name in ([*FLASH_PACKAGES, SDPA] if wanted is None else [wanted])
    }
    for name, reasons in obstacles.items():
        if name in FLASH_PACKAGES and not reasons:
            package = FLASH_PACKAGES[name].distribution
            return AttentionBackend(f"{package}-{metadata.version(package)}", name)
    if wanted in FLASH_PACKAGES:
        raise InputError("attention backend", str(wanted), "; ".join(obstacles[str(wanted)]))
    if require_flash and obstacles[SDPA]:
        found = "; ".join(dict.fromkeys(chain.from_iterable(obstacles.values())))
        raise InputError("attention backend", "a flash kernel that can run", found)
    return _torch_backend(device, _FLASH_ALONE if require_flash else _CUDA_ORDER)


def causal_attention(
    query: Float[Tensor, "batch head token d"],
    key: Float[Tensor, "batch group past_and_token d"],
    value: Float[Tensor, "batch group past_and_token d"],
    *,
    past: int = 0,
    backend: AttentionBackend | None = None,
) -> Float[Tensor, "batch head token d"]:
    """Return causal softmax attention.

    Parameters
    ----------
    query, key, value
        ``key`` and ``value`` begin with ``past`` tokens before the first of ``query``. Each of
        their heads serves ``head / group`` consecutive heads of the query.
    past
        Number of keys before the first query: row i of ``query`` sees keys 0 to ``past + i``.
    backend
        Backend from :func:`choose_backend`; None means torch's own kernels.

    Notes
    -----
    Inputs are unpadded, and no mask is allocated where a kernel knows the causal pattern itself
    (all kernels on CUDA except ``math``; those of the CPU if ``past`` is 0). The flash kernel then
    stays eligible, and memory does not grow with ``token * past``.

    Raises
    ------
    InputError
        If there are not ``past + token`` keys, or if the backend has only a flash kernel, which
        cannot take these inputs.
    """
    if key.shape[2] != past + query.shape[2]:
        expected = f"past + token = {past + query.shape[2]} keys"
        raise InputError("causal attention", expected, str(key.shape[2]))
    backend = backend or _torch_backend(query.device, _CUDA_ORDER)
    if (name := backend.transformers_name) in FLASH_PACKAGES:
        if reasons := _unfit(name, query.device, query.dtype, query.shape[-1]):
            raise InputError("attention", f"inputs for {name}", "; ".join(reasons))
        return _by_package(name, query, key, value)
    with backend.kernels():
        flash = can_use_flash_attention(_parameters(query, key, value))
        if backend.order == _FLASH_ALONE and not flash:
            reasons = _unfit(SDPA, query.device, query.dtype, query.shape[-1])
            found = "; ".join(reasons) or f"queries of shape {tuple(query.shape)}"
            raise InputError("attention", "inputs for torch's flash kernel", found)
        return _by_torch(query, key, value, past=past, flash=flash)


def _torch_backend(device: torch.device, order: tuple[SDPBackend, ...]) -> AttentionBackend:
    if device.type != "cuda":
        return AttentionBackend(f"torch-sdpa-{device.type}", SDPA)
    kernels = ",".join(_SHORT[kernel] for kernel in order)
    return AttentionBackend(f"torch-sdpa-cuda[{kernels}]", SDPA, order)


def _obstacles(
    name: str, device: torch.device, dtype: torch.dtype, head_width: int | None
) -> list[str]:
    """Return the reasons why a flash kernel cannot run; SDPA stands for torch's own one."""
    unfit = _unfit(name, device, dtype, head_width)
    if name == SDPA or _is_installed(FLASH_PACKAGES[name]):
        return unfit
    return [f"{FLASH_PACKAGES[name].distribution} is not installed", *unfit]


def _unfit(
    name: str, device: torch.device, dtype: torch.dtype, head_width: int | None
) -> list[str]:
    """Return the reasons why an installed flash kernel does not take such inputs."""
    package = FLASH_PACKAGES["flash_attention_2" if name == SDPA else name]
    found = []
    if device.type != "cuda":
        found.append(f"the device is {device.type}, not cuda")
    elif (major := torch.cuda.get_device_capability(device)[0]) not in package.capabilities:
        served = ", ".join(f"{number}.x" for number in package.capabilities)
        found.append(f"compute capability {major}.x, not {served}")
    if dtype not in _HALF:
        found.append(f"the dtype is {str(dtype).removeprefix('torch.')}, not bfloat16 or float16")
    if head_width is not None and head_width > package.head_width:
        found.append(f"heads are {head_width} wide, more than {package.head_width}")
    if head_width is not None and head_width % 8 and name != SDPA:
        # torch pads such heads itself, the packages do not
        found.append(f"heads are {head_width} wide, not a multiple of 8")
    return found


def _is_installed(package: FlashPackage) -> bool:
    # the module alone does not tell: FlashAttention 2 brings parts of 4 under the same module name
    try:
        metadata.version(package.distribution)
    except metadata.PackageNotFoundError:
        return False
    return find_spec(package.module.partition(".")[0]) is not None


def _by_package(
    name: str,
    query: Float[Tensor, "batch head token d"],
    key: Float[Tensor, "batch group past_and_token d"],
    value: Float[Tensor, "batch group past_and_token d"],
) -> Float[Tensor, "batch head token d"]:
    module = importlib.import_module(FLASH_PACKAGES[name].module)
    attend: Callable[..., Tensor | tuple[Tensor, ...]] = module.flash_attn_func
    # (batch, token, head, d); if there are more keys than queries, all three packages align the
    # causal pattern to the last key, as a cache needs it
    parts = (x.transpose(1, 2) for x in (query, key, value))
    out = attend(*parts, causal=True)
    return (out[0] if isinstance(out, tuple) else out).transpose(1, 2)


def _parameters(query: Tensor, key: Tensor, value: Tensor) -> SDPAParams:
    # no mask, no dropout, no square causal pattern; whether heads share keys
    grouped = key.shape[1] < query.shape[1]
    return SDPAParams(query, key, value, None, 0.0, False, grouped)  # noqa: FBT003


def _by_torch(
    query: Float[Tensor, "batch head token d"],
    key: Float[Tensor, "batch group past_and_token d"],
    value: Float[Tensor, "batch group past_and_token d"],
    *,
    past: int,
    flash: bool,
) -> Float[Tensor, "batch head token d"]:
    grouped = key.shape[1] < query.shape[1]
    if grouped and not flash:
        # of torch's fused kernels, only flash lets heads share keys
        repeats = query.shape[1] // key.shape[1]
        key, value = (x.repeat_interleave(repeats, dim=1) for x in (key, value))
        grouped = False
    attend = partial(F.scaled_dot_product_attention, enable_gqa=grouped)
    if past == 0:
        return attend(query, key, value, is_causal=True)
    if query.shape[2] == 1:
        return attend(query, key, value)
    if flash or can_use_efficient_attention(_parameters(query, key, value)):
        # it loads the compiler of torch, which takes longer than the model: only where it is needed
        from torch.nn.attention.bias import causal_lower_right

        return attend(query, key, value, causal_lower_right(query.shape[2], key.shape[2]))
    return _by_rows(query, key, value, past)


def _by_rows(
    query: Float[Tensor, "batch head token d"],
    key: Float[Tensor, "batch head past_and_token d"],
    value: Float[Tensor, "batch head past_and_token d"],
    past: int,
) -> Float[Tensor, "batch head token d"]:
    """Attend a few query rows at a time, each piece with a small mask of its own."""
    tokens = query.shape[2]
    rows = max(1, _MASK_ENTRIES // key.shape[2])
    pieces = []
    for first in range(0, tokens, rows):
        last = min(first + rows, tokens)
        seen = past + last
        mask = torch.ones(last - first, seen, dtype=torch.bool, device=query.device)
        mask = mask.tril(past + first)
        pieces.append(
            F.scaled_dot_product_attention(
                query[:, :, first:last], key[:, :, :seen], value[:, :, :seen], attn_mask=mask
            )
        )
    return torch.cat(pieces, dim=2)
