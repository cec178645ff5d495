"""The loss of a model over a genome, read window by window."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from genointerp.core.errors import InputError
from genointerp.core.progress import Progress, silent
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.model.protocol import DnaModel, Edit, GivesDistribution, ModelSpec
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.tokens import WindowTokens, stacked, token_batches


@dataclass(frozen=True)
class GenomeLoss:
    """Mean loss over the bases that were predicted.

    Parameters
    ----------
    nats_per_base
        Sum of ``-log p(token | tokens before)`` over the bases that those tokens cover.
    n_bases
        These bases: of tokens that begin at a kept base, are spelt by A, C, G, T, and are not the
        first of their input.
    """

    nats_per_base: float
    n_bases: int

    @property
    def bits_per_base(self) -> float:
        """The loss in bits."""
        return self.nats_per_base / math.log(2)


def genome_loss(
    model: DnaModel,
    genome: Genome,
    *,
    config: HarvestConfig | None = None,
    regions: Sequence[GenomicInterval] = (),
    edits: Sequence[Edit] = (),
    progress: Progress = silent,
) -> GenomeLoss:
    """Return the loss of a model over a genome or regions of it, optionally with edits in place.

    Edits leave the special tokens around a window as they are.

    Raises
    ------
    InputError
        If the model is a masked one, which has no likelihood from left to right.
    """
    config = HarvestConfig() if config is None else config
    check_causal(model.spec)
    windows = config.windows(model.spec, genome, regions)
    total, n_bases, done = 0.0, 0, 0
    for batch in token_batches(model, genome, windows, config.batch):
        log_probs = model.log_probs(stacked(batch), edits=_within(edits, batch[0]))
        for row, read in zip(log_probs, batch, strict=True):
            nats, covered = window_loss(row, read)
            total, n_bases = total + nats, n_bases + covered
        done += len(batch)
        progress(done, len(windows))
    return GenomeLoss(total / n_bases if n_bases else math.nan, n_bases)


def genome_divergence(
    model: DnaModel,
    genome: Genome,
    edits: Sequence[Edit],
    *,
    config: HarvestConfig | None = None,
    regions: Sequence[GenomicInterval] = (),
    progress: Progress = silent,
) -> float:
    """Return how far edits move what a model expects, in nats a token; NaN where it cannot tell.

    Notes
    -----
    ``KL = mean over tokens of sum_s p(s) (log p(s) - log q(s))``, with p the model's distribution
    of the next token as it is and q that under the edits, over the tokens that begin at a
    kept base. Other than the loss it sees what the model would have expected
    elsewhere: it is 0 only where nothing changed. NaN for a model without `GivesDistribution`.
    """
    config = HarvestConfig() if config is None else config
    check_causal(model.spec)
    if not isinstance(model, GivesDistribution):
        return math.nan
    windows = config.windows(model.spec, genome, regions)
    total, n_tokens, done = 0.0, 0, 0
    for batch in token_batches(model, genome, windows, config.batch):
        tokens = stacked(batch)
        p = model.next_log_probs(tokens).double()
        q = model.next_log_probs(tokens, edits=_within(edits, batch[0])).double()
        nats = (p.exp() * (p - q)).sum(-1)
        for row, read in zip(nats, batch, strict=True):
            begun = torch.from_numpy(read.begun[1:]).to(row.device)
            total, n_tokens = total + float(row[begun].sum()), n_tokens + int(begun.sum())
        done += len(batch)
        progress(done, len(windows))
    return total / n_tokens if n_tokens else math.nan


def check_causal(spec: ModelSpec) -> None:
    """Refuse a masked model.

    Raises
    ------
    InputError
        With the reason.
    """
    if spec.reads != "left":
        expected = "a causal model: the loss is that of each token given those before it"
        raise InputError("model", expected, f"{spec.name}, which reads both ways")


def window_loss(
    log_probs: Float[Tensor, " token_minus_1"], read: WindowTokens
) -> tuple[float, int]:
    """Return the nats of the tokens that a window's kept bases begin, and the bases they cover."""
    # entry i is of token i + 1: the first token of a window is never predicted
    begun = torch.from_numpy(read.begun[1:]).to(log_probs.device)
    n_bases = torch.from_numpy(read.spans.end - read.spans.start)[1:].to(log_probs.device)
    known = begun & ~log_probs.isnan()
    return -float(log_probs[known].double().sum()), int(n_bases[known].sum())


def _within(edits: Sequence[Edit], read: WindowTokens) -> Sequence[Edit]:
    real = read.real
    if real == slice(0, len(read.spans.ids)):
        return edits
    return [
        replace(
            edit,
            start=max(edit.start, real.start),
            end=real.stop if edit.end is None else min(edit.end, real.stop),
        )
        for edit in edits
    ]
