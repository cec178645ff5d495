"""Join several dictionaries into one whose reconstruction is the sum of theirs."""

from collections.abc import Sequence

import torch

from genointerp.core.errors import ConfigError
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.config import SaeConfig, check_joinable


@torch.no_grad()
def join(parts: Sequence[SparseAutoencoder]) -> SparseAutoencoder:
    """Return one JumpReLU dictionary that has the features of all parts, in their order.

    Parameters
    ----------
    parts
        One or more dictionaries that read the same activations; each reconstructs a part of them,
        and the parts add up.

    Raises
    ------
    ConfigError
        If the features of a part compete with one another, as in TopK, or a part has another width.
    """
    d_in = parts[0].d_in
    for part in parts:
        check_joinable(part.config)
        if part.d_in != d_in:
            raise ConfigError("width of a part", f"d_in = {d_in}", str(part.d_in))
    config = SaeConfig(
        "jumprelu",
        n_features=sum(part.n_features for part in parts),
        k=sum(part.config.k for part in parts),
    )
    joined = make_sae(config, d_in)
    joined.W_enc.copy_(torch.cat([part.W_enc for part in parts], dim=1))
    joined.W_dec.copy_(torch.cat([part.W_dec for part in parts]))
    joined.b_enc.copy_(torch.cat([part.b_enc for part in parts]))
    joined.b_dec.copy_(torch.stack([part.b_dec for part in parts]).sum(dim=0))
    joined.threshold.copy_(torch.cat([part.threshold.expand(part.n_features) for part in parts]))
    return joined
