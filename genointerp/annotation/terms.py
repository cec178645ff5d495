"""One vocabulary for every reader: the term of an element does not depend on the file format.

A type of GFF3 (column 3) and a feature key of INSDC go through the same table and the same rules,
so that one annotation has the same elements in both formats.
"""

import re
from collections.abc import Mapping

from genointerp.annotation.annotation_set import Attributes, Element

TERMS: Mapping[str, str] = {
    # feature keys of INSDC, abolished ones included
    "misc_RNA": "ncRNA", "mat_peptide": "mature_protein_region", "sig_peptide": "signal_peptide",
    "mobile_element": "mobile_genetic_element",
    "rep_origin": "origin_of_replication", "regulatory": "regulatory_region",
    "protein_bind": "protein_binding_site", "misc_binding": "binding_site",
    "primer_bind": "primer_binding_site", "assembly_gap": "gap", "misc_feature": "sequence_feature",
    "misc_difference": "sequence_difference", "5'UTR": "five_prime_UTR",
    "3'UTR": "three_prime_UTR", "D-loop": "D_loop", "prim_transcript": "primary_transcript",
    "precursor_RNA": "primary_transcript", "-10_signal": "minus_10_signal",
    "-35_signal": "minus_35_signal", "RBS": "ribosome_entry_site", "TATA_signal": "TATA_box",
    "polyA_signal": "polyA_signal_sequence", "misc_signal": "regulatory_region",
    "LTR": "long_terminal_repeat", "satellite": "satellite_DNA", "repeat_unit": "repeat_region",
    "insertion_seq": "insertion_sequence", "transposon": "transposable_element",
    # names that tools and databases write in column 3
    "asRNA": "antisense_RNA", "antisense": "antisense_RNA", "small_RNA": "sRNA",
    "small_regulatory_ncRNA": "sRNA", "srpRNA": "SRP_RNA", "RNaseP_RNA": "RNase_P_RNA",
    "rnpB": "RNase_P_RNA", "gRNA": "guide_RNA", "lincRNA": "lncRNA", "lnc_RNA": "lncRNA",
    "RNA": "ncRNA", "rsw": "riboswitch", "T_box": "riboswitch", "T-box": "riboswitch",
    "5S_rRNA": "rRNA_5S", "16S_rRNA": "rRNA_16S", "23S_rRNA": "rRNA_23S",
    "cytosolic_5S_rRNA": "rRNA_5S", "cytosolic_16S_rRNA": "rRNA_16S",
    "cytosolic_23S_rRNA": "rRNA_23S", "SSU_rRNA": "rRNA_16S", "small_subunit_rRNA": "rRNA_16S",
    "LSU_rRNA": "rRNA_23S", "large_subunit_rRNA": "rRNA_23S", "4.5S_rRNA": "rRNA",
    "5.8S_rRNA": "rRNA", "rRNA_5_8S": "rRNA", "cytosolic_5_8S_rRNA": "rRNA", "12S_rRNA": "rRNA",
    "18S_rRNA": "rRNA", "rRNA_18S": "rRNA", "cytosolic_18S_rRNA": "rRNA", "25S_rRNA": "rRNA",
    "rRNA_25S": "rRNA", "cytosolic_25S_rRNA": "rRNA", "28S_rRNA": "rRNA", "rRNA_28S": "rRNA",
    "cytosolic_28S_rRNA": "rRNA", "rRNA_21S": "rRNA", "21S_rRNA": "rRNA",
    "mt_rRNA": "rRNA", "mt_SSU_rRNA": "rRNA", "mt_LSU_rRNA": "rRNA", "cytosolic_rRNA": "rRNA",
    "cytosolic_SSU_rRNA": "rRNA", "cytosolic_LSU_rRNA": "rRNA",
    "SSU_rRNA_bacteria": "rRNA_16S", "SSU_rRNA_archaea": "rRNA_16S", "SSU_rRNA_eukarya": "rRNA",
    "LSU_rRNA_bacteria": "rRNA_23S", "LSU_rRNA_archaea": "rRNA_23S", "LSU_rRNA_eukarya": "rRNA",
    "protein_coding_gene": "gene", "ncRNA_gene": "gene", "tRNA_gene": "gene", "rRNA_gene": "gene",
    "sRNA_gene": "gene", "antisense_RNA_gene": "gene", "SRP_RNA_gene": "gene",
    "RNase_P_RNA_gene": "gene", "RNase_MRP_RNA_gene": "gene", "telomerase_RNA_gene": "gene",
    "scRNA_gene": "gene", "siRNA_gene": "gene", "piRNA_gene": "gene", "lincRNA_gene": "gene",
    "ribozyme_gene": "gene", "tmRNA_gene": "gene", "snRNA_gene": "gene", "snoRNA_gene": "gene",
    "miRNA_gene": "gene", "lncRNA_gene": "gene", "processed_pseudogene": "pseudogene",
    "unprocessed_pseudogene": "pseudogene", "transcribed_pseudogene": "pseudogene",
    "unitary_pseudogene": "pseudogene", "pseudogenic_gene": "pseudogene",
    "tRNA_pseudogene": "pseudogenic_tRNA", "rRNA_pseudogene": "pseudogenic_rRNA",
    "pseudo_tRNA": "pseudogenic_tRNA", "pseudogenic_mRNA": "pseudogenic_transcript",
    "pseudogenic_RNA": "pseudogenic_transcript", "proviral_region": "prophage",
    "provirus": "prophage", "crispr": "CRISPR", "crispr_array": "CRISPR", "CRISPR_array": "CRISPR",
    # accessions of the ontology, which column 3 may hold
    "SO:0000013": "scRNA", "SO:0000035": "riboswitch", "SO:0000101": "transposable_element",
    "SO:0000140": "attenuator", "SO:0000141": "terminator", "SO:0000147": "exon",
    "SO:0000167": "promoter", "SO:0000178": "operon", "SO:0000185": "primary_transcript",
    "SO:0000188": "intron", "SO:0000234": "mRNA", "SO:0000252": "rRNA", "SO:0000253": "tRNA",
    "SO:0000274": "snRNA", "SO:0000275": "snoRNA", "SO:0000276": "miRNA",
    "SO:0000286": "long_terminal_repeat", "SO:0000294": "inverted_repeat",
    "SO:0000296": "origin_of_replication", "SO:0000314": "direct_repeat", "SO:0000316": "CDS",
    "SO:0000336": "pseudogene", "SO:0000370": "sRNA", "SO:0000374": "ribozyme",
    "SO:0000386": "RNase_P_RNA", "SO:0000516": "pseudogenic_transcript",
    "SO:0000584": "tmRNA", "SO:0000590": "SRP_RNA", "SO:0000644": "antisense_RNA",
    "SO:0000652": "rRNA_5S", "SO:0000655": "ncRNA", "SO:0000657": "repeat_region",
    "SO:0000673": "transcript", "SO:0000704": "gene", "SO:0000705": "tandem_repeat",
    "SO:0000973": "insertion_sequence", "SO:0001000": "rRNA_16S", "SO:0001001": "rRNA_23S",
    "SO:0001006": "prophage", "SO:0001037": "mobile_genetic_element",
    "SO:0001217": "gene", "SO:0001263": "gene", "SO:0001272": "gene", "SO:0001459": "CRISPR",
    "SO:0001637": "gene", "SO:0001877": "lncRNA", "SO:0005836": "regulatory_region",
}  # fmt: skip
"""Names that are synonyms of a term; all other names stay as they are written."""

