"""The elements of an annotation, one row for each part, in the package's own coordinates."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from genointerp.annotation.ranges import from_pyranges, to_pyranges
from genointerp.core.errors import AnnotationError
from genointerp.core.notebook import facts_table
from genointerp.genome.interval import Strand

if TYPE_CHECKING:
    from pyranges import PyRanges

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

    @cached_property
    def elements(self) -> pd.DataFrame:
        """One row per part, as stated above; made when it is first asked for."""
        return _table(self._elements.values(), list(self.lengths))

    @classmethod
    def from_pyranges(cls, ranges: "PyRanges", lengths: Mapping[str, int]) -> "AnnotationSet":
        """Return the elements that pyranges hold, such as those of `to_pyranges`.

        Rows that share an ``id`` (or ``ID``, as ``pyranges.read_gff3`` calls it) are the parts of
        one element: in the order of ``part`` where there is such a column, else from 5' to 3'. A
        row without one is an element of its own, named after its place. ``type`` (or ``Feature``)
        and ``phase`` (or ``Frame``) are read too, and of ``attributes``, or where there is no such
        column of all others, the values that are texts.

        Parameters
        ----------
        lengths
            Length of each contig in bp.

        Raises
        ------
        AnnotationError
            If there is no type, or elements do not fit the contigs.
        """
        return cls(_elements_of(from_pyranges(ranges)), lengths)

    def to_pyranges(self) -> "PyRanges":
        """Return the table ``elements`` as pyranges: a row for each part, 0-based, half-open.

        The parts of one element, such as those on either side of an origin, share their ``id``,
        and `from_pyranges` makes one element of them again.

        Raises
        ------
        InputError
            If pyranges is not installed.

        Examples
        --------
        >>> parts = (Part("c", 90, 100, "+"), Part("c", 0, 5, "+"))
        >>> annotations = AnnotationSet([Element("CDS", "over the origin", parts)], {"c": 100})
        >>> ranges = annotations.to_pyranges()
        >>> ranges.df[["Start", "End", "id", "part"]].to_numpy().tolist()
        [[0, 5, 'over the origin', 1], [90, 100, 'over the origin', 0]]
        >>> AnnotationSet.from_pyranges(ranges, {"c": 100})["over the origin"].parts == parts
        True
        """
        return to_pyranges(self.elements)

    def __repr__(self) -> str:
        counts = [f"{count:,} {name}" for name, count in self.counts().items()]
        shown = ", ".join(counts[:5]) + (", ..." if len(counts) > 5 else "")
        return f"AnnotationSet({len(self):,} elements: {shown or 'none'})"

    def _repr_html_(self) -> str:
        counts = [*self.counts().items()]
        others = {"...": f"{len(counts) - 10} more types"} if len(counts) > 10 else {}
        shown = {name: f"{count:,}" for name, count in counts[:10]}
        return facts_table(f"AnnotationSet: {len(self):,} elements", shown | others)

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


_READ = frozenset({"seqid", "start", "end", "strand", "type", "id", "part", "phase", "attributes"})
_OTHERWISE = {"type": "Feature", "id": "ID", "phase": "Frame"}
"""Columns as pyranges' readers of GFF3 and GTF call them."""


def _elements_of(table: pd.DataFrame) -> Iterator[Element]:
    for ours, theirs in _OTHERWISE.items():
        if ours not in table and theirs in table:
            table = table.rename(columns={theirs: ours})
    if "type" not in table:
        raise AnnotationError("pyranges", "a column type or Feature", "none")
    elements: dict[str, list[dict[Any, Any]]] = {}
    for row in table.to_dict("records"):
        place = f"{row['type']} {row['seqid']}:{row['start']}-{row['end']}({row['strand']})"
        name = row.get("id")
        elements.setdefault(name if isinstance(name, str) and name else place, []).append(row)
    for name, rows in elements.items():
        if all("part" in row for row in rows):
            rows.sort(key=lambda row: int(row["part"]))
        else:
            rows.sort(key=lambda row: row["start"], reverse=rows[0]["strand"] == "-")
        parts = tuple(
            Part(row["seqid"], row["start"], row["end"], row["strand"], _phase(row)) for row in rows
        )
        yield Element(str(rows[0]["type"]), name, parts, _attributes(rows[0]), where="pyranges")


def _phase(row: Mapping[Any, Any]) -> int:
    """Return a phase from a number or a text, -1 where it is neither."""
    text = str(row.get("phase", "."))
    return int(text) if text in ("0", "1", "2") else -1


def _attributes(row: Mapping[Any, Any]) -> Attributes:
    if isinstance(row.get("attributes"), Mapping):
        return dict(row["attributes"])
    texts = {str(name): it for name, it in row.items() if isinstance(it, str) and it}
    return {name: tuple(it.split(",")) for name, it in texts.items() if name not in _READ}
