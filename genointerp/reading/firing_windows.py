"""Draw windows around bases on which a feature fires, in which it is then tested."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from genointerp.core.seed import rng
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.windows import Window
from genointerp.model.protocol import ModelSpec
from genointerp.reading.harvest import HarvestConfig
from genointerp.store.feature.store import STRANDS, FeatureStore


@dataclass(frozen=True)
class FiringWindows:
    """Windows of a genome, each around a base on which a feature fires.

    Parameters
    ----------
    store
        Features of the genome.
    reading
        Length and warm-up of a window.
    n
        Windows of each feature, at most.
    seed
        Random seed; each feature has a random stream of its own.
    regions
        Regions from which the bases are drawn; the whole genome if empty.
    """

    store: FeatureStore
    genome: Genome
    reading: HarvestConfig
    n: int
    seed: int = 0
    regions: Sequence[GenomicInterval] = ()

    def of(self, spec: ModelSpec, feature: int) -> list[Window]:
        """Return the windows of one feature, as a model reads them."""
        reading = self.reading
        intervals = drawn_intervals(
            self.store,
            feature,
            self.n,
            length=reading.window - reading.warmup - reading.halo_for(spec),
            seed=self.seed,
            regions=self.regions,
        )
        return [
            window
            for interval in intervals
            for window in replace(reading, strands=(interval.strand,)).windows(
                spec, self.genome, [interval]
            )
        ]


def drawn_intervals(
    store: FeatureStore,
    feature: int,
    n: int,
    *,
    length: int,
    seed: int,
    regions: Sequence[GenomicInterval] = (),
) -> list[GenomicInterval]:
    """Draw up to ``n`` intervals of ``length`` bases, each centred on a base where a feature fires.

    The bases are drawn one after the other from those on which the feature fires, on either strand;
    bases inside an interval on their strand are not drawn again. An interval that would leave its
    contig is moved inside.

    Parameters
    ----------
    seed
        Random seed; each feature has a random stream of its own.
    regions
        Regions from which bases are drawn; the whole genome if empty.
    """
    tracks = [store.feature(feature, strand).row for strand in STRANDS]
    row = np.concatenate(tracks)
    strand = np.repeat(np.arange(len(STRANDS)), [len(track) for track in tracks])
    left = np.full(len(row), not regions)
    for start, stop in map(store.row_range, regions):
        left |= (row >= start) & (row < stop)
    turn = rng(seed, f"windows of feature {feature}").random(len(row))
    found: list[GenomicInterval] = []
    while len(found) < n and left.any():
        drawn = int(np.argmax(np.where(left, turn, -1.0)))
        interval = _around(store, int(row[drawn]), length, int(strand[drawn]))
        start, stop = store.row_range(interval)
        left &= (row < start) | (row >= stop) | (strand != strand[drawn])
        found.append(interval)
    return found


def _around(store: FeatureStore, row: int, length: int, strand: int) -> GenomicInterval:
    # empty contigs share their offset with the next one: the last of them has the bases
    seqid = [name for name, offset in store.offsets.items() if offset <= row][-1]
    bases = store.lengths[seqid]
    start = max(0, min(row - store.offsets[seqid] - length // 2, bases - length))
    return GenomicInterval(seqid, start, min(start + length, bases), STRANDS[strand])
