"""Sparse algebra of a training step, in which the product of the encoder is the only dense one.

With z known, each gradient is a weighted sum of rows: k rows for each token, or one row for each
token on which a feature fired. ``embedding_bag`` adds up such bags of rows without materialising
them. If a pattern is so full that a matrix product is faster, a matrix product is used.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from genointerp.sae.kernel.rows import dot_rows, sum_rows

_FULL_FOR_SUMS = 1 / 6
"""Share of entries that are on, above which sums of rows are computed as a matrix product."""
_FULL_FOR_DOTS = 1 / 16
"""The same for products of pairs of rows, which are slower to gather."""


class ByFeature(NamedTuple):
    """A pattern in order of its columns: for each feature, the tokens on which it is on."""

    order: Int[Tensor, " hit"]
    row: Int[Tensor, " hit"]
    offsets: Int[Tensor, " n_features"]


@dataclass(frozen=True)
class SparsePattern:
    """Which features are on, token by token: a CSR matrix without its values.

    Parameters
    ----------
    offsets
        First hit of each token.
    row, feature
        Token and feature of each hit, ordered by token.
    n_features
        Number of columns.
    """

    offsets: Int[Tensor, " batch"]
    row: Int[Tensor, " hit"]
    feature: Int[Tensor, " hit"]
    n_features: int

    @classmethod
    def from_hits(
        cls, row: Int[Tensor, " hit"], feature: Int[Tensor, " hit"], shape: tuple[int, int]
    ) -> "SparsePattern":
        """Build a pattern of ``shape`` (tokens, features) from hits ordered by token."""
        return cls(_offsets(row, shape[0]), row, feature, shape[1])

    @cached_property
    def by_feature(self) -> ByFeature:
        """The same hits ordered by feature, then token."""
        # 32-bit keys sort several times faster than 64-bit ones
        order = torch.argsort(self.feature.to(torch.int32), stable=True)
        return ByFeature(order, self.row[order], _offsets(self.feature, self.n_features))

    @cached_property
    def place(self) -> Int[Tensor, " hit"]:
        """Index of each hit in the flattened matrix."""
        return self.row * self.n_features + self.feature

    @property
    def share(self) -> float:
        """Share of the entries that are on."""
        return len(self.row) / max(1, len(self.offsets) * self.n_features)

    def values_of(self, z: Float[Tensor, "batch n_features"]) -> Float[Tensor, " hit"]:
        """Read the values of a dense matrix at the hits."""
        return z.reshape(-1).index_select(0, self.place)

    def dense(self, value: Float[Tensor, " hit"]) -> Float[Tensor, "batch n_features"]:
        """Write values at the hits of a matrix of zeros."""
        matrix = value.new_zeros(len(self.offsets) * self.n_features)
        matrix[self.place] = value
        return matrix.view(-1, self.n_features)


def sparse_encode(
    x: Float[Tensor, "batch d_in"],
    W_enc: Float[Tensor, "d_in n_features"],
    b_enc: Float[Tensor, " n_features"],
    z: Float[Tensor, "batch n_features"],
    pattern: SparsePattern,
) -> Float[Tensor, " hit"]:
    """Return ``z = x W_enc + b_enc`` at the pattern, with sparse gradients of both weights.

    ``z`` must have been computed already, without a graph; ``x`` gets no gradient.
    """
    value: Tensor = _SparseEncode.apply(x, W_enc, b_enc, z, pattern)  # type: ignore[no-untyped-call]
    return value


def sparse_decode(
    value: Float[Tensor, " hit"],
    W_dec: Float[Tensor, "n_features d_in"],
    pattern: SparsePattern,
) -> Float[Tensor, "batch d_in"]:
    """Return ``f W_dec`` for sparse f, with sparse gradients of the values and of W_dec."""
    x_hat: Tensor = _SparseDecode.apply(value, W_dec, pattern)  # type: ignore[no-untyped-call]
    return x_hat


class _SparseEncode(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        x: Tensor,
        W_enc: Tensor,
        b_enc: Tensor,
        z: Tensor,
        pattern: SparsePattern,
    ) -> Tensor:
        ctx.save_for_backward(x.contiguous())
        ctx.pattern = pattern
        return pattern.values_of(z)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        (x,) = ctx.saved_tensors
        grad_b = torch.zeros(ctx.pattern.n_features, dtype=grad.dtype, device=grad.device)
        grad_b.index_add_(0, ctx.pattern.feature, grad)
        return None, _sum_by_feature(x, grad, ctx.pattern).t(), grad_b, None, None


class _SparseDecode(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        value: Tensor,
        W_dec: Tensor,
        pattern: SparsePattern,
    ) -> Tensor:
        ctx.save_for_backward(value, W_dec)
        ctx.pattern = pattern
        if pattern.share > _FULL_FOR_SUMS:
            return pattern.dense(value) @ W_dec
        return sum_rows(W_dec, pattern.feature, pattern.offsets, value)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        value, W_dec = ctx.saved_tensors
        pattern, grad = ctx.pattern, grad.contiguous()
        grad_value = grad_W = None
        if ctx.needs_input_grad[0]:
            if pattern.share > _FULL_FOR_DOTS:
                grad_value = pattern.values_of(grad @ W_dec.t())
            else:
                grad_value = dot_rows(grad, W_dec, pattern.row, pattern.feature, pattern.offsets)
        if ctx.needs_input_grad[1]:
            grad_W = _sum_by_feature(grad, value, pattern)
        return grad_value, grad_W, None


def _sum_by_feature(rows: Tensor, weight: Tensor, pattern: SparsePattern) -> Tensor:
    if pattern.share > _FULL_FOR_SUMS:
        return pattern.dense(weight).t() @ rows
    hits = pattern.by_feature
    return sum_rows(rows, hits.row, hits.offsets, weight.index_select(0, hits.order))


def _offsets(sorted_by: Tensor, n: int) -> Tensor:
    counts = torch.bincount(sorted_by, minlength=n)
    return torch.cumsum(counts, 0) - counts
