"""Linear probes: logistic regressions on all neurons, or on all columns of a design.

A probe is trained with the annotation, whereas a feature is not. It therefore shows what the site
holds; it is not a detector that has to be found.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64
from scipy.optimize import minimize
from scipy.sparse import csr_array

from genointerp.core.errors import InputError
from genointerp.core.seed import rng

PENALTIES = (1e-1, 1e-2, 1e-3)
"""Strengths of the penalty tried, strongest first."""

RARE = 0.02
"""Labels below this base rate keep all their rows when rows are drawn."""

MAX_ROWS = 40_000
"""Number of rows drawn by default."""

_ITERATIONS = 60


class LinearProbe(NamedTuple):
    """A logistic regression for each of several labels, on raw activations.

    Parameters
    ----------
    weight, bias
        The log odds are ``x @ weight + bias``, plus ``counts @ count_weight`` if there are counts.
    penalty
        Strength of the penalty chosen for each label.
    """

    weight: Float32[np.ndarray, "d_in label"]
    bias: Float32[np.ndarray, " label"]
    penalty: Float64[np.ndarray, " label"]
    count_weight: Float32[np.ndarray, "count label"]

    def log_odds(self, x: Float32[np.ndarray, "row d_in"]) -> Float32[np.ndarray, "row label"]:
        """Return the log odds of each label."""
        return np.asarray(x @ self.weight + self.bias, dtype=np.float32)


def fit_probe(
    x: Float32[np.ndarray, "row d_in"],
    y: Bool[np.ndarray, "row label"],
    fold: Bool[np.ndarray, " row"],
    *,
    counts: csr_array | None = None,
    max_rows: int = MAX_ROWS,
    seed: int = 0,
) -> LinearProbe:
    """Fit a probe for each label, with the penalty chosen by cross-validation over two folds.

    Parameters
    ----------
    fold
        Fold that each row belongs to. Folds should be long stretches, since neighbouring bases
        resemble each other.
    counts
        More columns, which are mostly 0 and are not standardised.
    max_rows
        Number of rows drawn, in addition to those of rare labels.

    Raises
    ------
    InputError
        If a fold is empty.

    Notes
    -----
    L-BFGS minimises ``mean_i loss_i / (p (1 - p)) + penalty / 2 |weight|^2`` over standardised
    activations, with no penalty on the bias. The base rate p of the label makes one penalty mean
    the same for rare labels as for common ones. All rows of rare labels (`RARE`) are used. Of the
    others ``max_rows`` are drawn with equal chance and weighted by its inverse, so that the mean is
    that of all rows.
    """
    if not fold.any() or fold.all():
        raise InputError("folds of a probe", "rows in both", "one is empty")
    mean = x.mean(axis=0, dtype=np.float64)
    scale = x.std(axis=0, dtype=np.float64)
    scale = np.where(scale > 0, scale, 1.0)
    rows, weight = _draw(y, max_rows, seed)
    standard = ((x[rows] - mean) / scale).astype(np.float32)
    z = _Design(standard, csr_array((len(rows), 0)) if counts is None else counts[rows])
    truth, half = y[rows].astype(np.float32), fold[rows]
    loss = np.zeros((len(PENALTIES), y.shape[1]))
    for side in (False, True):
        kept, found = half == side, None
        away = ~kept
        for number, penalty in enumerate(PENALTIES):
            strength = np.full(y.shape[1], penalty)
            found = _solve(z.rows(kept), truth[kept], weight[kept], strength, start=found)
            logit = z.rows(away).dot(found[:-1]) + found[-1]
            loss[number] += _log_loss(logit, truth[away], weight[away])
    chosen = np.array(PENALTIES)[np.argmin(loss, axis=0)]
    found = _solve(z, truth, weight, chosen, start=found)
    raw = found[: x.shape[1]] / scale[:, None]
    bias = found[-1] - mean @ raw
    count_weight = found[x.shape[1] : -1]
    return LinearProbe(raw.astype(np.float32), bias.astype(np.float32), chosen, count_weight)


class _Design(NamedTuple):
    """The columns of a regression: standardised ones, then counts."""

    dense: Float32[np.ndarray, "row d_in"]
    counts: csr_array

    def rows(self, chosen: Bool[np.ndarray, " row"]) -> "_Design":
        return _Design(self.dense[chosen], self.counts[np.flatnonzero(chosen)])

    def dot(self, theta: Float32[np.ndarray, "column label"]) -> Float32[np.ndarray, "row label"]:
        d_in = self.dense.shape[1]
        product = self.dense @ theta[:d_in]
        if self.counts.shape[1]:
            product += self.counts @ theta[d_in:]
        return np.asarray(product, dtype=np.float32)

    def back(self, error: Float32[np.ndarray, "row label"]) -> np.ndarray:
        parts = [self.dense.T @ error]
        if self.counts.shape[1]:
            parts.append(self.counts.T @ error)
        return np.vstack(parts)


def _draw(y: np.ndarray, max_rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rare = np.asarray(y[:, y.mean(axis=0) < RARE].any(axis=1), dtype=np.bool_)
    others = np.flatnonzero(~rare)
    share = min(1.0, max_rows / max(len(others), 1))
    n = round(share * len(others))
    drawn = rng(seed, "rows of a probe").choice(others, size=n, replace=False)
    rows = np.sort(np.concatenate([np.flatnonzero(rare), drawn]))
    return rows, np.where(rare[rows], 1.0, 1 / share).astype(np.float32)


def _solve(
    z: _Design,
    truth: Float32[np.ndarray, "row label"],
    weight: Float32[np.ndarray, " row"],
    penalty: Float64[np.ndarray, " label"],
    *,
    start: Float32[np.ndarray, "column1 label"] | None = None,
) -> Float32[np.ndarray, "column1 label"]:
    """Solve for the standardised weights and, in the last row, the biases of all labels at once.

    Labels share no parameters, so minimising the sum of their losses solves all of them.
    """
    shape = (z.dense.shape[1] + z.counts.shape[1] + 1, truth.shape[1])
    total = float(weight.sum())
    rate = np.clip((weight @ truth) / total, 1e-6, 1 - 1e-6).astype(np.float64)
    unit = rate * (1 - rate)

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        theta = flat.reshape(shape).astype(np.float32)
        logit = z.dot(theta[:-1]) + theta[-1]
        decay = np.exp(-np.abs(logit))
        chance = np.where(logit >= 0, np.float32(1), decay) / (1 + decay)
        error = (chance - truth) * weight[:, None]
        gradient = np.vstack([z.back(error), error.sum(axis=0)]) / (total * unit)
        gradient[:-1] += penalty * theta[:-1]
        ridge = 0.5 * penalty * np.square(theta[:-1], dtype=np.float64).sum(axis=0)
        loss = _mean_loss(logit, decay, truth, weight)
        return float((loss / unit + ridge).sum()), gradient.ravel()

    if start is None:
        start = np.zeros(shape, dtype=np.float32)
        start[-1] = np.log(rate / (1 - rate))
    options = {"maxiter": _ITERATIONS, "maxcor": 10, "ftol": 1e-7}
    first = start.astype(np.float64).ravel()
    result = minimize(objective, first, jac=True, method="L-BFGS-B", options=options)
    return np.asarray(result.x.reshape(shape), dtype=np.float32)


def _log_loss(logit: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return _mean_loss(logit, np.exp(-np.abs(logit)), truth, weight)


def _mean_loss(
    logit: np.ndarray, decay: np.ndarray, truth: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Return the mean of ``log(1 + exp(logit)) - truth logit``; decay is ``exp(-|logit|)``."""
    loss = np.maximum(logit, 0) + np.log(1 + decay) - truth * logit
    return np.asarray(weight.astype(np.float64) @ loss / float(weight.sum()), dtype=np.float64)
