"""Where models and dictionaries run."""

from collections.abc import Sequence
from itertools import accumulate

import torch

from genointerp.core.errors import InputError


def find_device(name: str) -> torch.device:
    """Return a device by the name that torch gives it, if this machine can compute on it.

    Raises
    ------
    InputError
        If there is no such device here.
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    # torch says "not compiled with CUDA" by an AssertionError, and the rest by a RuntimeError
    except (RuntimeError, AssertionError, ImportError, AttributeError) as error:
        known = "cpu" + (", cuda" if torch.cuda.is_available() else "")
        raise InputError("device", f"one that this machine has ({known})", repr(name)) from error
    return device


def find_devices(names: str) -> tuple[torch.device, ...]:
    """Return the devices that a model is to be spread over, in order.

    Parameters
    ----------
    names
        One device; several behind one another, ``cuda:0,cuda:1``; or ``auto``: every CUDA device,
        the CPU where there is none.

    Raises
    ------
    InputError
        If a device is not here, or named twice, or if several are not all of one kind.

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
    """Return whether a device has instructions for products of bfloat16 matrices.

    A CPU without them emulates such products, some twenty times as slowly as those of float32. A
    version of torch that cannot be asked counts as a machine without them.
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
    """Give each block of a network its device: consecutive blocks together, about equal shares.

    A block goes where the middle of its weights lies when all weights, one behind the other, are
    cut into as many equal parts as there are devices.

    Parameters
    ----------
    sizes
        Of each block, in bytes or parameters.

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
