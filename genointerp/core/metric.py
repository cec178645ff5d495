"""Measures that more than one package takes, each defined once.

A *detector* says yes or no of each base, or gives it a score; the *positives* are the bases that it
should find. Counts are of bases, whatever a base stands for (a token, a base on one strand, a
locus). Every measure has a defined outcome for empty counts: its limit where that is plain, else
NaN.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64, Int, Int64

Counts = Int[np.ndarray, "..."]
Scores = Float64[np.ndarray, "..."]

_ROWS = 1024
"""Rows whose cosines are held at once."""

_SCALE_QUANTILE = 0.999
"""Of the activations of a feature where it fires: its scale."""


class Match(NamedTuple):
    """For each row its best counterpart among others, and the measure by which it is the best."""

    other: Int64[np.ndarray, " row"]
    value: Float64[np.ndarray, " row"]


def share(part: Counts, whole: Counts) -> Scores:
    """Return the share of a whole, NaN where the whole is empty."""
    found = part / np.maximum(whole, 1)
    return np.where(whole > 0, found, np.nan)


def precision(n_both: Counts, n_detected: Counts) -> Scores:
    """Share of the detected bases that are positive; NaN where nothing is detected."""
    return share(n_both, n_detected)


def recall(n_both: Counts, n_positive: Counts) -> Scores:
    """Share of the positives that are detected; NaN where there are none."""
    return share(n_both, n_positive)


def f1(n_both: Counts, n_detected: Counts, n_positive: Counts) -> Scores:
    """Harmonic mean of precision and recall.

    Notes
    -----
    ``2 n_both / (n_detected + n_positive)``: 0 where nothing is detected, NaN without a positive.
    """
    score = share(2 * n_both, n_detected + n_positive)
    return np.where(n_positive > 0, score, np.nan)


def f1_always_on(n_positive: Counts, n: int) -> Scores:
    """F1 of the detector that detects every base.

    Notes
    -----
    ``2 b / (1 + b)`` at the base rate ``b = n_positive / n``; NaN without a positive, and where
    the number of bases is unknown (0).
    """
    base = n_positive / max(n, 1)
    return np.where((n_positive > 0) & (n > 0), 2 * base / (1 + base), np.nan)


def precision_gain(precision: Float[np.ndarray, "..."], base: Float[np.ndarray, "..."]) -> Scores:
    """Share of the way from the base rate to 1 that the precision goes; negative below it.

    Notes
    -----
    ``(precision - base) / (1 - base)``; NaN where every base is positive.
    """
    room = 1 - np.asarray(base, dtype=np.float64)
    gain = (precision - base) / np.where(room > 0, room, 1.0)
    return np.where(room > 0, gain, np.nan)


def mcc(n_both: Counts, n_detected: Counts, n_positive: Counts, n: int) -> Scores:
    """Correlation of detected and positive (Matthews 1975), -1 to 1.

    Notes
    -----
    ``(n b - d p) / sqrt(d (n - d) p (n - p))`` with b bases in both, d detected and p positive, of
    n. A detector that detects nothing, or everything, has no information: 0. NaN where no base or
    every base is positive.
    """
    d, p = n_detected.astype(np.float64), n_positive.astype(np.float64)
    spread = np.sqrt(d * (n - d)) * np.sqrt(p * (n - p))
    score = (n * n_both.astype(np.float64) - d * p) / np.where(spread > 0, spread, 1.0)
    known = np.where(spread > 0, score, 0.0)
    return np.where((n_positive > 0) & (n_positive < n), known, np.nan)


def average_precision(precision_sum: Scores, n_positive: Counts) -> Scores:
    """Mean, over the positives, of the precision at their score.

    Parameters
    ----------
    precision_sum
        Sum, over the positives, of the precision among the bases that score at least as high.

    Notes
    -----
    ``sum over t of (recall(t) - recall(t')) precision(t)``, t' the next higher threshold: every
    distinct score is a threshold, and the lowest, at which every base is detected, is the last.
    The detector that scores all bases the same has the base rate; NaN without a positive.
    """
    positive = np.maximum(n_positive, 1)
    return np.where(n_positive > 0, precision_sum / positive, np.nan)


def auroc(rank_sum: Scores, n_positive: Counts, n: int) -> Scores:
    """Chance that a positive scores higher than a negative; ties count half.

    It is the area under the curve of recall against the share of negatives that are detected.

    Parameters
    ----------
    rank_sum
        Sum of the ranks of the positives among all n bases, from 1; ties share their mean rank.

    Notes
    -----
    ``(R - p (p + 1) / 2) / (p (n - p))`` with the sum of ranks R of p positives (Mann and Whitney
    1947); NaN where no base or every base is positive.
    """
    positive = n_positive.astype(np.float64)
    pairs = positive * (n - positive)
    wins = rank_sum - positive * (positive + 1) / 2
    return np.where(pairs > 0, wins / np.where(pairs > 0, pairs, 1.0), np.nan)


def auroc_of_counts(
    positive: Int64[np.ndarray, " kind"],
    negative: Int64[np.ndarray, " kind"],
    *,
    score: Float[np.ndarray, " kind"] | None = None,
) -> float:
    """Return the `auroc` of kinds of bases, where the bases of one kind score the same.

    Parameters
    ----------
    positive, negative
        Number of each kind.
    score
        Of each kind; None where the kinds stand in ascending order of their scores.
    """
    if score is not None:
        _, rank = np.unique(score, return_inverse=True)
        positive, negative = (
            np.bincount(rank, weights=number).astype(np.int64) for number in (positive, negative)
        )
    ties = positive + negative
    mean_rank = np.cumsum(ties) - (ties - 1) / 2
    rank_sum = np.array(float(positive @ mean_rank))
    return float(auroc(rank_sum, np.array(positive.sum()), int(ties.sum())))


def auroc_of_values(
    positive: Float64[np.ndarray, " p"], negative: Float64[np.ndarray, " n"]
) -> float:
    """Return the `auroc` of the scores of positives and of negatives.

    Notes
    -----
    The mean, over the positives, of the share of negatives that score lower, ties half: the same
    number as from ranks, but for the last digit.
    """
    if not len(positive) or not len(negative):
        return float("nan")
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left")
    not_above = np.searchsorted(ordered, positive, side="right")
    return float((below + not_above).mean() / (2 * len(negative)))


def activation_scale(activations: Float[np.ndarray, " token"]) -> float:
    """Return how strongly a feature fires where it fires strongly; NaN if it fires nowhere.

    Notes
    -----
    The 99.9th percentile of the activations above 0, linearly interpolated, in float64.
    """
    fires = activations[activations > 0].astype(np.float64)
    return float(np.quantile(fires, _SCALE_QUANTILE)) if len(fires) else float("nan")


def information_content(
    counts: Int64[np.ndarray, "column 4"], background: Float64[np.ndarray, "4"]
) -> Float64[np.ndarray, " column"]:
    """Return the information of each column of an alignment against a background, in bits.

    It is what the bases of the column tell beyond what chance gives on average, and negative where
    they tell less; 0 for a column without bases.

    Parameters
    ----------
    counts
        Of A, C, G and T.
    background
        Their shares elsewhere.

    Notes
    -----
    ``sum_b f_b log2(f_b / q_b) - 3 / (2 ln 2 n)`` with shares f of n bases and background q. The
    second term is the mean of the first, to first order, if the bases are drawn from q (Schneider
    et al. 1986, J. Mol. Biol. 188:415; for any q, see `chance_information`).
    """
    n = counts.sum(axis=1)
    shares = counts / np.maximum(n, 1)[:, None]
    ratio = np.where(shares > 0, shares, 1.0) / background
    entropy = (shares * np.log2(ratio)).sum(axis=1)
    return np.where(n > 0, entropy - 3 / (2 * np.log(2) * np.maximum(n, 1)), 0.0)


def chance_information(
    n: Int64[np.ndarray, " column"], chi_squared: float
) -> Float64[np.ndarray, " column"]:
    """Return the `information_content` that columns of n bases of the background seldom exceed.

    NaN for a column without bases.

    Parameters
    ----------
    chi_squared
        The quantile that says how seldom, of the chi-squared distribution with 3 degrees of
        freedom: 7.81 for one column in twenty, 11.34 for one in a hundred.

    Notes
    -----
    ``(chi_squared - 3) / (2 ln 2 n)``, since ``2 n ln 2`` times the relative entropy is
    asymptotically chi-squared.
    """
    bits = (chi_squared - 3) / (2 * np.log(2) * np.maximum(n, 1))
    return np.where(n > 0, bits, np.nan)


def unit_rows(rows: Float[np.ndarray, "row d"]) -> Float[np.ndarray, "row d"]:
    """Return rows scaled to norm 1, in the precision that they have; a row of zeros stays."""
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: np.ndarray = rows / np.maximum(norm, np.finfo(rows.dtype).tiny)
    return unit


def cosine(
    rows: Float[np.ndarray, "row d"], others: Float[np.ndarray, "other d"]
) -> Float[np.ndarray, "row other"]:
    """Return the cosine of each row with each other one, in the precision that they have."""
    found: np.ndarray = unit_rows(rows) @ unit_rows(others).T
    return found


def nearest_by_cosine(
    rows: Float[np.ndarray, "row d"],
    others: Float[np.ndarray, "other d"],
    *,
    is_same: bool = False,
) -> Match:
    """Return for each row the other one of the largest `cosine`, the first of equals.

    Parameters
    ----------
    is_same
        ``others`` are the rows themselves: none is its own match. A row without another one has
        the cosine -1.
    """
    rows = unit_rows(rows)
    others = rows if is_same else unit_rows(others)
    best, place = [], []
    for start in range(0, len(rows), _ROWS):
        found = rows[start : start + _ROWS] @ others.T
        if is_same:
            index = np.arange(len(found))
            found[index, start + index] = -np.inf
        place.append(found.argmax(axis=1))
        best.append(np.maximum(found.max(axis=1), -1.0))
    return Match(np.concatenate(place).astype(np.int64), np.concatenate(best).astype(np.float64))
