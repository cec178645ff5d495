import numpy as np
import pytest

from genointerp.annotation.annotation_set import AnnotationSet, Element, Part
from genointerp.annotation.concepts import define_elements, load_concepts
from genointerp.annotation.terms import TERMS, rrna_size, term
from genointerp.genome.genome import Contig, Genome


def said(**attributes):
    return {name: (value,) for name, value in attributes.items()}


def test_a_term_means_itself():
    """A file that we wrote has the terms that its annotation had."""
    for name in set(TERMS.values()):
        assert term(name, {}) == name
    assert not set(TERMS) & set(TERMS.values())


@pytest.mark.parametrize(
    ("kind", "attributes", "expected"),
    [
        ("regulatory_region", {"regulatory_class": "riboswitch"}, "riboswitch"),
        ("regulatory", {"regulatory_class": "other", "Note": "TPP riboswitch"}, "riboswitch"),
        ("binding_site", {"Note": "T-box leader", "bound_moiety": "tRNA"}, "riboswitch"),
        ("misc_binding", {"bound_moiety": "zinc"}, "binding_site"),
        ("regulatory", {"regulatory_class": "attenuator"}, "attenuator"),
        ("regulatory", {"regulatory_class": "ribosome_binding_site"}, "ribosome_entry_site"),
        ("asRNA", {}, "antisense_RNA"),
        ("ncRNA", {"ncRNA_class": "snoRNA"}, "snoRNA"),
        ("ncRNA", {"ncrna_class": "asRNA"}, "antisense_RNA"),
        ("ncRNA", {"ncRNA_class": "other"}, "ncRNA"),
        ("ncRNA", {"product": "leader RNA"}, "ncRNA"),
        ("misc_RNA", {"product": "T-box leader"}, "riboswitch"),
        ("misc_RNA", {"product": "Histidine operon leader"}, "attenuator"),
        ("misc_RNA", {"product": "Bacterial RNase P class A"}, "RNase_P_RNA"),
        ("misc_RNA", {"product": "6S / SsrS RNA"}, "ncRNA"),
        ("transcript", {"gbkey": "misc_RNA"}, "ncRNA"),
        ("transcript", {"gbkey": "misc_RNA", "product": "x, transcript variant 2"}, "transcript"),
        ("transcript", {}, "transcript"),
        ("RNA", {"Name": "tRNA-Met-CAT"}, "tRNA"),
        ("RNA", {"Name": "SSU rRNA ## 16S rRNA, small subunit ribosomal RNA"}, "rRNA"),
        ("misc_RNA", {"product": "16S_rRNA"}, "rRNA"),
        ("misc_RNA", {"product": "16SrRNA"}, "rRNA"),
        ("misc_RNA", {"product": "rRNA-16S"}, "rRNA"),
        ("misc_RNA", {"product": "16S ribosomal RNA (partial)"}, "rRNA"),
        ("misc_RNA", {"product": "23S rRNA (23S ribosomal RNA)"}, "rRNA"),
        ("RNA", {"Name": "18S_rRNA"}, "rRNA"),
        ("RNA", {"Name": "5S RNA"}, "rRNA"),
        ("misc_RNA", {"product": "6S RNA"}, "ncRNA"),
        ("misc_RNA", {"product": "16S-23S ribosomal RNA intergenic spacer"}, "ncRNA"),
        ("misc_RNA", {"product": "rRNA-like RNA"}, "ncRNA"),
        ("misc_RNA", {"product": "16S rRNA methylation guide"}, "ncRNA"),
        ("misc_RNA", {"product": "tRNA-derived fragment"}, "ncRNA"),
        ("misc_RNA", {"product": "tRNA-Ser"}, "tRNA"),
        ("ncRNA", {"ncRNA_class": "other", "product": "TPP riboswitch"}, "riboswitch"),
        ("mt_SSU_rRNA", {}, "rRNA"),
        ("cytosolic_rRNA", {}, "rRNA"),
        ("4,5S rRNA", {}, "rRNA"),
        ("16S_rRNA", {}, "rRNA_16S"),
        ("18S_rRNA", {}, "rRNA"),
        ("16S rRNA", {}, "rRNA_16S"),
        ("23SrRNA", {}, "rRNA_23S"),
        ("rRNA-4.5S", {}, "rRNA"),
        ("6S_RNA", {}, "6S_RNA"),
        ("ncRNA_gene", {}, "gene"),
        ("direct_repeat", {"rpt_family": "CRISPR"}, "CRISPR"),
        ("repeat_region", {"rpt_type": "inverted"}, "repeat_region"),
        ("my_own_type", {"Note": "a prophage"}, "my_own_type"),
    ],
)
def test_types_keys_and_classes_are_one_vocabulary(kind, attributes, expected):
    assert term(kind, said(**attributes)) == expected


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("mobile_genetic_element", {"Note": "CP4-6 prophage"}),
        ("mobile_genetic_element", {"mobile_element_type": "prophage:CP4-6"}),
        ("mobile_genetic_element", {"mobile_element_type": "other:prophage Rac"}),
        ("mobile_genetic_element", {"mobile_element_type": "phage:SPbeta"}),
        ("sequence_feature", {"Note": "cryptic prophage e14", "gbkey": "misc_feature"}),
        ("region", {"Name": "Rac prophage"}),
        ("region", {"Note": "prophage-like element"}),
        ("proviral_region", {}),
        ("misc_feature", {"note": "putative defective prophage 1"}),
    ],
)
def test_prophages_are_known_by_class_and_by_note(kind, attributes):
    assert term(kind, said(**attributes)) == "prophage"


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("sequence_feature", {"Note": "next to prophage e14"}),
        ("sequence_feature", {"Note": "prophage attachment site attR"}),
        ("sequence_feature", {"Note": "Rac prophage integrase"}),
        ("sequence_feature", {"Note": "remnant of a prophage"}),
        ("mobile_genetic_element", {"mobile_element_type": "phage_plasmid"}),
        ("mobile_genetic_element", {"mobile_element_type": "insertion sequence:IS1"}),
        ("CDS", {"product": "prophage CP4-57"}),
    ],
)
def test_what_only_speaks_of_a_prophage_is_none(kind, attributes):
    assert term(kind, said(**attributes)) == kind


