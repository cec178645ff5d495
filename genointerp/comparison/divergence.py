"""How far the predictions of models differ, base by base, next to a control.

The mean over a genome says little: what was learnt of one word moves few of its bases, and far.
Therefore each value is kept, and the tail is what the tables are about.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int32
from torch import Tensor

from genointerp.comparison.models import ModelSet, Role
from genointerp.core.progress import Progress, silent
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.windows import Window
from genointerp.model.protocol import Symbols
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.run import Pass, Wanted
from genointerp.reading.tokens import WindowTokens

Measure = Literal["kl", "js", "dlogp"]
MEASURES: tuple[Measure, ...] = ("kl", "js", "dlogp")

Pair = tuple[Role, Role]
"""The model whose predictions are compared, and the one that they are compared with."""

CHANGE: Pair = ("tuned", "base")
CONTROL: Pair = ("control", "base")
BETWEEN: Pair = ("tuned", "control")


@dataclass(frozen=True, eq=False)
class DivergenceTrack:
    """The divergence on one strand of a region, a column for each base in forward order.

    Parameters
    ----------
    where
        The region, with the reading strand.
    values
        Rows ``kl``, ``js`` and ``dlogp`` by pair of models, in nats; NaN at bases that were not
        predicted, and at those at which no token begins.
    expected
        Number of the symbol that the tuned model finds most probable there; -1 if not predicted.
    """

    where: GenomicInterval
    values: Mapping[Pair, Float32[np.ndarray, "measure bp"]]
    expected: Int32[np.ndarray, " bp"]

    def of(self, pair: Pair, measure: Measure = "kl") -> Float32[np.ndarray, " bp"]:
        """Return one measure of one pair."""
        found: Float32[np.ndarray, " bp"] = self.values[pair][MEASURES.index(measure)]
        return found

    @property
    def excess(self) -> Float32[np.ndarray, " bp"]:
        """The KL of the tuned model minus that of the control; the former where there is none."""
        found: Float32[np.ndarray, " bp"] = self.of(CHANGE)
        if CONTROL in self.values:
            found = found - self.of(CONTROL)
        return found


@dataclass(frozen=True, eq=False)
class Divergence:
    """The divergence of all pairs of models over all that was read.

    Parameters
    ----------
    tracks
        One for each region and reading strand.
    symbols
        Symbols of the models, to which ``expected`` refers.
    """

    tracks: tuple[DivergenceTrack, ...]
    symbols: Symbols

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs of models that were compared."""
        return tuple(self.tracks[0].values)

    @property
    def has_control(self) -> bool:
        """Whether there is a control."""
        return CONTROL in self.pairs

    def known(
        self, pair: Pair, measure: Measure = "kl", *, strands: Sequence[str] = ("+", "-")
    ) -> Float32[np.ndarray, " value"]:
        """Return the values of all bases that were predicted."""
        parts = [track.of(pair, measure) for track in self.tracks if track.where.strand in strands]
        values = np.concatenate([np.empty(0, np.float32), *parts])
        return np.asarray(values[~np.isnan(values)])


