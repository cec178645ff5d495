"""One row of a GFF3 file, parsed strictly (Sequence Ontology's specification 1.26)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from genointerp.annotation.annotation_set import Attributes
from genointerp.core.errors import AnnotationError
from genointerp.genome.interval import Strand

_STRANDS: Mapping[str, Strand] = {"+": "+", "-": "-", ".": ".", "?": "."}
_PHASES = {"0": 0, "1": 1, "2": 2, ".": -1}
# no contig has more bases than this has digits; int() refuses thousands of them
_NUMBER = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Row:
    """The columns of a row, except its source and score.

    Parameters
    ----------
    where
        File and line, for messages.
    number
        Of the line.
    first, last
        1-based and closed, as in the file.
    phase
        -1 if the file gives none.
    """

    where: str
    number: int
    seqid: str
    type: str
    first: int
    last: int
    strand: Strand
    phase: int
    attributes: Attributes

    @property
    def id(self) -> str:
        """The attribute ``ID``, commas included; empty if there is none."""
        return ",".join(self.attributes.get("ID", ()))

    @property
    def length(self) -> int:
        """Number of bases."""
        return self.last - self.first + 1


def parse_row(line: str, where: str, number: int) -> Row:
    """Parse a line of nine columns.

    Raises
    ------
    AnnotationError
        The message names the malformed column.
    """
    columns = line.split("\t")
    if len(columns) != 9:
        raise AnnotationError(where, "9 columns separated by tabs", str(len(columns)))
    seqid, _, kind, first, last, _, strand, phase, attributes = columns
    if not (is_number(first) and is_number(last) and 1 <= int(first) <= int(last)):
        found = f"first={_shown(first)}, last={_shown(last)}"
        raise AnnotationError(where, "1 <= first <= last", found)
    if not kind:
        raise AnnotationError(f"{where}: type", "a term of the Sequence Ontology", "nothing")
    if strand not in _STRANDS:
        raise AnnotationError(f"{where}: strand", "one of + - . ?", repr(_shown(strand)))
    if phase not in _PHASES:
        raise AnnotationError(f"{where}: phase", "0, 1, 2 or '.'", repr(_shown(phase)))
    place = (where, number, unquote(seqid), unquote(kind), int(first), int(last))
    return Row(*place, _STRANDS[strand], _PHASES[phase], _parse_attributes(attributes, where))


def is_number(text: str) -> bool:
    """Return whether a text is a number of at most 15 ASCII digits, as coordinates are."""
    return _NUMBER.fullmatch(text) is not None


def _shown(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def _parse_attributes(text: str, where: str) -> Attributes:
    attributes: dict[str, tuple[str, ...]] = {}
    for field in text.split(";"):
        field = field.strip()
        if field in ("", "."):
            continue
        name, separator, values = field.partition("=")
        if not (separator and name):
            raise AnnotationError(f"{where}: attributes", "name=value;name=value", repr(field[:40]))
        decoded = tuple(unquote(value) for value in values.split(","))
        attributes[unquote(name)] = attributes.get(unquote(name), ()) + decoded
    return attributes
