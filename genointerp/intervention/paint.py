"""Painting: let a model write a stretch of a genome under a canvas, and under controls."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from genointerp.core.errors import ConfigError, InputError
from genointerp.core.progress import Progress, silent
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval, format_region
from genointerp.genome.windows import Window, tile_windows, window_sequence
from genointerp.intervention.canvas import Canvas
from genointerp.intervention.control import CANVAS_ITSELF, Condition, ControlConfig, all_conditions
from genointerp.intervention.judge.dose import dose_scores
from genointerp.intervention.judge.finders import warn_of_absent_finders
from genointerp.intervention.judge.sequences import Texts
from genointerp.intervention.judge.verdict import Judged, judged, summary_of
from genointerp.intervention.prompt import Prompt, prompts, real_prompts
from genointerp.intervention.subject import Subject
from genointerp.model.generation import Generated, SamplingConfig, generate
from genointerp.model.protocol import DnaModel, Edit, Generates
from genointerp.model.randomised import with_random_weights
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
    structure: str = ""
    """Dots and brackets, one for each base to write: which bases pair, in every condition."""
    prompt: Prompt = "own"
    """What is read before the place: its own bases, these shuffled for each design but for their
    dinucleotides, or those of intergenic stretches."""
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
    known: Sequence[Genome] = (),
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
    known
        Genomes, besides that of the place, in which copies are sought: those that the model was
        trained on, if they are at hand.
    progress
        Called with (bases written, bases to write in all conditions). What it raises ends the work.

    Notes
    -----
    The model reads the bases before the place, and then draws base after base, each from its state
    after the one before; the first is decided by a painted state too. Designs of one number have
    the same random numbers and the same bases before them in every condition, but for ``real
    prompt``. Template, structure and motifs to avoid are constraints, not steering: they hold in
    all conditions.

    Raises
    ------
    InputError
        If the place has no strand, the model cannot write, its tokens have no fixed length, the
        template or the structure is not as long as the place, no prompt is known, or no stroke is
        on the strand that is written, there or on the bases before.
    MismatchError
        If canvas, genome, dictionary and model do not belong together.
    CoordinateError
        If the place or a stroke is not inside the genome.
    """
    config = PaintConfig() if config is None else config
    bench = _Bench.of(subject, place, known, config)
    warn_of_absent_finders()
    size = config.n_designs * place.length
    cases = [*_cases(bench, canvas, lambda *_: progress(0, size))]
    found: list[Judged] = []
    for done, case in enumerate(cases):
        begun = done * size

        def report(written: int, _all: int, begun: int = begun) -> None:
            progress(begun + written, len(cases) * size)

        found.append(bench.designs(case, report))
    tables = [it.table for it in found]
    frame = canvas.frame_on(place, subject.genome[place.seqid].length)
    rows = [bench.summary(case, own, found[0]) for case, own in zip(cases, found, strict=True)]
    return Designs(
        conform(pd.concat(tables, ignore_index=True), DESIGNS, where="designs"),
        conform(
            _with_scores(pd.DataFrame(rows), tables, canvas, frame), PAINTING, where="painting"
        ),
    )


def in_short(summary: pd.DataFrame) -> str:
    """Say in one line how many designs there are, and what painting does to their frame."""
    first = summary["condition"] == CANVAS_ITSELF
    plain, own = summary[~first].iloc[0], summary[first].iloc[0]
    name = "frame" if own["frame"] >= 0 else "frame 0 of the place"
    stops = f"stops_{max(0, own['frame'])}"
    return (
        f"{int(summary['n_designs'].sum())} designs; stop codons in {name} "
        f"{own[stops]:.2f} of what is expected ({plain[stops]:.2f} unpainted)"
    )


@dataclass(frozen=True, eq=False)
class _Case:
    """Designs to be written: by which model, after what, and under which condition, if any."""

    name: str
    model: DnaModel
    before: Sequence[UInt8[np.ndarray, " _"]]
    condition: Condition | None = None

    @property
    def dose(self) -> float:
        return 0.0 if self.condition is None else self.condition.dose

    @property
    def label(self) -> str:
        name = self.name.replace(" ", "_")
        return name if self.condition is None else f"{name}_dose_{self.dose:g}"


