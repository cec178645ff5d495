"""Loss of a model over a genome, window by window, and its divergence under edits."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from genointerp.core.errors import InputError
from genointerp.core.progress import Progress, silent
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.model.protocol import DnaModel, Edit, GivesDistribution, ModelSpec
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.run import Pass, Wanted, run_batch, run_passages
from genointerp.reading.tokens import genome_passages, token_batches


@dataclass(frozen=True)
class GenomeLoss:
    """Mean loss over the bases that were predicted.

    Parameters
    ----------
    nats_per_base
        Sum of ``-log p(token | tokens before)`` over the bases that those tokens cover.
    n_bases
        Number of these bases. The tokens that count begin at a kept base, consist of A, C, G and T,
        and are not the first of their input.
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
    """Return the loss of a model over a genome, or over regions of it, with or without edits.

    Edits do not change the special tokens around a window.

    Raises
    ------
    InputError
        If the model is a masked one, which has no likelihood from left to right.
    """
    config = HarvestConfig() if config is None else config
    check_causal(model.spec)
    windows = config.windows(model.spec, genome, regions)
    passages, wanted = genome_passages(genome, windows), Wanted(log_probs=True)
    total, done = _Sum(), 0
    for found in run_passages(model, passages, wanted, size=config.batch, edits=edits):
        total.add(found)
        done += len(found.batch.windows)
        progress(done, len(windows))
    return total.mean()


class Divergence(NamedTuple):
    """A model without and with edits, on the same bases.

    ``kl`` is in nats per token; it is NaN for a model that is not a `GivesDistribution`.
    """

    clean: GenomeLoss
    edited: GenomeLoss
    kl: float


def genome_divergence(
    model: DnaModel,
    genome: Genome,
    edits: Sequence[Edit],
    *,
    config: HarvestConfig | None = None,
    regions: Sequence[GenomicInterval] = (),
    progress: Progress = silent,
) -> Divergence:
    """Return how far edits change the predictions of a model, and the losses without and with them.

    Edits do not change the special tokens around a window.

    Notes
    -----
    ``KL = mean over tokens of sum_s p(s) (log p(s) - log q(s))``, where p is the model's
    distribution of the next token without edits and q that with them; the mean is over the tokens
    that begin at a kept base. Unlike the loss, it depends on the probabilities of all symbols, and
    is 0 only if none of them changed.

    Raises
    ------
    InputError
        If the model is a masked one.
    """
    config = HarvestConfig() if config is None else config
    check_causal(model.spec)
    windows = config.windows(model.spec, genome, regions)
    wanted = Wanted(log_probs=True, distribution=isinstance(model, GivesDistribution))
    clean, edited, nats, n_tokens, done = _Sum(), _Sum(), 0.0, 0, 0
    for batch in token_batches(model, genome_passages(genome, windows), config.batch):
        before, after = (run_batch(model, batch, wanted, edits=it) for it in ((), edits))
        clean.add(before)
        edited.add(after)
        for found, n in _moved(before, after):
            nats, n_tokens = nats + found, n_tokens + n
        done += len(batch.windows)
        progress(done, len(windows))
    return Divergence(clean.mean(), edited.mean(), nats / n_tokens if n_tokens else math.nan)


def check_causal(spec: ModelSpec) -> None:
    """Refuse a masked model.

    Raises
    ------
    InputError
        If it is one.
    """
    if spec.reads != "left":
        expected = "a causal model: the loss is that of each token given those before it"
        raise InputError("model", expected, f"{spec.name}, which reads both ways")


@dataclass
class _Sum:
    """Sum of the nats over windows, and of their bases."""

    nats: float = 0.0
    n_bases: int = 0

    def add(self, found: Pass) -> None:
        for nats, n_bases in found.losses():
            self.nats, self.n_bases = self.nats + nats, self.n_bases + n_bases

    def mean(self) -> GenomeLoss:
        return GenomeLoss(self.nats / self.n_bases if self.n_bases else math.nan, self.n_bases)


def _moved(before: Pass, after: Pass) -> Iterator[tuple[float, int]]:
    """Yield the divergence of each window, summed over the tokens that count, and their number."""
    if before.distribution is None or after.distribution is None:
        return
    p, q = before.distribution.double(), after.distribution.double()
    nats = (p.exp() * (p - q)).sum(-1)
    for row, read in zip(nats, before.batch.windows, strict=True):
        begun = torch.from_numpy(read.begun[1:]).to(row.device)
        yield float(row[begun].sum()), int(begun.sum())
