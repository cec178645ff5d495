"""Annotations from GenBank flat files.

Feature keys and qualifiers become terms of the Sequence Ontology and attributes as NCBI's GFF3 has
them: `genointerp.annotation.terms`.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from Bio.SeqFeature import AfterPosition, BeforePosition, SeqFeature
from Bio.SeqRecord import SeqRecord

from genointerp.annotation.annotation_set import (
    AnnotationSet,
    Attributes,
    Element,
    Part,
    known_names,
)
from genointerp.annotation.gff3.file import next_phase
from genointerp.annotation.pseudogenes import mark_children
from genointerp.annotation.terms import INSDC_TERMS, term
from genointerp.core.errors import AnnotationError
from genointerp.genome.genbank import record_name, record_sequence
from genointerp.genome.genome import Genome
from genointerp.genome.interval import Strand
from genointerp.genome.letters import normalise_sequence

_NAMES = {"note": "Note", "db_xref": "Dbxref"}
# long texts about the product, which say nothing of single bases
_DROPPED = {
    "translation", "codon_start", "transl_table", "function", "experiment", "inference",
    "citation", "GO_process", "GO_component", "GO_function", "pseudo", "pseudogene",
}  # fmt: skip

_CODON_STARTS = {"1": 0, "2": 1, "3": 2}

_log = logging.getLogger(__name__)


def convert_records(records: Iterable[SeqRecord], genome: Genome, *, where: str) -> AnnotationSet:
    """Convert records that Biopython has read.

    ``source`` features, whole records, are left out, and so are features that lie between two bases
    (``300^301``) and hold none. So are those with a part on another record, with a warning. A
    ``codon_start`` other than 1, 2 and 3 is ignored, with a warning.

    Raises
    ------
    AnnotationError
        If a record is not of this genome, or a location cannot be read.
    """
    elements: list[Element] = []
    for record in records:
        place = f"{where}: {record_name(record)}"
        _check_record(record, genome, where=place)
        elements.extend(_record_elements(record, where=place))
        _tell_codon_starts(record, where=place)
        _tell_remote(record, where=place)
    return mark_children(AnnotationSet(_with_parents(_unique(elements)), genome.lengths))


def _check_record(record: SeqRecord, genome: Genome, *, where: str) -> None:
    name = record_name(record)
    if name not in genome:
        raise AnnotationError(where, f"a contig of the genome ({known_names(genome)})", name)
    length = genome[name].length
    n_bases = 0 if record.seq is None else len(record.seq)
    if n_bases != length:
        raise AnnotationError(where, f"{length} bp, as in the genome", f"{n_bases} bp")
    bases = record_sequence(record)
    if bases is not None:
        codes, known = normalise_sequence(bases, where=where), genome[name].sequence
        n_other = int(((codes != known) & (known != ord("N"))).sum())
        if n_other:
            raise AnnotationError(where, "the bases of the genome", f"{n_other} that differ")


def _record_elements(record: SeqRecord, *, where: str) -> Iterator[Element]:
    for number, feature in enumerate(record.features, 1):
        if feature.type != "source" and not _is_remote(feature, record_name(record)):
            place = f"{where}: feature {number} ({feature.type})"
            parts = _parts(feature, record_name(record), place)
            attributes = _attributes(feature)
            known = feature.type if feature.type in INSDC_TERMS else "misc_feature"
            kind, name = term(known, attributes), _name(feature, number)
            if parts:
                yield Element(kind, name, parts, attributes, place, written=feature.type)


def _tell_codon_starts(record: SeqRecord, *, where: str) -> None:
    odd = [
        (number, _codon_start(feature))
        for number, feature in enumerate(record.features, 1)
        if feature.type == "CDS" and _codon_start(feature) not in _CODON_STARTS
    ]
    if odd:
        number, text = odd[0]
        message = "%s: %d codon_start are none of 1, 2, 3 and passed over, first %r of feature %d"
        _log.warning(message, where, len(odd), text[:20], number)


def _is_remote(feature: SeqFeature, seqid: str) -> bool:
    location = feature.location
    return location is not None and any(one.ref not in (None, seqid) for one in location.parts)


def _tell_remote(record: SeqRecord, *, where: str) -> None:
    name = record_name(record)
    remote = [number for number, one in enumerate(record.features, 1) if _is_remote(one, name)]
    if remote:
        message = "%s: %d features with a part on another record are left out, first feature %d"
        _log.warning(message, where, len(remote), remote[0])


def _unique(elements: list[Element]) -> list[Element]:
    seen: Counter[str] = Counter()
    unique = []
    for element in elements:
        seen[element.id] += 1
        suffix = f"-{seen[element.id]}" if seen[element.id] > 1 else ""
        unique.append(replace(element, id=element.id + suffix))
    return unique


def _with_parents(elements: list[Element]) -> Iterator[Element]:
    genes = {e.attribute("locus_tag"): e.id for e in elements if e.id.startswith("gene-")}
    # a gene without a tag has children by its name, where they overlap
    genes.pop("", None)
    named: dict[str, list[Element]] = {}
    for element in elements:
        if element.id.startswith("gene-") and element.attribute("gene"):
            named.setdefault(element.attribute("gene"), []).append(element)
    for element in elements:
        parent = genes.get(element.attribute("locus_tag"))
        if not element.attribute("locus_tag"):
            over = (g for g in named.get(element.attribute("gene"), []) if _overlap(g, element))
            parent = next((gene.id for gene in over), None)
        if parent in (None, element.id):
            yield element
        else:
            attributes = {"Parent": (str(parent),), **element.attributes}
            yield replace(element, attributes=attributes)


def _overlap(one: Element, other: Element) -> bool:
    return any(
        a.seqid == b.seqid and a.start < b.end and b.start < a.end
        for a in one.parts
        for b in other.parts
    )


def _name(feature: SeqFeature, number: int) -> str:
    tag = feature.qualifiers.get("locus_tag", [None])[0]
    return f"{feature.type}-{tag}" if tag else f"{feature.type}-feature{number}"


def _parts(feature: SeqFeature, seqid: str, where: str) -> tuple[Part, ...]:
    location = feature.location
    if location is None:
        raise AnnotationError(where, "a location inside the record", "one that cannot be read")
    phase = _CODON_STARTS.get(_codon_start(feature), 0) if feature.type == "CDS" else -1
    parts: list[Part] = []
    for piece in location.parts:
        part = Part(seqid, int(piece.start), int(piece.end), _strand(piece.strand), phase)
        if part.start < part.end:
            parts.append(part)
            phase = next_phase(part)
    return tuple(parts)


def _codon_start(feature: SeqFeature) -> str:
    return str(feature.qualifiers.get("codon_start", ["1"])[0]).strip()


def _strand(number: int | None) -> Strand:
    return "+" if number == 1 else "-" if number == -1 else "."


def _attributes(feature: SeqFeature) -> Attributes:
    qualifiers = feature.qualifiers
    attributes: dict[str, tuple[str, ...]] = {}
    name = qualifiers.get("gene", qualifiers.get("locus_tag"))
    if name:
        attributes["Name"] = (str(name[0]),)
    attributes["gbkey"] = (feature.type,)
    if "pseudo" in qualifiers or "pseudogene" in qualifiers:
        attributes["pseudo"] = ("true",)
    for key, values in qualifiers.items():
        texts = tuple(" ".join(str(value).split()) for value in values)
        if key == "ribosomal_slippage":
            attributes["exception"] = ("ribosomal slippage",)
        elif key not in _DROPPED and key != "partial":
            attributes[_NAMES.get(key, key)] = texts
    return {**attributes, **_ranges(feature)}


def _ranges(feature: SeqFeature) -> Attributes:
    """Return NCBI's attributes of an element that continues beyond the record.

    What is open inside a join is a gap in what is known, and no end of the element. The qualifier
    ``partial`` of old records alone does not say which end is missing.
    """
    location = feature.location
    assert location is not None
    first, last = location.parts[0], location.parts[-1]
    ranges: dict[str, tuple[str, ...]] = {}
    for piece, low in ((first, first.strand != -1), (last, last.strand == -1)):
        if low and isinstance(piece.start, BeforePosition):
            ranges["start_range"] = (".", str(int(piece.start) + 1))
        if not low and isinstance(piece.end, AfterPosition):
            ranges["end_range"] = (str(int(piece.end)), ".")
    open_inside = any(
        isinstance(piece.start, BeforePosition) or isinstance(piece.end, AfterPosition)
        for piece in location.parts
    )
    is_partial = ranges or ("partial" in feature.qualifiers and not open_inside)
    return {"partial": ("true",), **ranges} if is_partial else {}
