import gzip

import numpy as np
import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.annotation.annotation_set import AnnotationSet, Element, Part
from genointerp.annotation.concepts import define_elements, load_concepts
from genointerp.annotation.gff3.file import read_gff3, write_gff3
from genointerp.annotation.read import read_annotation
from genointerp.core.errors import AnnotationError
from genointerp.genome.genome import Contig, Genome

HEAD = "##gff-version 3\n"


def genome(*, circular=False):
    lengths = {"c": 100, "d": 50}
    return Genome(
        Contig(name, np.full(n, ord("A"), np.uint8), circular) for name, n in lengths.items()
    )


def row(kind="gene", first=1, last=9, *, strand="+", phase=".", attributes="ID=x", seqid="c"):
    return f"{seqid}\ttest\t{kind}\t{first}\t{last}\t.\t{strand}\t{phase}\t{attributes}\n"


def read(tmp_path, text, **kwargs):
    path = tmp_path / "annotation.gff3"
    path.write_text(text)
    return read_annotation(path, genome(**kwargs))


def spans(element):
    return [(part.start, part.end, part.strand, part.phase) for part in element.parts]


def test_coordinates_become_zero_based_and_half_open(tmp_path):
    (element,) = read(tmp_path, HEAD + row(first=10, last=12, strand="-"))
    assert element.parts == (Part("c", 9, 12, "-", -1),)


def test_values_are_decoded_and_lists_kept_apart(tmp_path):
    text = "ID=a%3Bb;product=5%25 of a%2C b=c;Dbxref=GO:1,GO:2; Note = x;"
    (element,) = read(tmp_path, HEAD + row(attributes=text))
    assert element.id == "a;b"
    assert element.attributes["product"] == ("5% of a, b=c",)
    assert element.attributes["Dbxref"] == ("GO:1", "GO:2")
    assert element.attribute("Dbxref") == "GO:1,GO:2"
    assert element.attribute("absent") == ""


def test_sequence_after_the_annotation_comments_and_blank_lines_are_passed_over(tmp_path):
    text = HEAD + "# by hand\n\n" + row() + "###\n##FASTA\n>c\nACGT\n"
    assert len(read(tmp_path, text)) == 1


def test_rows_that_share_an_id_are_parts_in_reading_order(tmp_path):
    rows = [
        row("CDS", 10, 20, strand="-", phase="1", attributes="ID=x;product=p"),
        row("CDS", 30, 39, strand="-", phase="0", attributes="ID=x"),
        row("CDS", 60, 70, strand="+", phase="0", attributes="ID=y"),
        row("CDS", 50, 58, strand="+", phase="0", attributes="ID=y"),
    ]
    found = read(tmp_path, HEAD + "".join(rows))
    assert spans(found["x"]) == [(29, 39, "-", 0), (9, 20, "-", 1)]
    assert spans(found["y"]) == [(49, 58, "+", 0), (59, 70, "+", 0)]
    assert found["x"].attribute("product") == "p"
    assert found.elements["part"].tolist() == [1, 0, 0, 1]


def test_rows_in_reading_order_over_the_origin_keep_it(tmp_path):
    rows = [
        row("CDS", 89, 100, phase="0", attributes="ID=x"),
        row("CDS", 1, 9, phase="0", attributes="ID=x"),
    ]
    (element,) = read(tmp_path, HEAD + "".join(rows), circular=True)
    assert spans(element) == [(88, 100, "+", 0), (0, 9, "+", 0)]


def test_the_part_attribute_overrules_the_order_of_coordinates(tmp_path):
    rows = [
        row("CDS", 1, 6, phase="0", attributes="ID=x;part=2/2"),
        row("CDS", 91, 100, phase="0", attributes="ID=x;part=1/2"),
    ]
    (element,) = read(tmp_path, HEAD + "".join(rows))
    assert [part.start for part in element.parts] == [90, 0]
    assert "part" not in element.attributes


