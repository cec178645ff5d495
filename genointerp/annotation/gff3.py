"""GFF3 (Sequence Ontology's specification 1.26), read strictly and written for tabix.

The parser is ours because errors must name lines, and because nothing may be repaired in silence.
Two habits of real files are understood: on a circular contig an element that spans the origin has
an end beyond the length of the contig (NCBI, Bakta), and the sequence may follow (``##FASTA``).
Rows that share an ID are the parts of one element, in the order of their ``part`` attribute
(``part=1/2``) where each has one, else in the order in which the strand is read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

import pysam

from genointerp.annotation.annotation_set import AnnotationSet, Attributes, Element, Part
from genointerp.core.errors import AnnotationError
from genointerp.core.files import atomic_path
from genointerp.genome.file import read_bytes
from genointerp.genome.genome import Genome
from genointerp.genome.interval import Strand

_STRANDS: Mapping[str, Strand] = {"+": "+", "-": "-", ".": ".", "?": "."}
_PHASES = {"0": 0, "1": 1, "2": 2, ".": -1}
_WHOLE_CONTIG = ("region", "chromosome", "contig", "sequence", "source", "plasmid")


def read_gff3(path: Path, genome: Genome) -> AnnotationSet:
    """Read the annotation of a genome from GFF3, plain, gzip or bgzip.

    Rows of a whole contig (``region``, ``chromosome``) are checked against the genome and left
    out. An element without an ID, or with an empty one, is named after its line.

    Raises
    ------
    AnnotationError
        If a row is malformed, or contigs, lengths or coordinates do not fit the genome.
    """
    path = Path(path)
    text = read_bytes(path, error=AnnotationError).decode("utf-8", "replace")
    rows: list[_Row] = []
    circular = {name for name, contig in genome.items() if contig.circular}
    for number, line in _lines(text):
        where = f"{path}: line {number}"
        if line.startswith("##"):
            _check_directive(line, genome, where)
        elif not line.startswith("#"):
            row = _parse_row(line, where, number)
            if _is_whole_contig(row, genome):
                circular |= {row.seqid} if row.attributes.get("Is_circular") == ("true",) else set()
            else:
                rows.append(row)
    return AnnotationSet(_elements(rows, genome, circular), genome.lengths)


def write_gff3(annotations: AnnotationSet, path: Path, *, comments: Iterable[str] = ()) -> None:
    """Write GFF3 sorted by coordinate; where the name ends in ``.gz``, as bgzip with tabix index.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    path = Path(path)
    head = ["##gff-version 3", *(f"#{comment}" for comment in comments)]
    head += [f"##sequence-region {name} 1 {n}" for name, n in annotations.lengths.items()]
    text = "\n".join([*head, *_format_rows(annotations), ""]).encode()
    with atomic_path(path) as temporary:
        if path.suffix != ".gz":
            temporary.write_bytes(text)
            return
        with pysam.BGZFile(str(temporary), "wb", index=None) as handle:
            handle.write(text)
        with atomic_path(path.with_name(f"{path.name}.tbi")) as index:
            pysam.tabix_index(str(temporary), preset="gff", force=True, index=str(index))


@dataclass(frozen=True, slots=True)
class _Row:
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
        # an empty ID is none: rows that have it are not parts of one element
        return self.attributes.get("ID", ("",))[0] or f"line-{self.number}"


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        if line.startswith(("##FASTA", ">")):
            return
        if line.strip():
            yield number, line


def _check_directive(line: str, genome: Genome, where: str) -> None:
    words = line.split()
    if words[0] == "##gff-version" and not (len(words) == 2 and words[1].split(".")[0] == "3"):
        raise AnnotationError(where, "##gff-version 3", line)
    if words[0] != "##sequence-region":
        return
    if len(words) != 4 or not (words[2].isdigit() and words[3].isdigit()):
        raise AnnotationError(where, "##sequence-region seqid first last", line)
    name = unquote(words[1])
    if name in genome and words[2] == "1" and int(words[3]) != genome[name].length:
        expected = f"{name} of {genome[name].length} bp, as in the genome"
        raise AnnotationError(where, expected, f"{words[3]} bp")


