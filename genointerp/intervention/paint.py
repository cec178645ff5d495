"""Painting: let a model write a stretch of a genome under a canvas, and under controls."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float64, UInt8

from genointerp.annotation.finders.folding import dinucleotide_shuffle
from genointerp.core.errors import ConfigError, InputError
from genointerp.core.progress import Progress, silent
from genointerp.core.seed import rng
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval, format_region
from genointerp.genome.windows import Window, tile_windows, window_sequence
from genointerp.intervention.canvas import Canvas
from genointerp.intervention.control import CANVAS_ITSELF, Condition, ControlConfig, all_conditions
from genointerp.intervention.judge import (
    Found,
    diversity,
    stop_codons,
    stop_ratio,
    stop_ratio_interval,
    warn_of_absent_finders,
)
from genointerp.intervention.subject import Subject
from genointerp.model.generation import Generated, SamplingConfig, generate
from genointerp.model.protocol import DnaModel, Edit
from genointerp.reading.run import Wanted, run_passages
from genointerp.reading.tokens import Passage, sequence_passages, tokenised
from genointerp.store.table.schema.intervention import DESIGNS, PAINTING
from genointerp.store.table.table import conform

UNPAINTED = "unpainted"
"""Name of the condition in which nothing is painted."""


@dataclass(frozen=True)
class PaintConfig(ControlConfig):
    """How many designs are written, after what, and how bases are drawn.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    n_designs: int = 16
    """Designs of each condition."""
    temperature: float = 1.0
    """Divisor of the log probabilities; 0 takes the most probable base."""
    template: str = ""
    """IUPAC letter for each base to write, in every condition; any base where empty."""
    avoid: tuple[str, ...] = ()
    """Motifs, in IUPAC letters, that are not written on either strand, in every condition."""
    context: int = 512
    """Bases before the place that the model reads first."""
    behind: int = 256
    """Bases behind the place that the model reads after a design."""
    shuffled: bool = False
    """Whether the bases before the place are shuffled for each design, keeping dinucleotides."""
    batch: int = 32
    """Designs that are written together."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("n_designs", 1), ("context", 0), ("behind", 0), ("batch", 1)):
            if getattr(self, name) < least:
                raise ConfigError(name, f"at least {least}", str(getattr(self, name)))


class Designs(NamedTuple):
    """What a model wrote.

    ``table`` is in the schema ``DESIGNS``, with a row for each design; ``summary`` in ``PAINTING``,
    with a row for each condition and dose.
    """

    table: pd.DataFrame
    summary: pd.DataFrame


def paint_designs(
    subject: Subject,
    canvas: Canvas,
    place: GenomicInterval,
    *,
    config: PaintConfig | None = None,
    progress: Progress = silent,
) -> Designs:
    """Let a model write a place anew under a canvas, under its controls, and unpainted.

    Parameters
    ----------
    canvas
        The canvas, whose units are known; strokes on the bases before the place count too.
    place
        What is written, on its strand.
    progress
        Called with (conditions done, conditions in all).

    Notes
    -----
    The model reads the bases before the place, and then draws base after base, each from its state
    after the one before; the first is decided by a painted state too. Designs of one number have
    the same random numbers and the same bases before them in every condition. Template and motifs
    to avoid are constraints, not steering: they hold in all conditions.

    Raises
    ------
    InputError
        If the place has no strand, the model cannot write, its tokens have no fixed length, or the
        template is not as long as the place.
    MismatchError
        If canvas, genome, dictionary and model do not belong together.
    CoordinateError
        If the place or a stroke is not inside the genome.
    """
    config = PaintConfig() if config is None else config
    bench = _Bench.of(subject, place, config)
    warn_of_absent_finders()
    conditions = [None, *all_conditions(subject, canvas, config)]
    tables, rows = [], []
    for done, condition in enumerate(conditions, 1):
        table = bench.designs(condition)
        tables.append(table)
        rows.append(bench.summary(condition, table))
        progress(done, len(conditions))
    return Designs(
        conform(pd.concat(tables, ignore_index=True), DESIGNS, where="designs"),
        conform(pd.DataFrame(rows), PAINTING, where="painting"),
    )


def in_short(summary: pd.DataFrame) -> str:
    """Say in one line how many designs there are, and what painting does to their frame."""
    first = summary["condition"] == CANVAS_ITSELF
    plain, own = summary[~first].iloc[0], summary[first].iloc[0]
    return (
        f"{int(summary['n_designs'].sum())} designs; stop codons in frame "
        f"{own['stops_0']:.2f} of what is expected ({plain['stops_0']:.2f} unpainted)"
    )


@dataclass(frozen=True, eq=False)
class _Bench:
    subject: Subject
    config: PaintConfig
    window: Window
    contexts: Sequence[UInt8[np.ndarray, " context"]]
    own: UInt8[np.ndarray, " bp"]
    behind: UInt8[np.ndarray, " behind"]

    @classmethod
    def of(cls, subject: Subject, place: GenomicInterval, config: PaintConfig) -> "_Bench":
        model, genome = subject.model, subject.genome
        if place.strand not in ("+", "-"):
            raise InputError("place", "a strand, + or -", place.strand)
        if model.spec.bases_per_token < 1:
            expected = "a model whose tokens have a fixed number of bases"
            raise InputError("model", expected, model.spec.name)
        if config.template and len(config.template) != place.length:
            expected = f"{place.length} letters, as many as {format_region(place)} has bases"
            raise InputError("template", expected, str(len(config.template)))
        window = _window(genome, place, config, max(1, model.spec.bases_per_token))
        bases = window_sequence(genome, window)
        context, own = bases[: window.warmup], bases[window.warmup :]
        contexts = [
            dinucleotide_shuffle(context, rng(config.seed, f"bases before design {i}"))
            if config.shuffled
            else context
            for i in range(config.n_designs)
        ]
        behind = _behind(genome, window, config.behind)
        return cls(subject, config, window, contexts, own, behind)

    def designs(self, condition: Condition | None) -> pd.DataFrame:
        """Write the designs of a condition, and let the unpainted model read them."""
        config, length = self.config, self.window.kept.length
        written = generate(
            self.subject.model,
            self.contexts,
            config.template or "N" * length,
            config=SamplingConfig(temperature=config.temperature, avoid=config.avoid),
            edits=[] if condition is None else [self._edit(condition)],
            seed=config.seed,
            batch=config.batch,
        )
        log_p, log_p_behind = self._read(written)
        name, dose = _name(condition)
        kept, designs = self.window.kept, np.stack([it.bases for it in written])
        stops = [stop_codons(designs, frame).sum(1) for frame in range(3)]
        label = name.replace(" ", "_") + (f"_dose_{dose:g}" if condition is not None else "")
        return pd.DataFrame(
            {
                "design": [f"{label}_{number}" for number in range(1, len(written) + 1)],
                "condition": name,
                "dose": dose,
                "number": np.arange(1, len(written) + 1),
                "seqid": kept.seqid,
                "start": kept.start,
                "end": kept.end,
                "strand": kept.strand,
                "log_p_painted": [it.log_p.sum() / length for it in written],
                "log_p": log_p,
                "log_p_behind": log_p_behind,
                "gc": np.isin(designs, [*b"GC"]).mean(1),
                "identity": (designs == self.own).mean(1),
                **{f"n_stops_{frame}": stops[frame] for frame in range(3)},
                "sequence": [it.bases.tobytes().decode() for it in written],
            }
        )

    def summary(self, condition: Condition | None, table: pd.DataFrame) -> dict[str, object]:
        """Return the means of a condition, and what judges say of its designs."""
        texts = table["sequence"].tolist()
        designs = np.array([[*text.encode()] for text in texts], np.uint8)
        found, (name, dose) = Found(texts), _name(condition)
        features = () if condition is None else condition.schedule.features
        low, high = stop_ratio_interval(designs, 0, seed=self.config.seed)
        means = ("log_p_painted", "log_p", "log_p_behind", "gc", "identity")
        return {
            "condition": name,
            "dose": dose,
            "features": ",".join(f"f/{feature}" for feature in features),
            "n_designs": len(table),
            **{column: float(table[column].mean()) for column in means},
            "diversity": diversity(designs),
            **{f"stops_{frame}": stop_ratio(designs, frame) for frame in range(3)},
            "stops_0_low": low,
            "stops_0_high": high,
            **{f"coding_{frame}": found.coding(frame) for frame in range(3)},
            "coding_other": found.coding(None),
            "trna": found.share_with("pyaragorn"),
            "rrna": found.share_with("pybarrnap"),
        }

    def _edit(self, condition: Condition) -> Edit:
        # tokens of a fixed length lie alike, whatever bases they spell
        passage = Passage(self.window, np.concatenate([self.contexts[0], self.own]))
        read = tokenised(self.subject.model, passage)
        targets = condition.schedule.targets([read]).for_every_row()
        return Edit(self.subject.site, condition.painter(self.subject.dictionary, targets))

    def _read(
        self, written: Sequence[Generated]
    ) -> tuple[Float64[np.ndarray, " design"], Float64[np.ndarray, " design"]]:
        """Return the log probability of each design and of what is behind it, for a base."""
        sequences = (
            np.concatenate([context, it.bases, self.behind])
            for context, it in zip(self.contexts, written, strict=True)
        )
        begin = self.window.warmup
        end = begin + self.window.kept.length
        bounds = (begin, end), (end, end + len(self.behind))
        means = [*_means(self.subject.model, sequences, bounds, self.config.batch)]
        own, behind = np.array(means).reshape(-1, 2).T
        return own, behind


def _name(condition: Condition | None) -> tuple[str, float]:
    return (UNPAINTED, 0.0) if condition is None else (condition.name, condition.dose)


def _window(genome: Genome, place: GenomicInterval, config: PaintConfig, grid: int) -> Window:
    """Return the window of a place and the bases before it."""
    length = config.context + place.length
    windows = tile_windows(
        genome,
        length=length,
        warmup=config.context,
        grid=grid,
        strands=[place.strand],
        regions=[place],
    )
    if len(windows) != 1 or place.length % grid or windows[0].warmup % grid:
        expected = f"a place of whole words of {grid} bases, and as many before it"
        raise InputError(format_region(place), expected, f"{place.length} bases")
    return windows[0]


def _behind(genome: Genome, window: Window, n: int) -> UInt8[np.ndarray, " bp"]:
    """Return up to ``n`` bases behind a window on its strand, none of which it holds."""
    kept, contig = window.kept, genome[window.kept.seqid]
    free = contig.length - window.length
    if not contig.circular:
        free = kept.start if kept.strand == "-" else contig.length - kept.end
    wider = replace(window, warmup=0, cooldown=min(n, free))
    return window_sequence(genome, wider)[kept.length :]


def _means(
    model: DnaModel,
    sequences: Iterable[UInt8[np.ndarray, " bp"]],
    bounds: Sequence[tuple[int, int]],
    size: int,
) -> Iterator[list[float]]:
    """Yield, for each sequence, the log probability of a base within some bounds."""
    passages = sequence_passages(sequences)
    for found in run_passages(model, passages, Wanted(log_probs=True), size=size):
        assert found.log_probs is not None, "log_probs were wanted"
        for row, read in zip(
            found.log_probs.double().cpu().numpy(), found.batch.windows, strict=True
        ):
            start, n_bases = read.spans.start[1:], (read.spans.end - read.spans.start)[1:]
            inside = [(start >= first) & (start < last) & ~np.isnan(row) for first, last in bounds]
            yield [row[at].sum() / n_bases[at].sum() if at.any() else np.nan for at in inside]
