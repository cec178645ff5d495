"""How strongly features fire on a genome. Torch-free."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from genointerp.core.metric import activation_scale
from genointerp.store.feature.store import STRANDS, FeatureStore


def measure_scale(
    store: FeatureStore, features: Sequence[int] | None = None
) -> Float64[np.ndarray, " feature"]:
    """Return the scale of features on a genome, both strands together.

    It may stand for what training did not measure: ``replace(dictionary, scales=...)``.

    Parameters
    ----------
    features
        Those that are wanted, in this order; every feature where None.

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