def _parse_row(line: str, where: str, number: int) -> _Row:
    columns = line.split("\t")
    if len(columns) != 9:
        raise AnnotationError(where, "9 columns separated by tabs", str(len(columns)))
    seqid, _, kind, first, last, _, strand, phase, attributes = columns
    if not (first.isdigit() and last.isdigit() and 1 <= int(first) <= int(last)):
        raise AnnotationError(where, "1 <= first <= last", f"first={first}, last={last}")
    if not kind:
        raise AnnotationError(f"{where}: type", "a term of the Sequence Ontology", "nothing")
    if strand not in _STRANDS:
        raise AnnotationError(f"{where}: strand", "one of + - . ?", repr(strand))
    if phase not in _PHASES or (kind == "CDS" and phase == "."):
        raise AnnotationError(f"{where}: phase", "0, 1 or 2 for a CDS, else '.'", repr(phase))
    row = (where, number, unquote(seqid), unquote(kind), int(first), int(last))
    return _Row(*row, _STRANDS[strand], _PHASES[phase], _parse_attributes(attributes, where))


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


def _is_whole_contig(row: _Row, genome: Genome) -> bool:
    if row.type not in _WHOLE_CONTIG or row.first != 1 or row.seqid not in genome:
        return False
    length = genome[row.seqid].length
    if row.last != length and row.type != "region":
        raise AnnotationError(row.where, f"{row.seqid} of {length} bp", f"{row.last} bp")
    return row.last == length


def _elements(rows: list[_Row], genome: Genome, circular: set[str]) -> Iterator[Element]:
    groups: dict[str, list[_Row]] = {}
    for row in rows:
        groups.setdefault(row.id, []).append(row)
    for group in groups.values():
        head = group[0]
        for row in group[1:]:
            if (row.type, row.seqid) != (head.type, head.seqid):
                expected = f"rows of ID {head.id!r} to be {head.type} on {head.seqid}"
                raise AnnotationError(row.where, expected, f"{row.type} on {row.seqid}")
        parts = [
            part
            for row in (group if len(group) == 1 else _in_reading_order(group))
            for part in _split_at_origin(row, genome, circular)
        ]
        attributes = head.attributes if len(group) == 1 else _merged(group)
        yield Element(head.type, head.id, tuple(parts), attributes, head.where)


def _in_reading_order(rows: list[_Row]) -> list[_Row]:
    numbers = [re.match(r"(\d+)", ",".join(row.attributes.get("part", ()))) for row in rows]
    if all(numbers):
        keys = [int(match[1]) for match in numbers if match]
        return [row for _, row in sorted(zip(keys, rows, strict=True), key=lambda pair: pair[0])]
    return sorted(rows, key=lambda row: row.first, reverse=rows[0].strand == "-")


def _split_at_origin(row: _Row, genome: Genome, circular: set[str]) -> list[Part]:
    start, end = row.first - 1, row.last
    whole = Part(row.seqid, start, end, row.strand, row.phase)
    if row.seqid not in circular:
        return [whole]
    length = genome[row.seqid].length
    if end - start > length:
        raise AnnotationError(row.where, f"at most {length} bp on {row.seqid}", f"{end - start} bp")
    if start >= length:
        return [whole._replace(start=start - length, end=end - length)]
    if end <= length:
        return [whole]
    before, after = whole._replace(end=length), whole._replace(start=0, end=end - length)
    first, second = (after, before) if row.strand == "-" else (before, after)
    return [first, second._replace(phase=next_phase(first))]


def next_phase(part: Part) -> int:
    """Return the phase of the part that is read after ``part``; -1 where there is none."""
    return -1 if part.phase < 0 else (part.phase - (part.end - part.start)) % 3


def _merged(rows: list[_Row]) -> Attributes:
    merged: dict[str, tuple[str, ...]] = {}
    for row in rows:
        for name, values in row.attributes.items():
            if name != "part":
                merged.setdefault(name, values)
    return merged


def _format_rows(annotations: AnnotationSet) -> Iterator[str]:
    columns = ("seqid", "type", "start", "end", "strand", "phase", "id", "part")
    for seqid, kind, start, end, strand, phase, name, part in zip(
        *(annotations.elements[column] for column in columns), strict=True
    ):
        element = annotations[name]
        attributes = {"ID": (name,), **{k: v for k, v in element.attributes.items() if k != "ID"}}
        if len(element.parts) > 1:
            attributes["part"] = (f"{part + 1}/{len(element.parts)}",)
        text = ";".join(
            f"{_encode(key)}={','.join(map(_encode, values))}" for key, values in attributes.items()
        )
        shown = "." if phase < 0 else phase
        where = f"{_encode(seqid)}\tgenointerp\t{_encode(kind)}\t{start + 1}\t{end}"
        yield f"{where}\t.\t{strand}\t{shown}\t{text}"


def _encode(text: str) -> str:
    return quote(text, safe=" !#$'()*+-./:<>?@[]^_`{|}~\"\\")
