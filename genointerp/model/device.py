"""Devices on which models and dictionaries run."""

from collections.abc import Sequence
from itertools import accumulate

import torch

from genointerp.core.errors import InputError


def find_device(name: str) -> torch.device:
    """Return the device of this name in torch, if this machine can compute on it.

    Raises
    ------
    InputError
        If this machine has no such device.
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    # torch raises an AssertionError if it is not compiled with CUDA, otherwise a RuntimeError
    except (RuntimeError, AssertionError, ImportError, AttributeError) as error:
        known = "cpu" + (", cuda" if torch.cuda.is_available() else "")
        raise InputError("device", f"one that this machine has ({known})", repr(name)) from error
    return device


def find_devices(names: str) -> tuple[torch.device, ...]:
    """Return the devices over which a model is to be spread, in order.

    Parameters
    ----------
    names
        One device; several, separated by commas (``cuda:0,cuda:1``); or ``auto`` for every CUDA
        device, or the CPU if there is none.

    Raises
    ------
    InputError
        If this machine lacks a device, if one is named twice, or if they are not all of one kind.

    Examples
    --------
    >>> find_devices("cpu")
    (device(type='cpu'),)
    """
    if names == "auto":
        count = torch.cuda.device_count()
        names = ",".join(f"cuda:{index}" for index in range(count)) or "cpu"
    devices = tuple(find_device(name.strip()) for name in names.split(","))
    if len(devices) > 1:
        for device in devices:
            if device.index is None or devices.count(device) > 1:
                raise InputError("device", "different devices with their numbers", repr(names))
        if len({device.type for device in devices}) > 1:
            raise InputError("device", "devices of one kind", repr(names))
    return devices


def multiplies_bfloat16(device: torch.device) -> bool:
    """Say whether a device has instructions for products of bfloat16 matrices.

    A CPU without them emulates such products, about twenty times slower than those of float32. If
    the installed torch cannot report this, the answer is no.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    found = torch.cpu.get_capabilities()
    return any(bool(found.get(name)) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def spread_blocks(
    sizes: Sequence[int], devices: Sequence[torch.device]
) -> tuple[torch.device, ...]:
    """Assign each block of a network a device, so that each device gets about an equal share.

    Consecutive blocks stay together. All weights, laid end to end, are cut into as many equal parts
    as there are devices; a block belongs to the part in which its middle is.

    Parameters
    ----------
    sizes
        Size of each block, in bytes or parameters.

    Examples
    --------
    >>> spread_blocks([4, 1, 1, 1, 1], [torch.device("cuda:0"), torch.device("cuda:1")])
    (device(type='cuda', index=0), device(type='cuda', index=1), device(type='cuda', index=1), \
device(type='cuda', index=1), device(type='cuda', index=1))
    """
    total = max(sum(sizes), 1)
    middles = (end - size / 2 for end, size in zip(accumulate(sizes), sizes, strict=True))
    last = len(devices) - 1
    return tuple(devices[min(int(middle * len(devices) / total), last)] for middle in middles)
