from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.annotation.annotation_set import AnnotationSet, Element, Part
from genointerp.annotation.concepts import Concept, define_elements, load_concepts
from genointerp.annotation.gff3.file import next_phase
from genointerp.annotation.raster import contig_offsets, element_bases
from genointerp.core.errors import ConfigError, UnknownNameError
from genointerp.genome.genome import Contig, Genome

LENGTHS = {"c": 60, "d": 40}
CONCEPTS = load_concepts()


def genome(*, circular=False):
    return Genome(
        Contig(name, np.full(n, ord("A"), np.uint8), circular) for name, n in LENGTHS.items()
    )


def element(kind, name, *parts, **attributes):
    values = {key: (value,) for key, value in attributes.items()}
    return Element(kind, name, tuple(Part(*part) for part in parts), values)


def define(*elements, concepts=CONCEPTS, circular=False):
    contigs = genome(circular=circular)
    return define_elements(AnnotationSet(elements, contigs.lengths), contigs, concepts)


def spans(elements, concept):
    table = elements.of(concept)
    return list(zip(table["seqid"], table["start"], table["end"], table["strand"], strict=True))


def test_a_pseudo_trna_is_a_pseudogene_and_no_trna():
    found = define(
        element("tRNA", "1", ("c", 0, 9, "+")),
        element("pseudogenic_tRNA", "3", ("c", 20, 29, "+"), locus_tag="t3"),
        element("pseudogene", "4", ("c", 20, 30, "+"), locus_tag="t3"),
    )
    assert spans(found, "tRNA") == [("c", 0, 9, "+")]
    assert spans(found, "pseudogene") == [("c", 20, 30, "+")]


def test_start_and_stop_codons_go_over_the_joins_of_a_cds():
    found = define(
        element("CDS", "plus", ("c", 0, 2, "+", 0), ("c", 10, 17, "+", 1)),
        element("CDS", "minus", ("d", 20, 30, "-", 0), ("d", 5, 7, "-", 2)),
    )
    assert spans(found, "start_codon") == [
        ("c", 0, 2, "+"), ("c", 10, 11, "+"), ("d", 27, 30, "-")
    ]  # fmt: skip
    assert spans(found, "stop_codon") == [
        ("c", 14, 17, "+"), ("d", 5, 7, "-"), ("d", 20, 21, "-")
    ]  # fmt: skip
    assert found.n_elements("start_codon") == 2


def test_a_partial_cds_has_no_codon_at_its_unknown_end():
    found = define(
        element("CDS", "1", ("c", 0, 9, "+", 0), start_range="."),
        element("CDS", "2", ("c", 10, 19, "-", 0), start_range="."),
        element("CDS", "3", ("c", 20, 30, "+", 1)),
        element("CDS", "4", ("c", 30, 40, "+", 0)),
    )
    assert spans(found, "start_codon") == [("c", 16, 19, "-"), ("c", 30, 33, "+")]
    assert spans(found, "stop_codon") == [("c", 6, 9, "+"), ("c", 27, 30, "+")]


@pytest.mark.parametrize(
    ("strand", "partial", "starts", "stops"),
    [
        ("+", "00", 1, 1), ("+", "10", 0, 1), ("+", "01", 1, 0), ("+", "11", 0, 0),
        ("-", "10", 1, 0), ("-", "01", 0, 1), ("+", "true", 0, 0), ("+", "false", 1, 1),
        ("+", "yes", 0, 0), ("+", "5-prime", 0, 1), ("-", "3'", 1, 0), ("-", "no", 1, 1),
    ],
)  # fmt: skip
def test_partial_tells_which_end_lies_beyond_the_contig(strand, partial, starts, stops):
    """As Prodigal and GeneMarkS-2 write it: a digit for the lower end, a digit for the higher."""
    for name in ("partial", "truncated"):
        found = define(element("CDS", "1", ("c", 0, 9, strand, 0), **{name: partial}))
        assert (found.n_elements("start_codon"), found.n_elements("stop_codon")) == (starts, stops)


