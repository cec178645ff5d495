"""Batches for training: moments are estimated, outliers left out, the place in the data kept."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float32, Float64

from genointerp.core.errors import ConfigError, InputError, MismatchError
from genointerp.sae.config import TrainConfig
from genointerp.sae.metrics import RunningMoments
from genointerp.sae.source import ActivationSource
from genointerp.sae.standardise import RunningCovariance, Standardiser, Whitening

T = TypeVar("T")


class Survey(NamedTuple):
    """Statistics of the first rows, measured before training.

    Parameters
    ----------
    standardiser
        Made from the rows that may be trained on.
    variance
        Variance of each column of standardised rows.
    held_out
        Raw rows for evaluation, without the outliers.
    held_out_outliers
        The held-out rows that are outliers.
    mean_to_spread
        Norm of the mean row over the root of the total variance, |mean| / |std|. If it is large and
        the mean is not subtracted, many features die.
    outlier_norm
        Norm above which a row is an outlier and is not trained on.
    outlier_share
        Share of such rows among those that were read.
    """

    standardiser: Standardiser
    variance: Float64[np.ndarray, " d_in"]
    held_out: Float32[np.ndarray, "row d_in"]
    held_out_outliers: Float32[np.ndarray, "outlier d_in"]
    mean_to_spread: float
    outlier_norm: float
    outlier_share: float


class Position(NamedTuple):
    """Place in the data: the row from which the next batch is filled.

    Parameters
    ----------
    row
        Index among the rows of the chunk that are not outliers.
    """

    epoch: int = 0
    chunk: int = 0
    row: int = 0


Batches = Generator[tuple[Position, Float32[np.ndarray, "batch d_in"]], None, None]
"""Batches, each with the position after it."""


def survey(source: ActivationSource, config: TrainConfig) -> Survey:
    """Read the first rows to train on, to estimate their moments, and the held-out rows.

    Raises
    ------
    InputError
        If there are too few rows, if they are all equal, or if one is not finite.
    MismatchError
        If rows are not ``source.d_in`` wide.
    """
    moments = _Moments(source, config)
    for rows in _checked(source.chunks(config.seed, 0, eval_share=config.eval_share), source, 0):
        moments.add(rows)
        if moments.n_read >= config.moment_rows:
            break
    held_out = _held_out(source, config)
    is_outlier = held_out.norm > moments.outlier_norm
    if moments.running.n < 2 or is_outlier.all():
        found = f"{moments.running.n} and {np.count_nonzero(~is_outlier)}, outliers apart"
        raise InputError("activations", "rows to train on and to hold out", found)
    spread = moments.spread()
    standardiser = moments.standardiser()
    return Survey(
        standardiser,
        moments.variance_after(standardiser),
        held_out.x[~is_outlier],
        held_out.x[is_outlier],
        float(np.linalg.norm(moments.running.mean)) / spread,
        moments.outlier_norm,
        moments.n_outliers / moments.n_read,
    )


def batches(
    source: ActivationSource,
    config: TrainConfig,
    start: Position,
    *,
    outlier_norm: float = np.inf,
) -> Batches:
    """Yield batches without end, from ``start`` on, each with the position after it.

    The next chunk is read in a thread while the current one is used. Rows at the end of an epoch
    that do not fill a batch are dropped.

    Raises
    ------
    InputError
        If an epoch holds no whole batch, or a row is not finite.
    MismatchError
        If rows are not ``source.d_in`` wide.
    """
    epoch, is_whole = start.epoch, start[1:] == (0, 0)
    while True:
        n_batches = 0
        begin = start if epoch == start.epoch else Position(epoch)
        for item in _epoch_batches(source, config, begin, outlier_norm):
            n_batches += 1
            yield item
        if n_batches == 0 and is_whole:
            raise InputError(
                "activations", f"at least batch_tokens = {config.batch_tokens} rows", "fewer"
            )
        epoch, is_whole = epoch + 1, True


def prefetched(items: Iterator[T]) -> Iterator[T]:
    """Yield the items of an iterator, while a thread makes the next one."""
    with ThreadPoolExecutor(1) as thread:
        ahead = thread.submit(next, items, None)
        while (item := ahead.result()) is not None:
            ahead = thread.submit(next, items, None)
            yield item


def row_norms(x: Float32[np.ndarray, "n d_in"]) -> Float32[np.ndarray, " n"]:
    """Return the norm of each row."""
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", x, x)), dtype=np.float32)


class _Checked(NamedTuple):
    """Finite rows and their norms."""

    x: Float32[np.ndarray, "n d_in"]
    norm: Float32[np.ndarray, " n"]


@dataclass
class _Moments:
    """Moments of the rows without outliers; the norms of the first chunk define an outlier."""

    source: ActivationSource
    config: TrainConfig
    outlier_norm: float = np.inf
    n_read: int = 0
    n_outliers: int = 0

    def __post_init__(self) -> None:
        d_in, widths = self.source.d_in, self.source.widths
        if self.config.normalise == "whiten" and len(widths) > 1:
            raise ConfigError("normalise", "none or scale where rows join sites", "'whiten'")
        self.running = RunningMoments(d_in)
        self._covariance = RunningCovariance(d_in) if self.config.normalise == "whiten" else None

    def add(self, rows: _Checked) -> None:
        if self.n_read == 0 and self.config.outlier_sd is not None:
            norm = rows.norm.astype(np.float64)
            # the mean of equal numbers may round below them
            self.outlier_norm = float(
                norm.mean() * (1 + 1e-6) + self.config.outlier_sd * norm.std()
            )
        usual = rows.norm <= self.outlier_norm
        self.n_read += len(usual)
        self.n_outliers += len(usual) - int(usual.sum())
        self.running.update(rows.x[usual])
        if self._covariance is not None:
            self._covariance.update(rows.x[usual])

    def spread(self) -> float:
        total = self.running.total_variance
        if total <= 0:
            raise InputError("activations", "rows that differ", "the same row throughout")
        return float(np.sqrt(total))

    def standardiser(self) -> Standardiser:
        mean = self.running.mean if self.config.centre else np.zeros(self.source.d_in)
        if self._covariance is not None:
            return Standardiser(mean, whitening=Whitening.of(self._covariance.covariance))
        return Standardiser(mean, self._scale() if self.config.normalise == "scale" else 1.0)

    def variance_after(self, standardiser: Standardiser) -> Float64[np.ndarray, " d_in"]:
        if standardiser.whitening is not None and self._covariance is not None:
            matrix = standardiser.whitening.matrix
            return np.diagonal(matrix @ self._covariance.covariance @ matrix).copy()
        return self.running.variance / np.square(standardiser.scale)

    def _scale(self) -> float | Float64[np.ndarray, " d_in"]:
        edges = np.cumsum(self.source.widths)[:-1]
        scales = [float(np.sqrt(it.mean())) for it in np.split(self.running.variance, edges)]
        if min(scales) <= 0:
            raise InputError("activations", "sites whose rows differ", "the same row throughout")
        return scales[0] if len(scales) == 1 else np.repeat(scales, self.source.widths)


def _held_out(source: ActivationSource, config: TrainConfig) -> _Checked:
    kept, n_kept = [np.empty((0, source.d_in), dtype=np.float32)], 0
    chunks = source.held_out(config.seed, eval_share=config.eval_share)
    for rows in _checked(chunks, source, 0):
        kept.append(rows.x[: config.eval_rows - n_kept])
        n_kept += len(kept[-1])
        if n_kept >= config.eval_rows:
            break
    x = np.concatenate(kept)
    return _Checked(x, row_norms(x))


def _epoch_batches(
    source: ActivationSource, config: TrainConfig, start: Position, outlier_norm: float
) -> Iterator[tuple[Position, Float32[np.ndarray, "batch d_in"]]]:
    size, skip = config.batch_tokens, start.row
    rest = np.empty((0, source.d_in), dtype=np.float32)
    chunks = source.chunks(
        config.seed, start.epoch, eval_share=config.eval_share, start=start.chunk
    )
    read = prefetched(_checked(chunks, source, start.epoch))
    for chunk, rows in enumerate(read, start.chunk):
        usual = rows.norm <= outlier_norm
        fit = rows.x if usual.all() else rows.x[usual]
        first = skip
        while len(rest) + len(fit) - first >= size:
            stop = first + size - len(rest)
            batch = np.concatenate([rest, fit[first:stop]]) if len(rest) else fit[first:stop]
            yield Position(start.epoch, chunk, stop), batch
            first, rest = stop, rest[:0]
        # a copy, so that the whole chunk does not stay in memory
        rest, skip = np.concatenate([rest, fit[first:]]), 0


def _checked(
    chunks: Iterator[Float32[np.ndarray, "n d_in"]], source: ActivationSource, epoch: int
) -> Iterator[_Checked]:
    n_read = 0
    for chunk in chunks:
        if chunk.shape[1] != source.d_in:
            raise MismatchError("activations", f"rows of width {source.d_in}", f"{chunk.shape[1]}")
        norm = row_norms(chunk)
        # if the norm is finite, so are all elements; if not, it may only have overflowed
        if not np.isfinite(norm).all() and not np.isfinite(chunk).all():
            row = n_read + int(np.flatnonzero(~np.isfinite(chunk).all(axis=1))[0])
            raise InputError(
                "activations", "finite values", f"NaN or infinity in row {row} of epoch {epoch}"
            )
        n_read += len(chunk)
        yield _Checked(chunk, norm)
