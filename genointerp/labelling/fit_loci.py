"""Loci of a feature on the fit side, which is all that a labeller may see."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64, UInt8

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
    loci
        The loci, strongest first.
    """

    tracks: tuple[RowTrack, ...]
    loci: tuple[FitLocus, ...]

    @property
    def n_firing(self) -> int:
        """Number of bases on which it fires."""
        return sum(len(track.row) for track in self.tracks)

    @property
    def run_lengths(self) -> Int64[np.ndarray, " locus"]:
        """Length of each locus in bp."""
        return np.array([locus.interval.length for locus in self.loci], dtype=np.int64)


def keep_fit(tracks: Sequence[RowTrack], universe: Universe) -> tuple[RowTrack, ...]:
    """Return the part of the tracks of a feature that lies on a side."""
    kept = []
    for track in tracks:
        _, inside = universe.locate(track.genome, track.strand, track.row)
        kept.append(track._replace(row=track.row[inside], value=track.value[inside]))
    return tuple(kept)


def find_fit_loci(
    specimens: Sequence[Specimen], tracks: Sequence[RowTrack], *, merge_gap: int = MERGE_GAP
) -> FitBases:
    """Join the bases of a feature into loci; they are sorted by their largest activation."""
    loci: list[FitLocus] = []
    for track in tracks:
        store = specimens[track.genome].features
        offsets = np.array(list(contig_offsets(store.header.contigs).values()), np.int64)
        names = list(store.lengths)
        found = find_loci(track.row, track.value, offsets, at_least=0.0, merge_gap=merge_gap)
        contig = np.searchsorted(offsets, found.start, side="right") - 1
        for index, number in enumerate(contig.tolist()):
            shift = int(offsets[number])
            start, end = int(found.start[index]) - shift, int(found.end[index]) - shift
            where = GenomicInterval(names[number], start, end, track.strand)
            peak, maximum = int(found.peak[index]) - shift, float(found.maximum[index])
            loci.append(FitLocus(track.genome, where, peak, maximum))
    loci.sort(key=lambda it: (-it.maximum, it.genome, it.interval.seqid, it.interval.start))
    return FitBases(tuple(tracks), tuple(loci))


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


def stack_around(
    specimen_codes: Sequence[UInt8[np.ndarray, " row"]],
    tracks: Sequence[RowTrack],
    *,
    before: int,
    after: int,
) -> tuple[UInt8[np.ndarray, "hit offset"], Float64[np.ndarray, " hit"]]:
    """Return the codes about every base of some tracks, and the activations there."""
    around = [
        read_around(specimen_codes[it.genome], it.row, it.strand, before=before, after=after)
        for it in tracks
    ]
    values = [track.value.astype(np.float64) for track in tracks]
    return np.concatenate(around), np.concatenate(values)
