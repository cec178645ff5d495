"""What the loss of a model becomes if a direction is taken out of its activations everywhere."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64

from genointerp.core.seed import rng
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.model.protocol import DnaModel, Edit
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.run import Wanted, run_batch
from genointerp.reading.tokens import TokenBatch, genome_passages, token_batches


class Patched(NamedTuple):
    """Bits per base that the model loses without a difference, next to others of equal norm."""

    patch: float
    random_patch: float
    random_p: float
    pair_patch: float
    pair_p: float


class Patches:
    """Measures the loss of a model on a few windows without a difference."""

    def __init__(
        self,
        model: DnaModel,
        genome: Genome,
        site: str,
        windows: HarvestConfig,
        regions: Sequence[GenomicInterval],
        n_windows: int,
    ) -> None:
        self.model, self.site = model, site
        every = windows.windows(model.spec, genome, regions)
        at = np.unique(np.linspace(0, len(every) - 1, min(n_windows, len(every))).round())
        passages = genome_passages(genome, [every[int(i)] for i in at])
        self.batches = list(token_batches(model, passages, windows.batch))

    def measure(
        self,
        difference: Float64[np.ndarray, " d"],
        pairs: Float64[np.ndarray, "pair d"],
        n_random: int,
        seed: int,
    ) -> Patched:
        """Return the loss without a difference, and without others of its norm."""
        clean = self._bits(np.zeros_like(difference))
        norm = float(np.linalg.norm(difference))
        drawn = rng(seed, "random directions of activations").normal(
            size=(n_random, len(difference))
        )
        own = self._bits(difference) - clean
        random, pair = (
            np.array([self._bits(norm * one / np.linalg.norm(one)) - clean for one in vectors])
            for vectors in (drawn, pairs)
        )
        return Patched(
            own, float(random.mean()), _p(own, random), float(pair.mean()), _p(own, pair)
        )

    def _bits(self, difference: Float64[np.ndarray, " d"]) -> float:
        """Return the loss of the model with a difference subtracted at every token."""
        taken = torch.from_numpy(difference)
        edit = Edit(self.site, lambda x: x - taken.to(x))
        nats, n_bases = 0.0, 0
        for batch in self.batches:
            for loss in self._losses(batch, edit):
                nats, n_bases = nats + loss[0], n_bases + loss[1]
        return nats / n_bases / math.log(2) if n_bases else math.nan

    def _losses(self, batch: TokenBatch, edit: Edit) -> list[tuple[float, int]]:
        found = run_batch(self.model, batch, Wanted(log_probs=True), edits=[edit])
        return [(loss.nats, loss.n_bases) for loss in found.losses()]


def _p(value: float, null: Float64[np.ndarray, " draw"]) -> float:
    return float((1 + np.count_nonzero(null >= value)) / (1 + len(null)))
