from pathlib import Path

import pytest

from genointerp.annotation.concepts import define_elements, load_concepts
from genointerp.annotation.gff3.file import write_gff3
from genointerp.annotation.read import read_annotation
from genointerp.core.errors import AnnotationError
from genointerp.genome.read import read_genome

PHIX = Path(__file__).parents[1] / "data" / "phix174.gbk"
FEATURE = """\
     {key:<15} {location}
{lines}"""
RECORD = """\
LOCUS       TINY                     120 bp    DNA     circular BCT 01-JAN-2000
DEFINITION  .
ACCESSION   TINY
VERSION     TINY.1
FEATURES             Location/Qualifiers
     source          1..120
                     /organism="none"
{features}ORIGIN
        1 {bases} {bases} {bases} {bases} {bases} {bases}
       61 {bases} {bases} {bases} {bases} {bases} {bases}
//
"""


def record(*features, tmp_path):
    text = ""
    for key, location, *qualifiers in features:
        lines = "".join(f"                     {line}\n" for line in qualifiers)
        text += FEATURE.format(key=key, location=location, lines=lines)
    path = tmp_path / "tiny.gbk"
    path.write_text(RECORD.format(features=text, bases="acgtacgtac"))
    return path


def read(*features, tmp_path):
    path = record(*features, tmp_path=tmp_path)
    return list(read_annotation(path, read_genome(path)))


@pytest.mark.parametrize(
    ("feature", "term"),
    [
        (("tRNA", "1..9"), "tRNA"),
        (("tRNA", "1..9", "/pseudo"), "pseudogenic_tRNA"),
        (("tmRNA", "1..9", "/pseudo"), "pseudogenic_transcript"),
        (("CDS", "1..9", '/pseudogene="unknown"'), "pseudogenic_CDS"),
        (("gene", "1..9", "/pseudo"), "pseudogene"),
        (("ncRNA", "1..9", '/ncRNA_class="antisense_RNA"'), "antisense_RNA"),
        (("ncRNA", "1..9", '/ncRNA_class="other"'), "ncRNA"),
        (("misc_RNA", "1..9"), "ncRNA"),
        (("misc_RNA", "1..9", '/product="T-box leader"'), "riboswitch"),
        (("regulatory", "1..9", '/regulatory_class="riboswitch"'), "riboswitch"),
        (("regulatory", "1..9", '/regulatory_class="terminator"'), "terminator"),
        (("regulatory", "1..9", '/regulatory_class="other"'), "regulatory_region"),
        (("mobile_element", "1..9"), "mobile_genetic_element"),
        (("misc_feature", "1..9", '/note="cryptic prophage e14"'), "prophage"),
        (("misc_feature", "1..9", '/note="next to prophage e14"'), "sequence_feature"),
        (("repeat_region", "1..9", '/rpt_family="CRISPR"'), "CRISPR"),
        (("riboswitch", "1..9"), "riboswitch"),
        (("sRNA", "1..9"), "sRNA"),
        (("antisense_RNA", "1..9"), "antisense_RNA"),
        (("inverted_repeat", "1..9"), "inverted_repeat"),
        (("unheard_of", "1..9"), "sequence_feature"),
    ],
)
def test_feature_keys_become_terms_of_the_sequence_ontology(tmp_path, feature, term):
    (element,) = read(feature, tmp_path=tmp_path)
    assert element.type == term
    assert element.attributes["gbkey"] == (feature[0],)


@pytest.mark.parametrize("text", ["9", "unknown", "0", "\u00b2", "1" * 5000])
def test_a_codon_start_that_is_none_is_passed_over_with_a_warning(tmp_path, caplog, text):
    (element,) = read(("CDS", "10..18", f"/codon_start={text}"), tmp_path=tmp_path)
    assert [part.phase for part in element.parts] == [0]
    (warning,) = caplog.messages
    assert (
        f"TINY.1: 1 codon_start are none of 1, 2, 3 and passed over, first '{text[:20]}'" in warning
    )
    assert warning.endswith("of feature 2")


