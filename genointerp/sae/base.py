"""What every dictionary shares: shapes, encoding, decoding."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from genointerp.core.errors import ConfigError, SchemaError
from genointerp.core.seed import derive_seed
from genointerp.sae.config import SaeConfig
from genointerp.sae.kernel.sparse import SparsePattern, sparse_decode


@dataclass(frozen=True)
class SparseCodes:
    """Activations of features, a row for each token.

    Parameters
    ----------
    index
        Indices of the features that are on, ascending; 0 in an unused slot.
    value
        Their activations, above 0; 0 in an unused slot.
    """

    index: Int64[Tensor, "n k_max"]
    value: Float[Tensor, "n k_max"]


class Codes(NamedTuple):
    """Features that are on, and their activations."""

    pattern: SparsePattern
    value: Float[Tensor, " hit"]


class Rows(NamedTuple):
    """The activations that a dictionary encodes, and those that it is to reconstruct."""

    x: Float[Tensor, "batch d_in"]
    target: Float[Tensor, "batch d_out"]


@dataclass(frozen=True)
class TrainingBatch:
    """A batch, as an architecture needs it to compute its loss.

    Parameters
    ----------
    x, target
        Standardised rows.
    pattern, pre
        Hits and their pre-activations, through which gradients flow.
    variance
        Total variance of the target.
    ramp
        Factor of the sparsity penalty, which rises from 0 to 1 at the beginning of training.
    """

    x: Float[Tensor, "batch d_in"]
    target: Float[Tensor, "batch d_out"]
    pattern: SparsePattern
    pre: Float[Tensor, " hit"]
    variance: float
    ramp: float

    def error_share(self, x_hat: Float[Tensor, "*part batch d_out"]) -> Float[Tensor, ""]:
        """Return the mean squared error of a row over the variance; a mean over all parts."""
        return (self.target - x_hat).square().sum() / (x_hat.shape[:-1].numel() * self.variance)


class Losses(NamedTuple):
    """A loss with its graph, and the residual of the full reconstruction, without one."""

    loss: Float[Tensor, ""]
    residual: Float[Tensor, "batch d_out"]


class SparseAutoencoder(torch.nn.Module, ABC):
    """A dictionary of directions, and the encoder that finds which of them are present.

    ``z = x W_enc + b_enc``; the architecture chooses which positive z are kept, and these are f;
    ``x_hat = f W_dec + b_dec``. Row i of W_dec is the direction of feature i.

    Parameters
    ----------
    config
        Architecture and sizes.
    d_row
        Columns of the rows that it is trained on.
    seed
        Random seed of the initial weights: random unit rows of W_dec, and W_enc its transpose.

    Raises
    ------
    ConfigError
        If ``config.widths`` do not fit the rows of this architecture.
    """

    has_threshold: ClassVar[bool] = False
    """Whether features are chosen by ``threshold``, which training then estimates."""
    has_auxiliary: ClassVar[bool] = True
    """Whether an auxiliary loss trains dead features on the residual."""
    fits_encoder: ClassVar[bool] = False
    """Whether W_enc is scaled to the first batch; for architectures that choose by rank."""
    joins_sites: ClassVar[bool] = False
    """Whether a training row joins the activations of several sites."""
    threshold: Tensor

    def __repr__(self) -> str:
        config = self.config
        return (
            f"{type(self).__name__}({config.n_features:,} features, k {config.k}, d {self.d_row})"
        )

    def __init__(self, config: SaeConfig, d_row: int, *, seed: int = 0) -> None:
        super().__init__()
        self._check_widths(config, d_row)
        self.config = config
        self.d_row = d_row
        generator = torch.Generator().manual_seed(derive_seed(seed, "sae weights"))
        directions = torch.randn(config.n_features, self._d_out(), generator=generator)
        directions /= directions.norm(dim=1, keepdim=True)
        self.W_dec = torch.nn.Parameter(directions)
        self._make_encoder(generator)
        self.b_enc = torch.nn.Parameter(torch.zeros(config.n_features))
        self.b_dec = torch.nn.Parameter(torch.zeros(directions.shape[1]))
        self._make_threshold()

    @property
    def d_in(self) -> int:
        """Width of the activations that are encoded."""
        return self.W_enc.shape[0]

    @property
    def n_features(self) -> int:
        """Number of features."""
        return self.W_dec.shape[0]

    @property
    def target_columns(self) -> slice:
        """Columns of a training row that are reconstructed."""
        return slice(0, self.d_row)

    @abstractmethod
    def training_pattern(self, z: Float[Tensor, "batch n_features"]) -> SparsePattern:
        """Choose the features of a training batch from its pre-activations."""

    @abstractmethod
    def pattern(self, z: Float[Tensor, "batch n_features"]) -> SparsePattern:
        """Choose the features of each token, independently of the other tokens of the batch."""

    def split(self, rows: Float[Tensor, "batch d_row"]) -> Rows:
        """Split training rows into the part to encode and the part to reconstruct."""
        return Rows(rows, rows)

    def split_in_training(self, rows: Float[Tensor, "batch d_row"], step: int) -> Rows:
        """Split the rows of one step of training, in which an encoder may see less of them."""
        return self.split(rows)

    def values(self, pre: Float[Tensor, " hit"], pattern: SparsePattern) -> Float[Tensor, " hit"]:
        """Return the activations that belong to the pre-activations at the hits."""
        return pre

    def losses(self, batch: TrainingBatch) -> Losses:
        """Return the loss of a batch: its FVU plus the penalty of the architecture."""
        value = self.values(batch.pre, batch.pattern)
        x_hat = sparse_decode(value, self.W_dec, batch.pattern) + self.b_dec
        loss = self._error(batch, x_hat) + self._penalty(value, batch)
        return Losses(loss, (batch.target - x_hat).detach())

    @torch.no_grad()
    def fit_encoder(self, rows: Float[Tensor, "batch d_row"]) -> None:
        """Scale a fresh encoder by the one factor that reconstructs a batch best.

        Random directions are not orthogonal: if a few dimensions hold most of the variance, the
        features chosen for a token point the same way, their sum overshoots, and training spends
        its first steps on making them smaller.

        Notes
        -----
        ``W_enc <- s W_enc`` with ``s = sum x . x_hat / sum |x_hat|^2``, the least-squares solution
        for ``x - s x_hat``. Biases are still zero, so x_hat is proportional to s, and the choice of
        features, which goes by rank, does not depend on s.
        """
        if not self.fits_encoder:
            return
        split = self.split(rows)
        z = self.pre_activations(split.x)
        pattern = self.training_pattern(z)
        x_hat = sparse_decode(pattern.values_of(z), self.W_dec, pattern)
        size = float(x_hat.square().sum())
        scale = float((split.target * x_hat).sum()) / size if size > 0 else 0.0
        if scale > 0:
            self.W_enc.mul_(scale)

    @torch.no_grad()
    def constrain(self) -> None:
        """Restore the constraints after an update: every row of W_dec has unit norm."""
        self.W_dec.div_(self.W_dec.norm(dim=1, keepdim=True).clamp_min(1e-12))

    @torch.no_grad()
    def fold(self, mean: Float64[Tensor, " d_row"], scale: Float64[Tensor, " d_row"]) -> None:
        """Rewrite a dictionary of standardised rows, in place, as one of the raw rows.

        Notes
        -----
        With ``y = (x - mean) / scale`` and g the scale of the target, or its mean where columns
        differ: activations and threshold are multiplied by g; ``W_enc = g / scale W_enc``,
        ``b_enc = g b_enc - mean W_enc``, ``W_dec = scale / g W_dec``,
        ``b_dec = scale b_dec + mean``, computed in float64. With one scale, W_enc and the unit
        rows of W_dec stay as they are.
        """
        mean_in, mean_out = self._columns(mean)
        scale_in, scale_out = self._columns(scale)
        gain = _common(scale_out)
        if bool((scale_in != gain).any()):
            self.W_enc.copy_((gain / scale_in)[:, None] * self.W_enc.double())
        if bool((scale_out != gain).any()):
            self.W_dec.copy_((scale_out / gain) * self.W_dec.double())
        self._fold_encoder(mean_in @ self.W_enc.double(), float(gain))
        self.b_dec.copy_(scale_out * self.b_dec.double() + mean_out)

    def tensors(self) -> dict[str, Tensor]:
        """Return the weights that define the dictionary at inference, by the names of SAELens."""
        names = ("W_enc", "W_dec", "b_dec", "b_enc")
        tensors = {name: getattr(self, name).detach() for name in names}
        if self.has_threshold:
            tensors["threshold"] = self.threshold.detach().expand(self.n_features)
        return {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}

    @torch.no_grad()
    def fill(self, tensors: dict[str, Tensor], *, where: str) -> None:
        """Copy in weights with the names and shapes that :meth:`tensors` gives.

        Raises
        ------
        SchemaError
            If they cannot be the weights of a dictionary of this architecture.
        """
        for name in ("W_enc", "W_dec", "b_enc", "b_dec"):
            getattr(self, name).copy_(tensors[name])
        if self.has_threshold:
            threshold = tensors["threshold"]
            if not bool((threshold == threshold[0]).all()):
                raise SchemaError(f"{where}: threshold", "one value for all features", "several")
            self.threshold.copy_(threshold[0])

    def pre_activations(self, x: Float[Tensor, "batch d_in"]) -> Float[Tensor, "batch n_features"]:
        """Return ``x W_enc + b_enc``."""
        return torch.addmm(self.b_enc, x, self.W_enc)

    def encode(self, x: Float[Tensor, "batch d_in"]) -> Float[Tensor, "batch n_features"]:
        """Return the activations of all features, zero for those that are off."""
        z = self.pre_activations(x)
        pattern = self.pattern(z.detach())
        return pattern.dense(self.values(pattern.values_of(z), pattern))

    @torch.no_grad()
    def codes(self, x: Float[Tensor, "batch d_in"]) -> Codes:
        """Return the features that are on, as hits; no gradients."""
        z = self.pre_activations(x)
        pattern = self.pattern(z)
        return Codes(pattern, self.values(pattern.values_of(z), pattern))

    @torch.no_grad()
    def amounts_of(
        self, x: Float[Tensor, "batch d_in"], features: Int64[Tensor, " column"]
    ) -> Float[Tensor, "batch column"]:
        """Return the activations of some features, a column for each; no gradients.

        If features do not compete, the others are not computed. An activation may then differ from
        that of :meth:`encode` in its last bit, as between matrix products of other sizes.
        """
        return self.encode(x)[:, features]

    def encode_sparse(self, x: Float[Tensor, "batch d_in"]) -> SparseCodes:
        """Return only the features that are on, in slots (see `SparseCodes`); no gradients."""
        pattern, hits = self.codes(x)
        slot = torch.arange(len(pattern.row), device=hits.device) - pattern.offsets[pattern.row]
        width = int(slot.max()) + 1 if len(slot) else 0
        index = pattern.feature.new_zeros(len(x), width)
        value = hits.new_zeros(len(x), width)
        index[pattern.row, slot] = pattern.feature
        value[pattern.row, slot] = hits
        return SparseCodes(index, value)

    def decode(self, codes: Float[Tensor, "batch n_features"]) -> Float[Tensor, "batch d_out"]:
        """Return the activations that dense codes stand for."""
        return torch.addmm(self.b_dec, codes, self.W_dec)

    def forward(self, x: Float[Tensor, "batch d_in"]) -> Float[Tensor, "batch d_out"]:
        """Return the reconstruction of activations."""
        return self.decode(self.encode(x))

    def _amounts_above(
        self,
        x: Float[Tensor, "batch d_in"],
        features: Int64[Tensor, " column"],
        threshold: Tensor | float,
    ) -> Float[Tensor, "batch column"]:
        """Return pre-activations of some features, 0 where one does not exceed its threshold."""
        z = torch.addmm(self.b_enc[features], x, self.W_enc[:, features])
        return z * (z > threshold)

    def _check_widths(self, config: SaeConfig, d_row: int) -> None:
        if len(config.widths) > 1 or (config.widths and config.widths[0] != d_row):
            expected = f"none, as {config.architecture} reads one site of width {d_row}"
            raise ConfigError("widths", expected, repr(config.widths))

    def _d_out(self) -> int:
        return self.d_row

    def _make_encoder(self, generator: torch.Generator) -> None:
        # stored transposed in memory: its gradient is summed by rows of the transpose
        self.W_enc = torch.nn.Parameter(self.W_dec.detach().clone().t())

    def _make_threshold(self) -> None:
        self.register_buffer("threshold", torch.zeros(()))

    def _error(self, batch: TrainingBatch, x_hat: Tensor) -> Tensor:
        return batch.error_share(x_hat)

    def _penalty(self, value: Tensor, batch: TrainingBatch) -> Tensor | float:
        return 0.0

    def _columns(self, by_column: Tensor) -> tuple[Tensor, Tensor]:
        """Split values by column into those of the encoded and those of the reconstructed."""
        moved = by_column.to(self.b_dec.device)
        x, target = self.split(moved[None])
        return x[0], target[0]

    def _fold_encoder(self, projected_mean: Tensor, gain: float) -> None:
        self.b_enc.copy_(gain * self.b_enc.double() - projected_mean)
        self.threshold.mul_(gain)


def check_sizes(config: SaeConfig, d_in: int, tensors: Mapping[str, Tensor], *, where: str) -> None:
    """Refuse a configuration whose sizes are not those of the weights, before memory is allocated.

    Raises
    ------
    SchemaError
        If a matrix is missing or has another shape.
    """
    shapes = []
    for name in ("W_enc", "W_dec"):
        if name not in tensors:
            raise SchemaError(f"{where}: {name}", "a tensor of that name", "none")
        if tensors[name].ndim != 2:
            found = f"shape {tuple(tensors[name].shape)}"
            raise SchemaError(f"{where}: {name}", "a matrix", found)
        shapes.append(tuple(tensors[name].shape))
    (rows, n_encoded), (n_decoded, columns) = shapes
    if (rows, n_encoded, n_decoded) != (d_in, config.n_features, config.n_features):
        expected = f"shapes ({d_in}, {config.n_features}) and ({config.n_features}, ...)"
        raise SchemaError(f"{where}: W_enc, W_dec", expected, f"{shapes[0]} and {shapes[1]}")
    if sum(config.widths) not in (0, columns, rows + columns):
        found = f"widths of {sum(config.widths)} in all"
        raise SchemaError(where, f"columns of {rows} and {columns}", found)


def check_tensors(sae: SparseAutoencoder, tensors: Mapping[str, Tensor], *, where: str) -> None:
    """Refuse weights that are not those of a dictionary, before anything is computed from them.

    Raises
    ------
    SchemaError
        If a tensor is missing, not finite, or of another shape or type.
    """
    for name, own in sae.tensors().items():
        if name not in tensors:
            raise SchemaError(f"{where}: {name}", "a tensor of that name", "none")
        found = tensors[name]
        if found.shape != own.shape or found.dtype != own.dtype:
            raise SchemaError(
                f"{where}: {name}",
                f"shape {tuple(own.shape)} of {own.dtype}",
                f"{tuple(found.shape)} of {found.dtype}",
            )
        if not bool(torch.isfinite(found).all()):
            raise SchemaError(f"{where}: {name}", "finite values", "NaN or infinity")


def _common(scale: Tensor) -> Tensor:
    return scale[0] if bool((scale == scale[0]).all()) else scale.mean()