def _cases(bench: "_Bench", canvas: Canvas, progress: Progress) -> Iterator[_Case]:
    """Yield the unpainted case, the canvas and its controls at each dose, and the others."""
    subject, config = bench.subject, bench.config
    if canvas.strokes and not subject.bound(canvas).touches(bench.window):
        place = bench.window.kept
        expected = (
            f"a stroke on {place.strand}, which is written, at {format_region(place)} or before"
        )
        raise InputError(canvas.identity.where, expected, "none")
    yield _Case(UNPAINTED, subject.model, bench.before)
    conditions = [*all_conditions(subject, canvas, config, progress=progress)]
    for condition in conditions:
        yield _Case(condition.name, subject.model, bench.before, condition)
    if not config.controls:
        return
    real = real_prompts(subject, canvas, len(bench.before[0]), n=config.n_designs, seed=config.seed)
    if real is not None:
        yield _Case("real prompt", subject.model, real)
    random = with_random_weights(subject.model, config.seed)
    if random is not None:
        yield _Case("random weights, unpainted", random, bench.before)
        for condition in conditions:
            if condition.name == CANVAS_ITSELF:
                yield _Case("random weights", random, bench.before, condition)


def _with_scores(
    summary: pd.DataFrame, tables: Sequence[pd.DataFrame], canvas: Canvas, frame: int | None
) -> pd.DataFrame:
    """Add how well each dose of the canvas works, on either half of the designs, and its frame."""
    own = summary["condition"] == CANVAS_ITSELF
    designs = {
        float(summary["dose"][row]): tables[row] for row in np.flatnonzero(own.to_numpy()).tolist()
    }
    scores = dose_scores(designs, tables[0], canvas.concepts, frame=frame)
    at = [scores.get(dose) if of else None for dose, of in zip(summary["dose"], own, strict=True)]
    return summary.assign(
        score_fit=[np.nan if it is None else it.fit for it in at],
        score_test=[np.nan if it is None else it.test for it in at],
        chosen=[int(it is not None and it.chosen) for it in at],
        frame=-1 if frame is None else frame,
    )


