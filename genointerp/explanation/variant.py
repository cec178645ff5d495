"""What a model makes of the bases behind a variant."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Int64, UInt8

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
        Number of these bases.
    explanation
        The change of that, by nodes; None for an insertion or deletion, whose tokens do not match
        those of the genome one by one, and if there is no base behind.
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
) -> VariantEffect:
    """Explain how a variant changes the log probability of the bases behind it, on one strand.

    The states behind a substitution are compared with those of the genome, token by token: the
    baseline is ``counterfactual``, whatever the configuration says. The log probability of the
    variant's own bases is exact and not decomposed: the state that decides the first of them is
    that of the genome, so that of a single base there is nothing to explain.

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
    before = _allele(model, passage.bases, first, len(variant.ref))
    after = _allele(model, bases, first, len(alt))
    effect = VariantEffect(
        variant,
        strand,
        after.own_log_p - before.own_log_p,
        after.next_log_p,
        before.next_log_p,
        after.n_next,
        None,
    )
    matched = variant.is_substitution and len(before.spans.ids) == len(after.spans.ids)
    if not matched or not after.n_next:
        return effect
    question = Question(
        str(variant),
        passage._replace(bases=bases),
        WindowTokens(passage.window, after.spans),
        after.behind,
        asked=int(np.flatnonzero(after.spans.end > first)[0]),
        last=int(after.behind.token[-1]) - 1,
        counterfactual=before.spans.ids,
    )
    compared = replace(config, baseline="counterfactual")
    return replace(effect, explanation=explain_question(model, dictionary, question, compared))


@dataclass(frozen=True, eq=False)
class _Allele:
    """A sequence with one allele, and how probable the model finds it and what is behind it."""

    spans: TokenSpans
    behind: Prediction
    n_next: int
    own_log_p: float
    next_log_p: float


def _allele(model: DnaModel, bases: UInt8[np.ndarray, " bp"], first: int, n_own: int) -> _Allele:
    """Let the model read a sequence whose own bases are ``[first, first + n_own)``."""
    checked = differentiable(model)
    spans, symbols = model.tokenize(bases), checked.symbols
    known = np.isin(spans.ids, symbols.ids)
    own = np.flatnonzero((spans.start >= 0) & (spans.start < first + n_own) & (spans.end > first))
    behind = np.flatnonzero((spans.start >= first + n_own) & known)
    column = {int(it): i for i, it in enumerate(symbols.ids)}
    traced = checked.trace(torch.from_numpy(spans.ids)[None])

    def asked(token: Int64[np.ndarray, " predicted"]) -> Prediction:
        symbol = [column[int(it)] for it in spans.ids[token]]
        return Prediction(token, np.array(symbol, dtype=np.int64), "log_p")

    is_decided = bool(own[0] > 0 and known[own].all())
    own_log_p = float(asked(own)(traced).detach()) if is_decided else float("nan")
    next_log_p = float(asked(behind)(traced).detach())
    n_next = int((spans.end - spans.start)[behind].sum())
    return _Allele(spans, asked(behind), n_next, own_log_p, next_log_p)


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
