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
from genointerp.annotation.gff3 import next_phase
from genointerp.annotation.terms import INSDC_TERMS, term
from genointerp.core.errors import AnnotationError
from genointerp.genome.genbank import record_name, record_sequence
from genointerp.genome.genome import Genome, normalise_sequence
from genointerp.genome.interval import Strand

_NAMES = {"note": "Note", "db_xref": "Dbxref"}
# long texts about the product, none of which tells one base from another
_DROPPED = {
    "translation", "codon_start", "transl_table", "function", "experiment", "inference",
    "citation", "GO_process", "GO_component", "GO_function", "pseudo", "pseudogene",
}  # fmt: skip

_CODON_STARTS = {"1": 0, "2": 1, "3": 2}

_log = logging.getLogger(__name__)


def convert_records(records: Iterable[SeqRecord], genome: Genome, *, where: str) -> AnnotationSet:
    """Convert records that Biopython has read.

    ``source`` features, whole records, are left out, and so are features that lie between two bases
    (``300^301``) and hold none. A ``codon_start`` that is none of 1, 2 and 3 is passed over, with a
    warning.

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
    return AnnotationSet(_with_parents(_unique(elements)), genome.lengths)


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
        if feature.type != "source":
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
    # genes without a tag are nobody's parents
    genes.pop("", None)
    for element in elements:
        parent = genes.get(element.attribute("locus_tag"))
        if parent in (None, element.id):
            yield element
        else:
            attributes = {"Parent": (str(parent),), **element.attributes}
            yield replace(element, attributes=attributes)


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
        if piece.ref not in (None, seqid):
            raise AnnotationError(where, f"a location on {seqid}", f"one on {piece.ref}")
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
        elif key not in _DROPPED:
            attributes[_NAMES.get(key, key)] = texts
    return {**attributes, **_ranges(feature)}


def _ranges(feature: SeqFeature) -> Attributes:
    """Return NCBI's attributes of an element that goes on beyond what the record holds."""
    ranges: dict[str, tuple[str, ...]] = {}
    location = feature.location
    assert location is not None
    if any(isinstance(piece.start, BeforePosition) for piece in location.parts):
        ranges["start_range"] = (".", str(int(location.start) + 1))
    if any(isinstance(piece.end, AfterPosition) for piece in location.parts):
        ranges["end_range"] = (str(int(location.end)), ".")
    return {"partial": ("true",), **ranges} if ranges else {}
