"""Find the annotated element that is nearest to a place."""

from typing import NamedTuple

import numpy as np

from genointerp.annotation.annotation_set import AnnotationSet, Element
from genointerp.genome.interval import GenomicInterval

NAME_ATTRIBUTES = ("gene", "Name", "locus_tag", "product", "ID")
"""Attributes that name an element for people, best first."""
_HOLDERS = frozenset({"gene", "pseudogene", "mRNA", "transcript", "exon", "region"})
"""Types that contain or repeat more informative elements."""


class Neighbour(NamedTuple):
    """An element near a place.

    Parameters
    ----------
    distance
        Distance in bp, 0 if element and place overlap or touch; negative upstream of the element.
    orientation
        ``sense``, ``antisense``, or ``both`` if the element has no strand. The orientation and the
        sign of the distance refer to the strand of the nearest part of the element.
    """

    element: Element
    distance: int
    orientation: str

    @property
    def name(self) -> str:
        """Name of the element for people, as `element_name` has it."""
        return element_name(self.element)


def element_name(element: Element) -> str:
    """Return the name of an element for people, from the first of `NAME_ATTRIBUTES` that it has."""
    return next(filter(None, map(element.attribute, NAME_ATTRIBUTES)), element.id)


class NearestElement:
    """Finder of the nearest elements in one annotation.

    Parameters
    ----------
    circular
        Contigs on which a distance may cross the origin.
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
        """Return the element that overlaps most, else the nearest; None if the contig has none.

        Ties go to the shorter element, then to the element inside a gene rather than to the gene.
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
        # for a gene with parts on both strands, the nearest part determines the strand
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
    """Return the bases between each part and a place: positive if the place comes after it."""
    before = parts.start - (place.end + turn)
    behind = (place.start + turn) - parts.end
    return np.where(before > 0, -before, np.maximum(behind, 0))