@pytest.mark.parametrize(
    "location", ["30^31", "120^1", "complement(30^31)", "31..30", "complement(31..30)"]
)
def test_a_location_between_two_bases_holds_none(tmp_path, location):
    found = read(("tRNA", "1..9"), ("variation", location), ("CDS", "40..48"), tmp_path=tmp_path)
    assert [element.type for element in found] == ["tRNA", "CDS"]


def test_an_element_keeps_the_parts_that_hold_bases(tmp_path):
    (element,) = read(("CDS", "join(1..9,20^21,30..32)"), tmp_path=tmp_path)
    assert [(part.start, part.end, part.phase) for part in element.parts] == [
        (0, 9, 0),
        (29, 32, 0),
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("ACCESSION", "  AUTHORS   Nobody,N.\nACCESSION", id="authors-of-no-reference"),
        pytest.param("120 bp", f"{'9' * 5000} bp", id="length-of-5000-digits"),
        pytest.param("1..9\n", f"1..{'9' * 5000}\n", id="location-of-5000-digits"),
        pytest.param("1..9\n", f"{'join(' * 3000}1..9{')' * 3000}\n", id="nested-locations"),
    ],
)
def test_whatever_the_parser_throws_is_one_line_that_names_the_file(tmp_path, old, new):
    path = record(("tRNA", "1..9"), tmp_path=tmp_path)
    genome = read_genome(path)
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(AnnotationError) as caught:
        read_annotation(path, genome)
    assert str(caught.value).startswith(f"{path}")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("location", "codon_start", "parts"),
    [
        ("10..18", 1, [(9, 18, "+", 0)]),
        ("complement(10..18)", 3, [(9, 18, "-", 2)]),
        ("join(10..13,20..27)", 1, [(9, 13, "+", 0), (19, 27, "+", 2)]),
        ("join(10..13,20..27)", 2, [(9, 13, "+", 1), (19, 27, "+", 0)]),
        ("complement(join(10..13,20..27))", 1, [(19, 27, "-", 0), (9, 13, "-", 1)]),
        ("join(117..120,1..5)", 1, [(116, 120, "+", 0), (0, 5, "+", 2)]),
        ("complement(join(117..120,1..5))", 1, [(0, 5, "-", 0), (116, 120, "-", 1)]),
        ("join(10..20,20..28)", 1, [(9, 20, "+", 0), (19, 28, "+", 1)]),
    ],
)
def test_the_phase_of_each_part_follows_from_codon_start_and_the_join(
    tmp_path, location, codon_start, parts
):
    (element,) = read(("CDS", location, f"/codon_start={codon_start}"), tmp_path=tmp_path)
    assert [(p.start, p.end, p.strand, p.phase) for p in element.parts] == parts


def test_partial_ends_are_told_as_ncbi_tells_them(tmp_path):
    low, high = read(("CDS", "<10..18"), ("CDS", "complement(40..>48)"), tmp_path=tmp_path)
    assert low.attributes["start_range"] == (".", "10")
    assert high.attributes["end_range"] == ("48", ".")
    assert low.attributes["partial"] == ("true",)


def test_an_element_of_a_gene_names_its_parent_and_ids_are_unique(tmp_path):
    tag = '/locus_tag="b1"'
    found = read(
        ("gene", "1..9", tag), ("CDS", "1..9", tag), ("CDS", "1..6", tag), tmp_path=tmp_path
    )
    assert [element.id for element in found] == ["gene-b1", "CDS-b1", "CDS-b1-2"]
    assert [element.attribute("Parent") for element in found] == ["", "gene-b1", "gene-b1"]


def test_what_has_no_locus_tag_has_no_parent(tmp_path):
    found = read(("gene", "1..9"), ("CDS", "1..9"), ("tRNA", "20..30"), tmp_path=tmp_path)
    assert [element.attribute("Parent") for element in found] == ["", "", ""]


