"""Annotations from GenBank flat files: INSDC feature keys become terms of the Sequence Ontology.

A feature that is marked ``/pseudo`` or ``/pseudogene`` becomes the pseudogenic term, so that a
broken tRNA or CDS is never taken for a working one.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from Bio.SeqFeature import AfterPosition, BeforePosition, SeqFeature
from Bio.SeqRecord import SeqRecord

from genointerp.annotation.annotation_set import AnnotationSet, Attributes, Element, Part
from genointerp.annotation.gff3 import next_phase
from genointerp.core.errors import AnnotationError
from genointerp.genome.file import read_bytes
from genointerp.genome.genbank import parse_genbank, record_name, record_sequence
from genointerp.genome.genome import Genome, normalise_sequence
from genointerp.genome.interval import Strand

_TERMS = {
    "gene": "gene", "CDS": "CDS", "tRNA": "tRNA", "rRNA": "rRNA", "tmRNA": "tmRNA",
    "ncRNA": "ncRNA", "misc_RNA": "transcript", "mRNA": "mRNA", "exon": "exon",
    "intron": "intron", "mat_peptide": "mature_protein_region",
    "sig_peptide": "signal_peptide", "mobile_element": "mobile_genetic_element",
    "repeat_region": "repeat_region", "rep_origin": "origin_of_replication", "oriT": "oriT",
    "STS": "STS", "regulatory": "regulatory_region", "protein_bind": "protein_binding_site",
    "stem_loop": "stem_loop", "operon": "operon", "gap": "gap", "assembly_gap": "gap",
    "misc_feature": "sequence_feature", "misc_difference": "sequence_difference",
}  # fmt: skip
_PSEUDOGENIC = {
    "gene": "pseudogene", "CDS": "pseudogenic_CDS", "tRNA": "pseudogenic_tRNA",
    "rRNA": "pseudogenic_rRNA",
}  # fmt: skip
_RNA_KEYS = ("ncRNA", "tmRNA", "misc_RNA", "mRNA")
_NCRNA_CLASSES = {
    "antisense_RNA", "autocatalytically_spliced_intron", "guide_RNA", "hammerhead_ribozyme",
    "ribozyme", "RNase_P_RNA", "RNase_MRP_RNA", "scRNA", "SRP_RNA", "sRNA", "snoRNA", "snRNA",
}  # fmt: skip
_PROPHAGE = re.compile(r"(cryptic |putative |defective )?prophage\b", re.IGNORECASE)
_NAMES = {"note": "Note", "db_xref": "Dbxref"}
# long texts about the product, none of which tells one base from another
_DROPPED = {
    "translation", "codon_start", "transl_table", "function", "experiment", "inference",
    "citation", "GO_process", "GO_component", "GO_function", "pseudo", "pseudogene",
}  # fmt: skip


def read_genbank_annotation(path: Path, genome: Genome) -> AnnotationSet:
    """Read the annotation of a genome from a GenBank file, plain or compressed.

    The file must hold a record for each of its features' contigs and no other; where it holds the
    bases too, they must be those of the genome wherever it is not N.

    Raises
    ------
    AnnotationError
        If the file is damaged, or its records are not those of the genome.
    """
    path = Path(path)
    content = read_bytes(path, error=AnnotationError)
    return convert_records(
        parse_genbank(content, path, error=AnnotationError), genome, where=str(path)
    )


def convert_records(records: Iterable[SeqRecord], genome: Genome, *, where: str) -> AnnotationSet:
    """Convert records that Biopython has read; ``source`` rows, whole records, are left out.

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
    return AnnotationSet(_with_parents(_unique(elements)), genome.lengths)


def _check_record(record: SeqRecord, genome: Genome, *, where: str) -> None:
    name = record_name(record)
    if name not in genome:
        raise AnnotationError(where, f"a contig of the genome ({', '.join(genome)})", name)
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
            kind, parts = _term(feature), _parts(feature, record_name(record), place)
            yield Element(kind, _name(feature, number), parts, _attributes(feature), place)


def _unique(elements: list[Element]) -> list[Element]:
    seen: Counter[str] = Counter()
    unique = []
    for element in elements:
        seen[element.id] += 1
        suffix = f"-{seen[element.id]}" if seen[element.id] > 1 else ""
        unique.append(_replace(element, element.id + suffix, element.attributes))
    return unique


def _with_parents(elements: list[Element]) -> Iterator[Element]:
    genes = {e.attribute("locus_tag"): e.id for e in elements if e.id.startswith("gene-")}
    for element in elements:
        parent = genes.get(element.attribute("locus_tag"))
        if parent in (None, element.id):
            yield element
        else:
            attributes = {"Parent": (str(parent),), **element.attributes}
            yield _replace(element, element.id, attributes)


def _replace(element: Element, name: str, attributes: Attributes) -> Element:
    return Element(element.type, name, element.parts, attributes, element.where)


def _term(feature: SeqFeature) -> str:
    qualifiers = feature.qualifiers
    if "pseudo" in qualifiers or "pseudogene" in qualifiers:
        other = "pseudogenic_transcript" if feature.type in _RNA_KEYS else None
        term = _PSEUDOGENIC.get(feature.type, other)
        if term is not None:
            return term
    if feature.type == "ncRNA":
        name = qualifiers.get("ncRNA_class", [""])[0]
        return name if name in _NCRNA_CLASSES else "ncRNA"
    if feature.type == "misc_feature" and _PROPHAGE.match(qualifiers.get("note", [""])[0]):
        return "prophage"
    if feature.type == "repeat_region" and "CRISPR" in str(qualifiers):
        return "CRISPR"
    return _TERMS.get(feature.type, "sequence_feature")


def _name(feature: SeqFeature, number: int) -> str:
    tag = feature.qualifiers.get("locus_tag", [None])[0]
    return f"{feature.type}-{tag}" if tag else f"{feature.type}-feature{number}"


def _parts(feature: SeqFeature, seqid: str, where: str) -> tuple[Part, ...]:
    location = feature.location
    if location is None:
        raise AnnotationError(where, "a location inside the record", "one that cannot be read")
    first = int(feature.qualifiers.get("codon_start", ["1"])[0]) - 1
    phase = first if feature.type == "CDS" else -1
    parts: list[Part] = []
    for piece in location.parts:
        if piece.ref not in (None, seqid):
            raise AnnotationError(where, f"a location on {seqid}", f"one on {piece.ref}")
        part = Part(seqid, int(piece.start), int(piece.end), _strand(piece.strand), phase)
        parts.append(part)
        phase = next_phase(part)
    return tuple(parts)


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