def measure_divergence(
    models: ModelSet,
    genome: Genome,
    *,
    config: HarvestConfig | None = None,
    regions: Sequence[GenomicInterval] = (),
    progress: Progress = silent,
) -> Divergence:
    """Measure how far the predictions of models differ at each base of a genome.

    Parameters
    ----------
    config
        Windows and strands.
    regions
        Regions to read; the whole genome if empty.
    progress
        Called with (windows done, in all).

    Notes
    -----
    At a base t, with p the distribution of the first model of a pair given the bases before, and q
    that of the second, ``kl = sum_s p(s) (log p(s) - log q(s))``,
    ``js = (KL(p || m) + KL(q || m)) / 2`` with ``m = (p + q) / 2``, and
    ``dlogp = log p(x) - log q(x)`` of the base x that is there. All are in nats. The symbols s are
    A, C, G and T, over which p and q add up to 1. If tokens are words of bases, s are all words and
    the values are per token: they stand at the first base of each, in reading direction.

    The memory is 12 bytes for each pair of models, base and strand.
    """
    config = HarvestConfig() if config is None else config
    pairs: tuple[Pair, ...] = (CHANGE,)
    if models.control is not None:
        pairs = (CHANGE, CONTROL, BETWEEN)
    tracks = _empty_tracks(genome, regions, config.strands, pairs)
    wanted = Wanted(log_probs=True, distribution=True)
    for passes in models.read(genome, wanted, config=config, regions=regions, progress=progress):
        moved = {pair: _moved(passes[pair[0]], passes[pair[1]]) for pair in pairs}
        expected = _distribution(passes["tuned"]).argmax(-1).cpu().numpy()
        for row, read in enumerate(passes["tuned"].batch.windows):
            track = tracks.holding(read.window)
            column, is_new = _columns(read, track.where)
            for pair, values in moved.items():
                track.values[pair][:, column] = values[:, row, is_new]
            found = expected[row, is_new]
            track.expected[column] = np.where(np.isnan(track.of(CHANGE)[column]), -1, found)
    return Divergence(tuple(tracks), models.symbols)


class _Tracks(list[DivergenceTrack]):
    def holding(self, window: Window) -> DivergenceTrack:
        """Return the track in which the kept bases of a window lie."""
        kept = window.kept
        return next(
            track
            for track in self
            if (track.where.seqid, track.where.strand) == (kept.seqid, kept.strand)
            and track.where.start <= kept.start < track.where.end
        )


def _empty_tracks(
    genome: Genome,
    regions: Sequence[GenomicInterval],
    strands: Iterable[str],
    pairs: Sequence[Pair],
) -> _Tracks:
    whole = [GenomicInterval(name, 0, contig.length) for name, contig in genome.items()]
    tracks = _Tracks()
    for region in regions or whole:
        for strand in ("+", "-"):
            if strand in strands:
                shape = (len(MEASURES), region.length)
                values = {pair: np.full(shape, np.nan, np.float32) for pair in pairs}
                where = GenomicInterval(region.seqid, region.start, region.end, strand)
                expected = np.full(region.length, -1, np.int32)
                tracks.append(DivergenceTrack(where, values, expected))
    return tracks


def _distribution(found: Pass) -> Float[Tensor, "batch token_minus_1 symbol"]:
    assert found.distribution is not None
    return found.distribution


def _moved(found: Pass, against: Pass) -> Float32[np.ndarray, "measure batch token_minus_1"]:
    """Return all measures of a pair, NaN at tokens that are not of A, C, G and T alone."""
    assert found.log_probs is not None
    assert against.log_probs is not None
    p, q = (_distribution(it).double().log_softmax(-1) for it in (found, against))
    middle = torch.logaddexp(p, q) - math.log(2)
    kl = _kl(p, q)
    js = (_kl(p, middle) + _kl(q, middle)) / 2
    dlogp = found.log_probs.double() - against.log_probs.double()
    unknown = dlogp.isnan()
    values = torch.stack(
        [kl.masked_fill(unknown, torch.nan), js.masked_fill(unknown, torch.nan), dlogp]
    )
    return np.asarray(values.float().cpu().numpy())


def _kl(
    p: Float[Tensor, "batch token symbol"], q: Float[Tensor, "batch token symbol"]
) -> Float[Tensor, "batch token"]:
    # rounding may leave a sum that is a little below 0
    return (p.exp() * (p - q)).sum(-1).clamp(min=0)


def _columns(
    read: WindowTokens, where: GenomicInterval
) -> tuple[np.ndarray, Bool[np.ndarray, " token_minus_1"]]:
    """Return the columns of a track at which predicted tokens begin, and which tokens these are."""
    kept, is_new = read.window.kept, read.begun[1:]
    offset = read.spans.start[1:][is_new] - read.window.warmup
    base = kept.start + offset if kept.strand == "+" else kept.end - 1 - offset
    return base - where.start, is_new
