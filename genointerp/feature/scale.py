"""How strongly features fire on a genome. Torch-free."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from genointerp.sae.header import SCALE_QUANTILE
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
        The 99.9th percentile of the activations above 0 of each feature, linearly interpolated;
        NaN for a feature that fires nowhere.

    Raises
    ------
    UnknownNameError
        If the dictionary has no such feature.
    """
    wanted = range(store.n_features) if features is None else features
    scale = np.full(len(wanted), np.nan)
    for number, feature in enumerate(wanted):
        fires = np.concatenate([store.feature(feature, strand).value for strand in STRANDS])
        if len(fires):
            scale[number] = np.quantile(fires.astype(np.float64), SCALE_QUANTILE)
    return scale