def test_phix_has_three_genes_over_its_origin_and_gff3_keeps_them(tmp_path):
    genome = read_genome(PHIX)
    found = read_annotation(PHIX, genome)
    spanning = [e for e in found if e.type == "CDS" and len(e.parts) == 2]
    assert [(e.parts[0].start, e.parts[1].end) for e in spanning] == [
        (3980, 136), (4496, 136), (5074, 51)
    ]  # fmt: skip
    write_gff3(found, tmp_path / "phix.gff3.gz")
    again = read_annotation(tmp_path / "phix.gff3.gz", genome)
    assert again.elements.drop(columns="attributes").equals(
        found.elements.drop(columns="attributes")
    )
    assert [again[e.id].parts for e in found] == [e.parts for e in found]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("TINY.1", "TINY.2", r"contig of the genome \(TINY.1\), found TINY.2"),
        ("120 bp", "121 bp", "sequence length 121, found 120"),
        ("acgtacgtac\n", "acgtacgtaa\n", "the bases of the genome, found 2 that differ"),
        ("1..9\n", "115..125\n", "found first=115, last=125"),
        ("//\n", "", "one that ends early"),
    ],
)
def test_a_record_that_is_not_of_the_genome_is_refused(tmp_path, old, new, message):
    path = record(("tRNA", "1..9"), tmp_path=tmp_path)
    genome = read_genome(path)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(AnnotationError, match=message):
        read_annotation(path, genome)


@pytest.mark.parametrize("location", ["J00194.1:1..9", "join(J00194.1:100..202,1..45)"])
def test_a_feature_on_another_record_is_left_out_with_a_warning(tmp_path, caplog, location):
    found = read(("tRNA", "50..59"), ("gene", location), tmp_path=tmp_path)
    assert [element.type for element in found] == ["tRNA"]
    (warning,) = caplog.messages
    assert warning.endswith(
        "TINY.1: 1 features with a part on another record are left out, first feature 3"
    )


@pytest.mark.parametrize(
    ("location", "spans"),
    [
        ("102.110", [(101, 110)]),
        ("complement(102.110)", [(101, 110)]),
        ("join(1..9,102.110)", [(0, 9), (101, 110)]),
        ("TINY.1:1..9", [(0, 9)]),
        ("(10.12)..20", [(9, 20)]),
    ],
)
def test_one_base_between_two_is_the_stretch_between_them(tmp_path, location, spans):
    (element,) = read(("misc_feature", location), tmp_path=tmp_path)
    assert [(part.start, part.end) for part in element.parts] == spans


@pytest.mark.parametrize(
    ("location", "qualifiers", "starts", "stops"),
    [
        ("join(complement(30..41),50..>58)", [], [38], []),
        ("join(complement(30..>41),50..58)", [], [], [55]),
        ("join(10..>18,<30..38)", [], [9], [35]),
        ("complement(join(<10..18,30..38))", [], [35], []),
        ("join(<109..120,1..6)", [], [], [3]),
        ("10..18", ["/partial"], [], []),
        ("<10..18", ["/partial"], [], [15]),
    ],
)
def test_only_the_outer_ends_of_a_join_are_its_ends(tmp_path, location, qualifiers, starts, stops):
    path = record(("CDS", location, *qualifiers), tmp_path=tmp_path)
    genome = read_genome(path)
    elements = define_elements(read_annotation(path, genome), genome, load_concepts())
    assert elements.of("start_codon")["start"].tolist() == starts
    assert elements.of("stop_codon")["start"].tolist() == stops


@pytest.mark.parametrize("name", ['/locus_tag="b1"', '/gene="gatR"'])
@pytest.mark.parametrize("mark", [["/pseudo"], []])
def test_what_is_of_a_pseudogene_is_pseudogenic_and_one_with_it(tmp_path, name, mark):
    path = record(
        ("gene", "10..18", name, "/pseudo"), ("CDS", "10..18", name, *mark),
        ("gene", "40..48", '/gene="gatR"'), ("CDS", "40..48", '/gene="gatR"'), tmp_path=tmp_path,
    )  # fmt: skip
    genome = read_genome(path)
    elements = define_elements(read_annotation(path, genome), genome, load_concepts())
    assert elements.of("pseudogene")["start"].tolist() == [9]
    assert elements.of("CDS")["start"].tolist() == [39]
    assert elements.of("start_codon")["start"].tolist() == [39]
