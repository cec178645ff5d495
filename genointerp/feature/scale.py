"""Measure how strongly features fire on a genome. Torch-free."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from genointerp.core.metric import activation_scale
from genointerp.store.feature.store import STRANDS, FeatureStore


def measure_scale(
    store: FeatureStore, features: Sequence[int] | None = None
) -> Float64[np.ndarray, " feature"]:
    """Return the scale of features on a genome, over both strands.

    It can replace scales that training did not measure: ``replace(dictionary, scales=...)``.

    Parameters
    ----------
    features
        Indices of features, in the order of the result; None means all features.

    Returns
    -------
    array
        The `genointerp.core.metric.activation_scale` of each feature; NaN for one that fires
        nowhere.

    Raises
    ------
    UnknownNameError
        If the dictionary has no such feature.
    """
    wanted = range(store.n_features) if features is None else features
    values = (
        np.concatenate([store.feature(feature, strand).value for strand in STRANDS])
        for feature in wanted
    )
    return np.array([activation_scale(value) for value in values])
