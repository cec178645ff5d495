"""The two sparse kernels of a step: sums of weighted rows, and products of pairs of rows.

On a GPU they are written in Triton, if it is installed; otherwise they are those of torch, which
do not materialise the rows that they read either.
"""

from functools import cache
from importlib.util import find_spec

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import embedding_bag


def sum_rows(
    rows: Float[Tensor, "n d"],
    index: Int[Tensor, " hit"],
    offsets: Int[Tensor, " bag"],
    weight: Float[Tensor, " hit"],
) -> Float[Tensor, "bag d"]:
    """Return for each bag of hits the sum of ``weight * rows[index]``.

    Parameters
    ----------
    offsets
        First hit of each bag; a bag ends where the next begins.
    """
    if len(index) == 0:
        return rows.new_zeros(len(offsets), rows.shape[1])
    if rows.is_cuda and has_triton():
        from genointerp.sae.kernel import triton_rows as triton_kernels

        return triton_kernels.sum_rows(rows, index, offsets, weight)
    return embedding_bag(index, rows, offsets, mode="sum", per_sample_weights=weight)


def dot_rows(
    left: Float[Tensor, "n d"],
    right: Float[Tensor, "m d"],
    row: Int[Tensor, " hit"],
    index: Int[Tensor, " hit"],
    offsets: Int[Tensor, " n"],
) -> Float[Tensor, " hit"]:
    """Return the inner product of ``left[row]`` and ``right[index]`` for each hit, by row."""
    if left.is_cuda and has_triton():
        from genointerp.sae.kernel import triton_rows as triton_kernels

        return triton_kernels.dot_rows(left, right, index, offsets)
    product: Tensor = torch.ops.aten._embedding_bag_per_sample_weights_backward(
        left, right, index, offsets, row, 0
    )
    return product


@cache
def has_triton() -> bool:
    """Say whether Triton is installed."""
    return find_spec("triton") is not None
