"""Triton's kernels against dense products: run in a process of its own.

Whether Triton compiles or interprets is settled when it is first imported.
"""

import torch

from genointerp.sae.kernel import rows as kernels
from genointerp.sae.kernel import triton_rows as triton_kernels
from genointerp.sae.kernel.sparse import SparsePattern


def main():
    device = "cuda" if torch.cuda.is_available() else "cpu"
    for width in (5, 300):  # within a block of columns, and over two
        for share in (0.0, 0.2):
            compare_sums(width, share, device)
        compare_products(width, device)


def compare_sums(width, share, device):
    pattern, rows = pattern_of(6, 9, share, device), matrix(9, width, 1, device)
    weight = matrix(len(pattern.row), 1, 2, device)[:, 0]
    found = triton_kernels.sum_rows(rows, pattern.feature, pattern.offsets, weight)
    torch.testing.assert_close(found, pattern.dense(weight) @ rows)
    ours = kernels.sum_rows(rows, pattern.feature, pattern.offsets, weight)
    torch.testing.assert_close(ours, found)


def compare_products(width, device):
    pattern = pattern_of(6, 9, 0.2, device)
    left, right = matrix(6, width, 1, device), matrix(9, width, 2, device)
    found = triton_kernels.dot_rows(left, right, pattern.feature, pattern.offsets)
    torch.testing.assert_close(found, pattern.values_of(left @ right.t()), rtol=1e-4, atol=1e-4)
    ours = kernels.dot_rows(left, right, pattern.row, pattern.feature, pattern.offsets)
    torch.testing.assert_close(ours, found, rtol=1e-4, atol=1e-4)


def pattern_of(n, m, share, device):
    on = torch.rand(n, m, generator=torch.Generator().manual_seed(0)) < share
    row, feature = on.nonzero(as_tuple=True)
    return SparsePattern.from_hits(row.to(device), feature.to(device), (n, m))


def matrix(n, d, seed, device):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed)).to(device)


if __name__ == "__main__":
    main()
