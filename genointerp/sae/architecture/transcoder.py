"""Transcoders: from activations at one site to those at another (Dunefsky et al. 2024).

The transcoders of that paper (arXiv:2406.11944) read the input of an MLP and write its output, with
an L1 penalty; here features are chosen as in BatchTopK.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from genointerp.core.errors import ConfigError
from genointerp.sae.architecture.batch_topk import BatchTopK
from genointerp.sae.base import Rows
from genointerp.sae.config import SaeConfig


class Transcoder(BatchTopK):
    """Reads one site and reconstructs another; a training row joins the two, input first."""

    fits_encoder = False
    joins_sites = True

    @property
    def target_columns(self) -> slice:
        """Columns of the second site."""
        return slice(self.config.widths[0], self.d_row)

    def split(self, rows: Float[Tensor, "batch d_row"]) -> Rows:
        """Return the columns of the first and of the second site."""
        return Rows(rows[:, : self.config.widths[0]], rows[:, self.target_columns])

    def _check_widths(self, config: SaeConfig, d_row: int) -> None:
        if len(config.widths) != 2 or sum(config.widths) != d_row:
            expected = f"two widths, of input and target, that add up to {d_row}"
            raise ConfigError("widths", expected, repr(config.widths))

    def _d_out(self) -> int:
        return self.config.widths[1]

    def _make_encoder(self, generator: torch.Generator) -> None:
        # input and target are different spaces: the transpose of W_dec would mean nothing here
        shape = (self.config.n_features, self.config.widths[0])
        rows = torch.randn(shape, generator=generator)
        self.W_enc = torch.nn.Parameter((rows / rows.norm(dim=1, keepdim=True)).t())
