"""The loss of a model over a genome, read window by window."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from genointerp.activation.harvest import HarvestConfig, batches, window_tokens
from genointerp.core.progress import Progress, silent
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.model.protocol import DnaModel, Edit


@dataclass(frozen=True)
class GenomeLoss:
    """Mean loss over the bases that were predicted.

    Parameters
    ----------
    nats_per_base
        Mean of ``-log p(base | bases before)``.
    n_bases
        Bases in the mean: kept by a window, one of A, C, G, T, and not the first of its input.
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
    """Return the loss of a model over a genome or regions of it, optionally with edits in place."""
    config = HarvestConfig() if config is None else config
    windows = config.windows(genome, regions)
    total, n_bases, done = 0.0, 0, 0
    for batch in batches(windows, config.batch):
        group = [windows[index] for index in batch]
        tokens = torch.from_numpy(window_tokens(model, genome, group))
        log_probs = model.log_probs(tokens, edits=edits)
        for row, window in zip(log_probs, group, strict=True):
            # entry i is of token i + 1, so the first kept base is entry warmup - 1
            kept = row[max(0, window.warmup - 1) :].double()
            known = ~kept.isnan()
            total -= float(kept[known].sum())
            n_bases += int(known.sum())
        done += len(batch)
        progress(done, len(windows))
    return GenomeLoss(total / n_bases if n_bases else math.nan, n_bases)
