"""Properties of a genome at each base: shortcuts that may make a feature look meaningful."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int16, Int64, UInt8

from genointerp.candidate.config import RankConfig
from genointerp.candidate.evidence.kmers import KmerBackdrop, make_kmer_backdrop
from genointerp.feature.specimen import Specimen
from genointerp.genome.genome import Contig
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.letters import count_bases, known_bases
from genointerp.genome.runs import runs_of
from genointerp.store.feature.store import STRANDS, FeatureStore, ReadStrand

_LONGEST_UNIT = 12
_FEWEST_MATCHES = 8
_DEEPEST = 1024
EDGE = 500
"""Number of bases at either end of a linear contig that count as near its end."""


@dataclass(frozen=True, eq=False)
class Backdrop:
    """Tracks over the global rows of one genome.

    Parameters
    ----------
    specimen
        The genome.
    gc
        Number of G and C in a window around each base. Near the ends of a contig the window is cut,
        and the count is scaled up to its full length.
    tandem
        Whether a base lies in a tandem repeat of units of 1 to 12 bp.
    into
        For each reading strand, the number of bases of its window that come before a base, capped
        at 1,024; also 1,024 where there is no window. None if windows are unknown.
    n_covered, n_head
        Number of bases read on each strand, and number on both strands together that lie in the
        head of a window, for each length in `heads`.
    edge
        Whether a base lies within ``EDGE`` of an end of a linear contig.
    letters, composition, kmers
        Bases of the genome, their counts of A, C, G and T, and the 6-mers that they spell.
    covered_gc
        Number of covered (base, strand) pairs with each value of ``gc``.
    """

    specimen: Specimen
    gc: UInt8[np.ndarray, " row"]
    tandem: Bool[np.ndarray, " row"]
    into: dict[ReadStrand, Int16[np.ndarray, " row"]] | None
    n_covered: dict[ReadStrand, int]
    n_head: dict[int, int]
    edge: Bool[np.ndarray, " row"]
    letters: UInt8[np.ndarray, " row"]
    composition: Int64[np.ndarray, " letter"]
    kmers: KmerBackdrop
    covered_gc: Int64[np.ndarray, " gc"]


def make_backdrop(specimen: Specimen, config: RankConfig) -> Backdrop:
    """Describe each base of a genome. Its sequence must be known; its windows may be unknown."""
    store, genome, windows = specimen.features, specimen.needs("sequence"), specimen.windows
    codes = [genome[seqid].sequence for seqid in store.offsets]
    gc = np.concatenate([local_gc(sequence, config.gc_window) for sequence in codes])
    covered_gc = np.zeros(config.gc_window + 1, dtype=np.int64)
    for strand in STRANDS:
        for interval in store.coverage(strand):
            start, stop = store.row_range(interval)
            covered_gc += np.bincount(gc[start:stop], minlength=config.gc_window + 1)
    into = None if windows is None else _into(store, windows)
    return Backdrop(
        specimen=specimen,
        gc=gc,
        tandem=np.concatenate([tandem_repeats(sequence) for sequence in codes]),
        into=into,
        n_covered={s: sum(it.length for it in store.coverage(s)) for s in STRANDS},
        n_head={
            length: 0 if into is None else sum(int((it < length).sum()) for it in into.values())
            for length in heads(config)
        },
        edge=np.concatenate([_edges(genome[seqid]) for seqid in store.offsets]),
        letters=np.concatenate(codes),
        composition=count_bases(np.concatenate(codes)),
        kmers=make_kmer_backdrop(store, genome),
        covered_gc=covered_gc,
    )


def local_gc(sequence: UInt8[np.ndarray, " bp"], window: int) -> UInt8[np.ndarray, " bp"]:
    """Count G, C and S around each base, in a window of ``window`` bases centred on it."""
    strong = np.isin(sequence, np.frombuffer(b"GCS", np.uint8))
    total = np.concatenate([[0], np.cumsum(strong)])
    centre = np.arange(len(sequence))
    low = np.maximum(centre - window // 2, 0)
    high = np.minimum(centre - window // 2 + window, len(sequence))
    scaled = (total[high] - total[low]) * window / (high - low)
    return np.asarray(np.rint(scaled), dtype=np.uint8)


def tandem_repeats(sequence: UInt8[np.ndarray, " bp"]) -> Bool[np.ndarray, " bp"]:
    """Return for each base whether it lies in a tandem repeat of units of 1 to 12 bp.

    Notes
    -----
    A repeat of unit length u consists of at least ``max(8, 2 u)`` consecutive bases that equal the
    base u positions before them, together with the u bases before those. It thus has at least three
    units, and a homopolymer has at least nine bases.
    """
    found = np.zeros(len(sequence), dtype=np.bool_)
    known = known_bases(sequence)
    for unit in range(1, min(_LONGEST_UNIT, len(sequence) - 1) + 1):
        same = (sequence[unit:] == sequence[:-unit]) & known[unit:]
        runs = runs_of(same)
        is_long = runs[:, 1] - runs[:, 0] >= max(_FEWEST_MATCHES, 2 * unit)
        for start, end in runs[is_long].tolist():
            found[start : end + unit] = True
    return found


def heads(config: RankConfig) -> tuple[int, int, int]:
    """Return the examined lengths of a window's head: the configured one, 16 and 1,024."""
    return config.window_head, 16, _DEEPEST


def _into(
    store: FeatureStore, windows: Sequence[GenomicInterval]
) -> dict[ReadStrand, Int16[np.ndarray, " row"]]:
    into: dict[ReadStrand, Int16[np.ndarray, " row"]] = {
        strand: np.full(store.n_rows, _DEEPEST, dtype=np.int16) for strand in STRANDS
    }
    for window in windows:
        start, stop = store.row_range(window)
        depth = np.minimum(np.arange(stop - start), _DEEPEST).astype(np.int16)
        if window.strand == "-":
            into["-"][start:stop] = depth[::-1]
        else:
            into["+"][start:stop] = depth
    return into


def _edges(contig: Contig) -> Bool[np.ndarray, " bp"]:
    edge = np.zeros(contig.length, dtype=np.bool_)
    if not contig.circular:
        edge[:EDGE] = True
        edge[max(0, contig.length - EDGE) :] = True
    return edge
