"""Batches for training: held-out rows set aside, moments estimated, weights folded."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64
from torch import Tensor

from genointerp.core.errors import InputError, MismatchError
from genointerp.core.seed import rng
from genointerp.sae.base import ActivationSource, SparseAutoencoder
from genointerp.sae.config import TrainConfig
from genointerp.sae.metrics import RunningMoments

_HASHED = 16
"""Columns of a row that decide whether it is held out."""


@dataclass(frozen=True)
class Standardiser:
    """Subtracts the mean of the data and divides by its scale.

    Parameters
    ----------
    mean
        Mean row.
    scale
        Root mean square of a centred element; 1 where inputs are only centred.
    """

    mean: Float64[np.ndarray, " d_in"]
    scale: float

    def __call__(self, x: Float32[np.ndarray, "batch d_in"]) -> Float32[Tensor, "batch d_in"]:
        """Return standardised rows."""
        centred = torch.from_numpy(x) - torch.from_numpy(self.mean.astype(np.float32))
        return centred.div_(self.scale)

    @torch.no_grad()
    def fold(self, sae: SparseAutoencoder) -> None:
        """Rewrite a dictionary of standardised rows, in place, as one of the raw rows."""
        mean = torch.from_numpy(self.mean)
        sae.fold(mean, torch.full_like(mean, self.scale))


class Survey(NamedTuple):
    """What is learnt from the first rows before training.

    Parameters
    ----------
    standardiser
        Made from the rows that may be trained on.
    variance
        Total variance of standardised rows.
    held_out
        Raw rows for evaluation.
    mean_to_spread
        Norm of the mean row over the root of the total variance; large values go with dead
        features where the mean is not subtracted.
    """

    standardiser: Standardiser
    variance: float
    held_out: Float32[np.ndarray, "row d_in"]
    mean_to_spread: float


class Position(NamedTuple):
    """Place in the data: batches of an epoch that were used."""

    epoch: int
    batch: int


def survey(source: ActivationSource, config: TrainConfig) -> Survey:
    """Read the first rows of the source: moments of those to train on, and the held-out ones.

    Raises
    ------
    InputError
        If there are too few rows, if they are all equal, or if one is not finite.
    MismatchError
        If rows are not ``source.d_in`` wide.
    """
    moments, kept, n_kept, n_read = RunningMoments(source.d_in), [], 0, 0
    for chunk in _checked(source, config.seed, 0):
        away = held_out_rows(chunk, config)
        moments.update(chunk[~away])
        kept.append(chunk[away][: config.eval_rows - n_kept])
        n_kept += len(kept[-1])
        n_read += len(chunk)
        if n_read >= config.moment_rows:
            break
    if moments.n < 2 or n_kept == 0:
        raise InputError(
            "activations", "rows to train on and to hold out", f"{moments.n} and {n_kept}"
        )
    total = moments.total_variance
    if total <= 0:
        raise InputError("activations", "rows that differ", "the same row throughout")
    scale = float(np.sqrt(total / source.d_in)) if config.scale_inputs else 1.0
    spread = float(np.linalg.norm(moments.mean) / np.sqrt(total))
    return Survey(Standardiser(moments.mean, scale), total / scale**2, np.concatenate(kept), spread)


def batches(
    source: ActivationSource, config: TrainConfig, start: Position
) -> Iterator[tuple[Position, Float32[np.ndarray, "batch d_in"]]]:
    """Give batches for ever, from ``start`` on, each with the position after it.

    The rows of an epoch that do not fill a batch are dropped, so that an epoch can be resumed
    without the one before.

    Raises
    ------
    InputError
        If an epoch holds no whole batch, or a row is not finite.
    MismatchError
        If rows are not ``source.d_in`` wide.
    """
    epoch, used = start
    while True:
        number = 0
        for rows in _epoch_batches(source, config, epoch):
            number += 1
            if number > used:
                yield Position(epoch, number), rows
        if number == 0:
            raise InputError(
                "activations", f"at least batch_tokens = {config.batch_tokens} rows", "fewer"
            )
        epoch, used = epoch + 1, 0


def held_out_rows(
    x: Float32[np.ndarray, "batch d_in"], config: TrainConfig
) -> Bool[np.ndarray, " batch"]:
    """Tell which rows are held out, by a hash of their first values and the seed."""
    width = min(_HASHED, x.shape[1])
    odd = rng(config.seed, "held-out rows").integers(0, 2**63, width, dtype=np.uint64) * 2 + 1
    bits = np.ascontiguousarray(x[:, :width]).view(np.uint32).astype(np.uint64)
    with np.errstate(over="ignore"):
        mixed = (bits * odd).sum(axis=1, dtype=np.uint64)
        mixed = (mixed ^ (mixed >> np.uint64(29))) * odd[0]
    below = (mixed >> np.uint64(40)) < np.uint64(config.eval_share * 2**24)
    return np.asarray(below)


def _epoch_batches(
    source: ActivationSource, config: TrainConfig, epoch: int
) -> Iterator[Float32[np.ndarray, "batch d_in"]]:
    size = config.batch_tokens
    rest = np.empty((0, source.d_in), dtype=np.float32)
    for chunk in _checked(source, config.seed, epoch):
        fit = chunk[~held_out_rows(chunk, config)]
        rest = np.concatenate([rest, fit]) if len(rest) else fit
        whole = len(rest) // size * size
        for start in range(0, whole, size):
            yield rest[start : start + size]
        rest = rest[whole:]


def _checked(
    source: ActivationSource, seed: int, epoch: int
) -> Iterator[Float32[np.ndarray, "n d_in"]]:
    n_read = 0
    for chunk in source.chunks(seed, epoch):
        if chunk.shape[1] != source.d_in:
            raise MismatchError("activations", f"rows of width {source.d_in}", f"{chunk.shape[1]}")
        # a sum is finite only where all terms are, and costs a fraction of asking each
        if not np.isfinite(chunk.sum()) and not np.isfinite(chunk).all():
            row = n_read + int(np.flatnonzero(~np.isfinite(chunk).all(axis=1))[0])
            raise InputError(
                "activations", "finite values", f"NaN or infinity in row {row} of epoch {epoch}"
            )
        n_read += len(chunk)
        yield chunk
