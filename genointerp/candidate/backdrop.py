"""What a genome is like at each base: the shortcuts by which a feature may look meaningful."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from genointerp.candidate.config import RankConfig
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.store.features import STRANDS, FeatureStore, ReadStrand

_LONGEST_UNIT = 12
_FEWEST_MATCHES = 8


@dataclass(frozen=True, eq=False)
class Backdrop:
    """Tracks over the global rows of one genome.

    Parameters
    ----------
    gc
        G and C among the bases around each base; towards the ends of a contig the window is
        cut and the count scaled up to its full length.
    tandem
        Bases within a tandem repeat of units of 1 to 12 bp.
    head
        For each reading strand, the first bases of each window; None where windows are unknown.
    n_covered, n_head
        Bases that were read on each strand, and those of them in a head.
    covered_gc
        Number of covered (base, strand) pairs with each value of ``gc``.
    """

    gc: UInt8[np.ndarray, " row"]
    tandem: Bool[np.ndarray, " row"]
    head: dict[ReadStrand, Bool[np.ndarray, " row"]] | None
    n_covered: dict[ReadStrand, int]
    n_head: int
    covered_gc: Int64[np.ndarray, " gc"]


def make_backdrop(
    store: FeatureStore,
    genome: Genome,
    windows: Sequence[GenomicInterval] | None,
    config: RankConfig,
) -> Backdrop:
    """Describe each base of a genome.

    Parameters
    ----------
    windows
        Kept bases of each window with the strand that was read, as ``ActivationStore.windows``.
    """
    codes = [genome[seqid].sequence for seqid in store.offsets]
    gc = np.concatenate([local_gc(sequence, config.gc_window) for sequence in codes])
    covered_gc = np.zeros(config.gc_window + 1, dtype=np.int64)
    for strand in STRANDS:
        for interval in store.coverage(strand):
            start, stop = store.row_range(interval)
            covered_gc += np.bincount(gc[start:stop], minlength=config.gc_window + 1)
    head = None if windows is None else _heads(store, windows, config.window_head)
    return Backdrop(
        gc=gc,
        tandem=np.concatenate([tandem_repeats(sequence) for sequence in codes]),
        head=head,
        n_covered={s: sum(it.length for it in store.coverage(s)) for s in STRANDS},
        n_head=0 if head is None else sum(int(mask.sum()) for mask in head.values()),
        covered_gc=covered_gc,
    )


def local_gc(sequence: UInt8[np.ndarray, " bp"], window: int) -> UInt8[np.ndarray, " bp"]:
    """Count G, C and S around each base, in ``window`` bases centred upon it."""
    strong = np.isin(sequence, np.frombuffer(b"GCS", np.uint8))
    total = np.concatenate([[0], np.cumsum(strong)])
    centre = np.arange(len(sequence))
    low = np.maximum(centre - window // 2, 0)
    high = np.minimum(centre - window // 2 + window, len(sequence))
    scaled = (total[high] - total[low]) * window / (high - low)
    return np.asarray(np.rint(scaled), dtype=np.uint8)


def tandem_repeats(sequence: UInt8[np.ndarray, " bp"]) -> Bool[np.ndarray, " bp"]:
    """Return the bases of tandem repeats of units of 1 to 12 bp.

    Notes
    -----
    For unit u: at least ``max(8, 2 u)`` consecutive bases that equal the base u before them, and
    the u bases before those; so at least three units, and nine bases of a homopolymer.
    """
    found = np.zeros(len(sequence), dtype=np.bool_)
    known = np.isin(sequence, np.frombuffer(b"ACGT", np.uint8))
    for unit in range(1, min(_LONGEST_UNIT, len(sequence) - 1) + 1):
        same = (sequence[unit:] == sequence[:-unit]) & known[unit:]
        edges = np.flatnonzero(np.diff(np.concatenate([[0], same.view(np.int8), [0]])))
        for start, end in edges.reshape(-1, 2)[
            np.diff(edges.reshape(-1, 2), axis=1)[:, 0] >= max(_FEWEST_MATCHES, 2 * unit)
        ].tolist():
            found[start : end + unit] = True
    return found


def _heads(
    store: FeatureStore, windows: Sequence[GenomicInterval], length: int
) -> dict[ReadStrand, Bool[np.ndarray, " row"]]:
    masks: dict[ReadStrand, Bool[np.ndarray, " row"]] = {
        strand: np.zeros(store.n_rows, dtype=np.bool_) for strand in STRANDS
    }
    for window in windows:
        start, stop = store.row_range(window)
        if window.strand == "-":
            masks["-"][max(start, stop - length) : stop] = True
        else:
            masks["+"][start : min(stop, start + length)] = True
    return masks
