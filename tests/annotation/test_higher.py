from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.annotation.concepts import ConceptElements, load_concepts
from genointerp.annotation.higher import (
    HigherConcept,
    HigherPart,
    choose_higher,
    define_higher,
    load_higher,
)
from genointerp.core.errors import ConfigError, InputError, UnknownNameError
from genointerp.genome.genome import Contig, Genome
from tests.plant import make_elements


def genome(length=100, *, circular=False):
    return Genome([Contig("c", np.full(length, ord("A"), np.uint8), circular)])


def spans(elements, concept):
    table = elements.of(concept)
    return list(zip(table["start"], table["end"], table["strand"], strict=True))


def sides_of(length, *, circular=False, **options):
    parts = {
        "before": HigherPart("x", "before", length),
        "itself": HigherPart("x"),
        "behind": HigherPart("x", "behind", length),
    }
    elements = make_elements(
        ("x", "c", 10, 13, "+"), ("x", "c", 40, 43, "-"), ("x", "c", 95, 98, "+")
    )
    higher = {"h": HigherConcept("x", parts, **options)}
    return define_higher(higher, elements, genome(circular=circular))


def test_before_and_behind_are_as_the_strand_is_read():
    found = sides_of(4)
    assert spans(found, "h/before") == [(6, 10, "+"), (43, 47, "-"), (91, 95, "+")]
    assert spans(found, "h/behind") == [(13, 17, "+"), (36, 40, "-"), (98, 100, "+")]
    assert spans(found, "h") == [(6, 17, "+"), (36, 47, "-"), (91, 100, "+")]
    assert found.names == ("h", "h/before", "h/itself", "h/behind")


def test_a_side_goes_around_the_origin_of_a_circular_contig():
    found = sides_of(4, circular=True, least=3)
    behind = [(0, 2, "+"), (13, 17, "+"), (36, 40, "-"), (98, 100, "+")]
    assert spans(found, "h/behind") == spans(sides_of(4, circular=True), "h/behind") == behind


def test_parts_on_both_sides_of_an_origin_are_of_one_stretch():
    elements = make_elements(("x", "c", 3, 6, "+"), ("y", "c", 95, 98, "+"))
    parts = {"x": HigherPart("x"), "y": HigherPart("y")}
    for join, expected in ((4, []), (5, [(0, 6, "+"), (95, 100, "+")])):
        higher = {"h": HigherConcept("x", parts, join=join, least=2)}
        assert spans(define_higher(higher, elements, genome(circular=True)), "h") == expected
        assert spans(define_higher(higher, elements, genome()), "h") == []


def test_a_part_of_a_concept_without_a_strand_is_refused():
    elements = make_elements(("x", "c", 3, 6, "."))
    free = replace(elements.concepts["x"], strand="none")
    with pytest.raises(InputError, match="h: parts: a: of: expected a concept with a strand"):
        define_higher(
            {"h": HigherConcept("x", {"a": HigherPart("x")})},
            ConceptElements(elements.table, {"x": free}),
            genome(),
        )


def test_an_operon_has_what_is_between_its_parts_and_no_part_that_lies_alone():
    elements = make_elements(
        ("r", "c", 10, 20, "+"), ("r", "c", 25, 30, "+"), ("r", "c", 80, 90, "-"),
        ("t", "c", 21, 24, "+"), ("t", "c", 34, 38, "+"), ("t", "c", 60, 64, "+"),
        ("t", "c", 40, 44, "-"),
    )  # fmt: skip
    parts = {"r": HigherPart("r"), "t": HigherPart("t")}
    found = define_higher({"h": HigherConcept("x", parts, join=4, least=2)}, elements, genome())
    assert spans(found, "h") == [(10, 38, "+")]
    assert spans(found, "h/r") == [(10, 20, "+"), (25, 30, "+")]
    assert spans(found, "h/t") == [(21, 24, "+"), (34, 38, "+")]


@given(
    st.lists(
        st.tuples(st.integers(0, 90), st.integers(1, 9), st.sampled_from("+-")),
        min_size=1, max_size=8, unique_by=lambda one: one[0],
    ),
    st.integers(0, 9),
)  # fmt: skip
def test_stretches_are_what_a_naive_twin_finds(drawn, join):
    elements = make_elements(*(("x", "c", at, at + size, strand) for at, size, strand in drawn))
    higher = {"h": HigherConcept("x", {"x": HigherPart("x")}, join=join)}
    found = define_higher(higher, elements, genome())
    for strand in "+-":
        own = {at for low, size, mark in drawn if mark == strand for at in range(low, low + size)}
        filled = set(own)
        for gap in range(1, join + 1):
            for at in own:
                if at + gap + 1 in own and not own & set(range(at + 1, at + gap + 1)):
                    filled |= set(range(at + 1, at + gap + 1))
        mine = [range(low, high) for low, high, mark in spans(found, "h") if mark == strand]
        assert {at for one in mine for at in one} == filled
        assert sum(map(len, mine)) == len(filled)


def test_the_shipped_file_is_of_the_shipped_concepts():
    concepts, higher = load_concepts(), load_higher()
    assert {part.of for one in higher.values() for part in one.parts.values()} <= set(concepts)
    assert choose_higher(["all"], higher) == higher
    assert list(choose_higher(["gene_end"], higher)) == ["gene_end"]
    with pytest.raises(UnknownNameError, match=r"did you mean 'gene_start'\?"):
        choose_higher(["gene_starts"], higher)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("h: {description: x}", "h: expected every required key"),
        ("h: {description: x, parts: {}}", "parts: expected one part or more, found none"),
        (
            "h: {description: x, parts: {a: {of: t, bases: before}}}",
            "a: length: expected 1 or more",
        ),
        ("h: {description: x, parts: {a: {of: t, length: 3}}}", "length: expected none"),
        ("h: {description: x, parts: {a: {of: t}}, least: 2}", "least: expected 1 to 1, found 2"),
        ("h: {description: x, parts: {a: {of: t}}, join: -1}", "join: expected 0 or more"),
        ("h: {description: x, parts: {a: {of: t, base: all}}}", "did you mean 'bases'"),
        ("all: {description: x, parts: {a: {of: t}}}", "a name other than all"),
        ("h/a: {description: x, parts: {a: {of: t}}}", "a name other than all, without /"),
        ("[]", "a mapping of names of higher concepts"),
    ],
)
def test_a_definition_that_is_none_is_refused(tmp_path, text, message):
    (tmp_path / "h.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_higher(tmp_path / "h.yaml")


def test_a_part_of_no_concept_is_refused():
    higher = {"h": HigherConcept("x", {"a": HigherPart("tRNA")})}
    with pytest.raises(UnknownNameError, match="expected one of x, found 'tRNA'"):
        define_higher(higher, make_elements(("x", "c", 1, 2, "+")), genome())