@pytest.mark.parametrize("said_by", ["genome", "region-row"])
@pytest.mark.parametrize(
    ("strand", "expected"),
    [
        ("+", [(95, 100, "+", 0), (0, 7, "+", 1)]),
        ("-", [(0, 7, "-", 0), (95, 100, "-", 2)]),
    ],
)
def test_an_end_beyond_a_circular_contig_is_split_at_the_origin(
    tmp_path, said_by, strand, expected
):
    text = HEAD + row("region", 1, 100, attributes="ID=c:1..100;Is_circular=true")
    text += row("CDS", 96, 107, strand=strand, phase="0")
    text = text if said_by == "region-row" else text.replace("Is_circular=true", "Note=n")
    (element,) = read(tmp_path, text, circular=said_by == "genome")
    assert spans(element) == expected


def test_elements_without_an_id_are_named_after_their_line(tmp_path):
    found = read(tmp_path, HEAD + row(attributes=".") + row(attributes="Name=n"))
    assert [element.id for element in found] == ["line-2", "line-3"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "a file with content, found an empty file", id="empty"),
        pytest.param("hello\n", "GFF3 or GenBank, found 'hello'", id="other-kind"),
        pytest.param("##gff-version 2\n" + row(), "line 1: .*version 3", id="version"),
        pytest.param(HEAD + "c\tx\tgene\t1\n", "line 2: .*9 columns .*found 4", id="columns"),
        pytest.param(HEAD + row().replace("\t", " "), "9 columns .*found 1", id="spaces"),
        pytest.param(HEAD + row(first=0), "line 2: .*found first=0, last=9", id="zero"),
        pytest.param(HEAD + row(first=9, last=3), "found first=9, last=3", id="reversed"),
        pytest.param(HEAD + row(first="1e3"), "found first=1e3", id="not-a-number"),
        pytest.param(HEAD + row(strand="x"), "line 2: strand: .*'x'", id="strand"),
        pytest.param(HEAD + row(first="1" * 5000), "line 2: .*first=1{37}\\.\\.\\.,", id="digits"),
        pytest.param(HEAD + row(last="\u00b2"), "line 2: .*last=\u00b2", id="superscript"),
        pytest.param(HEAD + row(last="\u0663"), "line 2: .*last=\u0663", id="arabic-digit"),
        pytest.param(HEAD + row(phase="3"), "line 2: phase: .*'3'", id="phase"),
        pytest.param(
            HEAD + row(attributes='gene_id "x"'), "line 2: attributes: .*name=value", id="GTF"
        ),
        pytest.param(HEAD + row(seqid="chr1"), r"the genome \(c, d\), found chr1", id="seqid"),
        pytest.param(HEAD + row(last=101), "<= 100 on c, found first=1, last=101", id="beyond"),
        pytest.param(
            HEAD + row(attributes="ID=1") + row(last=101), "line 3: .*<= 100 on c", id="line-beyond"
        ),
        pytest.param(
            HEAD + row(last=20) + row(first=30, last=101), "line 3: .*<= 100", id="part-beyond"
        ),
        pytest.param(
            HEAD + "##sequence-region c 1 99\n", "c of 100 bp, .*, found 99 bp", id="length"
        ),
        pytest.param(HEAD + "##sequence-region c\n", "line 2: .*seqid first last", id="directive"),
        pytest.param(
            HEAD + f"##sequence-region c 1 {'9' * 5000}\n", "seqid first last", id="long-directive"
        ),
        pytest.param(HEAD + row("chromosome", 1, 90), "c of 100 bp, found 90 bp", id="chromosome"),
    ],
)
def test_a_bad_gff3_is_refused_with_its_line(tmp_path, text, message):
    with pytest.raises(AnnotationError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            row() + row("CDS", phase="0"),
            "line 3: expected rows of ID 'x' to be gene on c, .* CDS on c",
        ),
        (
            row() + row(seqid="d"),
            "line 3: expected rows of ID 'x' to be gene on c, found gene on d",
        ),
    ],
    ids=["types", "contigs"],
)
def test_an_id_of_several_things_is_refused_where_a_concept_reads_them(tmp_path, rows, message):
    found = read(tmp_path, HEAD + rows)
    assert [element.id for element in found] == ["x", "x-2"]
    with pytest.raises(AnnotationError, match=message):
        define_elements(found, genome(), load_concepts())


def test_an_id_on_two_contigs_of_a_type_that_no_concept_reads_is_two_elements(tmp_path):
    rows = row("intron") + row("intron", seqid="d") + row("tRNA", attributes="ID=t")
    found = read(tmp_path, HEAD + rows)
    assert [element.parts[0].seqid for element in found] == ["c", "d", "c"]
    assert define_elements(found, genome(), load_concepts()).n_elements("tRNA") == 1


