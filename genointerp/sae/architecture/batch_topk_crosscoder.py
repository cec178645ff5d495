"""BatchTopK crosscoders: one dictionary over several sites or several models.

Lindsey et al. 2024 (transformer-circuits.pub) with the selection of Minder et al. 2025
(arXiv:2504.02922): a penalty on activations invents features of one model alone; this selection
does not.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from genointerp.core.errors import ConfigError
from genointerp.sae.architecture.batch_topk import BatchTopK
from genointerp.sae.config import SaeConfig


class BatchTopKCrosscoder(BatchTopK):
    """Reads and reconstructs several sites at once; a row joins them end to end.

    A feature has one activation and a direction for each site. The joined direction has unit norm,
    so that features are chosen by what they add to all sites together.
    """

    joins_sites = True

    def site_norms(self) -> Float[Tensor, "n_features site"]:
        """Return the norm of each feature's direction at each site.

        A feature of one site or one model has a norm near 0 at the others. The sites of a trained
        dictionary are in their raw units: compare them after division by the sites' own scales.
        """
        parts = torch.split(self.W_dec.detach(), list(self.config.widths), dim=1)
        return torch.stack([part.norm(dim=1) for part in parts], dim=1)

    def _check_widths(self, config: SaeConfig, d_row: int) -> None:
        if len(config.widths) < 2 or sum(config.widths) != d_row:
            expected = f"a width for each of two sites or more that add up to {d_row}"
            raise ConfigError("widths", expected, repr(config.widths))
