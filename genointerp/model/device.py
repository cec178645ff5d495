"""Where models and dictionaries run."""

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