@pytest.mark.parametrize(
    ("rows", "phases"),
    [
        ([(1, 9, ".")], [0]),
        ([(1, 10, ".")], [-1]),
        ([(1, 10, "."), (21, 31, ".")], [0, 2]),
        ([(1, 10, "0"), (21, 30, ".")], [0, 2]),
        ([(1, 10, "."), (21, 30, "1")], [2, 1]),
        ([(1, 10, "."), (21, 30, ".")], [-1, -1]),
    ],
)
def test_a_phase_that_is_not_said_follows_from_the_others_or_from_the_length(
    tmp_path, caplog, rows, phases
):
    text = "".join(row("CDS", first, last, phase=phase) for first, last, phase in rows)
    (element,) = read(tmp_path, HEAD + text)
    assert [part.phase for part in element.parts] == phases
    (warning,) = caplog.messages
    assert "annotation.gff3: 1 CDS without a phase, the first in line 2" in warning


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    (element,) = read(tmp_path, "\ufeff" + HEAD + row("tRNA"))
    assert element.type == "tRNA"


def test_an_element_longer_than_its_circular_contig_is_refused(tmp_path):
    with pytest.raises(AnnotationError, match="at most 100 bp on c, found 150 bp"):
        read(tmp_path, HEAD + row(last=150), circular=True)


def test_a_gzip_file_cut_short_is_refused(tmp_path):
    path = tmp_path / "a.gff3.gz"
    path.write_bytes(gzip.compress((HEAD + row()).encode())[:-8])
    with pytest.raises(AnnotationError, match="one cut short"):
        read_gff3(path, genome())


@given(st.binary(max_size=80))
def test_no_content_is_met_with_anything_but_an_annotation_error(tmp_path_factory, junk):
    path = tmp_path_factory.mktemp("junk") / "a.gff3"
    path.write_bytes(HEAD.encode() + junk)
    try:
        outcome = read_gff3(path, genome())
    except AnnotationError as error:
        outcome = error
    assert isinstance(outcome, AnnotationSet) or str(path) in str(outcome)


words = st.text("abz;=,%& \u00e9\"'<", min_size=1, max_size=6).filter(lambda t: t == t.strip())
parts = st.tuples(
    st.integers(0, 80), st.integers(1, 20), st.sampled_from("+-"), st.integers(0, 2)
).map(lambda values: ("c", values[0], sum(values[:2]), *values[2:]))
elements = st.tuples(
    st.sampled_from(["CDS", "tRNA", "pseudogenic_CDS"]),
    words,
    st.lists(parts, min_size=1, max_size=3).map(tuple),
    st.dictionaries(
        words.filter(lambda name: name not in ("ID", "part")),
        st.lists(words, min_size=1, max_size=2).map(tuple),
        max_size=2,
    ),
)


@given(
    st.lists(elements, max_size=5, unique_by=lambda values: values[1]),
    st.sampled_from(["a.gff3", "a.gff3.gz"]),
)
def test_what_is_written_is_read_again(tmp_path_factory, drawn, name):
    path = tmp_path_factory.mktemp("gff3") / name
    # built here: the run-time checks of types draw random numbers, which no strategy may
    found = [Element(k, i, tuple(Part(*p) for p in pieces), a) for k, i, pieces, a in drawn]
    annotations = AnnotationSet(found, genome().lengths)
    write_gff3(annotations, path)
    again = {element.id: element for element in read_gff3(path, genome())}
    assert set(again) == {element.id for element in found}
    for element in found:
        other = again[element.id]
        assert (other.type, other.parts) == (element.type, element.parts)
        attributes = {k: v for k, v in other.attributes.items() if k != "ID"}
        assert attributes == element.attributes


def test_a_compressed_file_answers_tabix(tmp_path):
    path = tmp_path / "a.gff3.gz"
    made = [Element("gene", str(i), (Part("c", i, i + 5, "+"),)) for i in range(0, 90, 10)]
    write_gff3(AnnotationSet(made, genome().lengths), path)
    with pysam.TabixFile(str(path)) as file:
        assert len(list(file.fetch("c", 20, 40))) == 2


