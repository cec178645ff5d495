"""Compare the directions of features: found again with another seed, or split within one."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from genointerp.core.errors import MismatchError
from genointerp.core.metric import nearest_by_cosine, unit_rows
from genointerp.core.seed import rng

_QUANTILE = 0.99


def describe_directions(
    rows: Float[np.ndarray, "n_features d_in"],
    others: Sequence[Float[np.ndarray, "_n _d"]] = (),
    *,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure how near the direction of each feature lies to other directions.

    Parameters
    ----------
    rows
        ``W_dec`` of the dictionary.
    others
        ``W_dec`` of dictionaries of the same site, trained with other seeds.

    Returns
    -------
    pandas.DataFrame
        One row per feature, in order:

        ``stability``
            The largest cosine to a direction of another dictionary, averaged over the other
            dictionaries.
        ``stability_null``
            The ``stability`` that one random direction in a hundred reaches. Each coordinate of the
            others' directions is shuffled among features by itself, which keeps the spread of every
            coordinate. The value is the same for all features.
        ``split_cosine``
            The largest cosine to another direction of the same dictionary.

        The first two are NaN without other dictionaries.

    Raises
    ------
    MismatchError
        If another dictionary reads activations of another width.
    """
    own = rows.astype(np.float64)
    stability, null = np.full(len(own), np.nan), float("nan")
    if others:
        for other in others:
            if other.shape[1] != rows.shape[1]:
                expected = f"directions {rows.shape[1]} wide"
                raise MismatchError("other dictionary", expected, str(other.shape[1]))
        stability = np.mean(
            [nearest_by_cosine(own, other.astype(np.float64)).value for other in others], axis=0
        )
        draw = rng(seed, "stability/null")
        shuffled = [draw.permuted(unit_rows(other.astype(np.float64)), axis=0) for other in others]
        reached = np.mean([nearest_by_cosine(own, other).value for other in shuffled], axis=0)
        null = float(np.quantile(reached, _QUANTILE))
    return pd.DataFrame(
        {
            "feature": np.arange(len(own)),
            "stability": stability,
            "stability_null": null,
            "split_cosine": nearest_by_cosine(own, own, is_same=True).value,
        }
    )
