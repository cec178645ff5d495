"""Where a feature is put to the test: intervals around bases on which it fires, drawn at random."""

from collections.abc import Sequence

import numpy as np

from genointerp.core.seed import rng
from genointerp.genome.interval import GenomicInterval
from genointerp.store.feature.store import STRANDS, FeatureStore


def drawn_intervals(
    store: FeatureStore,
    feature: int,
    n: int,
    *,
    length: int,
    seed: int,
    regions: Sequence[GenomicInterval] = (),
) -> list[GenomicInterval]:
    """Return up to ``n`` intervals of ``length`` bases, each in the middle around a drawn base.

    The bases are drawn one after the other from those on which the feature fires, on both strands
    alike; bases inside an interval of their strand are not drawn any more. At its ends an
    interval is moved into its contig.

    Parameters
    ----------
    seed
        Of the draw; each feature has its own.
    regions
        Only bases in these are drawn; anywhere where empty.
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
    # of contigs without bases, which share an offset, the last is the one that has them
    seqid = [name for name, offset in store.offsets.items() if offset <= row][-1]
    bases = store.lengths[seqid]
    start = max(0, min(row - store.offsets[seqid] - length // 2, bases - length))
    return GenomicInterval(seqid, start, min(start + length, bases), STRANDS[strand])
