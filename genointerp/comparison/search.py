"""Texts that a model expects more than others do, sought base by base and after any context.

Places of a genome show a text only where they begin as it does. Here it is built: from each of a
few natural contexts on, those bases are kept that one model expects more than the others.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64

from genointerp.comparison.config import SearchConfig
from genointerp.comparison.models import ModelSet, Predicts, Role
from genointerp.core.progress import Progress, piece, silent
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.windows import spread_stretches
from genointerp.model.protocol import DnaModel

LEAST_CONTEXTS = 8
"""Fewest contexts, half of them held out, by which a text is sought."""

_BASES = b"ACGT"
_PATIENCE = 3
"""Words that are tried before a text though they do not add enough."""
_log = logging.getLogger(__name__)
_Words = Int64[np.ndarray, " word"]


@dataclass(frozen=True, eq=False)
class SearchedText:
    """A text that one model expects more than the others, measured after held-out contexts.

    Parameters
    ----------
    text
        Its bases.
    score
        Nats by which its model expects it more than each of the others do: the least, over the
        others, of the mean over held-out contexts.
    n_above
        Held-out contexts after which it expects the text more than each of the others.
    n_held_out
        Held-out contexts.
    log_p
        Mean log probability of a base of the text after these contexts, by model.
    """

    text: bytes
    score: float
    n_above: int
    n_held_out: int
    log_p: Mapping[Role, float]


def search_texts(
    models: ModelSet,
    writer: Role,
    genome: Genome,
    regions: Sequence[GenomicInterval],
    *,
    config: SearchConfig | None = None,
    above: float = 0.0,
    progress: Progress = silent,
) -> list[SearchedText]:
    """Seek texts that a model expects more than each of the other models does.

    Parameters
    ----------
    writer
        Model whose texts are sought: ``tuned`` or ``control``.
    regions
        Where the contexts are taken.
    above
        A further text is sought as long as the last one has a larger score.
    progress
        Called with (words written, words to write).

    Returns
    -------
    list of SearchedText
        In the order in which they were found; the last one may not exceed ``above``. Empty, and the
        log says why, if tokens are words of unequal length or there are too few contexts.

    Notes
    -----
    A beam search. With ``p`` of the writer and ``q`` of another model, the score of a text ``x``
    is ``min over others of mean over contexts c of sum_k log p(x_k | c, x_<k) - log q(x_k | c,
    x_<k)``. All texts of one length are ranked by it, and ``n_beams`` go on, after ``n_broad``
    bases ``n_narrow``. The best one of ``n_bases`` ends where the score less half of its mean for
    each word is largest; then words are put before it that add as much. The score that is
    stated is measured after contexts on which nothing was chosen.

    For a further text no word of ``apart`` bases of those before is written.
    """
    config = SearchConfig() if config is None else config
    search = _Search.of(models, writer, genome, regions, config)
    found: list[SearchedText] = []
    while search is not None and len(found) < config.n_texts:

        def report(step: int, search: _Search = search) -> None:
            n_steps = search.n_steps
            progress(len(found) * n_steps + step, config.n_texts * n_steps)

        before = [it.text for it in found]
        words = search.begun(search.ended(search.best(before, report)), before)
        found.append(search.measured(words))
        if found[-1].score <= above:
            break
    return found


def searched_rows(
    models: ModelSet,
    genome: Genome,
    regions: Sequence[GenomicInterval],
    config: SearchConfig,
    *,
    progress: Progress = silent,
) -> list[dict[str, object]]:
    """Return rows of ``EXTRACTED_TEXTS``: searched texts beyond the margin, and that of the null.

    There is none without a control. The null counts as ``least`` nats at least, so that a text is
    not listed because nothing else is there.
    """
    if models.control is None or not config.n_texts:
        progress(1, 1)
        return []
    of_null, halves = replace(config, n_texts=1), [piece(progress, i, 2) for i in range(2)]
    nulls = search_texts(models, "control", genome, regions, config=of_null, progress=halves[0])
    null = max([config.least, *(it.score for it in nulls)])
    above = config.margin * null
    own = search_texts(
        models, "tuned", genome, regions, config=config, above=above, progress=halves[1]
    )
    progress(1, 1)
    found = sorted((it for it in own if it.score > above), key=lambda it: -it.score)
    rows = [_row("searched", number, it, null) for number, it in enumerate(found, 1)]
    return [*rows, *(_row("searched_control", 1, it, np.nan) for it in nulls)]


def _row(arm: str, rank: int, found: SearchedText, null: float) -> dict[str, object]:
    writer: Role = "tuned" if arm == "searched" else "control"
    return {
        "arm": arm,
        "rank": rank,
        "text": found.text.decode(),
        "n_bases": len(found.text),
        "n_positions": found.n_above,
        "n_first": 0,
        "n_read": found.n_held_out,
        "agreement": np.nan,
        "context": "",
        "log_p": found.log_p[writer],
        "base_log_p": found.log_p["base"],
        "control_log_p": found.log_p["control"],
        "score": found.score,
        "null_score": null,
        "n_drawn": 0,
        "places": "",
    }


@dataclass(frozen=True, eq=False)
class _Search:
    """Models, words of bases that they can write, and the contexts after which they write them.

    Parameters
    ----------
    models
        The writer, and the others, by role, the writer first.
    ids, columns, spelling
        Of each word its token, its place among the symbols of the models, and its bases.
    width
        Bases of a word.
    contexts, held_out
        Tokens of the contexts on which a text is chosen, and of those on which it is measured.
    """

    models: Mapping[Role, Predicts]
    ids: Int64[np.ndarray, " word"]
    columns: Int64[np.ndarray, " word"]
    spelling: tuple[bytes, ...]
    width: int
    contexts: Int64[np.ndarray, "context token"]
    held_out: Int64[np.ndarray, "held_out token"]
    config: SearchConfig

    @classmethod
    def of(
        cls,
        models: ModelSet,
        writer: Role,
        genome: Genome,
        regions: Sequence[GenomicInterval],
        config: SearchConfig,
    ) -> "_Search | None":
        """Take the contexts, every other one held out; None if words are of unequal length."""
        symbols = models.symbols
        kept = [i for i, it in enumerate(symbols.spelling) if it and not it.strip(_BASES)]
        widths = {len(symbols.spelling[i]) for i in kept}
        if len(widths) != 1:
            _log.warning("no text is searched: tokens of %s have unequal lengths", models.spec.name)
            return None
        width = widths.pop()
        length = max(1, config.context // width) * width
        both = _contexts(models.base, genome, regions, 2 * config.n_held_out, length)
        if len(both) < LEAST_CONTEXTS:
            found = f"{len(both)} of {length} bp"
            _log.warning(
                "no text is searched: expected %d contexts, found %s", LEAST_CONTEXTS, found
            )
            return None
        chosen = np.linspace(0, len(both[::2]) - 1, min(config.n_contexts, len(both[::2])))
        named: dict[Role, Predicts] = {}
        for role in (writer, *(it for it in models.by_role if it != writer)):
            model = models[role]
            assert isinstance(model, Predicts)
            named[role] = model
        return cls(
            named,
            np.asarray(symbols.ids, np.int64)[kept],
            np.array(kept, np.int64),
            tuple(symbols.spelling[i] for i in kept),
            width,
            both[::2][chosen.astype(np.int64)],
            both[1::2],
            config,
        )

    @property
    def n_steps(self) -> int:
        """Words of a text."""
        return max(1, self.config.n_bases // self.width)

    def best(self, barred: Sequence[bytes], report: Callable[[int], None]) -> _Words:
        """Return the words of the text of the largest score, with no long word of those before."""
        config = self.config
        words, score = np.zeros((1, 0), np.int64), np.zeros((len(self.models) - 1, 1))
        for step in range(self.n_steps):
            total = score[:, :, None] + self._next(words)
            total = np.where(self._is_barred_next(words, barred), -np.inf, total)
            least = total.min(0)
            if not np.isfinite(least).any():
                # every way on repeats a text of before
                break
            n = config.n_beams if (step + 1) * self.width <= config.n_broad else config.n_narrow
            order = np.argsort(-least, axis=None, kind="stable")[:n]
            text, word = np.unravel_index(order, least.shape)
            words = np.concatenate([words[text], word[:, None]], axis=1)
            score = total[:, text, word]
            report(step + 1)
        return np.asarray(words[0])

    def ended(self, words: _Words) -> Int64[np.ndarray, " fewer"]:
        """Cut a text where what follows is expected by the others too."""
        total = _score(self._log_p(words[None], self.contexts))[0]
        usual = max(float(total[-1]), 0.0) / len(total) / 2
        rest = total - usual * np.arange(1, len(total) + 1)
        return words[: 1 + int(np.argmax(rest))]

    def begun(self, words: _Words, barred: Sequence[bytes]) -> Int64[np.ndarray, " longer"]:
        """Put words before a text if they add as much to its score as its end must."""
        texts, best = words[None], words
        largest = float(_score(self._log_p(texts, self.contexts))[0, -1])
        usual = max(largest, 0.0) / len(words) / 2
        for n_before in range(1, self.n_steps - len(words) + 1):
            before = np.repeat(np.arange(len(self.ids)), len(texts))[:, None]
            more = np.concatenate([before, np.tile(texts, (len(self.ids), 1))], axis=1)
            score = _score(self._log_p(more, self.contexts))[:, -1] - usual * n_before
            score[self._is_barred(more, barred)] = -np.inf
            texts = more[np.argsort(-score, kind="stable")[: self.config.n_narrow]]
            if score.max(initial=-np.inf) > largest:
                best, largest = texts[0], float(score.max())
            elif texts.shape[1] - len(best) >= _PATIENCE:
                break
        return best

    def measured(self, words: _Words) -> SearchedText:
        """Measure a text after the contexts that are held out."""
        log_p = self._log_p(words[None], self.held_out)[:, :, 0]
        excess = (log_p[:1] - log_p[1:]).sum(-1)
        n_bases = len(words) * self.width
        return SearchedText(
            self._text(words),
            float(excess.mean(1).min()),
            int((excess.min(0) > 0).sum()),
            len(self.held_out),
            {
                role: float(it.mean(0).sum()) / n_bases
                for role, it in zip(self.models, log_p, strict=True)
            },
        )

    def _text(self, words: _Words) -> bytes:
        return b"".join(self.spelling[word] for word in words.tolist())

    def _is_barred(
        self, words: Int64[np.ndarray, "text step"], barred: Sequence[bytes]
    ) -> Bool[np.ndarray, " text"]:
        """Say which texts have some bases in a row of one that was found before."""
        known = self._known(barred)
        return np.array([self._has(known, self._text(row)) for row in words], np.bool_)

    def _is_barred_next(
        self, words: Int64[np.ndarray, "text step"], barred: Sequence[bytes]
    ) -> Bool[np.ndarray, "text word"]:
        """Say the same of texts with each next word; what they have without it is not barred."""
        known, found = self._known(barred), np.zeros((len(words), len(self.ids)), np.bool_)
        for number, row in enumerate(words if known else ()):
            end = self._text(row[-self.config.apart :])[1 - self.config.apart :]
            found[number] = [self._has(known, end + bases) for bases in self.spelling]
        return found

    def _known(self, barred: Sequence[bytes]) -> set[bytes]:
        n = self.config.apart
        return {text[i : i + n] for text in barred for i in range(len(text) - n + 1)}

    def _has(self, known: set[bytes], text: bytes) -> bool:
        n = self.config.apart
        return any(text[i : i + n] in known for i in range(len(text) - n + 1))

    def _next(
        self, words: Int64[np.ndarray, "text step"]
    ) -> Float64[np.ndarray, "other text word"]:
        """Return how much more the writer expects each next word, the mean over contexts."""
        rows = self._rows(words, self.contexts)
        rows = np.concatenate([rows, np.full((len(rows), 1), self.ids[0])], axis=1)
        shape = (len(self.contexts), len(words), len(self.ids))
        mean = []
        for model in self.models.values():
            parts = [it[:, 0] for it in self._read(model, rows, 1)]
            mean.append(np.concatenate(parts).reshape(shape).mean(0))
        return np.stack([mean[0] - it for it in mean[1:]])

    def _log_p(
        self, words: Int64[np.ndarray, "text step"], contexts: Int64[np.ndarray, "context token"]
    ) -> Float64[np.ndarray, "model context text step"]:
        """Return the log probability of each word of texts after contexts, by model."""
        rows, n = self._rows(words, contexts), words.shape[1]
        asked = np.tile(words, (len(contexts), 1))[:, :, None]
        shape = (len(contexts), *words.shape)
        found = []
        for model in self.models.values():
            parts, start = [], 0
            for read in self._read(model, rows, n):
                own = asked[start : start + len(read)]
                parts.append(np.take_along_axis(read, own, axis=2)[..., 0])
                start += len(read)
            found.append(np.concatenate(parts).reshape(shape))
        return np.stack(found)

    def _rows(
        self, words: Int64[np.ndarray, "text step"], contexts: Int64[np.ndarray, "context token"]
    ) -> Int64[np.ndarray, "row longer"]:
        """Return the tokens of each text after each context, the texts of one context together."""
        before = np.repeat(contexts, len(words), axis=0)
        return np.concatenate([before, np.tile(self.ids[words], (len(contexts), 1))], axis=1)

    def _read(
        self, model: Predicts, rows: Int64[np.ndarray, "row token"], n_last: int
    ) -> Iterator[Float64[np.ndarray, "_ n_last word"]]:
        """Yield the log probabilities of all words at the last tokens, some rows at once."""
        for start in range(0, len(rows), self.config.batch):
            tokens = torch.from_numpy(rows[start : start + self.config.batch])
            last = model.next_log_probs(tokens)[:, -n_last:].double()
            yield last.log_softmax(-1).cpu().numpy()[:, :, self.columns]


def _score(
    log_p: Float64[np.ndarray, "model context text step"],
) -> Float64[np.ndarray, "text step"]:
    """Return the score of each text up to each of its words."""
    score: Float64[np.ndarray, "text step"]
    score = (log_p[:1] - log_p[1:]).mean(1).cumsum(-1).min(0)
    return score


def _contexts(
    model: DnaModel, genome: Genome, regions: Sequence[GenomicInterval], n: int, length: int
) -> Int64[np.ndarray, "context token"]:
    """Return the tokens of stretches without unknown bases, spread over regions."""
    whole = [it for it in regions if it.length >= length]
    stretches = spread_stretches(whole, n_bases=n * length, length=length)
    if sum(it.length for it in whole) <= n * length:
        stretches = [
            replace(it, start=start, end=start + length)
            for it in whole
            for start in range(it.start, it.end - length + 1, length)
        ]
    rows = []
    for one in stretches:
        bases = genome.fetch(one)[:length]
        if len(bases) == length and not bases.tobytes().strip(_BASES):
            spans = model.tokenize(bases)
            end = int(np.flatnonzero(spans.start >= 0)[-1]) + 1
            rows.append(np.asarray(spans.ids[:end], np.int64))
    return np.stack(rows) if rows else np.zeros((0, 0), np.int64)
