"""Scores of a detector against a concept, from counts; each defined once.

Every score has a defined outcome for empty counts: its limit where that is plain, else NaN.
"""

import numpy as np
from jaxtyping import Float, Float64, Int

Counts = Int[np.ndarray, "..."]
Scores = Float64[np.ndarray, "..."]


def precision(n_both: Counts, n_feature: Counts) -> Scores:
    """Share of the detected bases that are of the concept; NaN where nothing is detected."""
    return _ratio(n_both, n_feature)


def recall(n_both: Counts, n_concept: Counts) -> Scores:
    """Share of the concept's bases that are detected; NaN where there are none."""
    return _ratio(n_both, n_concept)


def f1(n_both: Counts, n_feature: Counts, n_concept: Counts) -> Scores:
    """Harmonic mean of precision and recall by base.

    Notes
    -----
    ``2 n_both / (n_feature + n_concept)``: 0 where nothing is detected, NaN without a base of
    the concept.
    """
    score = _ratio(2 * n_both, n_feature + n_concept)
    return np.where(n_concept > 0, score, np.nan)


def f1_element(precision: Scores, recall_element: Scores) -> Scores:
    """Harmonic mean of precision by base and recall by element, as in InterPLM.

    0 where no element is detected, NaN where there is no element.
    """
    total = precision + recall_element
    mean = 2 * precision * recall_element / np.where(total > 0, total, 1.0)
    silent = recall_element == 0
    return np.where(silent, 0.0, mean)


def f1_always_on(n_concept: Counts, n_covered: int) -> Scores:
    """F1 of the detector that always fires.

    Notes
    -----
    ``2 b / (1 + b)`` at the base rate ``b = n_concept / n_covered``; NaN without a base of the
    concept, and where the number of covered bases is unknown (0).
    """
    base = n_concept / max(n_covered, 1)
    return np.where((n_concept > 0) & (n_covered > 0), 2 * base / (1 + base), np.nan)


def precision_gain(precision: Float[np.ndarray, "..."], base: Float[np.ndarray, "..."]) -> Scores:
    """Share of the way from the base rate to 1 that the precision goes; negative below it.

    Notes
    -----
    ``(precision - base) / (1 - base)``; NaN where the concept covers every base.
    """
    room = 1 - np.asarray(base, dtype=np.float64)
    gain = (precision - base) / np.where(room > 0, room, 1.0)
    return np.where(room > 0, gain, np.nan)


def auroc(rank_sum: Scores, n_concept: Counts, n_covered: int) -> Scores:
    """Chance that a base of the concept has the higher activation than one outside; ties half.

    Notes
    -----
    ``(R - n (n + 1) / 2) / (n (N - n))`` with the sum of mean ranks R (Mann and Whitney 1947);
    NaN where the concept covers no base or all.
    """
    positive = n_concept.astype(np.float64)
    pairs = positive * (n_covered - positive)
    wins = rank_sum - positive * (positive + 1) / 2
    return np.where(pairs > 0, wins / np.where(pairs > 0, pairs, 1.0), np.nan)


def log2_enrichment(n_both: Counts, n_feature: Counts, n_concept: Counts, n_covered: int) -> Scores:
    """Observed over expected bases in common, in doublings.

    Notes
    -----
    ``log2((n_both + 1/2) / (n_feature n_concept / N + 1/2))``: half a base is added to both, so
    that zero counts have a finite score which shrinks to 0. NaN without a base of the concept.
    """
    expected = n_feature.astype(np.float64) * n_concept / max(n_covered, 1)
    score = np.log2((n_both + 0.5) / (expected + 0.5))
    return np.where(n_concept > 0, score, np.nan)


def _ratio(numerator: Counts, denominator: Counts) -> Scores:
    found = numerator / np.maximum(denominator, 1)
    return np.where(denominator > 0, found, np.nan)
