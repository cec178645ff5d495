"""Sums of the weights of edges into one feature, by source and by lag, and their null."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float64, Int64

from genointerp.wiring.wires import agreement

ERROR = -1
"""Number that stands for the error in place of a source feature."""

_TESTED = 0.25
"""Share of the targets for which a source must fire in a bin; a rarer edge is not tested."""
_NEAR, _FAR = 12, 128
"""Lags at which the shares of a target are divided: one turn of DNA, and an MR filter of Evo 2."""


def lag_bin(lag: Int64[np.ndarray, " node"]) -> Int64[np.ndarray, " node"]:
    """Return the number of the bin of each lag: 0, 1, 2, 3-4, 5-8, 9-16, and so on.

    Examples
    --------
    >>> lag_bin(np.array([0, 1, 2, 3, 4, 5, 8, 9, 128])).tolist()
    [0, 1, 2, 3, 3, 4, 4, 5, 8]
    """
    found = np.ceil(np.log2(np.maximum(lag, 1))).astype(np.int64) + 1
    return np.where(lag < 1, 0, found)


def lags_of(number: int) -> tuple[int, int]:
    """Return the first and the last lag of a bin."""
    return (2 ** (number - 2) + 1, 2 ** (number - 1)) if number > 1 else (number, number)


@dataclass
class EdgeTally:
    """Sums over the targets of one feature; keys are (source feature, bin), the error last."""

    feature: int
    n_sources: int
    n_bins: int
    n_null: int
    n_targets: int = 0
    n_windows: int = 0
    activation: float = 0.0
    checked: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        n_keys = (self.n_sources + 1) * self.n_bins
        self.total, self.absolute = np.zeros(n_keys), np.zeros(n_keys)
        self.n_with = np.zeros(n_keys, dtype=np.int64)
        self.null = np.zeros((n_keys, self.n_null), dtype=np.float32)
        self.by_lag = np.zeros(4)

    def add(
        self,
        key: Int64[np.ndarray, " node"],
        lag: Int64[np.ndarray, " node"],
        weight: Float64[np.ndarray, " node"],
    ) -> None:
        """Add the weights of all nodes below for one target."""
        self.total += np.bincount(key, weight, minlength=len(self.total))
        self.absolute += np.bincount(key, np.abs(weight), minlength=len(self.total))
        self.n_with[np.unique(key)] += 1
        part = np.searchsorted([1, _NEAR + 1, _FAR + 1], lag, side="right")
        self.by_lag += np.bincount(part, np.abs(weight), minlength=4)

    def edges(self) -> pd.DataFrame:
        """Return all edges that were measured, without q-values."""
        key = np.flatnonzero(self.n_with)
        source, number = key // self.n_bins, key % self.n_bins
        is_error = source == self.n_sources
        null = np.abs(self.null[key])
        lags = np.array([lags_of(one) for one in number.tolist()], dtype=np.int64).reshape(-1, 2)
        n, absolute = max(self.n_targets, 1), self.absolute[key]
        tested = ~is_error & (self.n_with[key] >= _TESTED * self.n_targets)
        return pd.DataFrame(
            {
                "target": self.feature,
                "source": np.where(is_error, ERROR, source),
                "lag_first": lags[:, 0],
                "lag_last": lags[:, 1],
                "n_tokens": self.n_with[key],
                "weight": self.total[key] / n,
                "weight_null": np.where(is_error, np.nan, np.quantile(null, 0.95, axis=1) / n),
                "p_value": _p_values(np.abs(self.total[key]), null, tested),
                "sign": _ratio(np.abs(self.total[key]), absolute),
                "share": _ratio(absolute, self.absolute.sum()),
            }
        )

    def row(self) -> dict[str, Any]:
        """Return the row of ``EDGE_TARGETS``, without the sites."""
        by_source = self.absolute.reshape(self.n_sources + 1, self.n_bins).sum(1)
        ordered = np.sort(by_source[:-1])[::-1]
        enough = np.searchsorted(np.cumsum(ordered), 0.8 * ordered.sum())
        mean = 1 / self.n_targets if self.n_targets else np.nan
        total = self.total.reshape(self.n_sources + 1, self.n_bins).sum(1)
        r, slope = agreement(np.array(self.checked).reshape(-1, 2))
        shares = _ratio(self.by_lag, self.by_lag.sum())
        return {
            "target": self.feature,
            "n_tokens": self.n_targets,
            "n_windows": self.n_windows,
            "activation": self.activation * mean,
            "weight": total[:-1].sum() * mean,
            "error": total[-1] * mean,
            "error_share": float(_ratio(by_source[-1], by_source.sum())),
            "n_sources": int(enough) + 1 if ordered.sum() else 0,
            **dict(zip(("lag_0", "lag_near", "lag_far", "lag_beyond"), shares, strict=True)),
            "n_ablated": len(self.checked),
            "r": r,
            "slope": slope,
        }


def _p_values(
    weight: Float64[np.ndarray, " edge"],
    null: Float[np.ndarray, "edge draw"],
    tested: Bool[np.ndarray, " edge"],
) -> Float64[np.ndarray, " edge"]:
    """Return the share of the null of all tested edges, each in its own units, that is as large."""
    found = np.full(len(weight), np.nan)
    unit = np.sqrt((null[tested].astype(np.float64) ** 2).mean(1))
    unit = np.maximum(unit, np.finfo(np.float64).tiny)
    pooled = np.sort((null[tested] / unit[:, None]).ravel())
    as_large = len(pooled) - np.searchsorted(pooled, weight[tested] / unit)
    found[tested] = (1 + as_large) / (1 + len(pooled))
    return found


def _ratio(part: Any, whole: Any) -> Any:  # noqa: ANN401 - numbers or arrays
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=np.asarray(whole) > 0)