_NCRNA = frozenset(
    {
        "antisense_RNA", "autocatalytically_spliced_intron", "circRNA", "guide_RNA",
        "hammerhead_ribozyme", "lncRNA", "miRNA", "piRNA", "pre_miRNA", "RNase_MRP_RNA",
        "RNase_P_RNA", "ribozyme", "scaRNA", "scRNA", "siRNA", "snoRNA", "snRNA", "SRP_RNA",
        "sRNA", "telomerase_RNA", "vault_RNA", "Y_RNA",
    }
)  # fmt: skip
_REGULATORY = {
    "attenuator": "attenuator", "CAAT_signal": "CAAT_signal", "enhancer": "enhancer",
    "insulator": "insulator", "minus_10_signal": "minus_10_signal",
    "minus_35_signal": "minus_35_signal", "polyA_signal_sequence": "polyA_signal_sequence",
    "promoter": "promoter", "ribosome_binding_site": "ribosome_entry_site",
    "riboswitch": "riboswitch", "silencer": "silencer", "TATA_box": "TATA_box",
    "terminator": "terminator",
}  # fmt: skip
_PSEUDOGENIC = {
    "gene": "pseudogene", "CDS": "pseudogenic_CDS", "tRNA": "pseudogenic_tRNA",
    "rRNA": "pseudogenic_rRNA", "rRNA_5S": "pseudogenic_rRNA", "rRNA_16S": "pseudogenic_rRNA",
    "rRNA_23S": "pseudogenic_rRNA",
    **dict.fromkeys(("tmRNA", "ncRNA", "mRNA", "transcript", *_NCRNA), "pseudogenic_transcript"),
}  # fmt: skip
INSDC_TERMS = frozenset(
    {
        "gene", "CDS", "tRNA", "rRNA", "tmRNA", "ncRNA", "mRNA", "exon", "intron", "repeat_region",
        "oriT", "STS", "stem_loop", "operon", "gap", "scRNA", "snRNA", "snoRNA", "promoter",
        "terminator", "attenuator", "enhancer", "CAAT_signal", "GC_signal", "centromere",
        "telomere", "propeptide", "transit_peptide", "polyA_site", "transcript", "direct_repeat",
        "inverted_repeat", "tandem_repeat", "dispersed_repeat", "terminal_inverted_repeat",
        "microsatellite", "minisatellite", "integron", "group_I_intron", "group_II_intron",
        *TERMS, *TERMS.values(), *_NCRNA, *_REGULATORY.values(), *_PSEUDOGENIC.values(),
    }
)  # fmt: skip
"""Feature keys whose meaning is known, terms that some write as keys included; any other key is a
``sequence_feature``."""

