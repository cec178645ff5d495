"""Places of test: where a feature fires, and where it is silent."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Int64

from genointerp.association.config import AssociateConfig
from genointerp.association.count.tracks import RowTrack, stream_rows
from genointerp.association.count.universe import lay_side
from genointerp.core.seed import rng
from genointerp.feature.loci import MERGE_GAP, find_loci
from genointerp.feature.specimen import Specimen
from genointerp.genome.letters import base_codes
from genointerp.labelling.fit_loci import keep_side
from genointerp.labelling.gc_content import count_gc, gc_share
from genointerp.store.contigs import contig_offsets
from genointerp.store.feature.store import STRANDS, ReadStrand

Origin = Literal["locus", "drawn", "matched", "near"]

GC_RANGE = 0.05
"""Largest difference of GC content of a place that is matched to a locus."""

LEAST_SHIFT = 50
"""A shifted stretch begins more than this many bp before or behind the run that it stands for."""

_N_TRIES = 300


class Place(NamedTuple):
    """A stretch of test that is asked about.

    Parameters
    ----------
    genome
        Index of the specimen.
    strand
        Strand that is read.
    start, end
        Global rows, half-open.
    origin
        ``locus`` where the feature fires; else where a silent place comes from.
    """

    genome: int
    strand: ReadStrand
    start: int
    end: int
    origin: Origin = "locus"

    @property
    def last(self) -> int:
        """Row of its last base in reading direction."""
        return self.end - 1 if self.strand == "+" else self.start


class JudgedSide:
    """Test, with the loci of some features.

    Parameters
    ----------
    specimens
        Genomes with their sequences.
    features
        Those that will be asked for.
    """

    def __init__(
        self, specimens: Sequence[Specimen], split: AssociateConfig, features: Sequence[int]
    ) -> None:
        universe = lay_side(specimens, split, "test")
        self._offsets: list[Int64[np.ndarray, " contig"]] = [
            np.array(list(contig_offsets(it.features.header.contigs).values()), np.int64)
            for it in specimens
        ]
        self._gc = [count_gc(base_codes(it.letters())) for it in specimens]
        self._read = [
            (genome, strand, int(start), int(end))
            for genome, own in enumerate(universe.covered)
            for strand in STRANDS
            for start, end in zip(own[strand].start, own[strand].end, strict=True)
        ]
        stores = [specimen.features for specimen in specimens]
        self._loci = {
            feature: [self._joined(track) for track in keep_side(tracks, universe)]
            for feature, tracks in stream_rows(stores, sorted(set(features)))
        }

    def _joined(self, track: RowTrack) -> "_Joined":
        offsets = self._offsets[track.genome]
        loci = find_loci(track.row, track.value, offsets, at_least=0.0, merge_gap=MERGE_GAP)
        return _Joined(track.genome, track.strand, loci.start, loci.end)

    def loci(self, feature: int) -> list[Place]:
        """Return all loci of a feature on test, in the order of genome, strand and row."""
        return [
            Place(own.genome, own.strand, start, end)
            for own in self._loci[feature]
            for start, end in zip(own.start.tolist(), own.end.tolist(), strict=True)
        ]

    def is_silent(self, feature: int, place: Place) -> bool:
        """Return whether a feature fires neither in a place nor `MERGE_GAP` bases around it."""
        for own in self._loci[feature]:
            if (own.genome, own.strand) == (place.genome, place.strand):
                first = np.searchsorted(own.end, place.start - MERGE_GAP, side="right")
                behind = np.searchsorted(own.start, place.end + MERGE_GAP, side="left")
                return bool(first >= behind)
        return True

    def gc(self, place: Place) -> float:
        """Return the GC content of the last 50 bases up to the end of a place, as it is read."""
        counted = self._gc[place.genome]
        return float(gc_share(counted, np.array([place.last]), place.strand)[0])

    def positives(self, feature: int, n: int, *, seed: int) -> list[Place]:
        """Draw loci of a feature."""
        loci = self.loci(feature)
        order = rng(seed, f"judged loci: feature {feature}").permutation(len(loci))[:n]
        return [loci[index] for index in order.tolist()]

    def negatives(
        self, feature: int, positives: Sequence[Place], nearest: int | None, n: int, *, seed: int
    ) -> list[Place]:
        """Draw places where a feature is silent, a third of each origin as far as there are.

        ``near`` are loci of the nearest feature; ``matched`` have length and strand of a locus, and
        a GC content within `GC_RANGE` of it; ``drawn`` have the length of a locus, and make up for
        what the others lack.
        """
        draw = rng(seed, f"judged silence: feature {feature}")
        found = list(self._near(feature, nearest, n // 3, draw))
        found += self._matched(feature, positives, n // 3, draw)
        found += self._drawn(feature, positives, n - len(found), draw)
        return found

    def _near(
        self, feature: int, nearest: int | None, n: int, draw: np.random.Generator
    ) -> Iterator[Place]:
        if nearest is not None:
            for place in self.foreign_loci(feature, nearest, n, draw):
                yield place._replace(origin="near")

    def foreign_loci(
        self, feature: int, other: int, n: int, draw: np.random.Generator
    ) -> Iterator[Place]:
        """Draw loci of another feature at which a feature is silent, ``n`` at most."""
        loci, n_found = self.loci(other), 0
        for index in draw.permutation(len(loci)).tolist():
            if n_found == n:
                return
            if self.is_silent(feature, loci[index]):
                n_found += 1
                yield loci[index]

    def _matched(
        self, feature: int, positives: Sequence[Place], n: int, draw: np.random.Generator
    ) -> Iterator[Place]:
        for number in range(n if positives else 0):
            own = positives[number % len(positives)]
            gc = self.gc(own)
            for _ in range(_N_TRIES):
                place = self._anywhere(own.end - own.start, own.strand, draw)
                # a hair more than the range: differences of shares are not exact
                is_like = place is not None and abs(self.gc(place) - gc) <= GC_RANGE + 1e-9
                if place is not None and is_like and self.is_silent(feature, place):
                    yield place._replace(origin="matched")
                    break

    def _drawn(
        self, feature: int, positives: Sequence[Place], n: int, draw: np.random.Generator
    ) -> Iterator[Place]:
        for number in range(n if positives else 0):
            own = positives[number % len(positives)]
            for _ in range(_N_TRIES):
                strand = STRANDS[int(draw.integers(2))]
                place = self._anywhere(own.end - own.start, strand, draw)
                if place is not None and self.is_silent(feature, place):
                    yield place._replace(origin="drawn")
                    break

    def _anywhere(self, length: int, strand: ReadStrand, draw: np.random.Generator) -> Place | None:
        """Draw a stretch that was read; None where this one does not fit into its contig."""
        known = [it for it in self._read if it[1] == strand and it[3] - it[2] >= length]
        if not known:
            return None
        room = np.array([end - start - length + 1 for *_, start, end in known])
        number = int(draw.choice(len(known), p=room / room.sum()))
        genome, _, start, _ = known[number]
        first = start + int(draw.integers(room[number]))
        offsets = self._offsets[genome]
        contigs = np.searchsorted(offsets, [first, first + length - 1], side="right")
        return None if contigs[0] != contigs[1] else Place(genome, strand, first, first + length)

    def shifted(
        self, feature: int, run: Place, within: tuple[int, int], draw: np.random.Generator
    ) -> Place | None:
        """Draw a silent stretch as long as a run, elsewhere in what is read of the same element.

        Beyond test no locus is known, so that nothing there could be called silent.

        Parameters
        ----------
        within
            First row and end of the element.
        """
        length = run.end - run.start
        starts = np.concatenate(
            [
                np.arange(max(within[0], start), min(within[1], end) - length + 1)
                for genome, strand, start, end in self._read
                if (genome, strand) == (run.genome, run.strand)
            ]
        )
        starts = starts[np.abs(starts - run.start) > LEAST_SHIFT]
        for first in draw.permutation(starts)[:_N_TRIES].tolist():
            place = Place(run.genome, run.strand, first, first + length, "near")
            if self.is_silent(feature, place):
                return place
        return None


class _Joined(NamedTuple):
    """First rows and ends of the loci of a feature on one strand of a genome."""

    genome: int
    strand: ReadStrand
    start: Int64[np.ndarray, " locus"]
    end: Int64[np.ndarray, " locus"]
