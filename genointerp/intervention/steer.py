"""Steering: how the predictions of a model change under a canvas, base by base, and under controls.

What the model computes up to the site of the dictionary is the same for the canvas and all
controls. It is computed once for each window, and only what is above it for each condition.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from genointerp.core.errors import ConfigError, InputError
from genointerp.core.progress import Progress, silent
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.windows import Window
from genointerp.intervention.canvas import Canvas
from genointerp.intervention.control import (
    CANVAS_ITSELF,
    Condition,
    ControlConfig,
    all_conditions,
)
from genointerp.intervention.places import (
    DISTANCES,
    OUTSIDE,
    ConceptPlaces,
    distance_places,
    forward_bases,
)
from genointerp.intervention.subject import Subject
from genointerp.model.protocol import GivesDistribution, SiteActivations
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.run import Wanted, run_batch
from genointerp.reading.tokens import TokenBatch, WindowTokens, genome_passages, token_batches
from genointerp.store.table.schema.intervention import STEERED_BASES, STEERING
from genointerp.store.table.table import conform


@dataclass(frozen=True)
class SteerConfig(ControlConfig):
    """Windows in which a canvas is tried, its doses, and its controls.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    window: int = 2048
    """Bases read of a window, warm-up included."""
    warmup: int = 512
    """First bases of a window: context, which is painted too, and on which nothing is measured."""
    batch: int = 4
    """Painted copies of a window that the model reads at once."""
    max_bases: int = 1_000_000
    """Most rows of the table of bases, which is held in memory."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("batch", "max_bases"):
            if getattr(self, name) < 1:
                raise ConfigError(name, "at least 1", str(getattr(self, name)))
        if not 0 <= self.warmup < self.window:
            raise ConfigError("warmup", f"0 <= warmup < window={self.window}", str(self.warmup))


class Steering(NamedTuple):
    """What a model does under a canvas.

    ``table`` is in the schema ``STEERING``: a row for each condition, dose and place. ``bases`` is
    in ``STEERED_BASES``: a row for each base that the canvas can reach, at its first dose; it is
    None if it was not wanted.
    """

    table: pd.DataFrame
    bases: pd.DataFrame | None


def steer_genome(
    subject: Subject,
    canvas: Canvas,
    *,
    regions: Sequence[GenomicInterval] = (),
    config: SteerConfig | None = None,
    bases: bool = False,
    progress: Progress = silent,
) -> Steering:
    """Measure how the predictions of a model change under a canvas and its controls.

    Parameters
    ----------
    canvas
        The canvas, whose units are known (`Canvas.with_units`).
    regions
        Where it is measured; the whole genome if empty.
    bases
        Whether to return a row for each base, too.
    progress
        Called with (windows done, windows in all).

    Notes
    -----
    With p what the model expects of the next token unpainted, and q under a condition, the change
    of a token is ``log q(token) - log p(token)``, and the divergence is
    ``sum_s p(s) (log p(s) - log q(s))``. Means are over tokens that begin at a kept base, consist
    of A, C, G and T, and are not the first of their window; by concept, over those that a stroke
    can reach. Only the strands that the canvas paints are read. Strokes in the warm-up of a window
    are painted; those before it are not seen. Where none is painted nothing changes, and the model
    is not run.

    Raises
    ------
    InputError
        If a unit is not known, a dose is so large that the model computes no probabilities, or
        there are too many bases for a table.
    MismatchError
        If canvas, genome, dictionary and model do not belong together.
    CoordinateError
        If a stroke leaves its contig.
    """
    config = SteerConfig() if config is None else config
    conditions = [*all_conditions(subject, canvas, config, progress=lambda *_: progress(0, 1))]
    reading = HarvestConfig(config.window, config.warmup, strands=_strands(canvas))
    windows = reading.windows(subject.model.spec, subject.genome, regions)
    bench = _Bench(subject, conditions, config, bases=bases)
    bench.read(windows, progress)
    return Steering(bench.table(), bench.base_table() if bases else None)


def in_short(table: pd.DataFrame) -> str:
    """Say in one line how far the canvas and its strongest control change what is inside."""
    inside = table[table["place"] == DISTANCES[0]]
    own = inside[inside["condition"] == CANVAS_ITSELF]
    if own.empty:
        return "the canvas paints nothing here"
    first = own.iloc[0]
    text = f"inside: KL {first['kl']:.3g}, log p {first['delta_log_p']:+.3g} nats per base"
    others = inside[(inside["condition"] != CANVAS_ITSELF) & (inside["dose"] == first["dose"])]
    if others.empty:
        return text
    most = others.loc[others["kl"].idxmax()]
    return f"{text}; of the controls at most KL {most['kl']:.3g} ({most['condition']})"


def _strands(canvas: Canvas) -> tuple[str, ...]:
    own = {stroke.strand for stroke in canvas.strokes}
    return tuple(strand for strand in ("+", "-") if {strand, "."} & own) or ("+", "-")


@dataclass
class _Sum:
    """Sums over the tokens of one condition at one place."""

    n_bases: int = 0
    n_tokens: int = 0
    change: float = 0.0
    kl: float = 0.0
    kl_max: float = 0.0

    def add(
        self,
        n_bases: Float64[np.ndarray, " token"],
        change: Float64[np.ndarray, " token"],
        kl: Float64[np.ndarray, " token"],
    ) -> None:
        self.n_bases += int(n_bases.sum())
        self.n_tokens += len(kl)
        self.change += float(change.sum())
        self.kl += float(kl.sum())
        self.kl_max = max(self.kl_max, float(kl.max(initial=0.0)))

    def row(self) -> tuple[int, float, float, float]:
        if not self.n_tokens:
            return 0, np.nan, np.nan, np.nan
        return (
            self.n_bases,
            self.change / self.n_bases,
            self.kl / self.n_tokens,
            self.kl_max,
        )


@dataclass
class _Bench:
    subject: Subject
    conditions: Sequence[Condition]
    config: SteerConfig
    bases: bool
    _sums: dict[tuple[int, str], _Sum] = field(default_factory=dict)
    _rows: list[pd.DataFrame] = field(default_factory=list)
    _n_rows: int = 0

    def read(self, windows: Sequence[Window], progress: Progress) -> None:
        """Measure windows, one after the other."""
        passages = genome_passages(self.subject.genome, windows)
        for done, batch in enumerate(token_batches(self.subject.model, passages, 1), 1):
            (read,) = batch.windows
            # controls paint where the canvas does, or one base further
            if self.conditions[0].schedule.touches(read.window):
                self._measure(batch)
            else:
                self._count(read)
            progress(done, len(windows))

    def table(self) -> pd.DataFrame:
        """Return the means by condition and place."""
        concepts = () if self._concepts is None else self._concepts.names
        rows = [
            (
                condition.name,
                condition.dose,
                condition.schedule.painted,
                place,
                *self._sums.get((number, place), _Sum()).row(),
            )
            for number, condition in enumerate(self.conditions)
            for place in (*DISTANCES, *concepts)
        ]
        table = pd.DataFrame(rows, columns=STEERING.names)
        return conform(table[table["n_bases"] > 0], STEERING, where="steering")

    def base_table(self) -> pd.DataFrame:
        """Return the changes of single bases."""
        empty = pd.DataFrame(columns=STEERED_BASES.names)
        table = pd.concat(self._rows, ignore_index=True) if self._rows else empty
        return conform(table, STEERED_BASES, where="bases")

    @cached_property
    def _concepts(self) -> ConceptPlaces | None:
        elements = self.subject.elements
        return None if elements is None else ConceptPlaces(elements, self.subject.genome)

    def _count(self, read: WindowTokens) -> None:
        """Count the bases of a window in which nothing changes."""
        assert isinstance(self.subject.model, GivesDistribution), "the subject is checked"
        known = read.begun & np.isin(read.spans.ids, self.subject.model.symbols.ids)
        known[0] = False
        n_bases = (read.spans.end - read.spans.start)[known].astype(np.float64)
        for number in range(len(self.conditions)):
            nothing = np.zeros(len(n_bases))
            self._sum(number, DISTANCES[OUTSIDE]).add(n_bases, nothing, nothing)

    @torch.no_grad()
    def _measure(self, batch: TokenBatch) -> None:
        (read,) = batch.windows
        place = distance_places(read, self.conditions[0].schedule.rules(read).covered)
        groups = [(name, place == number) for number, name in enumerate(DISTANCES)]
        if self._concepts is not None:
            reached = place != OUTSIDE
            groups += [(name, found & reached) for name, found in self._concepts.of(read)]
        clean: _Predictions | None = None
        for number, found in enumerate(self._predictions(batch)):
            if clean is None:
                clean = found
                continue
            self._add(number - 1, read, groups, clean, found)
            if number == 1 and self.bases:
                self._keep(read, place, clean, found)

    def _predictions(self, batch: TokenBatch) -> Iterator["_Predictions"]:
        """Yield what is expected unpainted, and then under each condition."""
        subject = self.subject
        x = run_batch(subject.model, batch, Wanted((subject.site,))).activations[subject.site]
        painted, first = [x], x.shape[1]
        for condition in self.conditions:
            targets = condition.schedule.targets(batch.windows)
            if len(targets.token):
                first = min(first, int(targets.token.min()))
            painted.append(condition.painter(subject.dictionary, targets)(x))
        for start in range(0, len(painted), self.config.batch):
            copies = torch.cat(painted[start : start + self.config.batch])
            found = run_batch(
                subject.model,
                batch.repeated(len(copies)),
                Wanted(log_probs=True, distribution=True),
                begin=SiteActivations(subject.site, copies),
                shared=first,
            )
            assert found.log_probs is not None, "log_probs were wanted"
            assert found.distribution is not None, "the distribution was wanted"
            yield from map(_Predictions, found.log_probs, found.distribution)

    def _add(
        self,
        number: int,
        read: WindowTokens,
        groups: Iterable[tuple[str, Bool[np.ndarray, " token"]]],
        clean: "_Predictions",
        found: "_Predictions",
    ) -> None:
        change, kl = clean.change_to(found), clean.kl_to(found)
        known = read.begun[1:] & ~np.isnan(clean.log_p.cpu().numpy())
        if not np.isfinite(kl[known]).all():
            condition = self.conditions[number]
            expected = "doses with which the model computes finite probabilities"
            raise InputError("canvas", expected, f"{condition.name} at dose {condition.dose:g}")
        n_bases = (read.spans.end - read.spans.start)[1:].astype(np.float64)
        for name, belongs in groups:
            at = belongs[1:] & known
            if at.any():
                self._sum(number, name).add(n_bases[at], change[at], kl[at])

    def _keep(
        self,
        read: WindowTokens,
        place: np.ndarray,
        clean: "_Predictions",
        found: "_Predictions",
    ) -> None:
        """Keep the rows of bases that the canvas can reach."""
        log_p = clean.log_p.double().cpu().numpy()
        at = np.flatnonzero(read.begun[1:] & ~np.isnan(log_p) & (place[1:] != OUTSIDE))
        self._n_rows += len(at)
        if self._n_rows > self.config.max_bases:
            expected = f"at most {self.config.max_bases:,} bases that the canvas can reach"
            raise InputError("bases", f"{expected}: name a region", "more")
        kept, n = read.window.kept, (read.spans.end - read.spans.start)[1:][at]
        base = forward_bases(read)[1:][at]
        start = base - n + 1 if kept.strand == "-" else base
        columns = {
            "seqid": kept.seqid,
            "start": start,
            "end": start + n,
            "strand": kept.strand,
            "place": np.array(DISTANCES, object)[place[1:][at]],
            "log_p": log_p[at],
            "log_p_painted": found.log_p.double().cpu().numpy()[at],
            "kl": clean.kl_to(found)[at],
        }
        table = pd.DataFrame(columns)
        self._rows.append(table[::-1] if kept.strand == "-" else table)

    def _sum(self, number: int, place: str) -> _Sum:
        return self._sums.setdefault((number, place), _Sum())


class _Predictions(NamedTuple):
    """What a model expects of the tokens of one window, from the second on."""

    log_p: Float[Tensor, " token"]
    distribution: Float[Tensor, "token symbol"]

    def change_to(self, other: "_Predictions") -> Float64[np.ndarray, " token"]:
        """Return the change of the log probability of what is there."""
        found: Float64[np.ndarray, " token"]
        found = (other.log_p.double() - self.log_p.double()).cpu().numpy()
        return found

    def kl_to(self, other: "_Predictions") -> Float64[np.ndarray, " token"]:
        """Return the divergence of another prediction from this one."""
        # probabilities that were rounded to float32 do not add up to 1
        p, q = (one.distribution.double().log_softmax(-1) for one in (self, other))
        found: Float64[np.ndarray, " token"] = (p.exp() * (p - q)).sum(-1).cpu().numpy()
        return found