_RIBOSWITCH = re.compile(r"riboswitch|\bT[ _-]?box\b", re.IGNORECASE)
# what the product of an RNA of no stated class says, the first that matches
_BY_PRODUCT = {
    re.compile(pattern, re.IGNORECASE): name
    for pattern, name in {
        r"\btmRNA\b|transfer[- ]messenger RNA": "tmRNA",
        r"\bRNase[ _-]?P\b|ribonuclease P\b": "RNase_P_RNA",
        r"signal recognition particle|\bSRP\b": "SRP_RNA",
        _RIBOSWITCH.pattern: "riboswitch",
        r"leader\b|attenuator": "attenuator",
        r"antisense|\basRNA\b": "antisense_RNA",
        r"^(tRNA|transfer RNA)\b(?![ -](like|derived|fragment|half))": "tRNA",
        r"^(?!.*(spacer|intergenic|-like|methyl))(.*((?<![a-z])|(?<=[0-9]S))rRNA(?![a-z])|"
        r".*ribosomal RNA\b|(5|5\.8|12|16|18|21|23|25|26|28)S RNA\b)": "rRNA",
    }.items()
}
# stretches that hold anything, a prophage too
_STRETCHES = ("sequence_feature", "mobile_genetic_element", "region", "biological_region",
              "genomic_island", "repeat_region", "viral_sequence")  # fmt: skip