@dataclass(frozen=True, eq=False)
class _Bench:
    subject: Subject
    config: PaintConfig
    window: Window
    before: Sequence[UInt8[np.ndarray, " _"]]
    own: UInt8[np.ndarray, " bp"]
    behind: UInt8[np.ndarray, " behind"]
    known: Texts

    @classmethod
    def of(
        cls, subject: Subject, place: GenomicInterval, known: Sequence[Genome], config: PaintConfig
    ) -> "_Bench":
        model, genome = subject.model, subject.genome
        if place.strand not in ("+", "-"):
            raise InputError("place", "a strand, + or -", place.strand)
        if not isinstance(model, Generates):
            raise InputError("model", "a model that can write, from left to right", model.spec.name)
        if model.spec.bases_per_token < 1:
            expected = "a model whose tokens have a fixed number of bases"
            raise InputError("model", expected, model.spec.name)
        for name in ("template", "structure"):
            text = getattr(config, name)
            if text and len(text) != place.length:
                expected = f"{place.length} letters, as many as {format_region(place)} has bases"
                raise InputError(name, expected, str(len(text)))
        window = _window(genome, place, config, max(1, model.spec.bases_per_token))
        bases = window_sequence(genome, window)
        own = bases[window.warmup :]
        before = prompts(
            config.prompt, bases[: window.warmup], subject, n=config.n_designs, seed=config.seed
        )
        texts = Texts(it[name].sequence for it in (genome, *known) for name in it)
        behind = _behind(genome, window, config.behind)
        return cls(subject, config, window, before, own, behind, texts)

    def designs(self, case: _Case, progress: Progress) -> Judged:
        """Write the designs of a case, and let the unpainted model read them."""
        config, length = self.config, self.window.kept.length
        written = generate(
            case.model,
            case.before,
            config.template or "N" * length,
            config=SamplingConfig(
                temperature=config.temperature, avoid=config.avoid, structure=config.structure
            ),
            edits=self._edits(case),
            seed=config.seed,
            batch=config.batch,
            progress=progress,
        )
        read = [*self._read(case, written)]
        kept, texts = self.window.kept, [it.bases.tobytes().decode() for it in written]
        log_p, log_p_behind = np.array([it.log_p for it in read]).T
        table = pd.DataFrame(
            {
                "design": [f"{case.label}_{number}" for number in range(1, len(written) + 1)],
                "condition": case.name,
                "dose": case.dose,
                "number": np.arange(1, len(written) + 1),
                "seqid": kept.seqid,
                "start": kept.start,
                "end": kept.end,
                "strand": kept.strand,
                "log_p_painted": [it.log_p.sum() / length for it in written],
                "log_p": log_p,
                "log_p_behind": log_p_behind,
                "identity": [(it.bases == self.own).mean() for it in written],
                **judged(texts, case.before, self.known),
                "sequence": texts,
            }
        )
        return Judged(table, np.stack([it.amounts for it in read]))

    def summary(self, case: _Case, own: Judged, unpainted: Judged) -> dict[str, object]:
        """Return the means of a case, and its side effects."""
        condition = case.condition
        schedule = None if condition is None else condition.schedule
        return {
            "condition": case.name,
            "dose": case.dose,
            "features": "" if schedule is None else schedule.painted,
            **summary_of(
                own,
                unpainted,
                () if schedule is None else schedule.features,
                seed=self.config.seed,
            ),
            "kl_behind": self._kl_behind(case),
        }

    def _edits(self, case: _Case) -> list[Edit]:
        if case.condition is None:
            return []
        # tokens of a fixed length lie alike, whatever bases they spell
        passage = Passage(self.window, np.concatenate([self.before[0], self.own]))
        read = tokenised(case.model, passage)
        targets = case.condition.schedule.targets([read]).for_every_row()
        return [Edit(self.subject.site, case.condition.painter(self.subject.dictionary, targets))]

    def _kl_behind(self, case: _Case) -> float:
        """Return how far painting moves what is expected behind the place, which is as it was."""
        if case.condition is None or case.model is not self.subject.model or not len(self.behind):
            return float("nan")
        text = np.concatenate([self.before[0], self.own, self.behind])
        clean, painted = (
            next(
                run_passages(
                    case.model,
                    sequence_passages([text]),
                    Wanted(distribution=True),
                    size=1,
                    edits=edits,
                )
            )
            for edits in ([], self._edits(case))
        )
        assert clean.distribution is not None, "the distribution was wanted"
        assert painted.distribution is not None, "the distribution was wanted"
        (read,) = clean.batch.windows
        p, q = clean.distribution[0].double(), painted.distribution[0].double()
        kl = (p.exp() * (p - q)).sum(-1).cpu().numpy()
        at = read.spans.start[1:] >= self.window.warmup + len(self.own)
        return float(kl[at].mean())

    def _read(self, case: _Case, written: Sequence[Generated]) -> Iterator["_Read"]:
        """Yield what the unpainted model expects of each design, and what features do on it."""
        sequences = (
            np.concatenate([before, it.bases, self.behind])
            for before, it in zip(case.before, written, strict=True)
        )
        begin = self.window.warmup
        end = begin + self.window.kept.length
        bounds = (begin, end), (end, end + len(self.behind))
        wanted = Wanted((self.subject.site,), log_probs=True)
        for found in run_passages(
            self.subject.model, sequence_passages(sequences), wanted, size=self.config.batch
        ):
            assert found.log_probs is not None, "log_probs were wanted"
            rows = found.log_probs.double().cpu().numpy()
            xs = found.activations[self.subject.site]
            for row, x, read in zip(rows, xs, found.batch.windows, strict=True):
                start, n_bases = read.spans.start[1:], (read.spans.end - read.spans.start)[1:]
                inside = [
                    (start >= first) & (start < last) & ~np.isnan(row) for first, last in bounds
                ]
                means = [row[at].sum() / n_bases[at].sum() if at.any() else np.nan for at in inside]
                design = torch.from_numpy((read.spans.start >= begin) & (read.spans.start < end))
                yield _Read(means, self._amounts(x[design.to(x.device)]))

    @torch.no_grad()
    def _amounts(self, x: Float[Tensor, "token d"]) -> Float32[np.ndarray, " n_features"]:
        dictionary = self.subject.dictionary.to(x.device)
        mean: Float32[np.ndarray, " n_features"]
        mean = dictionary.amounts(x.to(dictionary.sae.b_dec)).float().mean(0).cpu().numpy()
        return mean


class _Read(NamedTuple):
    """Log probability of a base inside and behind a design, and the mean amount of each feature."""

    log_p: list[float]
    amounts: Float32[np.ndarray, " n_features"]


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
