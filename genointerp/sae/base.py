"""What every dictionary shares: shapes, encoding, decoding."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from genointerp.core.seed import derive_seed
from genointerp.sae.config import SaeConfig
from genointerp.sae.sparse import SparsePattern


@dataclass(frozen=True)
class SparseCodes:
    """Activations of features, a row for each token.

    Parameters
    ----------
    index
        Features that are on, ascending; 0 where the slot is unused.
    value
        Their activations, more than 0; 0 where the slot is unused.
    """

    index: Int64[Tensor, "n k_max"]
    value: Float[Tensor, "n k_max"]


class SparseAutoencoder(torch.nn.Module, ABC):
    """A dictionary of directions and the encoder that reads which of them are present.

    ``z = x W_enc + b_enc``; an architecture chooses which positive z stay, as f;
    ``x_hat = f W_dec + b_dec``. Row i of W_dec is the direction of feature i.

    Parameters
    ----------
    config
        Architecture and sizes.
    d_in
        Width of the activations.
    seed
        Of the initial weights: random unit rows of W_dec, and W_enc its transpose.
    """

    has_threshold: ClassVar[bool] = False
    """Whether features are chosen by ``threshold``, which training then estimates."""
    threshold: Tensor

    def __init__(self, config: SaeConfig, d_in: int, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        generator = torch.Generator().manual_seed(derive_seed(seed, "sae weights"))
        directions = torch.randn(config.n_features, d_in, generator=generator)
        directions /= directions.norm(dim=1, keepdim=True)
        self.W_dec = torch.nn.Parameter(directions)
        self._make_encoder()
        self.b_enc = torch.nn.Parameter(torch.zeros(config.n_features))
        self.b_dec = torch.nn.Parameter(torch.zeros(d_in))
        self.register_buffer("threshold", torch.zeros(()))

    @property
    def d_in(self) -> int:
        """Width of the activations."""
        return self.W_dec.shape[1]

    @property
    def n_features(self) -> int:
        """Number of features."""
        return self.W_dec.shape[0]

    @abstractmethod
    def training_pattern(self, z: Float[Tensor, "batch n_features"]) -> SparsePattern:
        """Choose the features of a training batch from its pre-activations."""

    @abstractmethod
    def pattern(self, z: Float[Tensor, "batch n_features"]) -> SparsePattern:
        """Choose the features of tokens, each by itself, whatever the rest of the batch."""

    def _make_encoder(self) -> None:
        # held transposed in memory: its gradient is summed row by row of the transpose
        self.W_enc = torch.nn.Parameter(self.W_dec.detach().clone().t())

    def pre_activations(self, x: Float[Tensor, "batch d_in"]) -> Float[Tensor, "batch n_features"]:
        """Return ``x W_enc + b_enc``."""
        return torch.addmm(self.b_enc, x, self.W_enc)

    def encode(self, x: Float[Tensor, "batch d_in"]) -> Float[Tensor, "batch n_features"]:
        """Return the activations of all features, zero for those that are off."""
        z = self.pre_activations(x)
        pattern = self.pattern(z.detach())
        return pattern.dense(pattern.values_of(z))

    @torch.no_grad()
    def encode_sparse(self, x: Float[Tensor, "batch d_in"]) -> SparseCodes:
        """Return only the features that are on; no gradients."""
        z = self.pre_activations(x)
        pattern = self.pattern(z)
        slot = torch.arange(len(pattern.row), device=z.device) - pattern.offsets[pattern.row]
        width = int(slot.max()) + 1 if len(slot) else 0
        index = pattern.feature.new_zeros(len(x), width)
        value = z.new_zeros(len(x), width)
        index[pattern.row, slot] = pattern.feature
        value[pattern.row, slot] = pattern.values_of(z)
        return SparseCodes(index, value)

    def decode(self, codes: Float[Tensor, "batch n_features"]) -> Float[Tensor, "batch d_in"]:
        """Return the activations that dense codes stand for."""
        return torch.addmm(self.b_dec, codes, self.W_dec)

    def forward(self, x: Float[Tensor, "batch d_in"]) -> Float[Tensor, "batch d_in"]:
        """Return the reconstruction of activations."""
        return self.decode(self.encode(x))
