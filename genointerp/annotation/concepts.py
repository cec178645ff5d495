"""Concepts: named classes of bases that the elements of an annotation define.

They are read from a YAML file, so that a user adds one by adding an entry; the shipped file is
``annotations/concepts.yaml``, and `Concept` says what an entry may hold.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from genointerp.annotation.annotation_set import AnnotationSet, Element, Part
from genointerp.annotation.catalogue import annotations_folder
from genointerp.annotation.terms import TERMS, rrna_size
from genointerp.core.arguments import StrPath
from genointerp.core.config import from_mapping, read_yaml
from genointerp.core.errors import ConfigError
from genointerp.core.nearest import unknown
from genointerp.core.notebook import facts_table
from genointerp.genome.genome import Genome
from genointerp.genome.runs import runs_of

Bases = Literal[
    "all", "codon_position_0", "codon_position_1", "codon_position_2",
    "first_codon", "last_codon", "outside",
]  # fmt: skip
Orientation = Literal["sense", "antisense", "both"]

_GENES = ("gene", "pseudogene")

COLUMNS = ("concept", "seqid", "start", "end", "strand", "element", "id", "part", "frame")


@dataclass(frozen=True)
class Concept:
    """One entry of a concepts file.

    Parameters
    ----------
    description
        One sentence.
    types
        Terms of the Sequence Ontology: an element is chosen if its type is one of them. A name that
        merely means another term (`genointerp.annotation.terms`) chooses what is written so.
    of
        Name of another concept whose elements are taken instead of ``types``.
    where
        Attribute to regular expression that its value must match somewhere. ``rRNA_size`` is
        the size class of a ribosomal RNA, from its type, product or names.
    unless
        Attribute to regular expression: elements that match any are left out.
    once_per
        Attribute: of several elements with the same value, or of which one is the ``Parent`` of
        the other over any number of generations, or that have one gene as parent, that of the
        earliest of ``types`` counts (a pseudogene and its pseudogenic CDS are one).
    bases
        Which bases of the elements: all, those at one position of the codons, the first or the
        last codon, or (``outside``) the stretches that no chosen element covers on any strand.
        An element without a strand has no known codons.
    strand
        ``none`` where the strand of an element means nothing: it becomes ``"."``.
    """

    description: str
    types: tuple[str, ...] = ()
    of: str | None = None
    where: dict[str, str] | None = None
    unless: dict[str, str] | None = None
    once_per: str | None = None
    bases: Bases = "all"
    strand: Literal["own", "none"] = "own"


class ConceptElements:
    """The elements of each concept on one genome.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per part, sorted by concept (order of the file), contig and start; columns
        ``concept, seqid, start, end, strand, element, id, part, frame``. ``element`` counts from
        0 within its concept and is shared by the parts of an element. ``frame`` is -1 where every
        base of the row belongs to the concept; otherwise only each third base does, beginning
        ``frame`` bases from the 5' end of the row: read bases through
        `genointerp.annotation.raster`, which knows this.
    concepts : dict
        Definition of each concept, those without an element in this genome included.
    chosen : dict
        Elements of the annotation that each concept chose, where that is known.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        concepts: Mapping[str, Concept],
        chosen: Mapping[str, Sequence[Element]] | None = None,
    ) -> None:
        self.table = table
        self.concepts = dict(concepts)
        self.chosen = dict(chosen or {})
        self._slices = _slices(table["concept"].to_numpy(), list(self.concepts))

    def __repr__(self) -> str:
        shown = ", ".join(f"{n:,} {name}" for name, n in self.counts().items() if n)
        return f"ConceptElements({shown or 'none'})"

    def _repr_html_(self) -> str:
        counts = {name: f"{n:,}" for name, n in self.counts().items() if n}
        return facts_table(f"Elements of {len(self.names)} concepts", counts)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all concepts, in the order of their file."""
        return tuple(self.concepts)

    def of(self, concept: str) -> pd.DataFrame:
        """Return the rows of one concept.

        Raises
        ------
        UnknownNameError
            If there is no such concept.
        """
        if concept not in self._slices:
            raise unknown("concept", concept, self.names)
        return self.table.iloc[self._slices[concept]]

    def n_elements(self, concept: str) -> int:
        """Return the number of elements of a concept, parts counted once."""
        return int(self.of(concept)["element"].nunique())

    def counts(self) -> dict[str, int]:
        """Return the number of elements of each concept, zeros included."""
        return {name: self.n_elements(name) for name in self.names}

    def orientations(self, concept: str) -> tuple[Orientation, ...]:
        """Return ``sense`` and ``antisense``, or ``both`` where the concept has no strand."""
        if concept not in self.concepts:
            raise unknown("concept", concept, self.names)
        return ("both",) if self.concepts[concept].strand == "none" else ("sense", "antisense")


def load_concepts(path: StrPath | None = None) -> dict[str, Concept]:
    """Read a concepts file; without a path, the shipped one.

    Raises
    ------
    ConfigError
        If an entry has an unknown key, chooses nothing, names no concept that stands before it,
        or holds an expression that is not regular.
    """
    path = annotations_folder() / "concepts.yaml" if path is None else Path(path)
    entries = read_yaml(path)
    if not isinstance(entries, dict) or not entries:
        raise ConfigError(str(path), "a mapping of concept names to definitions", repr(entries))
    concepts: dict[str, Concept] = {}
    for name, entry in entries.items():
        concept: Concept = from_mapping(Concept, entry, where=f"{path}: {name}")
        _check(concept, concepts, where=f"{path}: {name}")
        concepts[str(name)] = concept
    return concepts


def define_elements(
    annotations: AnnotationSet,
    genome: Genome,
    concepts: Mapping[str, Concept],
    *,
    like: ConceptElements | None = None,
) -> ConceptElements:
    """Find the elements of each concept in an annotation of ``genome``.

    Parameters
    ----------
    like
        Elements in another annotation of the same genome: a concept that chooses the same again
        has the same rows, which are then not made anew.

    Raises
    ------
    AnnotationError
        If a concept chooses an element whose annotation is impossible, such as one ID on two
        contigs.
    """
    by_type: dict[str, list[Element]] = {}
    for element in annotations:
        for kind in type_names(element):
            by_type.setdefault(kind, []).append(element)
    chosen: dict[str, list[Element]] = {}
    tables: list[pd.DataFrame] = []
    for name, concept in concepts.items():
        typed = {e.id: e for kind in concept.types for e in by_type.get(kind, [])}
        given = list(typed.values()) if concept.of is None else chosen[concept.of]
        chosen[name] = _choose(given, concept, annotations)
        if like is not None and _is_as_in(like, name, concept, chosen[name]):
            tables.append(like.of(name))
        else:
            pieces = _pieces(chosen[name], concept, genome)
            tables.append(_table(_rows(name, concept, pieces, list(genome))))
    table = pd.concat([_table([]), *tables], ignore_index=True)
    return ConceptElements(table, concepts, chosen)


def _is_as_in(
    like: ConceptElements, name: str, concept: Concept, chosen: Sequence[Element]
) -> bool:
    return like.concepts.get(name) == concept and like.chosen.get(name) == chosen


def _table(rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = ("start", "end", "element", "part", "frame")
    return table.astype(dict.fromkeys(numbers, "int64"))


def type_names(element: Element) -> tuple[str, ...]:
    """Return the names by which a concept may choose an element: its type and a synonym of it."""
    is_synonym = TERMS.get(element.written) == element.type
    return (element.type, element.written) if is_synonym else (element.type,)


def _slices(column: np.ndarray, names: list[str]) -> dict[str, slice]:
    slices = {}
    for name in names:
        rows = np.flatnonzero(column == name)
        slices[name] = slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0)
    return slices


def _check(concept: Concept, known: Mapping[str, Concept], *, where: str) -> None:
    if bool(concept.types) == (concept.of is not None):
        raise ConfigError(where, "either 'types' or 'of'", "both" if concept.types else "neither")
    if concept.of is not None and concept.of not in known:
        raise ConfigError(f"{where}: of", "a concept that stands before it", repr(concept.of))
    for key in ("where", "unless"):
        for attribute, pattern in (getattr(concept, key) or {}).items():
            try:
                re.compile(pattern)
            except re.error as error:
                place = f"{where}: {key}: {attribute}"
                raise ConfigError(place, "a regular expression", f"{pattern!r}: {error}") from error


def _choose(
    elements: Sequence[Element], concept: Concept, annotations: AnnotationSet
) -> list[Element]:
    found = [element for element in elements if _passes(element, concept)]
    for element in found:
        if element.refusal is not None:
            raise element.refusal
    if concept.once_per is None:
        return found
    order = {kind: rank for rank, kind in enumerate(concept.types)}
    found.sort(key=lambda element: order.get(element.type, 0))
    return _one_per_locus(found, concept.once_per, annotations)


def _one_per_locus(
    found: Sequence[Element], attribute: str, annotations: AnnotationSet
) -> list[Element]:
    """Return the first of the elements that share a value, an ancestor or a gene."""
    ids = {element.id for element in found}
    owner: dict[tuple[str, str], int] = {}
    leader = list(range(len(found)))

    def leader_of(number: int) -> int:
        while leader[number] != number:
            number = leader[number]
        return number

    for number, element in enumerate(found):
        keys = {("id", element.id)}
        if element.attribute(attribute):
            keys.add(("value", element.attribute(attribute)))
        for above in annotations.ancestors(element):
            if above.id in ids or above.type in _GENES:
                keys.add(("id", above.id))
        leaders = {number, *(leader_of(owner.setdefault(key, number)) for key in keys)}
        for one in leaders:
            leader[one] = min(leaders)
    return [element for number, element in enumerate(found) if leader[number] == number]


def _passes(element: Element, concept: Concept) -> bool:
    if any(_matches(element, *item) for item in (concept.unless or {}).items()):
        return False
    return all(_matches(element, *item) for item in (concept.where or {}).items())


def _matches(element: Element, attribute: str, pattern: str) -> bool:
    if attribute == "rRNA_size":
        return re.search(pattern, rrna_size(element)) is not None
    if attribute not in element.attributes:
        return False
    return re.search(pattern, element.attribute(attribute)) is not None


@dataclass(frozen=True)
class _Piece:
    """Parts of one element of a concept, each with its reading frame."""

    id: str
    parts: tuple[tuple[Part, int], ...]


def _pieces(elements: Iterable[Element], concept: Concept, genome: Genome) -> Iterator[_Piece]:
    if concept.bases == "outside":
        yield from _gaps(elements, genome)
        return
    for element in elements:
        parts = _parts(element, concept.bases)
        if parts:
            yield _Piece(element.id, tuple(parts))


def _parts(element: Element, bases: Bases) -> list[tuple[Part, int]]:
    if bases == "all":
        return [(part, -1) for part in element.parts]
    if any(part.strand == "." for part in element.parts):
        return []
    if bases == "first_codon":
        complete = element.parts[0].phase == 0 and not _is_cut(element, at="5'")
        return _take(element.parts, 3) if complete else []
    if bases == "last_codon":
        whole = (_n_bases(element) - element.parts[0].phase) % 3 == 0
        if element.parts[0].phase < 0 or not whole or _is_cut(element, at="3'"):
            return []
        return _take(element.parts, 3, from_end=True)
    position = int(bases.removeprefix("codon_position_"))
    return [(part, (part.phase + position) % 3) for part in element.parts if part.phase >= 0]


def _n_bases(element: Element) -> int:
    return sum(part.end - part.start for part in element.parts)


def _is_cut(element: Element, *, at: Literal["5'", "3'"]) -> bool:
    """Return whether the annotation says that the element continues beyond this end.

    NCBI says so with ``start_range`` and ``end_range``; Prodigal and GeneMarkS-2 with a digit for
    the lower and one for the higher end (``partial=10``). Both are in forward coordinates.
    A range that names an edge inside the element is none of its ends. ``partial`` and ``truncated``
    may name an end (``5-prime``); where they say yes and nothing more, neither end is known.
    """
    part = element.parts[0 if at == "5'" else -1]
    low = (part.strand == "-") == (at == "3'")
    name = "start_range" if low else "end_range"
    if name in element.attributes:
        edges = {str(one.start + 1 if low else one.end) for one in element.parts}
        inner = edges - {str(part.start + 1 if low else part.end)}
        if inner.isdisjoint(element.attribute(name).split(",")):
            return True
    for name in ("partial", "truncated"):
        said = element.attribute(name).strip().lower()
        if name not in element.attributes or said in ("false", "no", "0"):
            continue
        if re.fullmatch("[01]{2}", said):
            is_cut = said[0 if low else 1] == "1"
        elif re.search("[35]", said):
            is_cut = at[0] in said
        else:
            is_cut = not {"start_range", "end_range"} & element.attributes.keys()
        if is_cut:
            return True
    return False


def _take(parts: tuple[Part, ...], n: int, *, from_end: bool = False) -> list[tuple[Part, int]]:
    """Return the first (or last) ``n`` bases as read, over several parts where they are short."""
    taken = []
    for part in reversed(parts) if from_end else parts:
        size = min(n, part.end - part.start)
        if (part.strand == "-") == from_end:
            piece = part._replace(end=part.start + size)
        else:
            piece = part._replace(start=part.end - size)
        taken.append((piece, -1))
        n -= size
        if n == 0:
            break
    return taken[::-1] if from_end else taken


def _gaps(elements: Iterable[Element], genome: Genome) -> Iterator[_Piece]:
    covered = {name: np.zeros(contig.length + 1, dtype=np.int32) for name, contig in genome.items()}
    for element in elements:
        for part in element.parts:
            covered[part.seqid][part.start] += 1
            covered[part.seqid][part.end] -= 1
    for name, steps in covered.items():
        free = np.cumsum(steps[:-1]) == 0
        spans = [Part(name, start, end, ".") for start, end in runs_of(free).tolist()]
        wraps = genome[name].circular and len(spans) > 1 and bool(free[0]) and bool(free[-1])
        groups: list[tuple[Part, ...]] = [(spans[-1], spans[0])] if wraps else []
        groups.extend((span,) for span in (spans[1:-1] if wraps else spans))
        for group in groups:
            region = f"{name}:{group[0].start + 1}-{group[-1].end}"
            yield _Piece(f"outside-{region}", tuple((part, -1) for part in group))


def _rows(
    name: str, concept: Concept, pieces: Iterable[_Piece], contigs: list[str]
) -> list[tuple[Any, ...]]:
    rank = {contig: index for index, contig in enumerate(contigs)}
    key = [
        (rank[piece.parts[0][0].seqid], min(part.start for part, _ in piece.parts), piece)
        for piece in pieces
    ]
    key.sort(key=lambda item: item[:2])
    rows = [
        (name, part.seqid, part.start, part.end,
         "." if concept.strand == "none" else part.strand, number, piece.id, index, frame)
        for number, (_, _, piece) in enumerate(key)
        for index, (part, frame) in enumerate(piece.parts)
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (rank[row[1]], row[2], row[3]))