_PROPHAGE = re.compile(
    r"^\W*(?:(?:an?|the|cryptic|putative|defective|probable|possible|predicted|incomplete|intact|"
    r"questionable|complete|partial|degenerate|inducible|lambdoid|lambda-like|mu-like|integrated|"
    r"temperate)\s+)*(?!(?:to|of|from|in|near|by|at|for|with|next|no|non)\s)(?:[^\s;,]+\s+)?"
    r"(?:pro-?phage|provirus)(?:\b|_)(?!\W*(?:attachment|att[LRBP]?\b|integration|insertion|"
    r"integrase|excision|repressor|protein|encoded|derived|gene\b|tail|head|capsid|terminase|promoter))",
    re.IGNORECASE,
)
_PHAGE_CLASS = re.compile(r"(?:^|:)\s*(?:pro-?)?phage(?:\b|(?=_\d))|provir", re.IGNORECASE)
_REPEATS = ("repeat_region", "direct_repeat", "inverted_repeat", "repeat_unit")
_SAYS_NO = ("false", "no", "0")
_PSEUDO_BIOTYPE = re.compile(r"(?<!polymorphic_)pseudogene$")
_BIOTYPES = ("gene_biotype", "biotype", "transcript_biotype", "gene_type")
_TEXTS = ("product", "note", "name", "standard_name", "label", "description")
_GENES = {"rrs": "16S", "rrl": "23S", "rrf": "5S"}
_GENE_OF_SIZE = re.compile(r"rrn(4\.5|5|5\.8|16|18|23|25|26|28)")
_SVEDBERG = re.compile(
    r"(?<![0-9.])([0-9]+(?:\.[0-9]+)?)[ _-]?[Ss](?:(?![A-Za-z0-9])|(?=rRNA|ribosomal))"
)
# as a name that may hold no full stop has it
_DECIMAL = re.compile(r"(?<![0-9])([45])[_,]([58])(?=[ _-]?[Ss])")
# of ribosomes and their subunits
_RIBOSOMES = frozenset({"30S", "50S", "70S", "40S", "60S", "80S"})
# where subunits have RNAs of other sizes than those of bacteria
_NOT_BACTERIAL = re.compile(r"eukar|cytosol|mitochond|(?<![a-z])mt[ _-]", re.IGNORECASE)
_SIZED_TYPE = re.compile(
    r"(?:rRNA[ _-]?)?(?P<size>[0-9]+(?:[._,][0-9]+)?)S(?:[ _-]?(?:rRNA|ribosomal[ _]RNA))?",
    re.IGNORECASE,
)
_NAMED_SIZE = re.compile(
    r"(?:^|rrn|[ _-])(?P<size>[0-9]+(?:\.[0-9]+)?)S(?=$|[ _-]?(?:rRNA|ribosomal))", re.IGNORECASE
)
_SUBUNITS = re.compile(
    r"(?<![a-z])(?:(?P<small>small[ _-]?subunit|ssu)|large[ _-]?subunit|lsu)(?![a-qs-z])",
    re.IGNORECASE,
)


def term(kind: str, attributes: Attributes) -> str:
    """Return the term of the Sequence Ontology for an element.

    Parameters
    ----------
    kind
        A type of GFF3 or a feature key of INSDC.
    attributes
        Of the element; qualifiers of INSDC by their own names or by those of GFF3.

    Notes
    -----
    In this order: names that mean another term (``TERMS``), the class that ``ncRNA_class``,
    ``regulatory_class`` or the product of an RNA of no class names, stretches whose notes say that
    they are prophages or CRISPR arrays, and pseudogenes, which are marked in several ways.

    Examples
    --------
    >>> term("regulatory", {"regulatory_class": ("riboswitch",)})
    'riboswitch'
    >>> term("CDS", {"pseudo": ("true",)})
    'pseudogenic_CDS'
    """
    said = {name.lower(): ",".join(values) for name, values in attributes.items()}
    name = _refined(kind, TERMS.get(kind) or _sized(kind), said)
    return pseudogenic(name) if _is_pseudo(said) else name


def pseudogenic(name: str) -> str:
    """Return the pseudogenic term of ``name``; ``name`` itself if there is none."""
    return _PSEUDOGENIC.get(name, name)


def is_pseudogenic(name: str) -> bool:
    """Return whether a term is that of a broken element."""
    return name in _PSEUDOGENIC.values()


