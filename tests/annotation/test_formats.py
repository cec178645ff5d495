"""The same annotation written as GenBank and as GFF3 has the same concepts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.annotation.concepts import define_elements, load_concepts
from genointerp.annotation.gff3.file import write_gff3
from genointerp.annotation.read import read_annotation
from genointerp.genome.genome import Contig, Genome

LENGTH = 300
CONCEPTS = load_concepts()
GENOME = Genome([Contig("TINY.1", np.frombuffer(b"ACGTACGTAC" * 30, np.uint8), circular=True)])
HEAD = f"""\
LOCUS       TINY                     {LENGTH} bp    DNA     circular BCT 01-JAN-2000
DEFINITION  .
ACCESSION   TINY
VERSION     TINY.1
FEATURES             Location/Qualifiers
     source          1..{LENGTH}
"""

# how a record of INSDC says it, and how NCBI or the tool that people run says it in GFF3
SAID = [
    ("gene", {}, "gene", {}),
    ("gene", {"pseudo": None}, "pseudogene", {"pseudo": "true"}),
    ("CDS", {"product": "p"}, "CDS", {"product": "p"}),
    ("CDS", {"pseudo": None}, "CDS", {"pseudo": "true"}),
    ("tRNA", {"product": "tRNA-Ala"}, "tRNA", {"product": "tRNA-Ala"}),
    ("tRNA", {"pseudogene": "unknown"}, "tRNA", {"pseudogene": "unknown"}),
    ("rRNA", {"product": "16S ribosomal RNA"}, "rRNA", {"product": "16S ribosomal RNA"}),
    ("rRNA", {"product": "16S ribosomal RNA"}, "16S_rRNA", {}),
    ("rRNA", {"product": "18S ribosomal RNA"}, "rRNA_18S", {}),
    ("rRNA", {"product": "Large Subunit Ribosomal RNA; lsuRNA"}, "rRNA_23S", {}),
    ("rRNA", {"product": "4.5S ribosomal RNA"}, "rRNA", {"Name": "4.5S rRNA"}),
    ("tmRNA", {}, "tmRNA", {}),
    *(
        ("ncRNA", {"ncRNA_class": name}, name, {"gbkey": "ncRNA"})
        for name in (
            "antisense_RNA", "autocatalytically_spliced_intron", "guide_RNA",
            "hammerhead_ribozyme", "lncRNA", "miRNA", "ribozyme", "RNase_P_RNA", "scRNA",
            "snoRNA", "snRNA", "SRP_RNA", "telomerase_RNA", "Y_RNA",
        )
    ),
    ("ncRNA", {"ncRNA_class": "antisense_RNA"}, "asRNA", {}),
    ("ncRNA", {"ncRNA_class": "other"}, "ncRNA", {}),
    ("misc_RNA", {"product": "x"}, "misc_RNA", {"product": "x"}),
    ("misc_RNA", {"product": "x"}, "transcript", {"product": "x", "gbkey": "misc_RNA"}),
    ("misc_RNA", {"product": "TPP riboswitch"}, "riboswitch", {}),
    ("regulatory", {"regulatory_class": "riboswitch"}, "riboswitch", {}),
    ("regulatory", {"regulatory_class": "riboswitch"},
     "regulatory_region", {"regulatory_class": "riboswitch"}),
    ("regulatory", {"regulatory_class": "attenuator"}, "attenuator", {}),
    ("regulatory", {"regulatory_class": "promoter"}, "promoter", {}),
    ("misc_binding", {"note": "T-box leader"}, "binding_site", {"Note": "T-box leader"}),
    ("mobile_element", {"mobile_element_type": "insertion sequence:IS1"},
     "mobile_genetic_element", {"mobile_element_type": "insertion sequence:IS1"}),
    ("mobile_element", {"mobile_element_type": "other:prophage e14"},
     "mobile_genetic_element", {"mobile_element_type": "other:prophage e14"}),
    ("mobile_element", {"mobile_element_type": "integron"}, "integron", {}),
    ("misc_feature", {"note": "cryptic prophage e14"},
     "sequence_feature", {"Note": "cryptic prophage e14"}),
    ("misc_feature", {"note": "e14 prophage"}, "prophage", {}),
    ("misc_feature", {"note": "e14 prophage"}, "region", {"Note": "e14 prophage"}),
    ("repeat_region", {"rpt_family": "CRISPR"}, "direct_repeat", {"rpt_family": "CRISPR"}),
    ("repeat_region", {"rpt_type": "tandem"}, "tandem_repeat", {"rpt_type": "tandem"}),
    ("mRNA", {}, "mRNA", {}),
    ("STS", {}, "STS", {}),
]  # fmt: skip


def genbank(features):
    lines = []
    for (key, qualifiers, _, _), parts, strand, codon_start, low, high in features:
        spans = [[str(first), str(last)] for first, last in parts]
        if low:
            spans[0][0] = f"<{spans[0][0]}"
        if high:
            spans[-1][1] = f">{spans[-1][1]}"
        location = ",".join("..".join(span) for span in spans)
        location = f"join({location})" if len(spans) > 1 else location
        location = f"complement({location})" if strand == "-" else location
        lines.append(f"     {key:<15} {location}")
        said = qualifiers | ({"codon_start": codon_start} if key == "CDS" else {})
        for name, value in said.items():
            lines.append(f"{'':21}/{name}" + ("" if value is None else f'="{value}"'))
    bases = "".join(
        f"{first:>9} {' '.join(['acgtacgtac'] * 6)}\n" for first in range(1, LENGTH, 60)
    )
    return HEAD + "\n".join([*lines, "ORIGIN", f"{bases}//", ""])


def gff3(features):
    """Write as NCBI does: rows of one ID in ascending order, phases of each, ranges of ends."""
    lines = ["##gff-version 3"]
    for number, ((_, _, kind, said), parts, strand, codon_start, low, high) in enumerate(features):
        said = {"ID": f"id-{number}", **said}
        said |= {"partial": "true"} if low or high else {}
        said |= {"start_range": f".,{parts[0][0]}"} if low else {}
        said |= {"end_range": f"{parts[-1][1]},."} if high else {}
        text = ";".join(f"{name}={value.replace(';', '%3B')}" for name, value in said.items())
        phase, rows = codon_start - 1, {}
        for first, last in parts if strand == "+" else parts[::-1]:
            shown = phase if kind == "CDS" else "."
            rows[first] = f"TINY.1\tx\t{kind}\t{first}\t{last}\t.\t{strand}\t{shown}\t{text}"
            phase = (phase - (last - first + 1)) % 3
        lines += [rows[first] for first in sorted(rows)]
    return "\n".join([*lines, ""])


@st.composite
def features(draw):
    """What it is, its parts along the forward strand, strand, codon_start, and ends beyond it."""
    start, parts = draw(st.integers(0, LENGTH - 1)), []
    for size in draw(st.lists(st.integers(1, 20), min_size=1, max_size=3)):
        first, last = start % LENGTH + 1, start % LENGTH + size
        parts += [(first, last)] if last <= LENGTH else [(first, LENGTH), (1, last - LENGTH)]
        start += size + 5
    said, strand = draw(st.sampled_from(SAID)), draw(st.sampled_from("+-"))
    return said, parts, strand, draw(st.integers(1, 3)), draw(st.booleans()), draw(st.booleans())


def concepts_of(path):
    table = define_elements(read_annotation(path, GENOME), GENOME, CONCEPTS).table
    columns = ["concept", "seqid", "start", "end", "strand", "part", "frame"]
    return sorted(table[columns].itertuples(index=False, name=None))


def assert_same(folder, found):
    (folder / "a.gbk").write_text(genbank(found))
    (folder / "a.gff3").write_text(gff3(found))
    expected = concepts_of(folder / "a.gbk")
    assert concepts_of(folder / "a.gff3") == expected
    write_gff3(read_annotation(folder / "a.gbk", GENOME), folder / "b.gff3")
    assert concepts_of(folder / "b.gff3") == expected


@pytest.mark.parametrize("said", SAID, ids=lambda said: f"{said[0]}-{said[2]}")
def test_each_way_to_say_it_is_one_concept_in_both_formats(tmp_path, said):
    assert_same(tmp_path, [(said, [(11, 49)], "-", 1, False, False)])


@given(st.lists(features(), max_size=5))
def test_an_annotation_has_the_same_concepts_in_both_formats(tmp_path_factory, found):
    assert_same(tmp_path_factory.mktemp("formats"), found)
