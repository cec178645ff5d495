"""Amounts of all features, read again at a site of the parent and of what became of it."""

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from genointerp.reading.tokens import TokenBatch
from genointerp.sae.dictionary import Dictionary
from genointerp.store.table.schema.editing import EDIT_FEATURES
from genointerp.store.table.table import conform


class RunningAmounts:
    """Mean amounts and densities of features, window by window, under three models.

    They are numbered in the order of the columns of ``EDIT_FEATURES``: the parent, the parent under
    the edit of activations, and the edited model.
    """

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self._means: list[list[Float64[np.ndarray, " n_features"]]] = [[], [], []]
        self._fires: list[list[Float64[np.ndarray, " n_features"]]] = [[], [], []]

    def add(self, model: int, x: Float[Tensor, "batch token d"], batch: TokenBatch) -> None:
        """Add the kept tokens of a batch."""
        dictionary = self._dictionary.to(x.device)
        for row, read in zip(x, batch.windows, strict=True):
            amounts = dictionary.amounts(row[torch.from_numpy(read.begun).to(row.device)].float())
            if len(amounts):
                self._means[model].append(amounts.double().mean(0).cpu().numpy())
                self._fires[model].append((amounts > 0).double().mean(0).cpu().numpy())

    def table(self) -> pd.DataFrame:
        """Return a row for each feature, as a table of the schema ``EDIT_FEATURES``."""
        means = [np.stack(one) for one in self._means]
        density = [np.stack(one).mean(0) for one in self._fires]
        columns = [
            np.arange(means[0].shape[1]),
            *density,
            *(one.mean(0) for one in means),
            *(_z(one - means[0]) for one in means[1:]),
        ]
        frame = pd.DataFrame(dict(zip(EDIT_FEATURES.names, columns, strict=True)))
        return conform(frame, EDIT_FEATURES, where="features under an edit")


def _z(
    change: Float64[np.ndarray, "window n_features"],
) -> Float64[np.ndarray, " n_features"]:
    """Return the mean over windows over its standard error; NaN where all windows are equal."""
    found = np.full(change.shape[1], np.nan)
    if len(change) > 1:
        error = change.std(0, ddof=1) / np.sqrt(len(change))
        np.divide(change.mean(0), error, out=found, where=error > 0)
    return found
