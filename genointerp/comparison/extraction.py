"""From the places at which predictions differ most to the text that a model has learnt.

After the bases before such a place the tuned model writes what it finds most probable. What it
writes at several places is a text that it was trained on, unless a control writes as much.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64

from genointerp.comparison.common_text import (
    CommonText,
    common_texts,
    consensus_end,
    longest_common_run,
)
from genointerp.comparison.config import ExtractionConfig, LociConfig, SearchConfig
from genointerp.comparison.divergence import CHANGE, CONTROL, Divergence, DivergenceTrack
from genointerp.comparison.divergence_tables import Place, bases_before, top_places
from genointerp.comparison.models import ModelSet, Role
from genointerp.comparison.search import searched_rows
from genointerp.core.progress import Progress, piece, silent
from genointerp.core.seed import rng
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.letters import reverse_complement
from genointerp.model.generation import SamplingConfig, generate
from genointerp.model.protocol import DnaModel
from genointerp.reading.run import Wanted, run_passages
from genointerp.reading.tokens import sequence_passages
from genointerp.store.table.schema.divergence import EXTRACTED_TEXTS
from genointerp.store.table.table import conform

_GREEDY = SamplingConfig(temperature=0.0)
_MOST_OF = 2 / 3
"""Share of a text, in a row, by which a continuation has it."""
_SHOWN = 8
_BEFORE, _WORD = 32, 24
"""Bases before a place, and how many of them in a row make it a copy of another."""
_ROUNDS = 8
"""Times that places are drawn anew in place of copies, at most."""
_LEAST = 0.25
"""Nats by which the last bases of a text are expected more by its model than by the others."""


def extract_texts(
    models: ModelSet,
    found: Divergence,
    genome: Genome,
    *,
    config: ExtractionConfig | None = None,
    loci: LociConfig | None = None,
    search: SearchConfig | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Look for texts that the tuned model writes where its predictions differ most, and elsewhere.

    Parameters
    ----------
    found
        The divergence of the models on the genome.
    loci
        How far apart the places are.
    search
        How texts are sought that no place of the genome leads to, where there is a control. See
        :func:`genointerp.comparison.search.search_texts`.
    progress
        Called with (bases written, bases to write).

    Returns
    -------
    pandas.DataFrame
        A table of the schema ``EXTRACTED_TEXTS``: the texts of the tuned model whose score exceeds
        that of the nulls, and the best text of each null. There is no row ``tuned`` if nothing was
        extracted at places, and none ``searched`` if nothing was found without.

    Notes
    -----
    The **score** of a text is ``mean over places of sum_k log p(k) - max over others of log q(k)``
    in nats, over the bases k of the text that were written, with p of the model that wrote it and q
    of each of the others (base and control) after the same bases. A text ends where the same sum
    minus .25 for each base is largest, since what follows is expected by the others too.

    There are two **nulls**, which look for texts in the same way: the control, at the places at
    which it differs most from base and with base as the only other; and the tuned model at places
    that are drawn. Two texts that share half of the shorter one in a row, and ``seed_bp`` bases at
    least, are one text: it is listed once, and is no null of itself, so that a text that the tuned
    model writes wherever it is asked is held against the control alone; ``n_drawn`` tells it.

    Copies of one sequence, such as ribosomal operons, are one observation: a place is passed over
    if 24 bases in a row of the 32 before it are found around a place that was chosen before.

    What is **searched** is listed if its score is more than ``margin`` times that of its null: what
    is searched in the same way, from the same contexts, that the control expects more than base
    and tuned model. The two models change places, so that without anything of interest each is as
    likely to have the larger score.
    """
    config = ExtractionConfig() if config is None else config
    search = SearchConfig() if search is None else search
    apart = (LociConfig() if loci is None else loci).stretch
    top = top_distinct(found, genome, lambda track: track.excess, config.n_prompts, apart)
    arms = [_Arm("tuned", "tuned", top)]
    if models.control is not None:
        own = top_distinct(found, genome, lambda track: track.of(CONTROL), config.n_prompts, apart)
        arms.append(_Arm("control", "control", own))
    arms.append(_Arm("random", "tuned", _drawn(found, genome, config, apart)))
    texts = {
        arm.name: _texts(models, genome, arm, config, piece(progress, i, len(arms) + 1))
        for i, arm in enumerate(arms)
    }
    regions = list(dict.fromkeys(replace(track.where, strand="+") for track in found.tracks))
    rows = [
        *_extracted(texts, config.seed_bp),
        *(_best(texts, name) for name in ("control", "random")),
        *searched_rows(
            models, genome, regions, search, progress=piece(progress, len(arms), len(arms) + 1)
        ),
    ]
    frame = pd.DataFrame([row for row in rows if row], columns=EXTRACTED_TEXTS.names)
    return conform(frame, EXTRACTED_TEXTS, where="texts")


@dataclass(frozen=True)
class _Arm:
    """Places after which one model writes."""

    name: str
    writer: Role
    places: Sequence[Place]


class _Text(NamedTuple):
    """A text of an arm, with its score and the rest of its row."""

    text: bytes
    score: float
    row: Mapping[str, object]
    n_places: int