def test_ids_are_unique_in_an_annotation():
    made = [Element("gene", "x", (Part("c", 0, 5, "+"),))] * 2
    with pytest.raises(AnnotationError, match="a unique id, found 'x' twice"):
        AnnotationSet(made, genome().lengths)


def test_elements_are_sorted_in_the_order_of_the_contigs():
    made = [
        Element("gene", "1", (Part("d", 3, 5, "+"),)),
        Element("gene", "2", (Part("c", 9, 12, "-"),)),
        Element("gene", "3", (Part("c", 2, 5, "-"),)),
    ]
    assert AnnotationSet(made, genome().lengths).elements["id"].tolist() == ["3", "2", "1"]


def test_an_id_may_hold_a_comma(tmp_path):
    rows = [row("tRNA", 1, 9, attributes="ID=t,1"), row("tRNA", 21, 29, attributes="ID=t,2")]
    assert [element.id for element in read(tmp_path, HEAD + "".join(rows))] == ["t,1", "t,2"]


@pytest.mark.parametrize("said", ["true", "True", "TRUE"])
def test_a_region_that_is_circular_says_so_in_any_case(tmp_path, said):
    rows = [
        row("region", 1, 100, attributes=f"ID=c;Is_circular={said}"),
        row("gene", 95, 105, attributes="ID=g"),
    ]
    assert spans(read(tmp_path, HEAD + "".join(rows))["g"]) == [(94, 100, "+", -1), (0, 5, "+", -1)]


@pytest.mark.parametrize(
    ("accession", "term"), [("SO:0000316", "CDS"), ("SO:0000253", "tRNA"), ("SO:0000704", "gene")]
)
def test_a_type_may_be_an_accession_of_the_ontology(tmp_path, accession, term):
    phase = "0" if term == "CDS" else "."
    (element,) = read(tmp_path, HEAD + row(accession, phase=phase))
    assert (element.type, element.written) == (term, accession)


@pytest.mark.parametrize(
    "rows",
    [
        [("gene", "ID=g;biotype=pseudogene"), ("transcript", "ID=t;Parent=g;biotype=pseudogene")],
        [("pseudogene", "ID=g"), ("pseudogenic_transcript", "ID=t;Parent=g")],
        [("pseudogene", "ID=g"), ("mRNA", "ID=t;Parent=g")],
    ],
)
def test_the_coding_sequence_of_a_pseudogene_is_pseudogenic(tmp_path, rows):
    text = "".join(row(kind, attributes=said) for kind, said in rows)
    text += row("CDS", phase="0", attributes="ID=p;Parent=t")
    text += row("gene", 21, 29, attributes="ID=h") + row("mRNA", 21, 29, attributes="ID=u;Parent=h")
    text += row("CDS", 21, 29, phase="0", attributes="ID=q;Parent=t,u")
    found = read(tmp_path, HEAD + text)
    assert (found["p"].type, found["q"].type) == ("pseudogenic_CDS", "CDS")
    elements = define_elements(found, genome(), load_concepts())
    names = ("pseudogene", "CDS", "start_codon", "stop_codon")
    assert [elements.n_elements(name) for name in names] == [1, 1, 1, 1]


def test_elements_that_are_their_own_ancestors_are_no_pseudogenes(tmp_path):
    text = row("gene", attributes="ID=a;Parent=b") + row("mRNA", attributes="ID=b;Parent=a")
    text += row("pseudogene", 21, 29, attributes="ID=c")
    assert [one.type for one in read(tmp_path, HEAD + text)] == ["gene", "mRNA", "pseudogene"]


def test_a_gene_of_an_rna_is_that_rna_where_the_file_describes_none(tmp_path):
    """As the Saccharomyces Genome Database writes it."""
    gene = row("tRNA_gene", attributes="ID=g") + row("snoRNA_gene", 21, 29, attributes="ID=s")
    exon = row("noncoding_exon", attributes="Parent=g_tRNA")
    found = read(tmp_path, HEAD + gene + exon)
    assert (found["g"].type, found["s"].type) == ("tRNA", "snoRNA")
    found = read(tmp_path, HEAD + gene + row("tRNA", attributes="ID=t;Parent=g"))
    assert (found["g"].type, found["s"].type) == ("gene", "snoRNA")
