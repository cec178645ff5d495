"""Unions: labels that fit chooses to explain a feature together, measured on test.

A feature that fires on tRNA and on rRNA, or on one concept as sense and on another as antisense, is
described by no single concept, and yet nothing about it is unknown.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.special import ndtri

from genointerp.annotation.concepts import ConceptElements
from genointerp.association.count.hits import HitBlock, reaching_codes
from genointerp.association.count.label import Label, LabelledCells
from genointerp.core.metric import precision_gain

LOUD_BASES = 100
"""Fewest bases of fit that must be loud; if there are fewer, loud begins at a lower threshold."""

CHANCE = 0.05
"""Chance of error of the bound that chooses labels, for all labels together (Bonferroni)."""

MAX_LABELS = 8
"""Most labels in one union."""


class UnionTally(NamedTuple):
    """Counts of the loud bases of each feature on one side.

    Parameters
    ----------
    n_loud
        Number of loud bases.
    n_both
        Number of loud bases in the union.
    n_union
        Number of bases in the union.
    """

    n_loud: Int64[np.ndarray, " feature"]
    n_both: Int64[np.ndarray, " feature"]
    n_union: Int64[np.ndarray, " feature"]


class _Rest(NamedTuple):
    """What a set of labels leaves over: its combinations, and the share of each label in it."""

    combination: Bool[np.ndarray, " combination"]
    base: Float64[np.ndarray, " label"]


class UnionCounter:
    """Counter of the loud bases of features by sets of labels, on one side.

    Parameters
    ----------
    labels, n_covered
        Labels of the cells of the side, and number of its covered cells.
    """

    def __init__(self, labels: LabelledCells, n_covered: int) -> None:
        self._n_covered = n_covered
        self._has = np.ascontiguousarray(labels.members.T)
        self._size = np.bincount(labels.combination, minlength=len(self._has)).astype(np.float64)
        patches = labels.patches
        self._kind = np.zeros(len(patches), np.int64)
        self._kind[patches.of_cell] = labels.combination
        self._rests: dict[tuple[int, ...], _Rest] = {}

    def choose(
        self,
        block: HitBlock,
        thresholds: Float64[np.ndarray, " feature"],
        is_known: Bool[np.ndarray, " label"],
    ) -> Bool[np.ndarray, "feature label"]:
        """Choose, on fit, the labels whose union explains where each feature is loud.

        Parameters
        ----------
        thresholds
            Threshold from which each feature is loud.
        is_known
            Whether each label may explain a feature.

        Notes
        -----
        Labels are chosen one after another, at most `MAX_LABELS`: each time the one with the
        highest lower bound of ``(r - b) / (1 - b)``, the first among ties, while the bound is above
        0. Of the loud bases in none of the labels chosen before, r is the share in the label; of
        all bases in none of these, b is the share in the label. Observations are patches, which are
        cells of the same elements. Let n_i be the number of loud bases on the i-th of M patches,
        and m_i 1 if this patch is in the label and 0 if not. One more patch of mean size outside
        the label stands for what was not seen. Then, with ``N = sum n_i`` over all of these,
        ``r = sum m_i n_i / N`` and ``SE^2 = (M + 1) / M sum n_i^2 (m_i - r)^2 / N^2``, the variance
        of a ratio. The bound is that of ``r - z SE``, where z is the normal quantile of `CHANCE`
        over the number of labels.
        """
        z = -float(ndtri(CHANCE / max(int(is_known.sum()), 1)))
        chosen = np.zeros((block.n_features, len(is_known)), dtype=np.bool_)
        for feature, n in self._count(block, thresholds):
            hit = np.flatnonzero(n)
            chosen[feature, self._choose(n[hit], self._kind[hit], is_known, z)] = True
        return chosen

    def count(
        self,
        block: HitBlock,
        thresholds: Float64[np.ndarray, " feature"],
        chosen: Bool[np.ndarray, "feature label"],
    ) -> UnionTally:
        """Count the loud bases of each feature, in all and in the union of its labels."""
        found = UnionTally(*np.zeros((3, block.n_features), np.int64))
        for feature, n in self._count(block, thresholds):
            outside = self._rest(tuple(np.flatnonzero(chosen[feature]).tolist())).combination
            found.n_loud[feature] = n.sum()
            found.n_both[feature] = n[~outside[self._kind]].sum()
            found.n_union[feature] = self._size[~outside].sum()
        return found

    def _count(
        self, block: HitBlock, thresholds: Float64[np.ndarray, " feature"]
    ) -> Iterator[tuple[int, Int64[np.ndarray, " patch"]]]:
        """Yield each feature with the number of its loud bases on every patch."""
        for feature, reach in enumerate(reaching_codes(thresholds).tolist()):
            own = slice(block.start[feature], block.stop[feature])
            loud = block.place[own][block.code[own] >= reach]
            yield feature, np.bincount(loud, minlength=len(self._kind))

    def _choose(
        self,
        n: Int64[np.ndarray, " patch"],
        kind: Int64[np.ndarray, " patch"],
        is_known: Bool[np.ndarray, " label"],
        z: float,
    ) -> list[int]:
        chosen: list[int] = []
        while len(chosen) < MAX_LABELS:
            rest = self._rest(tuple(sorted(chosen)))
            outside = rest.combination[kind]
            n, kind = n[outside], kind[outside]
            if not len(n):
                break
            low = _lower_bound(n.astype(np.float64), self._has[kind], z)
            gain = np.where(is_known, precision_gain(low, rest.base), np.nan)
            gain = np.nan_to_num(gain, nan=-1.0)
            best = int(np.argmax(gain))
            if gain[best] <= 0:
                break
            chosen.append(best)
        return chosen

    def _rest(self, chosen: tuple[int, ...]) -> _Rest:
        if chosen not in self._rests:
            outside = np.asarray(~(self._has[:, list(chosen)] > 0).any(axis=1), dtype=np.bool_)
            n_left = self._n_covered - self._size[~outside].sum()
            base = (self._size * outside) @ self._has / max(n_left, 1.0)
            self._rests[chosen] = _Rest(outside, np.minimum(base, 1.0))
        return self._rests[chosen]


def known_labels(
    names: Sequence[Label], elements: Sequence[ConceptElements]
) -> Bool[np.ndarray, " label"]:
    """Return which labels may explain: those of all concepts except absences."""
    absent = {
        name for own in elements for name, it in own.concepts.items() if it.bases == "outside"
    }
    return np.array([label.concept not in absent for label in names], dtype=np.bool_)


def loud_level(
    n_feature: Int64[np.ndarray, "feature level"], half: int
) -> Int64[np.ndarray, " feature"]:
    """Return the level from which each feature is loud.

    It is the highest level up to ``half`` that detects `LOUD_BASES` bases on fit, and the lowest
    level if none does.
    """
    n_enough = np.count_nonzero(n_feature[:, : half + 1] >= LOUD_BASES, axis=1)
    return np.asarray(np.maximum(n_enough - 1, 0), dtype=np.int64)


def _lower_bound(
    n: Float64[np.ndarray, " patch"], has: Float64[np.ndarray, "patch label"], z: float
) -> Float64[np.ndarray, " label"]:
    """Return the lower bound of the share of each label among the bases of patches."""
    more = n.mean()
    total = n.sum() + more
    share = n @ has / total
    squares = (n**2) @ has * (1 - 2 * share) + (n @ n + more**2) * share**2
    error = np.sqrt(np.maximum(squares, 0) * (len(n) + 1) / len(n)) / total
    return np.asarray(share - z * error, dtype=np.float64)
