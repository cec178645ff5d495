"""Structures in dots and brackets, against pairs found by counting brackets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.core.errors import InputError
from genointerp.model.structure import Structure
from tests.model.test_forbidden import BASES, WORDS

PAIRS = {"AT", "TA", "CG", "GC", "GT", "TG"}
STRUCTURES = st.recursive(
    st.just("."), lambda inner: st.builds("({}){}".format, inner, inner), max_leaves=8
)


def partner_of(text, place):
    """Walk back from a closing bracket until as many were opened as closed."""
    depth = 0
    for i in reversed(range(place + 1)):
        depth += {")": 1, "(": -1}.get(text[i], 0)
        if not depth:
            return i
    raise AssertionError


@settings(max_examples=60, deadline=None)
@given(text=STRUCTURES, data=st.data())
def test_a_closing_bracket_allows_what_pairs_with_its_opening_one(text, data):
    structure = Structure(text, len(text), BASES)
    written = data.draw(st.text("ACGT", min_size=len(text), max_size=len(text)))
    for place, letter in enumerate(text):
        allowed = structure.allows(written[:place].encode())
        expected = [
            letter != ")" or written[partner_of(text, place)] + base in PAIRS for base in "ACGT"
        ]
        assert allowed.tolist() == expected


def test_no_structure_allows_everything():
    assert Structure("", 4, WORDS).allows(b"A").all()


@pytest.mark.parametrize(
    ("text", "symbols", "message"),
    [
        pytest.param("(.)", BASES, "4 dots and brackets, one for each base, found 3", id="length"),
        pytest.param("())(", BASES, "base 3: expected dots, and brackets that have", id="closing"),
        pytest.param("(()(", BASES, "base 4: expected brackets that have a partner", id="opening"),
        pytest.param("(x).", BASES, r"base 2: expected dots, .* found x", id="letter"),
        pytest.param("(..)", WORDS, "a model whose tokens are bases", id="words"),
    ],
)
def test_what_is_no_structure_of_the_bases_is_refused(text, symbols, message):
    with pytest.raises(InputError, match=message):
        Structure(text, 4, symbols)
