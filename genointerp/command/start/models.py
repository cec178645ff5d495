"""`models`: the models that can be named."""

import pandas as pd

from genointerp.model.listing import list_models


def models() -> pd.DataFrame:
    """Return a row for each model that can be named, with what it still needs here.

    The columns are those of :func:`genointerp.model.listing.list_models`.

    Examples
    --------
    >>> import genointerp as gi
    >>> gi.models()["name"].tolist()[:2]
    ['nano', 'small']
    """
    return list_models()
