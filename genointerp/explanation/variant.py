"""Variants: read from text or VCF, and what a model makes of the bases behind them."""

import logging
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64, UInt8

from genointerp.core.errors import CoordinateError, InputError, SequenceError
from genointerp.explanation.explain import ExplainConfig, Explanation, explain_question
from genointerp.genome.file import read_bytes
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval, Strand
from genointerp.genome.letters import reverse_complement
from genointerp.model.protocol import DnaModel, TokenSpans
from genointerp.reading.question import Question, differentiable, window_passage
from genointerp.reading.target import Prediction
from genointerp.reading.tokens import WindowTokens
from genointerp.sae.dictionary import Dictionary

_log = logging.getLogger(__name__)

_TEXT = re.compile(r"(?:(?P<seqid>.+):)?(?P<pos>[0-9][0-9,]{0,29}):(?P<ref>[^:>]+)>(?P<alt>[^:>]+)")
_BASES = re.compile("[ACGT]+")
_FIXED = 5
"""Columns of a line of VCF that are read: CHROM, POS, ID, REF and ALT."""


@dataclass(frozen=True)
class Variant:
    """Other bases in the place of some of a genome's.

    Parameters
    ----------
    seqid
        Contig.
    start
        First of the bases that are replaced; 0-based, forward strand.
    ref, alt
        The bases of the genome and those of the variant, on the forward strand.
    """

    seqid: str
    start: int
    ref: str
    alt: str

    def __str__(self) -> str:
        return f"{self.seqid}:{self.start + 1}:{self.ref}>{self.alt}"

    @property
    def is_substitution(self) -> bool:
        """Whether there are as many bases as before, so that tokens match one by one."""
        return len(self.ref) == len(self.alt)

    @property
    def interval(self) -> GenomicInterval:
        """The bases that are replaced."""
        return GenomicInterval(self.seqid, self.start, self.start + len(self.ref))


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


def parse_variant(text: str, genome: Genome) -> Variant:
    """Read a variant as people write it: ``POS:REF>ALT``, or ``SEQID:POS:REF>ALT``.

    POS is 1-based, REF and ALT are on the forward strand; commas in POS are allowed. SEQID may be
    left out if the genome has one contig.

    Raises
    ------
    InputError
        If the text is malformed, or REF is not what the genome has there.

    Examples
    --------
    >>> from genointerp.genome.genome import Contig
    >>> genome = Genome([Contig("c", np.frombuffer(b"ACGT", np.uint8))])
    >>> parse_variant("2:C>G", genome)
    Variant(seqid='c', start=1, ref='C', alt='G')
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        raise InputError("variant", "POS:REF>ALT or SEQID:POS:REF>ALT, like 30,600:A>G", text)
    seqid = match["seqid"]
    if seqid is None and len(genome) > 1:
        expected = f"SEQID:POS:REF>ALT, as there are {len(genome)} contigs"
        raise InputError("variant", expected, text)
    where, position = f"variant {text}", int(match["pos"].replace(",", ""))
    name = next(iter(genome)) if seqid is None else seqid
    return _checked(genome, where, name, position, match["ref"], match["alt"])


def read_variants(path: Path, genome: Genome) -> list[Variant]:
    """Read the variants of a VCF file, plain, gzip or bgzip, in their order.

    A line with several alternatives is as many variants. Alternatives without bases (symbolic ones
    such as ``<DEL>``, breakends, ``*`` and ``.``) are skipped, with a warning.

    Raises
    ------
    InputError
        If the file is no VCF, or REF of a line is not what the genome has there.
    """
    lines = read_bytes(path, error=InputError).decode("utf-8", "replace").splitlines()
    if not lines[0].startswith("##fileformat=VCF"):
        raise InputError(f"{path}: line 1", "##fileformat=VCF...", lines[0][:40])
    found: list[Variant] = []
    skipped: list[str] = []
    for number, line in enumerate(lines, 1):
        if line.startswith("#") or not line.strip():
            continue
        where, columns = f"{path}: line {number}", line.split("\t")
        if len(columns) < _FIXED or not re.fullmatch("[0-9]{1,18}", columns[1]):
            raise InputError(where, "CHROM, POS, ID, REF and ALT, separated by tabs", line[:60])
        seqid, position, _, ref, alternatives = columns[:_FIXED]
        for alt in alternatives.split(","):
            if _BASES.fullmatch(alt.upper()):
                found.append(_checked(genome, where, seqid, int(position), ref, alt))
            else:
                skipped.append(f"line {number}: {alt[:30]}")
    if skipped:
        more = f" and {len(skipped) - 3} more" if len(skipped) > 3 else ""
        shown = ", ".join(skipped[:3])
        _log.warning("%s: skipped alternatives without bases (%s%s)", path, shown, more)
    return found


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
    variant's own bases is exact and needs no explanation: the states that decide the first of them
    are those of the genome.

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


def _checked(genome: Genome, where: str, seqid: str, position: int, ref: str, alt: str) -> Variant:
    """Return a variant whose REF is what the genome has."""
    if seqid not in genome:
        raise CoordinateError(where, f"a contig of the genome ({_few(genome)})", seqid)
    ref, alt = ref.upper(), alt.upper()
    for name, bases in (("REF", ref), ("ALT", alt)):
        if _BASES.fullmatch(bases) is None:
            raise InputError(f"{where}: {name}", "A, C, G and T", bases[:30])
    length = genome[seqid].length
    if not 1 <= position <= length - len(ref) + 1:
        raise CoordinateError(where, f"bases from 1 to {length:,}", f"{ref[:30]} at {position:,}")
    variant = Variant(seqid, position - 1, ref, alt)
    found = genome.fetch(variant.interval).tobytes().decode()
    if found != ref:
        place = f"{seqid}:{position:,}"
        raise SequenceError(where, f"the genome's {found[:30]} at {place} as REF", ref[:30])
    if ref == alt:
        raise InputError(where, "an ALT that is not REF", alt[:30])
    return variant


def _few(genome: Genome) -> str:
    names = list(genome)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