def rrna_size(element: Element) -> str:
    """Return the size class of a ribosomal RNA, such as ``16S``; empty if nothing says it.

    Notes
    -----
    The type and the product say it by a number of Svedberg units or, without a number, as small or
    large subunit, which are ``16S`` and ``23S`` where nothing says that it is of a eukaryote or a
    mitochondrion. Where neither does, the name, the gene and the note are asked. Two numbers in one
    text are no answer: a spacer names both its neighbours. Those of ribosomes (``50S``) are none.
    """
    texts = [element.attribute(name) for name in ("product", "Name", "gene", "Note", "note")]
    is_bacterial = not any(map(_NOT_BACTERIAL.search, (element.written, *texts)))
    for text in (element.written, element.type, texts[0]):
        found = _sizes(text)
        if found:
            return found.pop() if len(found) == 1 else ""
        if is_bacterial and _SUBUNITS.search(text):
            return _subunit(text)
    for text in texts[1:]:
        named = {
            f"{match['size']}S" for match in _NAMED_SIZE.finditer(_DECIMAL.sub(r"\1.\2", text))
        }
        if named - _RIBOSOMES:
            found = (named - _RIBOSOMES) | _sizes(text)
            return found.pop() if len(found) == 1 else ""
        if match := _GENE_OF_SIZE.fullmatch(text):
            return f"{match[1]}S"
        if _GENES.get(text[:3]) and re.fullmatch(r"rr[sfl][A-Z]?[0-9]*", text):
            return _GENES[text[:3]]
        if is_bacterial and _SUBUNITS.search(text):
            return _subunit(text)
    return ""


def _sizes(text: str) -> set[str]:
    found = {f"{size}S" for size in _SVEDBERG.findall(_DECIMAL.sub(r"\1.\2", text))}
    return found - _RIBOSOMES


def _sized(kind: str) -> str:
    """Return the term of a ribosomal RNA that is called by its size, such as ``16S rRNA``."""
    match = _SIZED_TYPE.fullmatch(kind)
    if match is None:
        return kind
    name = f"rRNA_{match['size']}S"
    return name if name in _PSEUDOGENIC else "rRNA"


def _subunit(text: str) -> str:
    match = _SUBUNITS.search(text)
    return "16S" if match and match["small"] else "23S"


def _refined(kind: str, name: str, said: Mapping[str, str]) -> str:
    if kind in ("misc_RNA", "RNA") or (name == "transcript" and said.get("gbkey") == "misc_RNA"):
        return _vague_rna(said)
    if name == "ncRNA":
        known = said.get("ncrna_class", "")
        known = TERMS.get(known, known)
        if known in _NCRNA:
            return known
        return "riboswitch" if _RIBOSWITCH.search(f"{known} {_naming_text(said)}") else name
    if name in ("regulatory_region", "binding_site"):
        known = _REGULATORY.get(said.get("regulatory_class", ""), name)
        is_switch = known == name and any(_RIBOSWITCH.search(text) for text in _texts(said))
        return "riboswitch" if is_switch else known
    if name in _REPEATS and "crispr" in f"{said.get('rpt_family')} {_texts(said)}".lower():
        return "CRISPR"
    if name in _STRETCHES and _is_prophage(said):
        return "prophage"
    return name


def _vague_rna(said: Mapping[str, str]) -> str:
    text = _naming_text(said)
    if "transcript variant" in text:
        return "transcript"
    return next((name for regex, name in _BY_PRODUCT.items() if regex.search(text)), "ncRNA")


def _naming_text(said: Mapping[str, str]) -> str:
    return said.get("product") or " ".join(_texts(said))


def _is_prophage(said: Mapping[str, str]) -> bool:
    if _PHAGE_CLASS.search(said.get("mobile_element_type", "")):
        return True
    return any(_PROPHAGE.search(text) for text in _texts(said))


def _is_pseudo(said: Mapping[str, str]) -> bool:
    marks = (said[name] for name in ("pseudo", "pseudogene") if name in said)
    if any(mark.lower() not in _SAYS_NO for mark in marks):
        return True
    return any(_PSEUDO_BIOTYPE.search(said.get(name, "")) for name in _BIOTYPES)


def _texts(said: Mapping[str, str]) -> list[str]:
    return [said[name] for name in _TEXTS if name in said]
