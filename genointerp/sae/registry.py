"""The architectures by name."""

from genointerp.core.errors import UnknownNameError
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.batch_topk import BatchTopK
from genointerp.sae.config import SaeConfig
from genointerp.sae.tied_batch_topk import TiedBatchTopK
from genointerp.sae.topk import TopK

ARCHITECTURES: dict[str, type[SparseAutoencoder]] = {
    "batch_topk": BatchTopK,
    "tied_batch_topk": TiedBatchTopK,
    "topk": TopK,
}
"""Every architecture; a new one is a file and a line here."""


def make_sae(config: SaeConfig, d_in: int, *, seed: int = 0) -> SparseAutoencoder:
    """Build an untrained dictionary.

    Raises
    ------
    UnknownNameError
        If no architecture has that name.
    """
    if config.architecture not in ARCHITECTURES:
        raise UnknownNameError(
            "architecture", f"one of {', '.join(ARCHITECTURES)}", repr(config.architecture)
        )
    return ARCHITECTURES[config.architecture](config, d_in, seed=seed)
