"""Scores of a detector against a concept, other than those of :mod:`genointerp.core.metric`.

Every score has a defined value for empty counts: its limit if that is unambiguous, else NaN.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int
from scipy.special import stdtrit

from genointerp.core import metric
from genointerp.core.metric import Counts, Scores

MIN_STRETCHES = 10
"""Fewest stretches of the genome whose differences are enough for an interval."""

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """Lower and upper end of a confidence interval."""

    low: Scores
    high: Scores


def least_precision(
    n_both: Int[np.ndarray, "*pair stretch"],
    n_feature: Int[np.ndarray, "*pair stretch"],
    *,
    fewest: int,
) -> Scores:
    """Return the precision without the one stretch that favours the concept most.

    Notes
    -----
    ``min_g (sum n_both - n_both_g) / (sum n_feature - n_feature_g)`` over the stretches g, so that
    no single place can account for the score. NaN if leaving out one stretch leaves fewer than
    ``fewest`` detected bases.
    """
    rest = n_feature.sum(axis=-1, keepdims=True) - n_feature
    others = n_both.sum(axis=-1, keepdims=True) - n_both
    least = np.min(others / np.maximum(rest, 1), axis=-1)
    return np.where(rest.min(axis=-1) >= max(fewest, 1), least, np.nan)


def f1_element(precision: Scores, recall_element: Scores) -> Scores:
    """Return the harmonic mean of precision by base and recall by element, as in InterPLM.

    It is 0 if no element is detected, and NaN if there is no element.
    """
    total = precision + recall_element
    mean = 2 * precision * recall_element / np.where(total > 0, total, 1.0)
    silent = recall_element == 0
    return np.where(silent, 0.0, mean)


def log2_enrichment(
    n_both: Counts, n_feature: Counts, n_concept: Counts, n_covered: int | Counts
) -> Scores:
    """Return the log2 of observed over expected bases in common.

    Notes
    -----
    ``log2((n_both + 1/2) / (n_feature n_concept / N + 1/2))``: half a base is added to both, so
    that the score is finite for counts of zero and small counts shrink it towards 0. NaN if the
    concept has no base.
    """
    score = _log2_ratio(n_both, n_feature, n_concept, n_covered)
    return np.where(n_concept > 0, score, np.nan)


def log2_enrichment_interval(
    n_both: Int[np.ndarray, "... stretch"],
    n_feature: Int[np.ndarray, "... stretch"],
    n_concept: Int[np.ndarray, "... stretch"],
    n_covered: Int[np.ndarray, " stretch"],
) -> Interval:
    """Return the 95 % confidence interval of `log2_enrichment`, from counts by stretch.

    Neighbouring bases are not independent evidence, and neither are the bases of one element: an
    interval from base counts, such as Fisher's or Woolf's, would be far too short. Stretches of the
    genome much longer than elements may be taken as independent, so each is left out in turn.

    Notes
    -----
    Delete-one jackknife over G stretches of equal length (Kuensch 1989, Annals of Statistics 17,
    1217; Busing, Meijer and van der Leeden 1999, Statistics and Computing 9, 3): with x_g the score
    without stretch g, ``SE^2 = (G - 1) / G sum (x_g - mean x)^2``, and the ends are ``x -+ t SE``
    with t the 97.5 % quantile of Student's distribution with G - 1 degrees of freedom. NaN if the
    concept has no base or there are fewer than `MIN_STRETCHES` stretches. A concept that lies in
    one stretch has a wide interval, as it should.
    """
    counts = (n_both, n_feature, n_concept, n_covered)
    both, feature, concept, covered = (count.sum(axis=-1, keepdims=True) for count in counts)
    without = _log2_ratio(
        both - n_both, feature - n_feature, concept - n_concept, covered - n_covered
    )
    n = len(n_covered)
    spread = np.sum((without - without.mean(axis=-1, keepdims=True)) ** 2, axis=-1)
    error = np.sqrt((n - 1) / n * spread)
    score = _log2_ratio(both, feature, concept, covered)[..., 0]
    is_known = (concept[..., 0] > 0) & (n >= MIN_STRETCHES)
    half = float(stdtrit(max(n - 1, 1), (1 + CONFIDENCE) / 2)) * error
    half = np.where(is_known, half, np.nan)
    return Interval(score - half, score + half)


def phase_share(n_phase: Int[np.ndarray, "... phase"], phase: Int[np.ndarray, "..."]) -> Scores:
    """Return the share of detected coding bases that are at one position of the codon.

    It is 1/3 for a feature that ignores the frame, and 1 for one that fires only at this position.

    Notes
    -----
    ``n_k / (n_0 + n_1 + n_2)`` for the position k = ``phase``, which must be chosen on other bases:
    the best of three shares of the same bases would exceed 1/3 by chance. NaN if nothing is
    detected.
    """
    chosen = np.take_along_axis(n_phase, phase[..., None], axis=-1)[..., 0]
    return metric.share(chosen, n_phase.sum(axis=-1))


def _log2_ratio(
    n_both: Counts, n_feature: Counts, n_concept: Counts, n_covered: int | Counts
) -> Scores:
    expected = n_feature.astype(np.float64) * n_concept / np.maximum(n_covered, 1)
    return np.asarray(np.log2((n_both + 0.5) / (expected + 0.5)), dtype=np.float64)