@pytest.mark.parametrize(
    ("kind", "attributes", "expected"),
    [
        ("CDS", {"pseudo": "true"}, "pseudogenic_CDS"),
        ("CDS", {"pseudo": "_no_value"}, "pseudogenic_CDS"),
        ("CDS", {"pseudogene": "unprocessed"}, "pseudogenic_CDS"),
        ("CDS", {"pseudo": "false"}, "CDS"),
        ("gene", {"gene_biotype": "transcribed_pseudogene"}, "pseudogene"),
        ("gene", {"biotype": "polymorphic_pseudogene"}, "gene"),
        ("16S_rRNA", {"pseudo": "true"}, "pseudogenic_rRNA"),
        ("ncRNA", {"ncRNA_class": "snoRNA", "pseudo": "true"}, "pseudogenic_transcript"),
        ("misc_RNA", {"pseudo": "true"}, "pseudogenic_transcript"),
        ("exon", {"pseudo": "true"}, "exon"),
        ("pseudogenic_CDS", {"pseudo": "true"}, "pseudogenic_CDS"),
    ],
)
def test_pseudogenes_are_known_by_every_mark(kind, attributes, expected):
    assert term(kind, said(**attributes)) == expected


@pytest.mark.parametrize(
    ("size", "kind", "attributes"),
    [
        ("16S", "rRNA", {"product": "16S ribosomal RNA of rrnH operon"}),
        ("16S", "rRNA", {"product": "ribosomal RNA-16S"}),
        ("16S", "rRNA", {"product": "16S_rRNA"}),
        ("16S", "rRNA", {"product": "16s rRNA"}),
        ("16S", "rRNA", {"product": "Small Subunit Ribosomal RNA; ssuRNA; SSU rRNA"}),
        ("16S", "rRNA", {"Name": "SSU rRNA ## 16S rRNA, small subunit ribosomal RNA"}),
        ("16S", "rRNA", {"Name": "16S_rRNA"}),
        ("16S", "rRNA", {"gene": "rrsA"}),
        ("16S", "16S_rRNA", {}),
        ("16S", "16SrRNA", {}),
        ("16S", "rRNA_16S", {}),
        ("23S", "rRNA", {"product": "23S ribosomal RNA"}),
        ("23S", "rRNA", {"product": "Large Subunit Ribosomal RNA; lsuRNA; LSU rRNA"}),
        ("23S", "LSU_rRNA", {}),
        ("23S", "rRNA", {"product": "ribosomal RNA", "gene": "rrl"}),
        ("5S", "rRNA", {"product": "5S ribosomal RNA"}),
        ("5S", "rRNA", {"product": "5S rRNA ## 5S ribosomal RNA"}),
        ("5S", "rRNA", {"Note": "5S ribosomal RNA"}),
        ("4.5S", "rRNA", {"product": "4.5S ribosomal RNA"}),
        ("5.8S", "rRNA", {"product": "5.8S ribosomal RNA"}),
        ("5.8S", "rRNA_5_8S", {}),
        ("18S", "rRNA", {"product": "18S ribosomal RNA, small subunit"}),
        ("18S", "18S_rRNA", {"Name": "small subunit"}),
        ("28S", "rRNA", {"product": "28S large subunit ribosomal RNA"}),
        ("4.5S", "4_5S_rRNA", {}),
        ("4.5S", "rRNA_4_5S", {}),
        ("4.5S", "rRNA", {"product": "4,5S rRNA"}),
        ("4.5S", "rRNA", {"Name": "4_5S_rRNA"}),
        ("16S", "rRNA", {"gene": "rrn16"}),
        ("16S", "rRNA", {"product": "16SrRNA"}),
        ("16S", "rRNA", {"product": "16S rRNA; small subunit ribosomal RNA (30S)"}),
        ("23S", "rRNA", {"product": "23S rRNA of 50S subunit"}),
        ("", "rRNA", {"product": "SSU_rRNA_eukarya"}),
        ("", "rRNA", {"product": "LSU_rRNA_eukarya"}),
        ("", "LSU_rRNA_eukarya", {}),
        ("16S", "SSU_rRNA_bacteria", {}),
        ("", "rRNA", {"product": "eukaryotic small subunit ribosomal RNA"}),
        ("", "rRNA", {"product": "mitochondrial small subunit ribosomal RNA"}),
        ("", "mt_SSU_rRNA", {"product": "small subunit ribosomal RNA"}),
        ("12S", "mt_SSU_rRNA", {"product": "12S ribosomal RNA"}),
        ("", "cytosolic_LSU_rRNA", {}),
        ("16S", "rRNA", {"product": "SSU_rRNA_bacteria"}),
        ("", "rRNA", {"Note": "16S-23S ribosomal RNA spacer"}),
        ("", "rRNA", {"Name": "16S rRNA and 23S rRNA"}),
        ("", "rRNA", {"product": "16S-23S ribosomal RNA spacer"}),
        ("", "rRNA", {"product": "ribosomal RNA", "Name": "A16S_0012"}),
        ("115S", "rRNA", {"product": "115S ribosomal RNA, 16Sx"}),
    ],
)
def test_rrna_is_told_apart_by_its_size(size, kind, attributes):
    attributes = said(**attributes)
    element = Element(
        term(kind, attributes), "1", (Part("c", 0, 9, "+"),), attributes, written=kind
    )
    assert rrna_size(element) == size
    genome = Genome([Contig("c", np.full(60, ord("A"), np.uint8))])
    found = define_elements(AnnotationSet([element], genome.lengths), genome, load_concepts())
    classes = {name for name in ("5S", "16S", "23S") if found.n_elements(f"rRNA_{name}")}
    assert classes == {size} & {"5S", "16S", "23S"}
    assert found.n_elements("rRNA") == 1
