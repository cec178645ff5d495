"""Score detectors that have a value at every base, such as neurons, components and probes.

Their values are rounded to float16, as those of features are, so there are 65,536 possible values.
A histogram over all bases and one over those of a label then give every threshold and the ROC curve
exactly. Values are counted in blocks and discarded, so the memory does not grow with the genome.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8, UInt16

from genointerp.association.baseline.dense import DenseSide
from genointerp.core import metric

LEVELS = 1 << 16
"""Number of keys: the values of float16, numbered in ascending order."""

_TAIL = np.logspace(-5, -2, 25)
_MIDDLE = np.linspace(0.02, 0.98, 49)
SHARES = np.concatenate([[0.0], _TAIL, _MIDDLE, 1 - _TAIL[::-1]])
"""Shares of rows below the thresholds tried to choose a column; dense at both ends."""


class DenseScore(NamedTuple):
    """Scores of a detector at the threshold chosen on fit; those after ``f1_fit`` are of test."""

    threshold: float
    f1_fit: float
    precision: float
    recall: float
    f1: float
    auroc: float
    average_precision: float
    mcc: float


UNDEFINED = DenseScore(*[float("nan")] * 8)


class SignedColumn(NamedTuple):
    """A column of a matrix of detectors; with ``sign`` 1 high values detect, with -1 low ones."""

    column: int
    sign: int


def value_keys(values: Float32[np.ndarray, "*shape"]) -> UInt16[np.ndarray, "*shape"]:
    """Round values to float16, clipped to its range, and number them in ascending order.

    Examples
    --------
    >>> value_keys(np.array([-1, -0.0, 0, 1], np.float32)).tolist()
    [17407, 32768, 32768, 48128]
    """
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)
    return np.asarray(_KEYS[half.view(np.uint16)], dtype=np.uint16)


def _keys() -> UInt16[np.ndarray, " bits"]:
    """Return the key of each bit pattern of float16."""
    bits = np.arange(LEVELS, dtype=np.uint16)
    bits[0x8000] = 0  # minus zero
    bits[0x7C00:0x8000], bits[0xFC00:] = 0x7BFF, 0xFBFF  # beyond the largest
    return np.where(bits >> 15, ~bits, bits | np.uint16(0x8000)).astype(np.uint16)


_KEYS = _keys()


def key_values(keys: UInt16[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    """Return the exact values of keys."""
    bits = np.where(keys >> 15, keys & np.uint16(0x7FFF), ~keys).astype(np.uint16)
    return np.asarray(bits.view(np.float16), dtype=np.float64)


class DenseCounts:
    """Histograms of the values of several detectors: over all bases, and over those of a label.

    Parameters
    ----------
    label
        Label of each detector.
    """

    def __init__(self, label: Int64[np.ndarray, " detector"]) -> None:
        self.label = label
        self.n_all = np.zeros((len(label), LEVELS), dtype=np.int64)
        self.n_both = np.zeros((len(label), LEVELS), dtype=np.int64)

    def add(
        self,
        values: Float32[np.ndarray, "row detector"],
        truth: Bool[np.ndarray, "row label"],
    ) -> None:
        """Count the values at some bases."""
        positive = [np.flatnonzero(column) for column in np.ascontiguousarray(truth.T)]
        for detector, label in enumerate(self.label.tolist()):
            key = value_keys(np.ascontiguousarray(values[:, detector]))
            self.n_all[detector] += np.bincount(key, minlength=LEVELS)
            self.n_both[detector] += np.bincount(key[positive[label]], minlength=LEVELS)

    def thresholds(self) -> tuple[Int64[np.ndarray, " detector"], Float64[np.ndarray, " detector"]]:
        """Return for each detector the key with the highest F1, the lowest among ties, and the F1.

        If the label has no base they are -1 and NaN.
        """
        found = [self._threshold(detector) for detector in range(len(self.label))]
        keys, f1 = zip(*found, strict=True) if found else ((), ())
        return np.array(keys, dtype=np.int64), np.array(f1, dtype=np.float64)

    def _threshold(self, detector: int) -> tuple[int, float]:
        detected, both = _from(self.n_all[detector]), _from(self.n_both[detector])
        if not both[0]:
            return -1, float("nan")
        f1 = metric.f1(both, detected, both[:1])
        # a key without bases detects the same bases as the next key that has one
        f1[self.n_all[detector] == 0] = -1.0
        best = int(np.argmax(f1))
        return best, float(f1[best])

    def score(
        self, keys: Int64[np.ndarray, " detector"], f1_fit: Float64[np.ndarray, " detector"]
    ) -> list[DenseScore]:
        """Score each detector at its key; the counts must be those of test."""
        return [
            self._score(detector, int(key), float(f1))
            for detector, (key, f1) in enumerate(zip(keys, f1_fit, strict=True))
        ]

    def _score(self, detector: int, key: int, f1_fit: float) -> DenseScore:
        if key < 0:
            return UNDEFINED
        n_all, n_both = self.n_all[detector], self.n_both[detector]
        positive, covered = n_both.sum(keepdims=True), int(n_all.sum())
        threshold = float(key_values(np.array(key, np.uint16)))
        if not positive[0]:
            return UNDEFINED._replace(threshold=threshold, f1_fit=f1_fit)
        both, detected = _from(n_both), _from(n_all)
        here = slice(key, key + 1)
        # bases with the same value are detected together
        precisions = np.nan_to_num(metric.precision(both, detected))
        precision_sum = np.array([float(n_both @ precisions)])
        return DenseScore(
            threshold=threshold,
            f1_fit=f1_fit,
            precision=float(metric.precision(both[here], detected[here])[0]),
            recall=float(metric.recall(both[here], positive)[0]),
            f1=float(metric.f1(both[here], detected[here], positive)[0]),
            auroc=metric.auroc_of_counts(n_both, n_all - n_both),
            average_precision=float(metric.average_precision(precision_sum, positive)[0]),
            mcc=float(metric.mcc(both[here], detected[here], positive, covered)[0]),
        )


ValuesOn = Callable[
    [DenseSide],
    Iterable[tuple[Int64[np.ndarray, " row"], Float32[np.ndarray, "row detector"]]],
]
"""Function that yields the cells of a side, each once, and the detectors' values, in blocks."""


