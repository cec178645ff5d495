"""The sparse kernels of a step on a GPU, in Triton: rows of a bag are added up in registers.

A program owns one bag (of a token or of a feature) and a block of columns, so that no addition is
atomic and results are the same in every run.
"""

import torch
import triton
import triton.language as tl
from jaxtyping import Float, Int
from torch import Tensor

_BLOCK = 256
"""Columns that one program holds."""


def sum_rows(
    rows: Float[Tensor, "n d"],
    index: Int[Tensor, " hit"],
    offsets: Int[Tensor, " bag"],
    weight: Float[Tensor, " hit"],
) -> Float[Tensor, "bag d"]:
    """Return for each bag of hits the sum of ``weight * rows[index]``."""
    width = rows.shape[1]
    summed = torch.empty(len(offsets), width, dtype=rows.dtype, device=rows.device)
    block = min(_BLOCK, triton.next_power_of_2(width))
    grid = (len(offsets), triton.cdiv(width, block))
    _sum_rows[grid](
        summed, rows.contiguous(), index, _bounds(offsets, len(index)), weight, width, BLOCK=block
    )
    return summed


def dot_rows(
    left: Float[Tensor, "n d"],
    right: Float[Tensor, "m d"],
    index: Int[Tensor, " hit"],
    offsets: Int[Tensor, " n"],
) -> Float[Tensor, " hit"]:
    """Return for each hit the inner product of its row of ``left`` and ``right[index]``."""
    width = left.shape[1]
    product = torch.empty(len(index), dtype=left.dtype, device=left.device)
    block = min(_BLOCK, triton.next_power_of_2(width))
    _dot_rows[(len(offsets),)](
        product,
        left.contiguous(),
        right.contiguous(),
        index,
        _bounds(offsets, len(index)),
        width,
        BLOCK=block,
    )
    return product


def _bounds(offsets: Tensor, n_hits: int) -> Tensor:
    return torch.cat([offsets, offsets.new_tensor([n_hits])])


@triton.jit  # type: ignore[untyped-decorator]
def _sum_rows(out, rows, index, bounds, weight, width, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    bag = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < width
    hit = tl.load(bounds + bag)
    end = tl.load(bounds + bag + 1)
    total = tl.zeros((BLOCK,), dtype=tl.float32)
    while hit < end:
        row = tl.load(index + hit).to(tl.int64)
        value = tl.load(rows + row * width + column, mask=inside, other=0.0)
        total += value.to(tl.float32) * tl.load(weight + hit).to(tl.float32)
        hit += 1
    tl.store(out + bag * width + column, total, mask=inside)


@triton.jit  # type: ignore[untyped-decorator]
def _dot_rows(out, left, right, index, bounds, width, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    token = tl.program_id(0).to(tl.int64)
    hit = tl.load(bounds + token)
    end = tl.load(bounds + token + 1)
    while hit < end:
        row = tl.load(index + hit).to(tl.int64)
        total = tl.zeros((BLOCK,), dtype=tl.float32)
        for start in range(0, width, BLOCK):
            column = start + tl.arange(0, BLOCK)
            inside = column < width
            a = tl.load(left + token * width + column, mask=inside, other=0.0)
            b = tl.load(right + row * width + column, mask=inside, other=0.0)
            total += a.to(tl.float32) * b.to(tl.float32)
        tl.store(out + hit, tl.sum(total))
        hit += 1