def test_the_ends_of_a_gene_on_two_strands_are_those_of_its_outer_parts():
    parts = ("c", 0, 9, "-", 0), ("c", 20, 29, "+", 0)
    whole = define(element("CDS", "1", *parts))
    assert spans(whole, "start_codon") == [("c", 6, 9, "-")]
    assert spans(whole, "stop_codon") == [("c", 26, 29, "+")]
    cut = define(element("CDS", "1", *parts, end_range="29,."))
    assert (spans(cut, "start_codon"), spans(cut, "stop_codon")) == ([("c", 6, 9, "-")], [])


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(
            [("pseudogene", "g", {}), ("pseudogenic_transcript", "t", {"Parent": "g"})],
            id="ensembl",
        ),
        pytest.param(
            [
                ("pseudogenic_transcript", "t", {"Parent": "g"}),
                ("pseudogenic_CDS", "c", {"Parent": "t"}),
                ("pseudogene", "g", {}),
            ],
            id="three-generations",
        ),
        pytest.param(
            [
                ("gene", "g", {}),
                ("pseudogenic_CDS", "c1", {"Parent": "g"}),
                ("pseudogenic_CDS", "c2", {"Parent": "g"}),
            ],
            id="of-one-gene",
        ),
        pytest.param(
            [
                ("pseudogene", "g", {"locus_tag": "b1"}),
                ("pseudogenic_CDS", "c", {"locus_tag": "b1", "Parent": "t"}),
                ("pseudogenic_transcript", "t", {}),
            ],
            id="by-tag-and-by-parent",
        ),
    ],
)
def test_a_pseudogene_is_one_element_whatever_describes_it(rows):
    made = [element(kind, name, ("c", 0, 9, "+"), **said) for kind, name, said in rows]
    other = element("pseudogene", "other", ("c", 20, 29, "+"))
    assert define(*made, other).n_elements("pseudogene") == 2


def test_pseudogenes_of_one_operon_are_several():
    made = [
        element("operon", "o", ("c", 0, 30, "+")),
        element("pseudogene", "1", ("c", 0, 9, "+"), Parent="o"),
        element("pseudogene", "2", ("c", 10, 19, "+"), Parent="o"),
    ]
    assert define(*made).n_elements("pseudogene") == 2


def test_a_concept_chooses_by_the_term_or_by_the_synonym_that_the_file_has():
    asrna = Element("antisense_RNA", "1", (Part("c", 0, 9, "+"),), written="asRNA")
    pseudo = Element("pseudogenic_CDS", "2", (Part("c", 10, 19, "+", 0),), written="CDS")
    concepts = {
        "synonym": Concept("d", types=("asRNA",)),
        "both": Concept("d", types=("asRNA", "antisense_RNA")),
        "coding": Concept("d", types=("CDS",)),
    }
    counts = define(asrna, pseudo, concepts=concepts).counts()
    assert counts == {"synonym": 1, "both": 1, "coding": 0}


def test_intergenic_bases_are_those_that_nothing_covers():
    rows = [element("gene", "1", ("c", 5, 20, "+")), element("tRNA", "2", ("c", 15, 50, "-"))]
    linear = define(*rows)
    assert spans(linear, "intergenic") == [("c", 0, 5, "."), ("c", 50, 60, "."), ("d", 0, 40, ".")]
    assert linear.n_elements("intergenic") == 3
    ring = define(*rows, circular=True)
    assert spans(ring, "intergenic") == spans(linear, "intergenic")
    assert ring.n_elements("intergenic") == 2


def test_a_genome_without_elements_has_every_concept_and_is_intergenic():
    found = define()
    assert found.names == tuple(CONCEPTS)
    assert {name for name, count in found.counts().items() if count} == {"intergenic"}
    assert found.n_elements("intergenic") == 2


def test_orientations_are_told_apart_only_where_a_strand_means_something():
    found = define()
    assert found.orientations("tRNA") == ("sense", "antisense")
    assert found.orientations("intergenic") == ("both",)
    with pytest.raises(UnknownNameError, match=r"one of tRNA, .*found 'trna'"):
        found.of("trna")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n", "a mapping of concept names to definitions"),
        ("a: [", "expected YAML"),
        ("a: {description: d, typ: [x]}", "'typ' .did you mean 'type"),
        ("a: {types: [x]}", "a: expected every required key"),
        ("a: {description: d}", "a: expected either 'types' or 'of', found neither"),
        ("a: {description: d, types: [x], of: b}", "found both"),
        ("a: {description: d, of: b}", "a: of: expected a concept that stands before it"),
        ("a: {description: d, types: [x], bases: most}", "a: bases: expected one of 'all'"),
        ("a: {description: d, types: [x], where: {n: '('}}", "where: n: expected a regular"),
    ],
)
def test_a_bad_concepts_file_is_refused(tmp_path, text, message):
    path = tmp_path / "concepts.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_concepts(path)


