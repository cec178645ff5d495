import numpy as np
import pandas as pd
import pytest

from genointerp.annotation.annotation_set import AnnotationSet, Element, Part
from genointerp.annotation.concepts import Concept, define_elements, load_concepts
from genointerp.annotation.raster import element_bases
from genointerp.annotation.withhold import overlap_shares, root_concepts, withhold
from genointerp.core.errors import UnknownNameError
from genointerp.genome.genome import Contig, Genome

CONCEPTS = load_concepts()
GENOME = Genome([Contig("c", np.full(300, ord("A"), np.uint8))])


def element(kind, name, start, end, strand="+", **attributes):
    phase = 0 if kind == "CDS" else -1
    values = {key: (value,) for key, value in attributes.items()}
    return Element(kind, name, (Part("c", start, end, strand, phase),), values)


def annotated(*elements):
    return AnnotationSet(elements, GENOME.lengths)


def without(annotations, name, concepts=CONCEPTS):
    """The annotation without a class."""
    return withhold(annotations, define_elements(annotations, GENOME, concepts), name)


def ids(annotations):
    return {element.id for element in annotations}


def test_the_classes_are_what_elements_are_chosen_for():
    assert root_concepts(CONCEPTS) == (
        *("tRNA", "rRNA", "CDS", "ncRNA", "tmRNA", "riboswitch", "pseudogene"),
        *("mobile_element", "repeat_region", "prophage"),
    )


@pytest.mark.parametrize(
    ("carrier", "trna"),
    [
        pytest.param({}, {"Parent": "g"}, id="parent"),
        pytest.param({"locus_tag": "t1"}, {"locus_tag": "t1"}, id="locus-tag"),
        pytest.param({}, {}, id="same-stretch"),
    ],
)
def test_what_only_carries_a_hidden_element_goes_with_it(carrier, trna):
    found = without(
        annotated(
            element("gene", "g", 10, 40, **carrier),
            element("tRNA", "t", 10, 40, **trna),
            element("exon", "e", 12, 30, Parent="t"),
            element("gene", "other", 50, 80),
            element("CDS", "cds", 50, 80, Parent="other"),
        ),
        "tRNA",
    )
    assert ids(found) == {"other", "cds"}


def test_a_carrier_of_another_class_stays():
    both = annotated(
        element("gene", "g", 10, 90),
        element("tmRNA", "t", 10, 90, Parent="g"),
        element("CDS", "tag", 20, 50, Parent="g"),
    )
    assert ids(without(both, "tmRNA")) == {"g", "tag"}
    assert ids(without(both, "CDS")) == {"g", "t"}


def test_the_pseudogenic_parts_of_a_pseudogene_go_with_it():
    found = without(
        annotated(
            element("pseudogene", "g", 10, 90, locus_tag="x"),
            element("pseudogenic_CDS", "c", 12, 50, locus_tag="x"),
        ),
        "pseudogene",
    )
    assert ids(found) == set()


@pytest.mark.parametrize("name", ["tRNA", "rRNA", "CDS", "pseudogene"])
def test_concepts_without_a_class_are_those_of_an_annotation_that_never_had_it(name):
    kinds = {"tRNA": "tRNA", "rRNA": "rRNA", "CDS": "CDS", "pseudogene": "pseudogene"}
    groups = {
        concept: [
            element("gene", f"gene-{kind}{i}", 60 * number + 20 * i, 60 * number + 20 * i + 15),
            element(
                *(kind, f"{kind}{i}", 60 * number + 20 * i, 60 * number + 20 * i + 15),
                Parent=f"gene-{kind}{i}",
                product="16S",
            ),
        ]
        for number, (concept, kind) in enumerate(kinds.items())
        for i in range(2)
    }
    everything = [one for group in groups.values() for one in group]
    never = [one for concept, group in groups.items() if concept != name for one in group]
    whole = define_elements(annotated(*everything), GENOME, CONCEPTS)
    left = withhold(annotated(*everything), whole, name)
    hidden = define_elements(left, GENOME, CONCEPTS)
    absent = define_elements(annotated(*never), GENOME, CONCEPTS)
    pd.testing.assert_frame_equal(hidden.table, absent.table)
    quickly = define_elements(left, GENOME, CONCEPTS, like=whole)
    pd.testing.assert_frame_equal(quickly.table, absent.table)
    assert hidden.n_elements("intergenic") < 2 * len(groups) + 1


def test_hidden_bases_become_intergenic_and_derived_concepts_go():
    whole = annotated(element("CDS", "a", 30, 60), element("tRNA", "t", 100, 130))
    found = define_elements(without(whole, "CDS"), GENOME, CONCEPTS)
    names = ["CDS", "CDS_phase0", "CDS_phase1", "CDS_phase2", "start_codon", "stop_codon"]
    assert [found.n_elements(name) for name in names] == [0] * 6
    gaps = found.of("intergenic")
    assert list(zip(gaps["start"], gaps["end"], strict=True)) == [(0, 100), (130, 300)]


def test_overlaps_are_shares_of_the_bases_of_the_class():
    elements = define_elements(
        annotated(
            element("mobile_genetic_element", "is", 0, 100),
            element("CDS", "a", 20, 50, "-"),
            element("CDS", "b", 40, 80),
            element("tRNA", "t", 200, 230),
        ),
        GENOME,
        CONCEPTS,
    )
    found = overlap_shares([(elements, GENOME.lengths)], CONCEPTS, ["mobile_element", "CDS"])
    shares = found["mobile_element"]
    assert shares == {"CDS": pytest.approx(0.6)}
    back = found["CDS"]
    assert back == {"mobile_element": pytest.approx(1.0)}


def test_overlaps_over_genomes_are_those_of_sets_of_bases():
    draw = np.random.default_rng(3)
    genomes, bases = [], {}
    names = ("mobile_element", "CDS", "tRNA", "CDS_phase1")
    for number in range(2):
        ends = np.sort(draw.integers(0, 300, (12, 2)), axis=1)
        ends[:, 1] += 1
        kinds = [("mobile_genetic_element", "CDS", "tRNA")[i % 3] for i in range(12)]
        parts = zip(kinds, ends.tolist(), strict=True)
        found = define_elements(
            annotated(*(element(kind, str(i), *at) for i, (kind, at) in enumerate(parts))),
            GENOME,
            CONCEPTS,
        )
        genomes.append((found, GENOME.lengths))
        for name in names:
            rows = element_bases(found, GENOME.lengths, name).row.tolist()
            bases.setdefault(name, set()).update((number, row) for row in rows)
    shares = overlap_shares(genomes, CONCEPTS, names)
    for name in names:
        for other in {*names} - {name, "CDS_phase1"}:
            naive = len(bases[name] & bases[other]) / len(bases[name])
            assert shares[name].get(other, 0) == naive


def test_a_derived_concept_is_no_class():
    with pytest.raises(UnknownNameError, match=r"class: expected one of tRNA, .*'CDS_phase0'"):
        without(annotated(), "CDS_phase0")


def test_a_class_that_is_a_part_of_another_takes_its_elements_from_it():
    concepts = {
        "CDS": Concept("x", types=("CDS",)),
        "kinase": Concept("x", types=("CDS",), where={"product": "kinase"}),
    }
    whole = annotated(
        element("CDS", "a", 0, 30, product="kinase"), element("CDS", "b", 40, 70, product="other")
    )
    assert ids(without(whole, "kinase", concepts)) == {"b"}
    assert ids(without(whole, "CDS", concepts)) == set()
