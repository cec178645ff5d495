"""The two sparse kernels of a step: sums of weighted rows, and products of pairs of rows.

On a CPU and, where Triton is missing, on a GPU they are torch's own; neither materialises the rows
that it reads.
"""

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
    return embedding_bag(index, rows, offsets, mode="sum", per_sample_weights=weight)


def dot_rows(
    left: Float[Tensor, "n d"],
    right: Float[Tensor, "m d"],
    row: Int[Tensor, " hit"],
    index: Int[Tensor, " hit"],
    offsets: Int[Tensor, " n"],
) -> Float[Tensor, " hit"]:
    """Return for each hit, by row, the inner product of ``left[row]`` and ``right[index]``."""
    product: Tensor = torch.ops.aten._embedding_bag_per_sample_weights_backward(
        left, right, index, offsets, row, 0
    )
    return product