def test_a_user_adds_a_concept_by_adding_an_entry(tmp_path):
    path = tmp_path / "concepts.yaml"
    path.write_text("sigma: {description: d, types: [CDS], where: {product: '^sigma'}}")
    found = define(
        element("CDS", "1", ("c", 0, 9, "+", 0), product="sigma factor"),
        element("CDS", "2", ("c", 9, 18, "+", 0), product="anti-sigma factor"),
        concepts=load_concepts(path),
    )
    assert spans(found, "sigma") == [("c", 0, 9, "+")]


pieces = st.tuples(
    st.sampled_from(["c", "d"]), st.integers(0, 25), st.integers(1, 15), st.sampled_from("+-.")
)


@st.composite
def coding(draw):
    """A CDS of 1 to 3 parts whose phases follow from one another, anywhere, overlaps too."""
    seqid, strand = draw(st.sampled_from(["c", "d"])), draw(st.sampled_from("+-"))
    phase, parts = draw(st.integers(0, 2)), []
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, 25))
        part = Part(seqid, start, start + draw(st.integers(1, 15)), strand, phase)
        parts.append(part)
        phase = next_phase(part)
    return parts


def naive_positions(parts):
    """Codon position of each base of a CDS, by walking along it base by base."""
    position, found = (3 - parts[0].phase) % 3, defaultdict(set)
    for part in parts:
        bases = range(part.start, part.end)
        for base in bases if part.strand == "+" else reversed(bases):
            found[position].add((part.seqid, base))
            position = (position + 1) % 3
    return found


@given(st.lists(coding(), min_size=1, max_size=4))
def test_codon_phases_are_those_of_a_walk_along_each_cds(found):
    elements = define(*(Element("CDS", str(i), tuple(parts)) for i, parts in enumerate(found)))
    offsets = contig_offsets(LENGTHS)
    for position in range(3):
        for strand in "+-":
            bases = element_bases(elements, LENGTHS, f"CDS_phase{position}", strand=strand)
            expected = {
                offsets[seqid] + base
                for parts in found
                if parts[0].strand == strand
                for seqid, base in naive_positions(parts)[position]
            }
            assert set(bases.row) == expected


@given(st.lists(pieces, max_size=6))
def test_bases_on_a_strand_are_those_of_a_loop_and_of_elements_without_strand(found):
    made = [
        element("mobile_genetic_element", str(i), (seqid, start, start + n, strand))
        for i, (seqid, start, n, strand) in enumerate(found)
    ]
    concepts = {"m": Concept("d", types=("mobile_genetic_element",))}
    elements = define(*made, concepts=concepts)
    offsets = contig_offsets(LENGTHS)
    on = {strand: set() for strand in "+-."}
    for seqid, start, n, strand in found:
        on[strand] |= {offsets[seqid] + start + i for i in range(n)}
    expected = {
        "+": on["+"] | on["."],
        "-": on["-"] | on["."],
        None: on["+"] | on["-"] | on["."],
    }
    for strand, bases in expected.items():
        assert set(element_bases(elements, LENGTHS, "m", strand=strand).row) == bases


@given(st.lists(coding(), min_size=1, max_size=4))
def test_element_bases_number_the_bases_of_each_element(found):
    elements = define(*(Element("CDS", str(i), tuple(parts)) for i, parts in enumerate(found)))
    bases = element_bases(elements, LENGTHS, "CDS")
    table = elements.of("CDS")
    assert len(bases.row) == int((table["end"] - table["start"]).sum())
    assert set(bases.element) == set(range(len(found)))
    ids = dict(zip(table["element"], table["id"], strict=True))
    offsets = contig_offsets(LENGTHS)
    for number, name in ids.items():
        expected = sorted(
            offsets[part.seqid] + base
            for part in found[int(name)]
            for base in range(part.start, part.end)
        )
        assert sorted(bases.row[bases.element == number]) == expected


def test_rows_are_made_anew_where_a_concept_is_defined_otherwise_or_chooses_others():
    first = {"codons": Concept("x", types=("CDS",), bases="first_codon")}
    last = {"codons": Concept("x", types=("CDS",), bases="last_codon")}
    a = element("CDS", "a", ("c", 0, 30, "+", 0))
    b = element("CDS", "b", ("c", 40, 55, "-", 0))
    known = define(a, b, concepts=first)
    for elements, concepts in (((a, b), last), ((a,), first), ((a, b), first)):
        annotations = AnnotationSet(elements, LENGTHS)
        found = define_elements(annotations, genome(), concepts, like=known)
        pd.testing.assert_frame_equal(found.table, define(*elements, concepts=concepts).table)
