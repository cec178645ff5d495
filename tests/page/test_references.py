"""Links to databases: to what an element is, and nowhere where that is not certain."""

import pytest

from genointerp.annotation.annotation_set import AnnotationSet, Element, Part
from genointerp.feature.specimen import Specimen
from genointerp.page.references import References, contig_reference, element_references
from genointerp.store.contigs import ContigInfo
from tests.plant import make_store, silence


def element(number, references, name="insB"):
    part = Part("c", 10 * number, 10 * number + 5, "+")
    attributes = {"gene": (name,), "Dbxref": tuple(references)}
    return Element("CDS", f"e{number}", (part,), attributes)


@pytest.fixture(scope="module")
def references_of(tmp_path_factory):
    """The references of a genome of some elements."""
    path = tmp_path_factory.mktemp("references") / "f.h5"
    store = make_store(path, silence(100, 1), (ContigInfo("c", 100, circular=False),))

    def found(*elements):
        annotation = AnnotationSet(elements, {"c": 100})
        return References([Specimen("g", store, annotation=annotation)])

    return found


def test_a_name_leads_to_the_databases_of_its_element(references_of):
    known = references_of(element(1, ["UniProtKB/Swiss-Prot:P05648", "GOA:P05648", "RFAM:RF00001"]))
    assert known.of("g", "CDS", "insB") == (
        ("UniProt", "https://www.uniprot.org/uniprotkb/P05648/entry"),
        ("Rfam", "https://rfam.org/family/RF00001"),
    )
    assert known.of("g", "tRNA", "insB") == known.of("h", "CDS", "insB") == ()


def test_a_name_of_several_elements_leads_nowhere_unless_they_agree(references_of):
    one, other = ["UniProtKB:P1"], ["UniProtKB:P2"]
    assert references_of(element(1, one), element(2, other)).of("g", "CDS", "insB") == ()
    assert references_of(element(1, one), element(2, [])).of("g", "CDS", "insB") == ()
    assert len(references_of(element(1, one), element(2, one)).of("g", "CDS", "insB")) == 1


@pytest.mark.parametrize(
    "hostile", ["UniProtKB:x/../y", "UniProtKB:a b", 'UniProtKB:"><script>', ""]
)
def test_an_identifier_of_other_letters_is_no_link(hostile):
    assert element_references(element(1, [hostile])) == ()


@pytest.mark.parametrize("seqid", ["chr1", "NC_000964", "NC_000964.3&x=1", "javascript:1.1"])
def test_a_contig_that_is_no_accession_has_no_link(seqid):
    assert contig_reference(seqid, 0, 1) is None


@pytest.mark.parametrize("seqid", ["NC_000964.3", "U00096.3", "NZ_CP012345.1", "AAAA01000001.1"])
def test_a_place_on_an_accession_is_shown_by_ncbi(seqid):
    assert contig_reference(seqid, 9, 20).url.endswith(f"/{seqid}?report=graph&from=10&to=20")
