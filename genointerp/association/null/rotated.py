"""Values standardised by those of their own rotations, so that what they do can be pooled."""

import numpy as np
from jaxtyping import Float64


def standardised(
    value: Float64[np.ndarray, "..."],
    null: Float64[np.ndarray, "rotation ..."],
    floor: Float64[np.ndarray, "..."] | float,
) -> Float64[np.ndarray, "..."]:
    """Return how far values lie above those of rotations that they are none of.

    Parameters
    ----------
    floor
        Smallest variance: that between independent bases, for pairs so rare that no rotation
        brings them together. It is ``1 / n`` for a correlation over n bases.

    Notes
    -----
    ``(value - mean) / sqrt((1 + 1/n) max(variance, floor))``, with the mean and the variance of n
    rotations.
    """
    n = len(null)
    variance = np.maximum(null.var(axis=0, ddof=1), floor)
    return np.asarray((value - null.mean(axis=0)) / np.sqrt((1 + 1 / n) * variance))


def scores_of_rotations(
    null: Float64[np.ndarray, "rotation ..."], floor: Float64[np.ndarray, "..."] | float
) -> Float64[np.ndarray, "rotation ..."]:
    """Return the score of each rotation against the others of its own, as `standardised`."""
    n = len(null)
    total, squares = null.sum(axis=0), (null**2).sum(axis=0)
    mean = (total - null) / (n - 1)
    variance = np.maximum((squares - null**2 - (n - 1) * mean**2) / (n - 2), floor)
    return np.asarray((null - mean) / np.sqrt(n / (n - 1) * variance))