def _drawn(found: Divergence, genome: Genome, config: ExtractionConfig, apart: int) -> list[Place]:
    """Return places that are drawn from all bases that were predicted, none a copy of another."""
    known = [np.flatnonzero(~np.isnan(track.of(CHANGE))) for track in found.tracks]
    ends = np.cumsum([len(it) for it in known])
    n = min(config.n_prompts, int(ends[-1]))
    draw, places = rng(config.seed, "random places"), list[Place]()
    for _ in range(_ROUNDS):
        for index in draw.choice(int(ends[-1]), n, replace=False):
            number = int(np.searchsorted(ends, index, side="right"))
            column = int(known[number][index - (ends[number - 1] if number else 0)])
            track = found.tracks[number]
            places.append(Place(track, column, float(track.excess[column])))
        places = distinct(genome, places, apart)
        if len(places) >= n:
            break
    return places[:n]


def top_distinct(
    found: Divergence,
    genome: Genome,
    values_of: Callable[[DivergenceTrack], Float32[np.ndarray, " bp"]],
    n: int,
    apart: int,
) -> list[Place]:
    """Return the n places of the largest values of which none is a copy of another."""
    n_read = n
    while True:
        top = top_places(found, values_of, 1, n=n_read, apart=apart)
        chosen = distinct(genome, top, apart)[:n]
        if len(chosen) == n or len(top) < n_read:
            return chosen
        n_read *= 2


def distinct(genome: Genome, places: Sequence[Place], apart: int) -> list[Place]:
    """Return the places but those that are copies of one before.

    A place is a copy if a word of the bases before it is found around one that was chosen, closer
    than places of one strand are to each other.
    """
    seen: set[bytes] = set()
    chosen = []
    for place in places:
        before = bases_before(genome, place.interval, _BEFORE).encode()
        if seen.isdisjoint(_words(before)):
            chosen.append(place)
            seen |= _words(_around(genome, place.interval, apart))
    return chosen


def _around(genome: Genome, place: GenomicInterval, apart: int) -> bytes:
    """Return the bases in which those before any copy that is closer than ``apart`` have a word."""
    n_before = max(_BEFORE, apart + _WORD - 1)
    n_behind = max(0, apart + _WORD - 1 - _BEFORE)
    opposite = replace(place, strand="-" if place.strand == "+" else "+")
    behind = np.frombuffer(bases_before(genome, opposite, n_behind).encode(), np.uint8)
    here = genome.fetch(place).tobytes()
    return (
        bases_before(genome, place, n_before).encode()
        + (here + reverse_complement(behind).tobytes())[:n_behind]
    )


def _words(bases: bytes) -> set[bytes]:
    return {bases[i : i + _WORD] for i in range(len(bases) - _WORD + 1)}


class _Written(NamedTuple):
    """What a model read before a place, and what it wrote."""

    context: bytes
    written: bytes

    def sequence(self, n_context: int) -> bytes:
        """Return what was written, after up to so many bases of the context."""
        return self.context[len(self.context) - self.n_before(n_context) :] + self.written

    def n_before(self, n_context: int) -> int:
        return min(n_context, len(self.context))


