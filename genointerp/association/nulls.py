"""What the tested pairs reach by chance: columns of associations, from both nulls."""

import logging
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64

from genointerp.annotation.concepts import ConceptElements
from genointerp.association.config import AssociateConfig
from genointerp.association.label import LabelledCells
from genointerp.association.matched import MIN_SHARE, MatchedCounts, MatchedNull
from genointerp.association.significance import (
    MaxStatistic,
    ShiftNull,
    benjamini_hochberg,
    draw_shifts,
    p_value,
)
from genointerp.association.universe import Universe
from genointerp.genome.genome import Genome
from genointerp.store.features import FeatureStore

_log = logging.getLogger(__name__)

NULL_QUANTILE = 0.95
"""Quantile of the F1s of a null that the table gives: what one pair in twenty reaches by chance.

Their mean would be a weaker bar: half of all pairs that mean nothing are above it.
"""


class PairNulls:
    """The nulls of a family of pairs, which is complete when every tested pair was added.

    Parameters
    ----------
    stores, elements, universe, labels
        Of test.
    sequences
        The genome of each store; without them the matched background is undefined.
    """

    def __init__(
        self,
        stores: Sequence[FeatureStore],
        elements: Sequence[ConceptElements],
        universe: Universe,
        labels: LabelledCells,
        config: AssociateConfig,
        *,
        sequences: Sequence[Genome] | None = None,
    ) -> None:
        self._labels = labels
        shifts = draw_shifts(universe.n_bp, config.n_shifts, seed=config.seed)
        self._shifted = ShiftNull(labels, universe.n_bp, shifts)
        self._largest = MaxStatistic(shifts.n)
        self._matched: MatchedNull | None = None
        if sequences is not None:
            self._matched = MatchedNull(stores, elements, universe, sequences, config)
        shape = (stores[0].n_features, len(labels.names))
        self._statistic = np.full(shape, np.nan)
        self._null_f1 = np.full(shape, np.nan)
        self._p_value = np.full(shape, np.nan)
        self._null_f1_matched = np.full(shape, np.nan)
        self._p_matched = np.full(shape, np.nan)
        self._share = np.full(shape, np.nan)

    def add(self, pair: tuple[int, int], cells: Int64[np.ndarray, " hit"], n_both: int) -> None:
        """Test a feature and a label, given the cells it detects and how many are the label's."""
        label = pair[1]
        both = self._shifted.count(cells, label)
        self._statistic[pair] = self._largest.add(n_both, both)
        self._p_value[pair] = p_value(n_both, both)
        self._null_f1[pair] = _f1_quantile(both, len(cells) + int(self._labels.n_positive[label]))
        if self._matched is not None:
            self._add_matched(self._matched, pair, cells)

    def _add_matched(
        self, matched: MatchedNull, pair: tuple[int, int], cells: Int64[np.ndarray, " hit"]
    ) -> None:
        label = self._labels.names[pair[1]]
        counts: MatchedCounts | None = matched.count(cells, label)
        if np.isnan(self._share[:, pair[1]]).all() and counts is None:
            share = matched.sets(label).share
            message = "%s (%s): %.0f %% of the elements on test have a matched background, %s"
            _log.warning(message, *label, 100 * share, f"fewer than {MIN_SHARE:.0%}: not tested")
        self._share[pair] = matched.sets(label).share
        if counts is not None:
            self._p_matched[pair] = p_value(counts.observed, counts.null)
            sizes = len(cells) + counts.n_concept
            self._null_f1_matched[pair] = _f1_quantile(counts.null, sizes)

    def columns(self) -> dict[str, Float64[np.ndarray, "feature label"]]:
        """Return the columns of associations that they fill; NaN for pairs not tested."""
        return {
            "null_f1": self._null_f1,
            "p_value": self._p_value,
            "q_value": _corrected(self._p_value),
            "p_max": self._largest.p_values(self._statistic),
            "null_f1_matched": self._null_f1_matched,
            "p_matched": self._p_matched,
            "q_matched": _corrected(self._p_matched),
            "matched_share": self._share,
        }


def _f1_quantile(n_both: Int64[np.ndarray, " draw"], sizes: int) -> float:
    """Return `NULL_QUANTILE` of ``2 n_both / (n_feature + n_concept)``."""
    return float(np.quantile(2 * n_both / sizes, NULL_QUANTILE))


def _corrected(
    p: Float64[np.ndarray, "feature label"],
) -> Float64[np.ndarray, "feature label"]:
    return benjamini_hochberg(p.ravel()).reshape(p.shape)
