"""Generation: each token is drawn from what the model expects, and then read by the model.

A sequence has a stream of random numbers of its own, one number for each token, so it does not
depend on which others are written with it. Two calls with the same seed, such as with and without
edits, use the same numbers.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64, UInt8

from genointerp.core.errors import ConfigError, InputError
from genointerp.core.progress import Progress, silent
from genointerp.core.seed import rng
from genointerp.model.forbidden import Forbidden
from genointerp.model.protocol import DnaModel, Edit, Generates, TokenSpans
from genointerp.model.structure import Structure
from genointerp.model.template import Template


@dataclass(frozen=True)
class SamplingConfig:
    """How a token is chosen among those that fit the template."""

    temperature: float = 1.0
    """Divisor of the log probabilities; 0 takes the most probable token, the first if several."""
    top_k: int | None = None
    """Number of the most probable tokens from which one is drawn; None means all."""
    avoid: tuple[str, ...] = ()
    """Motifs, in IUPAC letters, that must not occur on either strand: no base is written that
    completes one, even if it begins in the prompt. This does not look ahead."""
    structure: str = ""
    """Dots and brackets, one for each base to write: a base below a closing bracket pairs with that
    below its opening one (A with T, C with G, G with T). No pairs where empty."""

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < math.inf:
            expected = "a finite temperature of 0 or more"
            raise ConfigError("sampling: temperature", expected, str(self.temperature))
        if self.top_k is not None and self.top_k < 1:
            raise ConfigError("sampling: top_k", "1 or more, or None", str(self.top_k))


class Generated(NamedTuple):
    """A sequence that a model wrote after a prompt.

    ``tokens`` are those of the prompt and, from index ``first`` on, those that were written; their
    offsets are in the prompt and ``bases``, laid end to end. For each written token, in nats:
    ``log_p`` is its log probability under the model with its edits, as `DnaModel.log_probs` of
    ``tokens`` gives it, and ``log_q`` that under the distribution that it was drawn from, which
    template, temperature and top-k have changed.
    """

    bases: UInt8[np.ndarray, " bp"]
    tokens: TokenSpans
    first: int
    log_p: Float64[np.ndarray, " written"]
    log_q: Float64[np.ndarray, " written"]


def generate(  # noqa: PLR0913 - each is a choice of the caller
    model: DnaModel,
    prompts: Sequence[UInt8[np.ndarray, " _"]],
    template: str,
    *,
    config: SamplingConfig | None = None,
    edits: Sequence[Edit] = (),
    seed: int = 0,
    batch: int = 32,
    progress: Progress = silent,
) -> list[Generated]:
    """Let a model write one sequence after each prompt.

    Parameters
    ----------
    prompts
        Upper-case bases, of any length. A prompt may be empty if sequences of the model begin with
        a special token.
    template
        An IUPAC letter for each base to write, which restricts it: ``"N" * 210`` for 210 free
        bases, ``"ATG" + "N" * 60`` to begin with a start codon. If tokens are words of bases, only
        words are written that agree with the letters and from which the end of the template can be
        reached.
    edits
        Edits whose ranges count tokens of the whole sequence, special ones included, as in
        `DnaModel.run`. The state after a token decides the next one, so an edit of the last token
        of the prompt acts on the first base. An edit must not depend on the other tokens of its
        range, or on the batch.
    batch
        Number of sequences to write together; only prompts of equally many tokens share a batch.
    progress
        Called with (bases written, bases to write).

    Notes
    -----
    A token is drawn from those that fit the template and have the ``top_k`` largest probabilities,
    with ``q(i) = p(i)^(1/T) / sum_j p(j)^(1/T)``; those that complete a motif to avoid, or do not
    pair with their partner, do not fit.
    For a sequence that was written under edits, the
    log probabilities without edits are those of one pass over its tokens,
    ``model.log_probs(torch.from_numpy(tokens.ids)[None])[0, first - 1 :]``.

    Byte-pair tokens are written as the model expects them; the tokenizer may divide the same bases
    into other tokens.

    Raises
    ------
    SequenceError
        If a letter of the template is not an IUPAC code.
    InputError
        If the model cannot generate, if no tokens can spell the template, if a prompt is empty or
        ends inside a word, if the structure is none of the bases, or if no token that fits and
        completes no motif has a probability above 0.
    UnknownNameError
        If an edit is at no site of the model.
    """
    if not isinstance(model, Generates):
        expected = "a model that can generate, from left to right"
        raise InputError("generation", expected, f"{model.spec.name}, which does not")
    if batch < 1:
        raise InputError("batch", "at least 1 sequence", str(batch))
    config = SamplingConfig() if config is None else config
    spelt = Template(template, model)
    limits = _Limits(
        spelt,
        Forbidden(config.avoid, model.symbols),
        Structure(config.structure, spelt.n_bases, model.symbols),
        prompts,
    )
    begun = [_read_prompt(model, prompt, i) for i, prompt in enumerate(prompts)]
    written: dict[int, Generated] = {}
    order = sorted(range(len(begun)), key=lambda i: len(begun[i].ids))
    for _, alike in groupby(order, key=lambda i: len(begun[i].ids)):
        rows = list(alike)
        for start in range(0, len(rows), batch):
            prompts_of = {i: begun[i] for i in rows[start : start + batch]}
            before = len(written)

            def report(bases: int, before: int = before) -> None:
                progress(before * len(template) + bases, len(prompts) * len(template))

            written |= _write(model, prompts_of, limits, config, edits, seed, report)
    return [written[i] for i in range(len(begun))]


class _Limits(NamedTuple):
    """What may be written, whatever the model expects."""

    template: Template
    forbidden: Forbidden
    structure: Structure
    prompts: Sequence[UInt8[np.ndarray, " _"]]

    def allow(self, row: int, written: bytes) -> Bool[np.ndarray, " symbol"]:
        """Say which symbols may follow what was written after a prompt."""
        place = min(len(written), self.template.n_bases)
        fits = self.template.fits(place)
        if place == self.template.n_bases:
            return fits
        allowed: Bool[np.ndarray, " symbol"]
        allowed = fits & self.structure.allows(written)
        allowed &= self.forbidden.allows(self.prompts[row].tobytes() + written)
        return allowed


def _read_prompt(model: Generates, prompt: UInt8[np.ndarray, " bp"], index: int) -> TokenSpans:
    """Return the tokens to read before the first written one, without those that end a sequence."""
    where, width = f"prompt {index}", max(1, model.spec.bases_per_token)
    if len(prompt) % width:
        expected = f"a multiple of {width} bases, as long as the words of {model.spec.name}"
        raise InputError(where, expected, str(len(prompt)))
    # the special tokens before the bases show only if there are bases
    spans = model.tokenize(prompt if len(prompt) else np.full(width, ord("A"), np.uint8))
    bases = np.flatnonzero(spans.start >= 0)
    end = int(bases[-1]) + 1 if len(prompt) else int(bases[0])
    if not end:
        expected = f"one base or more, since sequences of {model.spec.name} begin with no token"
        raise InputError(where, expected, "none")
    return TokenSpans(*(column[:end] for column in spans))


def _write(
    model: Generates,
    prompts: Mapping[int, TokenSpans],
    limits: _Limits,
    config: SamplingConfig,
    edits: Sequence[Edit],
    seed: int,
    report: Callable[[int], None],
) -> dict[int, Generated]:
    """Write a batch, whose prompts all have equally many tokens."""
    most, first = limits.template.most_words(), len(next(iter(prompts.values())).ids)
    random = np.stack([rng(seed, f"generation of sequence {i}").random(most) for i in prompts])
    continuation = model.continuation(first + most - 1, edits=edits)
    tokens = np.stack([spans.ids for spans in prompts.values()])
    text = dict.fromkeys(prompts, b"")
    choices: list[_Choice] = []
    while any(len(written) < limits.template.n_bases for written in text.values()):
        log_p = continuation.read(torch.from_numpy(tokens)).double().cpu().numpy()
        fits = np.stack([limits.allow(i, written) for i, written in text.items()])
        choices.append(_choose(log_p, fits, random[:, len(choices)], config))
        words = [model.symbols.spelling[symbol] for symbol in choices[-1].symbol]
        text = {i: text[i] + word for i, word in zip(text, words, strict=True)}
        tokens = model.symbols.ids[choices[-1].symbol][:, None]
        report(sum(min(len(it), limits.template.n_bases) for it in text.values()))
    columns = _Choice(*(np.stack(column, axis=1) for column in zip(*choices, strict=True)))
    return {
        i: _finish(model, spans, limits.template, _Choice(*row))
        for (i, spans), *row in zip(prompts.items(), *columns, strict=True)
    }


class _Choice(NamedTuple):
    """Chosen symbols, with their log probabilities under the model and in the draw."""

    symbol: Int64[np.ndarray, "..."]
    log_p: Float64[np.ndarray, "..."]
    log_q: Float64[np.ndarray, "..."]


def _choose(
    log_p: Float64[np.ndarray, "row symbol"],
    fits: Bool[np.ndarray, "row symbol"],
    random: Float64[np.ndarray, " row"],
    config: SamplingConfig,
) -> _Choice:
    """Choose one symbol in each row by a random number in [0, 1)."""
    log_q = _distribution(np.where(fits, log_p, -np.inf), config)
    total = np.exp(log_q).cumsum(axis=1)
    # the last sum is not exactly 1; a symbol of probability 0 adds nothing and is never chosen
    goal = np.minimum(random * total[:, -1], np.nextafter(total[:, -1], 0))
    symbol = (total > goal[:, None]).argmax(axis=1)
    row = np.arange(len(symbol))
    return _Choice(symbol, log_p[row, symbol], log_q[row, symbol])


def _distribution(
    log_p: Float64[np.ndarray, "row symbol"], config: SamplingConfig
) -> Float64[np.ndarray, "row symbol"]:
    """Return the log probabilities to draw from."""
    best = log_p.max(axis=1, keepdims=True)
    if np.isnan(best).any():
        expected = "states with which the model computes finite probabilities"
        raise InputError("generation", expected, "nan")
    if not np.isfinite(best).all():
        expected = "a probability above 0 for a word that fits the template and no motif forbids"
        raise InputError("generation", expected, "none")
    n_kept = config.top_k if config.temperature else 1
    if n_kept is not None:
        # symbols of equal probability are ranked in their order
        rank = (-log_p).argsort(axis=1, kind="stable").argsort(axis=1)
        log_p = np.where(rank < n_kept, log_p, -np.inf)
    with np.errstate(over="ignore"):  # a temperature near 0 leaves only the best
        scaled = (log_p - best) / (config.temperature or 1.0)
    normal: Float64[np.ndarray, "row symbol"] = scaled - np.log(np.exp(scaled).sum(1)[:, None])
    return normal


def _finish(model: Generates, prompt: TokenSpans, template: Template, choice: _Choice) -> Generated:
    """Cut one row at the end of its template; shorter rows of a batch were continued beyond it."""
    end = template.length[choice.symbol].cumsum()
    n_written = int(end.searchsorted(template.n_bases)) + 1
    symbol, log_p, log_q = (column[:n_written] for column in choice)
    # an empty prompt has only special tokens, whose offsets are -1
    behind = max(0, int(prompt.end[-1]))
    start = behind + np.append(0, end[: n_written - 1])
    written = TokenSpans(model.symbols.ids[symbol], start, behind + end[:n_written])
    text = b"".join(model.symbols.spelling[i] for i in symbol)
    return Generated(
        bases=np.frombuffer(text, np.uint8),
        tokens=TokenSpans(*map(np.concatenate, zip(prompt, written, strict=True))),
        first=len(prompt.ids),
        log_p=log_p,
        log_q=log_q,
    )
