"""The share of G and C in the bases before one."""

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from genointerp.store.feature.store import ReadStrand

GC_WINDOW = 50
"""Bases up to and including one, on the strand that is read, whose GC content is meant."""


def count_gc(codes: UInt8[np.ndarray, " row"]) -> Int64[np.ndarray, " edge"]:
    """Return the number of G and C before each base, and before the end."""
    is_gc = (codes == 1) | (codes == 2)
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(is_gc, dtype=np.int64)])


def gc_share(
    counted: Int64[np.ndarray, " edge"], rows: Int64[np.ndarray, " base"], strand: ReadStrand
) -> Float64[np.ndarray, " base"]:
    """Return the share of G and C among the `GC_WINDOW` bases that end at each base.

    Unknown bases, and what would lie beyond an end, are neither G nor C, and count.

    Parameters
    ----------
    counted
        What `count_gc` returns of the forward strand.
    rows
        Bases, 0-based on the forward strand.
    strand
        Strand that is read, to which "end" refers.
    """
    n = len(counted) - 1
    low = rows - GC_WINDOW + 1 if strand == "+" else rows
    high = np.clip(low + GC_WINDOW, 0, n)
    return np.asarray((counted[high] - counted[np.clip(low, 0, n)]) / GC_WINDOW, dtype=np.float64)


def gc_before(codes: UInt8[np.ndarray, " bp"]) -> Float64[np.ndarray, " bp"]:
    """Return `gc_share` of all bases of a sequence in reading direction.

    NaN where fewer than `GC_WINDOW` bases have been read.
    """
    share = gc_share(count_gc(codes), np.arange(len(codes)), "+")
    share[: GC_WINDOW - 1] = np.nan
    return share
