"""GFF3 (Sequence Ontology's specification 1.26), read strictly and written for tabix.

The parser is ours because errors must name lines, and because nothing may be repaired in silence.
Two habits of real files are understood: on a circular contig an element that spans the origin has
an end beyond the length of the contig (NCBI, Bakta), and the sequence may follow (``##FASTA``).
Which rows are one element, and the order in which they are read, is decided by
`genointerp.annotation.gff3.group` and `genointerp.annotation.gff3.order`.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from urllib.parse import quote, unquote

import pysam

from genointerp.annotation.annotation_set import (
    AnnotationSet,
    Element,
    Part,
    known_names,
)
from genointerp.annotation.gff3.group import grouped
from genointerp.annotation.gff3.order import in_reading_order
from genointerp.annotation.gff3.row import Row, is_number, parse_row
from genointerp.annotation.pseudogenes import mark_children
from genointerp.annotation.rna_genes import name_rnas
from genointerp.core.errors import AnnotationError
from genointerp.core.files import atomic_path
from genointerp.genome.file import read_bytes
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval

_WHOLE_CONTIG = ("region", "chromosome", "contig", "sequence", "source", "plasmid")
_STOPS = (b"TAA", b"TAG", b"TGA")

_log = logging.getLogger(__name__)


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
    return parse_gff3(read_bytes(path, error=AnnotationError), path, genome)


def parse_gff3(content: bytes, path: Path, genome: Genome) -> AnnotationSet:
    """Parse the content of a file as `read_gff3` does.

    Parameters
    ----------
    path
        Name of the file, for messages.
    """
    text = content.decode("utf-8", "replace")
    rows: list[Row] = []
    circular = {name for name, contig in genome.items() if contig.circular}
    for number, line in _lines(text):
        where = f"{path}: line {number}"
        if line.startswith("##"):
            _check_directive(line, genome, where)
        elif not line.startswith("#"):
            row = parse_row(line, where, number)
            if _is_whole_contig(row, genome):
                said = ",".join(row.attributes.get("Is_circular", ()))
                circular |= {row.seqid} if said.lower() == "true" else set()
            else:
                rows.append(row)
    found = AnnotationSet(_elements(rows, genome, circular, path), genome.lengths)
    return mark_children(name_rnas(found))


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
        raise AnnotationError(where, "##gff-version 3", line[:80])
    if words[0] != "##sequence-region":
        return
    if len(words) != 4 or not (is_number(words[2]) and is_number(words[3])):
        raise AnnotationError(where, "##sequence-region seqid first last", line[:80])
    name = unquote(words[1])
    if name in genome and words[2] == "1" and int(words[3]) != genome[name].length:
        expected = f"{name} of {genome[name].length} bp, as in the genome"
        raise AnnotationError(where, expected, f"{words[3]} bp")


def _is_whole_contig(row: Row, genome: Genome) -> bool:
    if row.type not in _WHOLE_CONTIG or row.first != 1 or row.seqid not in genome:
        return False
    length = genome[row.seqid].length
    if row.last != length and row.type != "region":
        raise AnnotationError(row.where, f"{row.seqid} of {length} bp", f"{row.last} bp")
    return row.last == length


def _elements(rows: list[Row], genome: Genome, circular: set[str], path: Path) -> Iterator[Element]:
    unphased: list[tuple[Row, bool]] = []
    for group in grouped(rows, ends_in_stop=partial(_ends_in_stop, genome)):
        for row in group.rows:
            _check_place(row, genome, circular)
        head = group.rows[0]
        ordered = in_reading_order(
            group.rows, length=genome[head.seqid].length, circular=head.seqid in circular
        )
        if group.term == "CDS" and any(row.phase < 0 for row in ordered):
            ordered = _phased(ordered)
            unphased.append((head, ordered[0].phase >= 0))
        parts = tuple(part for row in ordered for part in _split_at_origin(row, genome, circular))
        yield Element(
            group.term,
            group.id,
            parts,
            group.attributes,
            head.where,
            written=head.type,
            refusal=group.refusal,
        )
    _tell_unphased(unphased, path)


def _ends_in_stop(genome: Genome, row: Row) -> bool:
    outside = row.seqid not in genome or row.last > genome[row.seqid].length
    if outside or row.phase < 0 or (row.length - row.phase) % 3:
        return False
    place = GenomicInterval(row.seqid, row.first - 1, row.last, row.strand)
    return genome.fetch(place)[-3:].tobytes() in _STOPS


def _check_place(row: Row, genome: Genome, circular: set[str]) -> None:
    if row.seqid not in genome:
        raise AnnotationError(
            row.where, f"a contig of the genome ({known_names(genome)})", row.seqid
        )
    length, place = genome[row.seqid].length, f"first={row.first}, last={row.last}"
    if row.seqid not in circular and row.last > length:
        raise AnnotationError(row.where, f"1 <= first <= last <= {length} on {row.seqid}", place)
    if row.length > length:
        raise AnnotationError(row.where, f"at most {length} bp on {row.seqid}", f"{row.length} bp")


def _phased(rows: list[Row]) -> list[Row]:
    """Give rows without a phase the phase that follows from the other rows or from their length.

    Where no row has one the first codon begins at the first base, if the length is one of whole
    codons; otherwise the phases stay unknown.
    """
    *skipped, length = accumulate((row.length for row in rows), initial=0)
    known = [row.phase + n for row, n in zip(rows, skipped, strict=True) if row.phase >= 0]
    if not known and length % 3:
        return rows
    first = known[0] if known else 0
    phases = [row.phase if row.phase >= 0 else (first - n) % 3
              for row, n in zip(rows, skipped, strict=True)]  # fmt: skip
    return [replace(row, phase=phase) for row, phase in zip(rows, phases, strict=True)]


def _tell_unphased(found: list[tuple[Row, bool]], path: Path) -> None:
    if found:
        n_phased = sum(is_phased for _, is_phased in found)
        message = "%s: %d CDS without a phase, the first in line %d: %d are read from their first"
        message += " base, %d, whose length is no multiple of 3, have no codons"
        n_without = len(found) - n_phased
        _log.warning(message, path, len(found), found[0][0].number, n_phased, n_without)


def _split_at_origin(row: Row, genome: Genome, circular: set[str]) -> list[Part]:
    start, end = row.first - 1, row.last
    whole = Part(row.seqid, start, end, row.strand, row.phase)
    if row.seqid not in circular:
        return [whole]
    length = genome[row.seqid].length
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
