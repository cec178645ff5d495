"""The element that is nearest to a place."""

from typing import NamedTuple

import numpy as np

from genointerp.annotation.annotation_set import AnnotationSet, Element
from genointerp.genome.interval import GenomicInterval

NAME_ATTRIBUTES = ("gene", "Name", "locus_tag", "product", "ID")
"""Attributes by which people know an element, best first."""
_HOLDERS = frozenset({"gene", "pseudogene", "mRNA", "transcript", "exon", "region"})
"""Types that hold, or repeat, elements that tell more."""


class Neighbour(NamedTuple):
    """An element near a place.

    Parameters
    ----------
    distance
        bp between them, 0 where they overlap or touch; negative upstream of the element.
    orientation
        ``sense``, ``antisense``, or ``both`` where the element has no strand. This and the sign of
        the distance are by the strand of the part of the element that is nearest.
    """

    element: Element
    distance: int
    orientation: str

    @property
    def name(self) -> str:
        """The shortest name by which people know the element."""
        return next(filter(None, map(self.element.attribute, NAME_ATTRIBUTES)), self.element.id)


class NearestElement:
    """Finder of nearest elements in one annotation.

    Parameters
    ----------
    circular
        Contigs over whose origin a distance may go.
    """

    def __init__(self, annotations: AnnotationSet, circular: frozenset[str]) -> None:
        self.annotations = annotations
        self.circular = circular
        self._parts = {
            str(seqid): _Parts(
                table["start"].to_numpy(),
                table["end"].to_numpy(),
                table["type"].isin(_HOLDERS).to_numpy(),
                table["id"].tolist(),
                table["strand"].tolist(),
            )
            for seqid, table in annotations.elements.groupby("seqid", sort=False)
        }

    def find(self, place: GenomicInterval) -> Neighbour | None:
        """Return the element that overlaps most, else the nearest; None on a bare contig.

        Of equals the shorter, then one that is no gene but what is in it.
        """
        parts = self._parts.get(place.seqid)
        if parts is None:
            return None
        length = self.annotations.lengths[place.seqid]
        turns = (0, -length, length) if place.seqid in self.circular else (0,)
        gap = np.stack([_gap(parts, place, turn) for turn in turns])
        turn = np.argmin(np.abs(gap), axis=0)
        nearest = np.take_along_axis(gap, turn[None], axis=0)[0]
        overlap = np.minimum(parts.end, place.end) - np.maximum(parts.start, place.start)
        keys = (parts.holds, parts.end - parts.start, -np.maximum(overlap, 0), np.abs(nearest))
        best = int(np.lexsort(keys)[0])
        element = self.annotations[parts.element[best]]
        # of a gene whose parts lie on both strands, the part that is near says which
        strand = parts.strand[best]
        distance = int(nearest[best]) * (-1 if strand == "-" else 1)
        sense = "sense" if strand == place.strand else "antisense"
        return Neighbour(element, distance, "both" if strand == "." else sense)


class _Parts(NamedTuple):
    start: np.ndarray
    end: np.ndarray
    holds: np.ndarray
    element: list[str]
    strand: list[str]


def _gap(parts: _Parts, place: GenomicInterval, turn: int) -> np.ndarray:
    """Bases between each part and a place: positive where the place lies behind."""
    before = parts.start - (place.end + turn)
    behind = (place.start + turn) - parts.end
    return np.where(before > 0, -before, np.maximum(behind, 0))
