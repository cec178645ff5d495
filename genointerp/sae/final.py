"""Final figures: what is measured of a dictionary when its training ends."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64

from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.config import TrainConfig
from genointerp.sae.data import Survey
from genointerp.sae.metrics import Evaluation, evaluate, firing_scale
from genointerp.sae.source import ActivationSource


@dataclass(frozen=True)
class TrainLog:
    """Figures of a finished training, of which those of quality are measured on held-out blocks.

    Parameters
    ----------
    fvu
        Fraction of variance unexplained, around the mean of the held-out rows, without outliers.
    fvu_all
        The same, with the outliers.
    l0
        Mean number of features that fire on a token, at the stored threshold.
    dead_share
        Share of features that fire on no held-out row.
    dead_share_fit
        Share of features that had not fired for ``dead_after`` tokens when training ended.
    n_tokens
        Number of tokens trained on.
    n_eval_tokens
        Number of held-out rows that are not outliers.
    threshold
        Mean pre-activation that a feature must exceed, on raw activations; 0 for TopK.
    mean_to_spread
        Norm of the mean row over the root of the total variance, before centring.
    outlier_norm
        Norm above which a row was not trained on; None if every row was.
    outlier_share
        Share of such rows.
    n_skipped
        Number of rows that the source left out, such as the first of each window.
    """

    fvu: float
    fvu_all: float
    l0: float
    dead_share: float
    dead_share_fit: float
    n_tokens: int
    n_eval_tokens: int
    threshold: float
    mean_to_spread: float
    outlier_norm: float | None
    outlier_share: float
    n_skipped: int


class FinalFigures(NamedTuple):
    """What is measured at the end of training; the fields are those of `TrainResult`."""

    log: TrainLog
    density: Float64[np.ndarray, " n_features"]
    scale: Float64[np.ndarray, " n_features"]


def measure_final(
    sae: SparseAutoencoder,
    source: ActivationSource,
    config: TrainConfig,
    first: Survey,
    dead_share_fit: float,
) -> FinalFigures:
    """Measure a dictionary on the held-out rows; it must already act on raw rows."""
    found = _evaluate(sae, [first.held_out], config)
    everything = found
    if len(first.held_out_outliers):
        everything = _evaluate(sae, [first.held_out, first.held_out_outliers], config)
    log = TrainLog(
        fvu=found.fvu,
        fvu_all=everything.fvu,
        l0=found.l0,
        dead_share=found.dead_share,
        dead_share_fit=dead_share_fit,
        n_tokens=config.n_steps * config.batch_tokens,
        n_eval_tokens=found.n_tokens,
        threshold=float(sae.threshold.detach().mean()),
        mean_to_spread=first.mean_to_spread,
        outlier_norm=first.outlier_norm if math.isfinite(first.outlier_norm) else None,
        outlier_share=first.outlier_share,
        n_skipped=source.n_skipped,
    )
    scale = firing_scale(sae, _in_batches([first.held_out], config))
    return FinalFigures(log, found.density, scale)


def _evaluate(
    sae: SparseAutoencoder, parts: Iterable[Float32[np.ndarray, "_ d_in"]], config: TrainConfig
) -> Evaluation:
    return evaluate(sae, _in_batches(parts, config))


def _in_batches(
    parts: Iterable[Float32[np.ndarray, "_ d_in"]], config: TrainConfig
) -> Iterator[Float32[np.ndarray, "_n d_in"]]:
    size = config.batch_tokens
    return (rows[at : at + size] for rows in parts for at in range(0, len(rows), size))
