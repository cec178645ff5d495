"""Loci of a feature on the fit side, which is all that a labeller may see."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64, UInt8

from genointerp.association.count.tracks import RowTrack
from genointerp.association.count.universe import Universe
from genointerp.feature.loci import MERGE_GAP, find_loci
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.letters import UNKNOWN
from genointerp.store.contigs import contig_offsets
from genointerp.store.feature.store import ReadStrand


@dataclass(frozen=True)
class FitLocus:
    """A stretch of fit in which a feature fires.

    Parameters
    ----------
    genome
        Index of the specimen.
    interval
        The stretch, in forward coordinates, with the strand that was read.
    peak
        First base with the largest activation, 0-based on the forward strand.
    maximum
        Its activation.
    """

    genome: int
    interval: GenomicInterval
    peak: int
    maximum: float


@dataclass(frozen=True, eq=False)
class FitBases:
    """Where one feature fires on fit.

    Parameters
    ----------
    tracks
        Rows of fit on which it fires, by genome and strand, with activations.
    n_loci
        Number of loci.
    run_lengths
        Length of each locus in bp, strongest first.
    strongest, spread
        The strongest loci, and some that are spread over the others by their maximum.
    """

    tracks: tuple[RowTrack, ...]
    n_loci: int
    run_lengths: Int64[np.ndarray, " locus"]
    strongest: tuple[FitLocus, ...]
    spread: tuple[FitLocus, ...]

    @property
    def n_firing(self) -> int:
        """Number of bases on which it fires."""
        return sum(len(track.row) for track in self.tracks)


def keep_side(tracks: Sequence[RowTrack], universe: Universe) -> tuple[RowTrack, ...]:
    """Return the part of the tracks of a feature that lies on a side."""
    kept = []
    for track in tracks:
        _, inside = universe.locate(track.genome, track.strand, track.row)
        kept.append(track._replace(row=track.row[inside], value=track.value[inside]))
    return tuple(kept)


def find_fit_loci(
    specimens: Sequence[Specimen],
    tracks: Sequence[RowTrack],
    *,
    n_strongest: int,
    n_top: int,
    n_spread: int,
) -> FitBases:
    """Join the bases of a feature into loci, across gaps of up to `MERGE_GAP` bases.

    Parameters
    ----------
    n_strongest
        Number of strongest loci to return.
    n_top, n_spread
        Number of loci that are spread over all but the ``n_top`` strongest.
    """
    found = [
        find_loci(
            track.row,
            track.value,
            _offsets(specimens[track.genome]),
            at_least=0.0,
            merge_gap=MERGE_GAP,
        )
        for track in tracks
    ]
    number = np.repeat(np.arange(len(found)), [len(one.start) for one in found])
    start, end, maximum, peak = (np.concatenate(column) for column in zip(*found, strict=True))
    # tracks are in the order of genome and strand, and their loci in that of the rows
    order = np.argsort(-maximum, kind="stable")

    def locus(index: int) -> FitLocus:
        track = tracks[int(number[index])]
        specimen = specimens[track.genome]
        offsets = _offsets(specimen)
        contig = int(np.searchsorted(offsets, start[index], side="right")) - 1
        shift = int(offsets[contig])
        where = GenomicInterval(
            list(specimen.features.lengths)[contig],
            int(start[index]) - shift,
            int(end[index]) - shift,
            track.strand,
        )
        return FitLocus(track.genome, where, int(peak[index]) - shift, float(maximum[index]))

    rest = order[n_top:]
    n_kept = min(n_spread, len(rest))
    places = np.linspace(0, max(len(rest) - 1, 0), n_kept).round().astype(np.int64)
    return FitBases(
        tuple(tracks),
        len(order),
        (end - start)[order].astype(np.int64),
        tuple(locus(index) for index in order[:n_strongest].tolist()),
        tuple(locus(index) for index in rest[places].tolist()),
    )


def _offsets(specimen: Specimen) -> Int64[np.ndarray, " contig"]:
    return np.array(list(contig_offsets(specimen.features.header.contigs).values()), np.int64)


def read_around(
    codes: UInt8[np.ndarray, " row"],
    rows: Int64[np.ndarray, " place"],
    strand: ReadStrand,
    *,
    before: int,
    after: int,
) -> UInt8[np.ndarray, "place offset"]:
    """Return the codes about places, in reading direction; unknown beyond the ends.

    Parameters
    ----------
    codes
        Codes of the forward strand of all contigs laid end to end. Places near the end of a contig
        see bases of the next.
    rows
        Global rows.
    before, after
        Number of bases before and after each place, in reading direction.
    """
    offsets = np.arange(-before, after + 1)
    step = 1 if strand == "+" else -1
    at = rows[:, None] + step * offsets[None, :]
    inside = (at >= 0) & (at < len(codes))
    found = np.where(inside, codes[np.clip(at, 0, max(len(codes) - 1, 0))], UNKNOWN)
    if strand == "-":
        found = np.where(found < UNKNOWN, UNKNOWN - 1 - found, UNKNOWN)
    return found.astype(np.uint8)
