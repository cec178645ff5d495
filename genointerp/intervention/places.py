"""Places: which bases a painting is measured on, by their distance from it and by concept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int64

from genointerp.annotation.concepts import ConceptElements, Orientation
from genointerp.annotation.raster import ReadingStrand, element_bases
from genointerp.genome.genome import Genome
from genointerp.genome.interval import Strand
from genointerp.genome.windows import Window
from genointerp.reading.tokens import WindowTokens

_FIRST = (1, 9, 33, 129, 513)
"""First distance of each place downstream, in bases."""
DISTANCES = (
    "inside",
    *(f"downstream {first}-{last - 1}" for first, last in pairwise(_FIRST)),
    f"downstream {_FIRST[-1]}-",
    "outside",
)
"""The places by distance, in the order of their numbers."""
OUTSIDE = len(DISTANCES) - 1


def distance_places(
    read: WindowTokens, covered: Bool[np.ndarray, " token"]
) -> Int64[np.ndarray, " token"]:
    """Return the place of each token of a window, as an index of `DISTANCES`.

    Parameters
    ----------
    covered
        Tokens whose state belongs to a stroke.

    Notes
    -----
    A token is inside if the state that decides it, after the token before it, belongs to a stroke.
    Otherwise its distance is counted from the last base that such a state decided. It is outside if
    the window has no such state before it: a causal model then cannot know of any.
    """
    reached = np.maximum.accumulate(np.where(covered, read.spans.end, -1))
    before = np.concatenate([[-1], reached[:-1]])
    distance = read.spans.start - before
    place = np.digitize(distance, _FIRST)
    found: Int64[np.ndarray, " token"] = np.where(before < 0, OUTSIDE, place).astype(np.int64)
    return found


@dataclass(frozen=True, eq=False)
class ConceptPlaces:
    """The tokens of a window that belong to each concept, in each orientation."""

    elements: ConceptElements
    genome: Genome

    @property
    def names(self) -> list[str]:
        """The concepts with their orientations, in order."""
        return [
            _name(concept, orientation)
            for concept in self.elements.names
            for orientation in self.elements.orientations(concept)
        ]

    def of(self, read: WindowTokens) -> Iterator[tuple[str, Bool[np.ndarray, " token"]]]:
        """Yield each concept that has a base of a window, and the tokens that begin at one."""
        kept = read.window.kept
        base = forward_bases(read)
        inside = read.begun
        near = self._near(read.window)
        for concept in near.names:
            for orientation in near.orientations(concept):
                strand = _element_strand(kept.strand, orientation)
                rows = element_bases(near, self.genome.lengths, concept, strand=strand).row
                rows = rows - self._offset(kept.seqid) - kept.start
                belongs = np.zeros(kept.length, np.bool_)
                belongs[rows[(rows >= 0) & (rows < kept.length)]] = True
                found = np.zeros(len(base), np.bool_)
                found[inside] = belongs[base[inside] - kept.start]
                if found.any():
                    yield _name(concept, orientation), found

    def _near(self, window: Window) -> ConceptElements:
        table: pd.DataFrame = self.elements.table
        kept = window.kept
        meets = (table["seqid"] == kept.seqid) & (table["start"] < kept.end)
        return ConceptElements(table[meets & (table["end"] > kept.start)], self.elements.concepts)

    def _offset(self, seqid: str) -> int:
        names: Sequence[str] = list(self.genome)
        return sum(self.genome[name].length for name in names[: names.index(seqid)])


def forward_bases(read: WindowTokens) -> Int64[np.ndarray, " token"]:
    """Return the first base of each token, forward; not inside the contig around an origin."""
    kept, start = read.window.kept, read.spans.start
    found: Int64[np.ndarray, " token"]
    if kept.strand == "-":
        found = kept.end - 1 + read.window.warmup - start
    else:
        found = kept.start - read.window.warmup + start
    return found


def _element_strand(reading: Strand, orientation: Orientation) -> ReadingStrand | None:
    """Return the strand of the elements that are read in an orientation; None for either."""
    if orientation == "both":
        return None
    return "+" if (reading == "+") == (orientation == "sense") else "-"


def _name(concept: str, orientation: str) -> str:
    return concept if orientation == "both" else f"{concept} {orientation}"
