"""What is asked of a model: its prediction of bases on a strand, or a feature at a base."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from genointerp.core.errors import CoordinateError, InputError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval, format_region
from genointerp.genome.windows import Window
from genointerp.model.protocol import Differentiable, DnaModel, SiteActivations
from genointerp.reading.loss import check_causal
from genointerp.reading.target import Explained, Measure, PreActivation, Prediction
from genointerp.reading.tokens import Passage, TokenBatch, WindowTokens, genome_passages, tokenised
from genointerp.sae.dictionary import Dictionary


@dataclass(frozen=True, eq=False)
class Question:
    """One number that a model computes from a window, and that is to be explained.

    Parameters
    ----------
    name
        What is asked, for people: the place, or the variant, or the feature and its place.
    passage
        Bases that are read, with their window; the last of them are those that are asked for.
    read
        Tokens of the passage.
    target
        Computes the number.
    asked
        Index of the first token that is asked for: the first that is predicted, or the one at which
        a feature is read.
    last
        Index of the last token whose state the number depends on.
    watched
        Sites whose activations the target needs; if there is one, it needs no logits.
    counterfactual
        Token ids, as many as are read, of a sequence with which the passage is compared.
    """

    name: str
    passage: Passage
    read: WindowTokens
    target: Explained
    asked: int
    last: int
    watched: tuple[str, ...] = ()
    counterfactual: Int64[np.ndarray, " token"] | None = None

    @property
    def batch(self) -> TokenBatch:
        """The tokens as a batch of one."""
        return TokenBatch.of([self.read])

    @property
    def nodes(self) -> slice:
        """Tokens whose states are nodes: from the first base that is read to `last`."""
        return slice(self.read.real.start, self.last + 1)

    @property
    def interval(self) -> GenomicInterval:
        """The bases that are asked for, with the reading strand."""
        return self.passage.window.kept

    def bases_of(self, token: int, contig_length: int) -> GenomicInterval:
        """Return the bases of a token, with the reading strand; on a circular contig they wrap."""
        kept, window = self.interval, self.passage.window
        start, end = int(self.read.spans.start[token]), int(self.read.spans.end[token])
        if kept.strand == "-":
            beyond = kept.end + window.warmup
            start, end = beyond - end, beyond - start
        else:
            start, end = (kept.start - window.warmup + it for it in (start, end))
        turn = start // contig_length * contig_length
        return GenomicInterval(kept.seqid, start - turn, end - turn, kept.strand)

    def values(
        self, model: DnaModel, site: str, x: Float[Tensor, "row token d"]
    ) -> Float[Tensor, " row"]:
        """Return the number with other activations at a site, for each row; without a graph."""
        checked = differentiable(model)
        ids = self.batch.repeated(len(x)).ids
        traced = checked.trace(
            ids,
            capture=self.watched,
            begin=SiteActivations(site, x),
            logits=not self.watched,
        )
        return self.target(traced).detach()


def ask_bases(
    model: DnaModel,
    genome: Genome,
    bases: GenomicInterval,
    *,
    context: int,
    measure: Measure = "contrast",
) -> Question:
    """Ask why a model predicts what is there at some bases: one base, or the sum over a stretch.

    Parameters
    ----------
    bases
        With the reading strand. On a circular contig the end may lie beyond the length.
    context
        Bases read before them, on that strand; fewer at the end of a linear contig.

    Raises
    ------
    CoordinateError
        If the bases are not inside a contig of the genome.
    InputError
        If the model is a masked one or gives no gradients; if there is no base before those that
        are asked for; or if one of them is not A, C, G or T.
    """
    differentiable(model)
    passage = window_passage(model, genome, bases, context)
    read = tokenised(model, passage)
    target = Prediction.of(read, differentiable(model).symbols, measure)
    return Question(
        _shown(bases),
        passage,
        read,
        target,
        asked=int(target.token[0]),
        last=int(target.token[-1]) - 1,
    )


def ask_feature(
    model: DnaModel,
    genome: Genome,
    base: GenomicInterval,
    dictionary: Dictionary,
    feature: int,
    *,
    context: int,
) -> Question:
    """Ask why a feature fires at a base, or does not: its pre-activation there.

    Parameters
    ----------
    base
        One base, with the reading strand.
    dictionary
        Dictionary of the feature, at a site above the one whose features explain it.
    context
        Bases read before it, on that strand; fewer at the end of a linear contig.

    Raises
    ------
    CoordinateError
        If the base is not inside a contig of the genome.
    InputError
        If it is no single base, or the model is a masked one or gives no gradients.
    UnknownNameError
        If the dictionary has no such feature.
    """
    differentiable(model)
    dictionary.header.check_feature(feature)
    if base.length != 1:
        expected = "one base, at which the feature is read"
        raise InputError(format_region(base), expected, f"{base.length} bases")
    passage = window_passage(model, genome, base, context)
    read = tokenised(model, passage)
    token = int(np.flatnonzero(read.n_kept)[0])
    target = PreActivation(dictionary, feature, token)
    site = dictionary.header.site
    name = f"f/{feature} of {site} at {_shown(base)}"
    return Question(name, passage, read, target, token, token, (site,))


def window_passage(
    model: DnaModel, genome: Genome, bases: GenomicInterval, context: int
) -> Passage:
    """Return some bases with those before them, on their strand, as a model reads them.

    Parameters
    ----------
    context
        Bases before them; fewer at the end of a linear contig. On a circular contig they wrap
        around the origin, and no base is read twice. Words of a model that reads k-mers begin
        where those of a whole genome do.

    Raises
    ------
    CoordinateError
        If the bases are not inside a contig of the genome, or have no strand.
    """
    genome.fetch(bases)
    if bases.strand == "." or not bases.length:
        expected = "one base at least, on the strand + or -"
        raise CoordinateError(format_region(bases), expected, f"{bases.length} on {bases.strand}")
    warmup = _warmup(genome[bases.seqid], bases, context, max(1, model.spec.bases_per_token))
    return next(genome_passages(genome, [Window(bases, warmup)]))


def differentiable(model: DnaModel) -> Differentiable:
    """Return a model that can be explained.

    Raises
    ------
    InputError
        If it is a masked one, or gives no gradients.
    """
    check_causal(model.spec)
    if not isinstance(model, Differentiable):
        raise InputError("model", "a model that gives gradients", model.spec.name)
    return model


def clean_activations(
    model: DnaModel, site: str, ids: Int64[np.ndarray, " token"]
) -> Float[Tensor, "token d"]:
    """Return the activations at a site for one sequence of tokens."""
    batch = torch.from_numpy(ids)[None]
    # a copy, since what a model returns may be an inference tensor, which no graph may hold
    return model.run(batch, capture=[site])[site][0].clone()


def _shown(bases: GenomicInterval) -> str:
    """Return a region; one base without its last, as it is asked for."""
    one = f"{bases.seqid}:{bases.end:,}"
    return one if bases.length == 1 else format_region(bases)


def _warmup(contig: Contig, bases: GenomicInterval, context: int, grid: int) -> int:
    upstream = contig.length - bases.end if bases.strand == "-" else bases.start
    free = contig.length - bases.length if contig.circular else upstream
    warmup = min(context, free)
    warmup -= (warmup - upstream) % grid
    return warmup if warmup >= 0 else upstream % grid
