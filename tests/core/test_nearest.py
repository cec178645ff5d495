"""Names that were mistyped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.nearest import N_NEAREST, nearest, suggested

GENES = ["recA", "recB", "dnaA", "rpsL", "rrsB", "trnO-Ala", "lacZ"]


@pytest.mark.parametrize(
    ("name", "first"),
    [
        pytest.param("rceA", "recA", id="two letters changed places"),
        pytest.param("RECa", "recA", id="another case"),
        pytest.param("rec", "recA", id="a letter is missing"),
        pytest.param("reccA", "recA", id="a letter too many"),
        pytest.param("lacY", "lacZ", id="another letter"),
        pytest.param("trn", "trnO-Ala", id="the beginning"),
        pytest.param("ala", "trnO-Ala", id="a part"),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(name, first):
    assert nearest(name, GENES)[0] == first


def test_letters_that_changed_places_come_before_another_letter():
    assert nearest("rceA", ["aceA", "bceA", "creA", "recA"]) == ["recA", "creA", "aceA"]


def test_what_is_like_nothing_is_answered_with_nothing():
    assert nearest("xylQ", GENES) == []
    assert suggested(7, GENES) == "7"


def test_the_nearest_come_first_and_are_three_at_most():
    names = [f"rrs{letter}" for letter in "ABCDE"]
    assert nearest("rrsC", [*names, "rrsCC"]) == ["rrsC", "rrsA", "rrsB"]


WORDS = st.text("abcA", min_size=1, max_size=6)


def slips(a, b):
    """The same by its recursive definition."""
    if not a or not b:
        return len(a) + len(b)
    found = min(slips(a[1:], b) + 1, slips(a, b[1:]) + 1, slips(a[1:], b[1:]) + (a[0] != b[0]))
    if len(a) > 1 and len(b) > 1 and a[0] == b[1] and a[1] == b[0]:
        found = min(found, slips(a[2:], b[2:]) + 1)
    return found


@given(WORDS, st.lists(WORDS, max_size=5))
def test_names_within_a_slip_for_each_three_letters_are_found_in_order(name, known):
    distance = {one: slips(name.lower(), one.lower()) for one in known}
    near = sorted(n for n in distance.values() if n <= max(1, len(name) // 3))[:N_NEAREST]
    assert [distance[one] for one in nearest(name, known)[: len(near)]] == near
