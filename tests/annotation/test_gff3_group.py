import numpy as np
import pytest

from genointerp.annotation.annotation_set import AnnotationSet
from genointerp.annotation.concepts import define_elements, load_concepts
from genointerp.annotation.gff3.file import read_gff3
from genointerp.genome.genome import Contig, Genome

CONCEPTS = load_concepts()
# stop codons end at bases 30 and 60; no other codon that a row below ends with is one
BASES = ("GCA" * 9 + "TAA") * 2 + "GCA" * 80


def genome(bases=BASES):
    sequence = np.frombuffer(bases.encode(), np.uint8)
    return Genome([Contig("c", sequence), Contig("d", sequence)])


def cds(first, last, attributes, *, phase=0, strand="+", seqid="c", kind="CDS"):
    return f"{seqid}\tx\t{kind}\t{first}\t{last}\t.\t{strand}\t{phase}\t{attributes}\n"


def read(tmp_path, *rows, bases=BASES):
    path = tmp_path / "a.gff3"
    path.write_text("##gff-version 3\n" + "".join(rows))
    return read_gff3(path, genome(bases))


def parts(annotations):
    return [[(part.start, part.end) for part in element.parts] for element in annotations]


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param(["Parent=t", "Parent=t"], id="tair"),
        pytest.param(["ID=t.1;Parent=t", "ID=t.2;Parent=t"], id="own-ids"),
        pytest.param(["ID=;Parent=t", "ID=;Parent=t"], id="empty-ids"),
        pytest.param(["Parent=t,t-Protein", "Parent=t,t-Protein"], id="transcript-and-protein"),
        pytest.param(["Parent=t;product=p", "Parent=t"], id="product-once"),
        pytest.param(["Parent=t;product=exon 1", "Parent=t;product=exon 2"], id="product-by-exon"),
        pytest.param(["ID=1;Parent=t;gene=g", "ID=2;Parent=t;gene=g"], id="one-gene"),
    ],
)
@pytest.mark.parametrize("kind", ["CDS", "pseudogenic_CDS"])
def test_coding_rows_of_one_parent_are_one_element(tmp_path, attributes, kind):
    rows = [(1, 10), (121, 131)]
    found = read(
        tmp_path,
        *(
            cds(first, last, text, phase=phase, kind=kind)
            for (first, last), text, phase in zip(rows, attributes, (0, 2), strict=True)
        ),
    )
    assert parts(found) == [[(0, 10), (120, 131)]]


def test_the_element_has_one_start_and_one_stop_on_either_strand(tmp_path):
    rows = [
        cds(121, 126, "Parent=t", strand="-"),
        cds(181, 186, "Parent=t", strand="-"),
        cds(1, 6, "Parent=u"),
        cds(67, 72, "Parent=u"),
    ]
    found = define_elements(read(tmp_path, *rows), genome(), CONCEPTS)
    starts, stops = found.of("start_codon"), found.of("stop_codon")
    assert sorted(zip(starts["start"], starts["strand"], strict=True)) == [(0, "+"), (183, "-")]
    assert sorted(zip(stops["start"], stops["strand"], strict=True)) == [(69, "+"), (120, "-")]


def test_a_row_of_several_transcripts_is_part_of_the_coding_sequence_of_each(tmp_path):
    """As FlyBase writes alternative transcripts."""
    rows = [
        cds(1, 6, "ID=x:1;Parent=a"),
        cds(67, 72, "ID=x:2;Parent=b"),
        cds(121, 126, "ID=x:3;Parent=a,b,c"),
    ]
    found = read(tmp_path, *rows)
    assert {element.id: spans for element, spans in zip(found, parts(found), strict=True)} == {
        "x:1": [(0, 6), (120, 126)],
        "x:2": [(66, 72), (120, 126)],
        "x:3": [(120, 126)],
    }


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(
            [cds(61, 66, "Parent=t;protein_id=a"), cds(91, 96, "Parent=t;protein_id=b")],
            id="two-proteins",
        ),
        pytest.param(
            [cds(61, 66, "Parent=t;locus_tag=a"), cds(91, 96, "Parent=t;locus_tag=b")],
            id="two-tags",
        ),
        pytest.param([cds(61, 69, "Parent=t"), cds(69, 77, "Parent=t")], id="overlap"),
        pytest.param([cds(1, 30, "Parent=t"), cds(40, 60, "Parent=t")], id="each-with-a-stop"),
        pytest.param([cds(2, 30, "Parent=t", phase=2), cds(91, 96, "Parent=t")], id="stop-inside"),
        pytest.param(
            [cds(61, 66, "ID=1;Parent=t;gbkey=CDS"), cds(91, 96, "ID=2;Parent=t;gbkey=CDS")],
            id="ids-of-ncbi",
        ),
        pytest.param(
            [cds(61, 66, "Parent=o"), cds(91, 96, "Parent=o"), cds(1, 99, "ID=o", kind="operon")],
            id="operon",
        ),
        pytest.param([cds(61, 66, "Parent=t"), cds(91, 96, "Parent=u")], id="two-parents"),
        pytest.param([cds(61, 66, "Parent=t"), cds(91, 96, "Parent=t", seqid="d")], id="contigs"),
        pytest.param([cds(61, 66, "Name=n"), cds(91, 96, "Name=n")], id="no-parent"),
    ],
)
def test_several_coding_sequences_of_one_parent_stay_several(tmp_path, rows):
    found = [element for element in read(tmp_path, *rows) if element.type == "CDS"]
    assert [len(element.parts) for element in found] == [1, 1]


def test_a_parent_with_a_joined_coding_sequence_has_others_of_one_row(tmp_path):
    rows = [
        cds(61, 66, "ID=1;Parent=t"), cds(121, 126, "ID=1;Parent=t"),
        cds(151, 156, "ID=2;Parent=t"), cds(181, 186, "ID=3;Parent=t"),
    ]  # fmt: skip
    assert [len(element.parts) for element in read(tmp_path, *rows)] == [2, 1, 1]


def test_ribosomal_slippage_may_read_a_base_twice(tmp_path):
    said = "Parent=t;exception=ribosomal slippage"
    found = read(tmp_path, cds(61, 69, said), cds(69, 77, said, phase=0))
    assert parts(found) == [[(60, 69), (68, 77)]]


def test_what_the_first_row_says_is_of_the_element(tmp_path):
    rows = [cds(61, 66, "ID=1;pseudo=true"), cds(91, 96, "ID=1"), cds(121, 126, "ID=2;Parent=t")]
    found = read(tmp_path, *rows, cds(151, 156, "ID=3;Parent=t;pseudo=true"))
    assert [element.type for element in found] == ["pseudogenic_CDS", "pseudogenic_CDS"]


def test_rows_of_one_parent_keep_the_place_of_the_first(tmp_path):
    rows = [
        cds(1, 6, "ID=a;Parent=t"), cds(10, 15, "ID=g", kind="tRNA", phase="."),
        cds(67, 72, "ID=b;Parent=t"), cds(90, 95, "ID=a-2"),
    ]  # fmt: skip
    assert [element.id for element in read(tmp_path, *rows)] == ["a", "g", "a-2"]


def test_a_name_that_is_given_twice_is_not_taken_from_another(tmp_path):
    rows = [
        cds(1, 6, "ID=a;Parent=t,u"), cds(67, 72, "ID=b;Parent=t"), cds(90, 95, "ID=c;Parent=u"),
        cds(120, 125, "ID=a-2"),
    ]  # fmt: skip
    found = read(tmp_path, *rows)
    assert [element.id for element in found] == ["a", "a-3", "a-2"]
    assert isinstance(found, AnnotationSet)
