"""Encode activations for storage, on the device on which the model runs."""

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from genointerp.store.activation.store import STORED, Encoding, encode_values


def encode_tensor(x: Float[Tensor, "n d_in"], encoding: Encoding) -> Shaped[np.ndarray, "n d_in"]:
    """Encode values like ``encode_values``, but move only two bytes for each off the device.

    Raises
    ------
    InputError
        If a value is not finite, or too large for the encoding; values are never clipped.
    """
    rounded = x.to(torch.float16 if encoding == "float16" else torch.bfloat16)
    if not rounded.isfinite().all():
        # raises an error that names the value
        return encode_values(x.float().cpu().numpy(), encoding)
    # numpy has no bfloat16
    raw: Shaped[np.ndarray, "n d_in"] = rounded.view(torch.int16).cpu().numpy()
    return raw.view(STORED[encoding])
