"""The elements of an annotation, one row for each part, in the package's own coordinates."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd

from genointerp.core.errors import AnnotationError
from genointerp.genome.interval import Strand

Attributes = Mapping[str, tuple[str, ...]]
"""Values of each attribute, decoded, in the order of the file."""

COLUMNS = ("seqid", "start", "end", "strand", "type", "id", "part", "phase", "attributes")


class Part(NamedTuple):
    """A stretch of consecutive bases of one element.

    Parameters
    ----------
    phase
        Bases to skip from the 5' end of the part to the first base of a codon; -1 where the
        element is not translated.
    """

    seqid: str
    start: int
    end: int
    strand: Strand
    phase: int = -1


@dataclass(frozen=True)
class Element:
    """One thing that an annotation asserts.

    Parameters
    ----------
    type
        Term of the Sequence Ontology, such as ``tRNA``: `genointerp.annotation.terms`.
    id
        Unique in its annotation.
    parts
        In the order in which they are read, 5' to 3': several for a joined CDS or an element
        that spans the origin of a circular contig.
    where
        File and line, for messages.
    written
        Type or feature key as written in the file.
    refusal
        An error that is raised if a concept chooses the element; its fault matters only then.
    """

    type: str
    id: str
    parts: tuple[Part, ...]
    attributes: Attributes = field(default_factory=dict)
    where: str = "annotation"
    written: str = ""
    refusal: AnnotationError | None = None

    def attribute(self, name: str) -> str:
        """Return the values of an attribute, joined by commas; empty if there are none."""
        return ",".join(self.attributes.get(name, ()))


class AnnotationSet:
    """The elements of one genome, checked against the lengths of its contigs.

    Parameters
    ----------
    elements
        In any order.
    lengths
        Length of each contig in bp, in the order of the genome.

    Attributes
    ----------
    elements : pandas.DataFrame
        ONE ROW PER PART, sorted by contig, start and end; columns ``seqid, start, end, strand,
        type, id, part, phase, attributes``. ``part`` counts from 0 at the 5' end.

    Raises
    ------
    AnnotationError
        If an id is used twice, or an element names no contig, leaves its contig or is empty.
    """

    def __init__(self, elements: Iterable[Element], lengths: Mapping[str, int]) -> None:
        self.lengths = dict(lengths)
        self._elements: dict[str, Element] = {}
        for element in elements:
            _check(element, self.lengths)
            if element.id in self._elements:
                raise AnnotationError(element.where, "a unique id", f"{element.id!r} twice")
            self._elements[element.id] = element
        self.elements = _table(self._elements.values(), list(self.lengths))

    def __iter__(self) -> Iterator[Element]:
        return iter(self._elements.values())

    def __len__(self) -> int:
        return len(self._elements)

    def __getitem__(self, element_id: str) -> Element:
        return self._elements[element_id]

    def ancestors(self, element: Element) -> Iterator[Element]:
        """Yield each ``Parent`` of an element that is in this set, over all generations, once."""
        seen: set[str] = set()
        waiting = list(element.attributes.get("Parent", ()))
        while waiting:
            name = waiting.pop()
            if name not in seen and name in self._elements:
                seen.add(name)
                yield self._elements[name]
                waiting.extend(self._elements[name].attributes.get("Parent", ()))

    def parents(self, element: Element) -> list[Element]:
        """Return each ``Parent`` of an element that is in this set."""
        names = dict.fromkeys(element.attributes.get("Parent", ()))
        return [self._elements[name] for name in names if name in self._elements]

    def counts(self) -> dict[str, int]:
        """Return the number of elements of each type, most frequent first."""
        types = pd.Series([element.type for element in self], dtype="str")
        return {str(name): int(count) for name, count in types.value_counts().items()}


def known_names(names: Iterable[str]) -> str:
    """Return the first few names of contigs, for an error message."""
    names = list(names)
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")


def _check(element: Element, lengths: Mapping[str, int]) -> None:
    if not element.parts:
        raise AnnotationError(element.where, "an element with at least one part", element.id)
    for part in element.parts:
        if part.seqid not in lengths:
            expected = f"a contig of the genome ({known_names(lengths)})"
            raise AnnotationError(element.where, expected, part.seqid)
        length = lengths[part.seqid]
        if not 0 <= part.start < part.end <= length:
            expected = f"1 <= first <= last <= {length} on {part.seqid}"
            found = f"first={part.start + 1}, last={part.end} of {element.id}"
            raise AnnotationError(element.where, expected, found)


def _table(elements: Iterable[Element], names: list[str]) -> pd.DataFrame:
    rank = {name: index for index, name in enumerate(names)}
    rows = [
        (*part[:4], element.type, element.id, index, part.phase, element.attributes)
        for element in elements
        for index, part in enumerate(element.parts)
    ]
    rows.sort(key=lambda row: (rank[row[0]], row[1], row[2]))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype({name: "int64" for name in ("start", "end", "part", "phase")})
