"""In-silico mutagenesis: what each base upstream does to a number, by replacing it.

Gradients are no substitute: a base is replaced as a whole, and what a model computes is not linear
over so large a step. They only say where to look first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Float64, Int, Int64, UInt8
from torch import Tensor

from genointerp.core.errors import ConfigError, InputError
from genointerp.core.progress import Progress, silent
from genointerp.model.gradient import check_precision, is_precise
from genointerp.model.protocol import EMBEDDING, DnaModel, Symbols
from genointerp.reading.branch import Trunk
from genointerp.reading.question import Question
from genointerp.reading.run import by_symbol, gradients
from genointerp.store.table.schema.mutagenesis import EXPLAINING_BASES
from genointerp.store.table.table import conform

BASES = (b"A", b"C", b"G", b"T")
"""The alternatives, in the order of the columns of the effects."""


@dataclass(frozen=True)
class MutagenesisConfig:
    """Which bases are replaced.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    upstream: int = 64
    """Bases upstream that are replaced, one at a time, each by the three others."""
    only: int | None = None
    """How many of them are replaced: those with the largest gradients. None: all."""
    batch: int = 48
    """Mutants that the model reads at once."""

    def __post_init__(self) -> None:
        for name in ("upstream", "only", "batch"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(name, "at least 1", str(value))


@dataclass(frozen=True, eq=False)
class Mutagenesis:
    """What replacing bases upstream does to a number.

    Parameters
    ----------
    question
        What is asked.
    value
        The number, for the bases as they are.
    token
        Token of each base; in reading order.
    own
        Which of :data:`BASES` it is; -1 for another letter, which is not replaced.
    effect
        The number with another base in its place minus that as it is; 0 for the base itself, NaN
        where it was not computed.
    gradient
        The same to first order: the difference of two entries of the gradient by the one-hot code.
        All NaN for a model of half precision, which gives no gradients.
    """

    question: Question
    value: float
    token: Int64[np.ndarray, " base"]
    own: Int64[np.ndarray, " base"]
    effect: Float64[np.ndarray, "base 4"]
    gradient: Float64[np.ndarray, "base 4"]

    @property
    def mean_effect(self) -> Float64[np.ndarray, " base"]:
        """Mean effect of the three replacements of each base."""
        # the entry of the base itself is 0
        return np.asarray(self.effect.sum(1) / (len(BASES) - 1))

    @property
    def importance(self) -> Float64[np.ndarray, " base"]:
        """What the base that is there adds to the number, against the mean of all four bases."""
        return np.asarray(-self.effect.mean(1))

    @property
    def alternatives(self) -> Bool[np.ndarray, "base 4"]:
        """Which replacements were made."""
        is_other = self.own[:, None] != np.arange(len(BASES))
        return np.asarray(is_other & ~np.isnan(self.effect))

    @property
    def gradient_correlation(self) -> float:
        """Pearson correlation of first-order effects with exact ones; NaN where not known."""
        made = self.alternatives
        if made.sum() < 3:
            return float("nan")
        return float(np.corrcoef(self.gradient[made], self.effect[made])[0, 1])


def mutate(
    model: DnaModel,
    question: Question,
    config: MutagenesisConfig | None = None,
    *,
    progress: Progress = silent,
) -> Mutagenesis:
    """Replace each of the last bases that a number depends on by the three others.

    Parameters
    ----------
    progress
        Called with (mutants done, mutants in all).

    Notes
    -----
    Tokens before the first replaced base are read once, and of each mutant only those from where it
    differs. The importance of a base is ``L(s) - mean_b L(s with b in its place)`` over all four
    bases, which is how tangermeme centres its saturation mutagenesis; it is -3/4 of the mean effect
    of replacing the base.

    Raises
    ------
    InputError
        If the tokens of the model are not bases, or if it is of half precision and gradients are to
        choose bases.
    """
    config = MutagenesisConfig() if config is None else config
    ids = base_ids(model)
    if config.only is not None:
        check_precision(model.spec)
    end = question.asked + (1 if question.watched else 0)
    token = np.arange(max(question.read.real.start, end - config.upstream), end)
    is_base = question.read.spans.ids[token][:, None] == ids
    own = np.where(is_base.any(1), is_base.argmax(1), -1)
    if is_precise(model.spec):
        value, gradient = _first_order(model, question, token, own)
    else:
        value, gradient = _value(model, question), np.full((len(token), len(BASES)), np.nan)
    tried = own >= 0
    if config.only is not None:
        # a letter that is no base has no gradient, and comes last
        rank = (-np.nan_to_num(np.abs(gradient)).max(1)).argsort(kind="stable").argsort()
        tried &= rank < config.only
    effect = np.where(np.arange(len(BASES)) == own[:, None], 0.0, np.nan)
    mutants = [
        Mutant(int(i), b, int(token[i]), int(ids[b]))
        for i in np.flatnonzero(tried)
        for b in range(len(BASES))
        if b != own[i]
    ]
    done = 0
    for some, found in _values(model, question, mutants, config.batch):
        for mutant, mutated in zip(some, found.tolist(), strict=True):
            effect[mutant.base, mutant.alternative] = mutated - value
        done += len(some)
        progress(done, len(mutants))
    return Mutagenesis(question, value, token, own, effect, gradient)


class Mutant(NamedTuple):
    """A base, its alternative, and the token that is replaced by which id."""

    base: int
    alternative: int
    token: int
    id: int


def mutated_ids(
    ids: Int64[np.ndarray, " token"], mutants: Sequence[Mutant]
) -> Int[Tensor, "mutant token"]:
    """Return the tokens of each mutant."""
    rows = np.repeat(ids[None], len(mutants), axis=0)
    for row, mutant in zip(rows, mutants, strict=True):
        row[mutant.token] = mutant.id
    return torch.from_numpy(rows)


def base_ids(model: DnaModel) -> Int64[np.ndarray, " 4"]:
    """Return the token ids of A, C, G and T.

    Raises
    ------
    InputError
        If tokens of the model are not bases, or it has no symbols.
    """
    symbols = _symbols(model)
    return symbols.ids[base_columns(model)]


def base_columns(model: DnaModel) -> list[int]:
    """Return the columns of A, C, G and T among the symbols of a model.

    Raises
    ------
    InputError
        If tokens of the model are not bases, or it has no symbols.
    """
    spelling = _symbols(model).spelling
    return [spelling.index(base) for base in BASES]


def _symbols(model: DnaModel) -> Symbols:
    symbols: Symbols | None = getattr(model, "symbols", None)
    spelt = set() if symbols is None else set(symbols.spelling)
    if symbols is None or model.spec.bases_per_token != 1 or not spelt >= set(BASES):
        expected = "a model whose tokens are bases, so that one can be replaced alone"
        raise InputError("model", expected, model.spec.name)
    return symbols


def bases_table(mutagenesis: Mutagenesis, contig_length: int) -> pd.DataFrame:
    """Return the effects as a table, a row for each base, in reading order."""
    found, question = mutagenesis, mutagenesis.question
    places = [question.bases_of(int(token), contig_length) for token in found.token]
    columns = {
        "question": question.name,
        "seqid": question.interval.seqid,
        "start": [place.start for place in places],
        "end": [place.end for place in places],
        "strand": question.interval.strand,
        "offset": found.token - question.asked,
        "base": [chr(letter) for letter in _letters(question, found.token)],
        **{f"effect_{b.decode()}": found.effect[:, i] for i, b in enumerate(BASES)},
        "mean_effect": found.mean_effect,
        "importance": found.importance,
        "gradient": found.gradient.sum(1) / (len(BASES) - 1),
    }
    return conform(pd.DataFrame(columns), EXPLAINING_BASES, where="explaining bases")


def _values(
    model: DnaModel, question: Question, mutants: Sequence[Mutant], batch: int
) -> Iterator[tuple[Sequence[Mutant], Float[Tensor, " mutant"]]]:
    """Yield the number of each mutant, some mutants at a time, in the order of their tokens."""
    trunk, ids = Trunk(model, question.batch, sites=question.watched), question.read.spans.ids
    for begin in range(0, len(mutants), batch):
        some = mutants[begin : begin + batch]
        first = some[0].token
        traced = trunk.branches(mutated_ids(ids, some), first)
        yield some, question.target.after(first)(traced)


def _first_order(
    model: DnaModel,
    question: Question,
    token: Int64[np.ndarray, " base"],
    own: Int64[np.ndarray, " base"],
) -> tuple[float, Float64[np.ndarray, "base 4"]]:
    """Return the number, and the first-order effect of each replacement; NaN for other letters."""
    sites = [EMBEDDING, *question.watched]
    batch, logits = question.batch, not question.watched
    found = gradients(model, batch, question.target, sites=sites, logits=logits)
    every = by_symbol(model, found.gradient[EMBEDDING][:, torch.from_numpy(token)])[0]
    gradient = every[:, base_columns(model)].double().cpu().numpy()
    effect = gradient - np.take_along_axis(gradient, np.maximum(own, 0)[:, None], 1)
    effect[own < 0] = np.nan
    return float(found.value), effect


def _value(model: DnaModel, question: Question) -> float:
    """Return the number as mutants have it, without a gradient."""
    trunk = Trunk(model, question.batch, sites=question.watched)
    first = question.read.real.start
    return float(question.target.after(first)(trunk.branches(question.batch.ids, first)))


def _letters(question: Question, token: Int64[np.ndarray, " base"]) -> UInt8[np.ndarray, " base"]:
    letters: UInt8[np.ndarray, " base"]
    letters = question.passage.bases[question.read.spans.start[token]]
    return letters
