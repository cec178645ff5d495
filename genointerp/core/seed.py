"""Random numbers: every stochastic function draws from a stream named by its purpose."""

import hashlib

import numpy as np


def derive_seed(seed: int, purpose: str) -> int:
    """Return a 63-bit seed for one purpose, independent of the seeds of other purposes."""
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def rng(seed: int, purpose: str) -> np.random.Generator:
    """Return numpy's generator for one purpose.

    Examples
    --------
    >>> bool(rng(0, "shift").integers(1000) == rng(0, "shift").integers(1000))
    True
    """
    return np.random.default_rng(derive_seed(seed, purpose))