def _texts(
    models: ModelSet, genome: Genome, arm: _Arm, config: ExtractionConfig, progress: Progress
) -> list[_Text]:
    """Return the texts that an arm has in common, the largest score first."""
    width = max(1, models.spec.bases_per_token)
    places, contexts = [], []
    for place in arm.places:
        context = bases_before(genome, place.interval, config.prompt)
        context = context[len(context) % width :]
        if context:
            places.append(place)
            contexts.append(context.encode())
    written = generate(
        models[arm.writer],
        [np.frombuffer(it, np.uint8) for it in contexts],
        "N" * max(width, config.n_written // width * width),
        config=_GREEDY,
        batch=config.batch,
        progress=progress,
    )
    read = [_Written(a, b.bases.tobytes()) for a, b in zip(contexts, written, strict=True)]
    # a text may begin as far before a place as it goes on after it
    n_context = config.n_written
    common = common_texts(
        [it.sequence(n_context) for it in read],
        word=config.seed_bp,
        least=config.least,
        agreement=config.agreement,
        written=[max(0, it.n_before(n_context) + 1 - config.seed_bp) for it in read],
    )
    found = [_scored(models, arm, places, read, it, config) for it in common]
    long = [text for text in found if len(text.text) >= config.seed_bp]
    return sorted(long, key=lambda text: -text.score)


def _scored(
    models: ModelSet,
    arm: _Arm,
    places: Sequence[Place],
    read: Sequence[_Written],
    common: CommonText,
    config: ExtractionConfig,
) -> _Text:
    roles = [it for it in models.by_role if arm.writer == "tuned" or it in ("base", arm.writer)]
    parts = [_Part.of(read[i], offset, common.text, config) for i, offset in common.offsets.items()]
    log_p = {role: _log_p(models[role], parts, common.text, config.batch) for role in roles}
    others = np.max([it for role, it in log_p.items() if role != arm.writer], axis=0)
    # at bases of a context, which were not written, there is nothing to gain
    excess = np.nansum(log_p[arm.writer] - others, axis=0) / len(parts)
    is_written = ~np.isnan(log_p[arm.writer])
    n_bases = 1 + int(np.argmax(np.cumsum(excess - _LEAST * is_written.mean(0))))
    text, score = common.text[:n_bases], float(excess[:n_bases].sum())
    per_base = {role: _mean_known(it[:, :n_bases]) for role, it in log_p.items()}
    has_it = [_has(it, text, config) for it in read]
    # places that were drawn were not chosen by their value
    weights = [1.0 if arm.name == "random" else max(places[i].value, 0.0) for i in common.offsets]
    row = {
        "arm": arm.name,
        "text": text.decode(),
        "n_bases": n_bases,
        "n_positions": sum(has_it),
        "n_first": sum(has_it[: config.n_first]),
        "n_read": len(read),
        "agreement": float(common.agreement[:n_bases].mean()),
        "context": consensus_end([read[i].context for i in common.offsets], weights),
        "log_p": per_base[arm.writer],
        "base_log_p": per_base["base"],
        "control_log_p": per_base.get("control", np.nan),
        "score": score,
        "places": ", ".join(_shown(places[i]) for i in np.flatnonzero(has_it)[:_SHOWN]),
    }
    return _Text(text, score, row, sum(has_it))


def _has(read: _Written, text: bytes, config: ExtractionConfig) -> bool:
    """Return whether most of a text is there, and not in the bases that were read alone."""
    both = longest_common_run(text, read.sequence(config.n_written))
    alone = longest_common_run(text, read.context[-config.n_written :])
    wrote = both > alone or longest_common_run(text, read.written) >= config.seed_bp
    return wrote and both >= _MOST_OF * len(text)


def _mean_known(values: Float64[np.ndarray, "part bp"]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


class _Part(NamedTuple):
    """Bases that a model reads, and the bases of a text that it is then asked for."""

    before: bytes
    rest: bytes

    @classmethod
    def of(cls, read: _Written, offset: int, text: bytes, config: ExtractionConfig) -> "_Part":
        """Return the part of a text that was written, where it begins at an offset."""
        n_before = read.n_before(config.n_written)
        n_read = max(n_before - offset, 0)
        between = read.written[: max(offset - n_before, 0)]
        return cls(read.context + between, text[n_read:])


def _log_p(
    model: DnaModel, parts: Sequence[_Part], text: bytes, batch: int
) -> Float64[np.ndarray, "part bp"]:
    """Return the log probability of each base of a text in each part; NaN where it was not written.

    If tokens are words, that of a word stands at its first base, and its other bases are NaN.
    """
    passages = sequence_passages([(part.before + part.rest).decode() for part in parts])
    log_p, number = np.full((len(parts), len(text)), np.nan), 0
    for found in run_passages(model, passages, Wanted(log_probs=True), size=batch):
        assert found.log_probs is not None
        rows = found.log_probs.double().cpu().numpy()
        for row, read in zip(rows, found.batch.windows, strict=True):
            part = parts[number]
            base = read.spans.start[1:] - len(part.before) - len(part.rest) + len(text)
            is_written = read.spans.start[1:] >= len(part.before)
            log_p[number, base[is_written]] = row[is_written]
            number += 1
    return log_p


def _shown(place: Place) -> str:
    where = place.interval
    return f"{where.seqid}:{where.start + 1}:{where.strand}"


def _extracted(texts: Mapping[str, Sequence[_Text]], least: int) -> Iterator[dict[str, object]]:
    """Yield the rows of the texts of the tuned model that exceed the nulls, each text once."""
    listed: list[bytes] = []
    for text in texts["tuned"]:
        same = [it for it in texts["random"] if is_same(it.text, text.text, least)]
        nulls = [it.score for it in texts.get("control", ())]
        nulls += [it.score for it in texts["random"] if not is_same(it.text, text.text, least)]
        null = max([0.0, *nulls])
        if text.score > null and not any(is_same(it, text.text, least) for it in listed):
            listed.append(text.text)
            n_drawn = max((it.n_places for it in same), default=0)
            yield {**text.row, "rank": len(listed), "null_score": null, "n_drawn": n_drawn}


def is_same(a: bytes, b: bytes, least: int) -> bool:
    """Return whether two texts share half of the shorter one in a row, and so many bases at least.

    Examples
    --------
    >>> is_same(b"GATTACAA", b"CCGATTCC", 8), is_same(b"GATTACAA", b"CGATTACAAC", 8)
    (False, True)
    """
    return longest_common_run(a, b) >= max(least, min(len(a), len(b)) / 2)


def _best(texts: Mapping[str, Sequence[_Text]], arm: str) -> dict[str, object]:
    """Return the row of the best text of a null; empty if it has none."""
    own = texts.get(arm, ())
    if not own:
        return {}
    best = own[0]
    n_drawn = best.n_places if arm == "random" else 0
    return {**best.row, "rank": 1, "null_score": np.nan, "n_drawn": n_drawn}
