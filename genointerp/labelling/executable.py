"""Labels as bases: the elements that an executable label names in a genome.

Each becomes a concept of its own, so that a label is measured as any concept is, by the same code.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int64, UInt8

from genointerp.annotation.concepts import COLUMNS, Concept, ConceptElements, Orientation
from genointerp.feature.specimen import Specimen
from genointerp.genome.letters import (
    BASES,
    IUPAC,
    UNKNOWN,
)
from genointerp.labelling.gc_content import gc_before
from genointerp.labelling.label import ORIENTATIONS, FeatureLabel

END_FLANK = 30
"""Bases on either side of the first or the last base of an element that are its start or end."""

_NO_KNOWN_END = "."
_ORIENTATION: Mapping[str, Orientation] = {
    "": "sense",
    **{one: one for one in ORIENTATIONS},
}
# bases named by the sequence are those of the strand that is read


class NamedBases(NamedTuple):
    """What an executable label names, apart from which feature it is a label of.

    Two labels that name the same bases are equal.
    """

    concept: str = ""
    part: str = ""
    orientation: Orientation = "sense"
    motif: str = ""
    motif_offset: int = 0
    gc_from: float = 0.0
    gc_to: float = 0.0

    @property
    def name(self) -> str:
        """Name of the concept that stands for these bases, without its orientation."""
        if self.concept:
            return self.concept if self.part == "body" else f"{self.concept} ({self.part})"
        if self.motif:
            return f"{self.motif} {self.motif_offset:+d}"
        return f"GC {self.gc_from:g} to {self.gc_to:g}"


def named_bases(label: FeatureLabel) -> NamedBases | None:
    """Return what a label names; None if it is not executable."""
    if not label.is_executable:
        return None
    if label.concept:
        return NamedBases(label.concept, label.part, _ORIENTATION[label.orientation])
    if label.motif:
        return NamedBases(motif=label.motif, motif_offset=label.motif_offset)
    return NamedBases(gc_from=label.gc_from, gc_to=label.gc_to)


def with_named(specimen: Specimen, named: Iterable[NamedBases]) -> Specimen:
    """Return a specimen whose elements are those that are named by a concept, and no others.

    Notes
    -----
    ``start`` and ``end`` of a concept are the `END_FLANK` bases on either side of the first or last
    base of each element, and that base. Elements without a strand have no known start or end.
    """
    known = specimen.needs("elements")
    tables, concepts = [], {}
    for one in dict.fromkeys(it._replace(orientation="both") for it in named if it.concept):
        if one.concept not in known.names:
            concepts[one.name] = Concept(one.name)
            continue
        whole = known.concepts[one.concept]
        # the bases of an absence stay an absence; a start is a stretch of its own
        concepts[one.name] = whole if one.part == "body" else Concept(one.name, strand=whole.strand)
        own = known.of(one.concept)
        if one.part != "body":
            own = pd.DataFrame(list(_end_rows(own, specimen, one.part)), columns=list(COLUMNS))
        tables.append(own.assign(concept=one.name))
    empty = pd.DataFrame(columns=list(COLUMNS)).astype(known.table.dtypes)
    table = pd.concat([empty, *tables], ignore_index=True)[list(COLUMNS)]
    return replace(specimen, elements=ConceptElements(table.astype(known.table.dtypes), concepts))


def _end_rows(table: pd.DataFrame, specimen: Specimen, part: str) -> Iterator[tuple[Any, ...]]:
    """Yield the stretch about the 5' end (``start``) or the 3' end of each element."""
    lengths, circular = specimen.features.lengths, specimen.features.circular
    ends: dict[Any, dict[Any, Any]] = {}
    for row in table.to_dict(orient="records"):
        known = ends.setdefault(row["element"], row)
        further = row["part"] - known["part"]
        if (further < 0) if part == "start" else (further > 0):
            ends[row["element"]] = row
    for number, row in enumerate(ends.values()):
        if row["strand"] == _NO_KNOWN_END:
            continue
        is_low = (row["strand"] == "+") == (part == "start")
        middle = row["start"] if is_low else row["end"] - 1
        length = lengths[row["seqid"]]
        turns = row["seqid"] in circular
        for index, (start, end) in enumerate(_about(middle, length, is_circular=turns)):
            yield _row(row["seqid"], start, end, row["strand"], number, row["id"], index)


def _about(middle: int, length: int, *, is_circular: bool) -> Iterator[tuple[int, int]]:
    low, high = middle - END_FLANK, middle + END_FLANK + 1
    yield max(low, 0), min(high, length)
    if is_circular and low < 0:
        yield length + low, length
    if is_circular and high > length:
        yield 0, high - length


def sequence_mask(named: NamedBases, codes: UInt8[np.ndarray, " bp"]) -> Bool[np.ndarray, " bp"]:
    """Return on which bases of a sequence a feature with a motif or a GC content should fire.

    Parameters
    ----------
    codes
        Codes in reading direction.
    """
    if named.motif:
        return motif_bases(codes, named.motif, named.motif_offset)
    share = gc_before(codes)
    return np.asarray((share >= named.gc_from) & (share <= named.gc_to), dtype=np.bool_)


def motif_bases(
    codes: UInt8[np.ndarray, " bp"], motif: str, offset: int
) -> Bool[np.ndarray, " bp"]:
    """Return the bases ``offset`` after the last base of an occurrence of a motif.

    Parameters
    ----------
    codes
        Codes of a sequence in reading direction (:mod:`genointerp.genome.letters`).
    motif
        IUPAC letters, 5' to 3'. A base that is unknown matches none of them.

    Examples
    --------
    >>> motif_bases(np.array([0, 1, 2, 0, 1, 2], np.uint8), "AS", 1).nonzero()[0].tolist()
    [2, 5]
    """
    n, length = len(codes), len(motif)
    found = np.zeros(n, np.bool_)
    first: Int64[np.ndarray, " hit"] = np.arange(max(n - length + 1, 0))
    # the letters that fewest bases match come first, so that little is left for the others
    for place in sorted(range(length), key=lambda it: len(IUPAC[motif[it]])):
        allowed = np.isin(np.arange(UNKNOWN + 1), [BASES.index(it) for it in IUPAC[motif[place]]])
        first = first[allowed[codes[first + place]]]
    last = first + length - 1 + offset
    found[last[(last >= 0) & (last < n)]] = True
    return found


def _row(
    seqid: str, start: int, end: int, strand: str, element: int, name: str, part: int
) -> tuple[Any, ...]:
    values: Sequence[Any] = ("", seqid, start, end, strand, element, name, part, -1)
    return tuple(values)
