"""Columns of associations that come from the two nulls of the tested pairs."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from genointerp.association.config import AssociateConfig
from genointerp.association.count.hits import Detections
from genointerp.association.count.label import LabelledCells
from genointerp.association.count.universe import Universe
from genointerp.association.null.matched import MIN_SHARE, MatchedNull
from genointerp.association.null.max_statistic import MaxStatistic
from genointerp.association.null.significance import (
    NullCounts,
    ShiftNull,
    benjamini_hochberg,
    draw_shifts,
    p_values,
)
from genointerp.feature.specimen import Specimen

_log = logging.getLogger(__name__)

NULL_QUANTILE = 0.95
"""Quantile of the F1s under a null that the table states: one pair in twenty exceeds it by chance.

The mean would be a weaker bar, since about half of all meaningless pairs exceed it.
"""


class UnionNulls(NamedTuple):
    """p-value and q-value of the union of each feature; NaN if it was not tested."""

    p_value: Float64[np.ndarray, " feature"]
    q_value: Float64[np.ndarray, " feature"]


class PairNulls:
    """Nulls of a family of pairs; results are valid once every tested pair was added.

    Parameters
    ----------
    specimens
        Genomes with the features of one dictionary; with their sequences if ``matched``.
    universe, labels
        Universe and labels of test.
    matched
        Whether to draw the matched background; its columns are NaN otherwise.
    """

    def __init__(
        self,
        specimens: Sequence[Specimen],
        universe: Universe,
        labels: LabelledCells,
        config: AssociateConfig,
        *,
        matched: bool,
    ) -> None:
        self._labels = labels
        shifts = draw_shifts(universe.n_bp, config.n_shifts, seed=config.seed)
        self._shifted = ShiftNull(labels, universe.n_bp, shifts)
        self._largest = MaxStatistic()
        self._added: list[tuple[Int64[np.ndarray, " detector"], int]] = []
        self._matched: MatchedNull | None = None
        if matched:
            self._matched = MatchedNull(specimens, universe, config)
        shape = (specimens[0].features.n_features, len(labels.names))
        self._null_f1 = np.full(shape, np.nan)
        self._p_value = np.full(shape, np.nan)
        self._null_f1_matched = np.full(shape, np.nan)
        self._p_matched = np.full(shape, np.nan)
        self._share = np.full(shape, np.nan)
        self._union_p = np.full(shape[0], np.nan)

    def add(
        self,
        features: Int64[np.ndarray, " detector"],
        label: int,
        detected: Detections,
        n_detected: Int64[np.ndarray, " detector"],
        n_both: Int64[np.ndarray, " detector"],
    ) -> None:
        """Test several features against one label.

        Parameters
        ----------
        detected, n_detected, n_both
            Cells that each feature detects, their number, and the number of them in the label.
        """
        counts = self._shifted.count(detected, label)
        self._largest.add(counts)
        self._added.append((features, label))
        self._p_value[features, label] = p_values(counts)
        sizes = n_detected + self._labels.n_positive[label]
        self._null_f1[features, label] = _f1_quantiles(counts, sizes)
        if self._matched is not None:
            self._add_matched(self._matched, features, label, detected, sizes, n_both)

    def add_unions(
        self,
        features: Int64[np.ndarray, " detector"],
        labels: tuple[int, ...],
        detected: Detections,
    ) -> None:
        """Test several features against the union of labels, from the cells where they are loud."""
        self._union_p[features] = p_values(self._shifted.count_union(detected, labels))

    def unions(self) -> UnionNulls:
        """Return the results of the unions, which are a family of tests of their own."""
        return UnionNulls(self._union_p, benjamini_hochberg(self._union_p))

    def _add_matched(
        self,
        matched: MatchedNull,
        features: Int64[np.ndarray, " detector"],
        label: int,
        detected: Detections,
        sizes: Int64[np.ndarray, " detector"],
        n_both: Int64[np.ndarray, " detector"],
    ) -> None:
        name = self._labels.names[label]
        sets, counts = matched.sets(name), matched.count(detected, name)
        if np.isnan(self._share[:, label]).all() and counts is None:
            message = "%s (%s): %.0f %% of the elements on test have a matched background, %s"
            _log.warning(
                message, *name, 100 * sets.share, f"fewer than {MIN_SHARE:.0%}: not tested"
            )
        self._share[features, label] = sets.share
        if counts is not None:
            self._p_matched[features, label] = p_values(counts)
            # the F1 is of all elements, so those without a background stay in place
            stay = (n_both - counts.observed)[:, None]
            exchanged = NullCounts(n_both, np.maximum(stay + counts.null, 0))
            self._null_f1_matched[features, label] = _f1_quantiles(exchanged, sizes)

    def columns(self) -> dict[str, Float64[np.ndarray, "feature label"]]:
        """Return the columns of associations from the nulls; NaN for pairs that were not tested."""
        p_max = np.full(self._p_value.shape, np.nan)
        found, upto = self._largest.p_values(), 0
        for features, label in self._added:
            p_max[features, label] = found[upto : upto + len(features)]
            upto += len(features)
        return {
            "null_f1": self._null_f1,
            "p_value": self._p_value,
            "q_value": _corrected(self._p_value),
            "p_max": p_max,
            "null_f1_matched": self._null_f1_matched,
            "p_matched": self._p_matched,
            "q_matched": _corrected(self._p_matched),
            "matched_share": self._share,
        }


def _f1_quantiles(
    counts: NullCounts, sizes: Int64[np.ndarray, " detector"]
) -> Float64[np.ndarray, " detector"]:
    """Return `NULL_QUANTILE` of ``2 n_both / (n_feature + n_concept)``."""
    f1 = 2 * counts.null / sizes[:, None]
    return np.asarray(np.quantile(f1, NULL_QUANTILE, axis=1), dtype=np.float64)


def _corrected(
    p: Float64[np.ndarray, "feature label"],
) -> Float64[np.ndarray, "feature label"]:
    return benjamini_hochberg(p.ravel()).reshape(p.shape)