def score_values(
    values_on: ValuesOn, label: Int64[np.ndarray, " detector"], fit: DenseSide, test: DenseSide
) -> list[DenseScore]:
    """Choose the threshold of each detector for its label on fit, and score it on test."""
    keys, f1_fit = count_values(values_on, label, fit).thresholds()
    return count_values(values_on, label, test).score(keys, f1_fit)


def count_values(
    values_on: ValuesOn, label: Int64[np.ndarray, " detector"], side: DenseSide
) -> DenseCounts:
    """Count the values of detectors on one side."""
    counts = DenseCounts(label)
    for cell, values in values_on(side):
        counts.add(values, side.truth(cell))
    return counts


def choose_columns(
    matrix: Float32[np.ndarray, "row column"], cell: Int64[np.ndarray, " row"], side: DenseSide
) -> list[SignedColumn]:
    """Choose for each label the column and sign with the highest F1 on these rows of fit.

    The thresholds tried lie at `SHARES` of the rows.
    """
    labels = side.labels
    combination = labels.combination[cell].astype(np.int64)
    n_combinations, n_levels = labels.members.shape[1], len(SHARES)
    best = np.full(len(labels.names), -1.0)
    chosen = [SignedColumn(0, 1)] * len(labels.names)
    for column in range(matrix.shape[1]):
        level = _levels(value_keys(np.ascontiguousarray(matrix[:, column])))
        key = combination * n_levels + level
        table = np.bincount(key, minlength=n_combinations * n_levels)
        table = table.reshape(n_combinations, n_levels)
        by_label = np.rint(labels.members @ table.astype(np.float64)).astype(np.int64)
        positive, size = by_label.sum(axis=1), table.sum(axis=0)
        for sign in (1, -1):
            both, detected = _from(by_label[:, ::sign]), _from(size[::sign])
            f1 = metric.f1(both, detected[None, :], positive[:, None])
            top = np.nan_to_num(f1).max(axis=1)
            for label in np.flatnonzero(top > best).tolist():
                chosen[label] = SignedColumn(column, sign)
            best = np.maximum(best, top)
    return chosen


def _levels(key: UInt16[np.ndarray, " row"]) -> UInt8[np.ndarray, " row"]:
    """Return for each row the last of `SHARES` not above the share of rows with lower values."""
    count = np.bincount(key, minlength=LEVELS)
    below = (np.cumsum(count) - count) / max(len(key), 1)
    level = np.searchsorted(SHARES, below, side="right") - 1
    return np.asarray(level.astype(np.uint8)[key], dtype=np.uint8)


def _from(counts: Int64[np.ndarray, "*some level"]) -> Int64[np.ndarray, "*some level"]:
    """Return the counts at each level and above."""
    return np.asarray(counts[..., ::-1].cumsum(axis=-1)[..., ::-1], dtype=np.int64)
