"""How data are divided: blocks that are held out whole, pieces that are read together."""

from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Int64

from genointerp.core.errors import InputError
from genointerp.core.seed import rng

LEAST_BLOCKS = 20
"""Fewest blocks: they are made smaller until there are so many, if the data allow."""


def held_out_blocks(n_blocks: int, share: float, *, seed: int) -> Bool[np.ndarray, " block"]:
    """Choose the blocks to hold out: ``share`` of them, rounded, at least one and never all.

    Raises
    ------
    InputError
        If there are fewer than two.

    Examples
    --------
    >>> int(held_out_blocks(40, 0.1, seed=0).sum())
    4
    """
    if n_blocks < 2:
        raise InputError("activations", "two blocks at least, one to hold out", str(n_blocks))
    chosen = np.zeros(n_blocks, dtype=np.bool_)
    n_chosen = min(max(round(share * n_blocks), 1), n_blocks - 1)
    chosen[rng(seed, "held-out blocks").permutation(n_blocks)[:n_chosen]] = True
    return chosen


def shuffled_groups(
    n_rows: Int64[np.ndarray, " piece"], size: int, *, seed: int, purpose: str
) -> list[Int64[np.ndarray, " chosen"]]:
    """Deal pieces, in a random order, into groups of about equally many rows, at most ``size``.

    A group may exceed ``size`` by less than its last piece. No group is much smaller than the
    others, since it would be mixed from few places.
    """
    order = rng(seed, f"order of {purpose}").permutation(len(n_rows))
    before = np.concatenate([[0], np.cumsum(n_rows[order])])
    n_groups = -(-int(before[-1]) // size)
    group = before[:-1] * n_groups // max(int(before[-1]), 1)
    edges = np.searchsorted(group, np.arange(n_groups + 1))
    return [order[first:stop] for first, stop in pairwise(edges)]
