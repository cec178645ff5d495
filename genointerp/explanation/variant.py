"""What a model makes of the bases behind a variant."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Int64

from genointerp.core.progress import Progress, silent
from genointerp.explanation.explain import ExplainConfig, Explanation, explain_question
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval, Strand
from genointerp.genome.letters import reverse_complement
from genointerp.genome.variant import Variant
from genointerp.model.protocol import DnaModel, TokenSpans
from genointerp.reading.question import Question, differentiable, window_passage
from genointerp.reading.target import Prediction
from genointerp.reading.tokens import WindowTokens
from genointerp.sae.dictionary import Dictionary


@dataclass(frozen=True, eq=False)
class VariantEffect:
    """What a variant changes in what a model expects, read on one strand.

    Parameters
    ----------
    own_change
        Log probability of the variant's own bases, minus that of the genome's; in nats. NaN if
        there is no base before them.
    value, baseline_value
        Log probability of the bases behind, with the variant and without, in nats.
    n_next
        Number of these bases: those of tokens that begin and end at the same bases with the
        variant and without, so that both numbers are of the same bases.
    explanation
        The change of that, by nodes; None if tokens do not match those of the genome one by one, as
        those of an insertion or deletion, and if there is no base behind.
    """

    variant: Variant
    strand: Strand
    own_change: float
    value: float
    baseline_value: float
    n_next: int
    explanation: Explanation | None

    @property
    def change(self) -> float:
        """Change of the log probability of the bases behind, in nats."""
        return self.value - self.baseline_value


def explain_variant(
    model: DnaModel,
    dictionary: Dictionary,
    genome: Genome,
    variant: Variant,
    strand: Strand,
    config: ExplainConfig,
    *,
    progress: Progress = silent,
) -> VariantEffect:
    """Explain how a variant changes the log probability of the bases behind it, on one strand.

    The states behind a substitution are compared with those of the genome, token by token: the
    baseline is ``counterfactual``, whatever the configuration says. The log probability of the
    variant's own bases is exact and not decomposed: the state that decides the first of them is
    that of the genome, so that of a single base there is nothing to explain.

    Parameters
    ----------
    progress
        Called with (percent done, 100).

    Raises
    ------
    InputError
        If the model is a masked one, gives no gradients, or is of half precision.
    MismatchError
        If the dictionary is not of the model.
    """
    differentiable(model)
    kept = _kept(genome, variant, strand, config.n_next)
    passage = window_passage(model, genome, kept, config.context)
    first = passage.window.warmup
    alt = np.frombuffer(variant.alt.encode(), np.uint8)
    alt = alt if strand == "+" else reverse_complement(alt)
    rest = passage.bases[first + len(variant.ref) :]
    bases = np.concatenate([passage.bases[:first], alt, rest])
    spans, other = model.tokenize(passage.bases), model.tokenize(bases)
    behind = _same_behind(
        (spans, len(passage.bases), first + len(variant.ref)), (other, len(bases), first + len(alt))
    )
    before = _allele(model, spans, behind[0], first, len(variant.ref))
    after = _allele(model, other, behind[1], first, len(alt))
    effect = VariantEffect(
        variant,
        strand,
        after.own_log_p - before.own_log_p,
        after.next_log_p,
        before.next_log_p,
        after.n_next,
        None,
    )
    matched = variant.is_substitution and np.array_equal(spans.start, other.start)
    if not matched or not after.n_next:
        progress(100, 100)
        return effect
    question = Question(
        str(variant),
        passage._replace(bases=bases),
        WindowTokens(passage.window, other),
        after.behind,
        asked=int(np.flatnonzero(other.end > first)[0]),
        last=int(after.behind.token[-1]) - 1,
        counterfactual=spans.ids,
    )
    compared = replace(config, baseline="counterfactual")
    explanation = explain_question(model, dictionary, question, compared, progress=progress)
    return replace(effect, explanation=explanation)


@dataclass(frozen=True, eq=False)
class _Allele:
    """A sequence with one allele, and how probable the model finds it and what is behind it."""

    behind: Prediction
    n_next: int
    own_log_p: float
    next_log_p: float


def _same_behind(*alleles: tuple[TokenSpans, int, int]) -> tuple[Int64[np.ndarray, " token"], ...]:
    """Return the tokens behind two alleles that begin and end at the same bases.

    Parameters
    ----------
    alleles
        Of each its tokens, the length of its sequence, and where the bases behind it begin.
    """
    places = []
    for spans, length, begin in alleles:
        token = np.flatnonzero(spans.start >= begin)
        # what is behind is the same in both, so that bases are counted from the end
        away = length - np.stack([spans.start[token], spans.end[token]], axis=1)
        places.append(dict(zip(map(tuple, away.tolist()), token.tolist(), strict=True)))
    shared = [place for place in places[0] if place in places[1]]
    return tuple(np.array([own[it] for it in shared], dtype=np.int64) for own in places)


def _allele(
    model: DnaModel,
    spans: TokenSpans,
    behind: Int64[np.ndarray, " token"],
    first: int,
    n_own: int,
) -> _Allele:
    """Let the model read a sequence whose own bases are ``[first, first + n_own)``."""
    checked = differentiable(model)
    symbols = checked.symbols
    known = np.isin(spans.ids, symbols.ids)
    own = np.flatnonzero((spans.start >= 0) & (spans.start < first + n_own) & (spans.end > first))
    behind = behind[known[behind]]
    column = {int(it): i for i, it in enumerate(symbols.ids)}
    traced = checked.trace(torch.from_numpy(spans.ids)[None])

    def asked(token: Int64[np.ndarray, " predicted"]) -> Prediction:
        symbol = [column[int(it)] for it in spans.ids[token]]
        return Prediction(token, np.array(symbol, dtype=np.int64), "log_p")

    is_decided = bool(own[0] > 0 and known[own].all())
    own_log_p = float(asked(own)(traced).detach()) if is_decided else float("nan")
    next_log_p = float(asked(behind)(traced).detach())
    n_next = int((spans.end - spans.start)[behind].sum())
    return _Allele(asked(behind), n_next, own_log_p, next_log_p)


def _kept(genome: Genome, variant: Variant, strand: Strand, n_next: int) -> GenomicInterval:
    """Return the variant's bases with those behind, on a strand; fewer at the end of a contig."""
    contig, place = genome[variant.seqid], variant.interval
    if contig.circular:
        n_next = min(n_next, contig.length - place.length)
    if strand == "-":
        start = place.start - n_next
        start = start % contig.length if contig.circular else max(start, 0)
        turn = contig.length * (start > place.start)
        return GenomicInterval(place.seqid, start, place.end + turn, "-")
    end = place.end + n_next
    return GenomicInterval(
        place.seqid, place.start, end if contig.circular else min(end, contig.length), "+"
    )
