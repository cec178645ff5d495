"""The architectures by name."""

from genointerp.core.nearest import unknown
from genointerp.sae.architecture.batch_topk import BatchTopK
from genointerp.sae.architecture.batch_topk_crosscoder import BatchTopKCrosscoder
from genointerp.sae.architecture.gated import Gated
from genointerp.sae.architecture.jumprelu import JumpRelu
from genointerp.sae.architecture.matryoshka_batch_topk import MatryoshkaBatchTopK
from genointerp.sae.architecture.relu import Relu
from genointerp.sae.architecture.tied_batch_topk import TiedBatchTopK
from genointerp.sae.architecture.topk import TopK
from genointerp.sae.architecture.transcoder import Transcoder
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.config import SaeConfig

ARCHITECTURES: dict[str, type[SparseAutoencoder]] = {
    "batch_topk": BatchTopK,
    "batch_topk_crosscoder": BatchTopKCrosscoder,
    "gated": Gated,
    "jumprelu": JumpRelu,
    "matryoshka_batch_topk": MatryoshkaBatchTopK,
    "relu": Relu,
    "tied_batch_topk": TiedBatchTopK,
    "topk": TopK,
    "transcoder": Transcoder,
}
"""Every architecture; to add one, write its file and a line here."""


def make_sae(config: SaeConfig, d_row: int, *, seed: int = 0) -> SparseAutoencoder:
    """Build an untrained dictionary.

    Parameters
    ----------
    d_row
        Columns of a training row: the width of the activations, or the sum over the sites it joins.

    Raises
    ------
    ConfigError
        If the configuration does not fit rows of that width.
    UnknownNameError
        If no architecture has that name.
    """
    if config.architecture not in ARCHITECTURES:
        raise unknown("architecture", config.architecture, ARCHITECTURES)
    return ARCHITECTURES[config.architecture](config, d_row, seed=seed)
