"""Means over features, with their intervals."""

import numpy as np
from jaxtyping import Float64

from genointerp.core.seed import rng


def mean_known(values: Float64[np.ndarray, " value"]) -> float:
    """Return the mean of the values that are known; NaN if none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def mean_interval(
    values: Float64[np.ndarray, " value"], *, n_draws: int, seed: int, purpose: str
) -> tuple[float, float]:
    """Return the 95 % percentile interval of the mean over values drawn with replacement.

    Parameters
    ----------
    values
        All known; NaN is returned if there are none.
    """
    if not len(values):
        return float("nan"), float("nan")
    chosen = rng(seed, purpose).integers(len(values), size=(n_draws, len(values)))
    low, high = np.quantile(values[chosen].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)
