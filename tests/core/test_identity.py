from dataclasses import replace

import pytest

from genointerp.core.errors import MismatchError
from genointerp.core.identity import Identity

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
OWN = Identity(
    "own.h5",
    model="toy",
    model_sha256=A,
    site="blocks.1",
    d_in=8,
    genome_sha256=B,
    dictionary_sha256=C,
)
ALL = ("model", "site", "width", "genome", "dictionary")


def other(**changes):
    return replace(OWN, where="other.h5", **changes)


def test_things_made_from_the_same_belong_together():
    OWN.check(other(), *ALL)


@pytest.mark.parametrize(
    ("shared", "changes", "expected", "found"),
    [
        (
            "model",
            {"model_sha256": B},
            f"model toy with weights {A[:12]}",
            f"model toy with weights {B[:12]}",
        ),
        ("model", {"model": "joy", "model_sha256": ""}, "model toy", "model joy"),
        ("model", {"model": None, "model_sha256": None}, "model toy", "no model"),
        ("site", {"site": "blocks.2"}, "site blocks.1", "site blocks.2"),
        ("width", {"d_in": 9}, "width 8", "width 9"),
        ("genome", {"genome_sha256": A}, f"genome {B[:12]}", f"genome {A[:12]}"),
        ("dictionary", {"dictionary_sha256": None}, f"dictionary {C[:12]}", "no dictionary"),
    ],
    ids=["weights", "name", "no-model", "site", "width", "genome", "no-dictionary"],
)
def test_a_message_says_where_and_what_was_expected_and_found(shared, changes, expected, found):
    changed = other(**changes)
    with pytest.raises(MismatchError) as raised:
        OWN.check(changed, shared)
    assert str(raised.value) == f"other.h5: expected {expected} as in own.h5, found {found}"
    OWN.check(changed, *(one for one in ALL if one != shared))


def test_what_one_does_not_say_is_not_asked_of_the_other():
    Identity("bare").check(OWN, *ALL)


@pytest.mark.parametrize("without", ["own", "other"])
def test_weights_without_a_sha256_are_known_by_their_name(without):
    first, second = (OWN, other(model_sha256=""))
    if without == "own":
        first, second = second, first
    first.check(second, "model")
    with pytest.raises(MismatchError, match=r"expected model toy as in .*, found model joy"):
        first.check(replace(second, model="joy"), "model")


def test_weights_are_the_same_under_another_name():
    OWN.check(other(model="a-copy-of-toy"), "model")


def test_a_dictionary_says_why_it_is_of_one_model_only():
    published = replace(OWN, model_sha256="", only_there="it is dead on joy")
    with pytest.raises(MismatchError, match=r"found model joy; it is dead on joy$"):
        published.check(other(model="joy"), "model")
    with pytest.raises(MismatchError, match=r"found site blocks\.2$"):
        published.check(other(site="blocks.2"), "site")


def test_things_that_must_differ_are_refused_where_they_are_the_same():
    OWN.check_differs(other(model_sha256=B, genome_sha256=C), "model", "genome")
    message = r"other\.h5: expected another genome than that of own\.h5, found the same"
    with pytest.raises(MismatchError, match=message):
        OWN.check_differs(other(model_sha256=B), "model", "genome")


def test_the_thing_of_the_same_genome_is_found_among_several():
    known = [replace(other(genome_sha256=sha256), where=sha256[0]) for sha256 in (A, B, C)]
    assert OWN.find(known, "genome") == 1
    message = f"own.h5: expected genome {A[:12]} as in a or genome {C[:12]} as in c, found genome"
    with pytest.raises(MismatchError, match=message):
        OWN.find([known[0], known[2]], "genome")
    with pytest.raises(MismatchError, match="expected a genome to be given, found genome bbb"):
        OWN.find([], "genome")


def test_several_sites_read_as_one_are_told_apart():
    joined = other(model_sha256=f"{A} + {B}")
    with pytest.raises(MismatchError, match=f"found model toy with weights {A[:12]} . {B[:12]}$"):
        OWN.check(joined, "model")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        pytest.param({"x.h5": A, "y.h5": B}, None, id="the-same"),
        pytest.param({"y.h5": B, "x.h5": A}, None, id="in-another-order"),
        pytest.param({"x.h5": A}, f"features of x.h5 alone, found features {B[:12]} too", id="few"),
        pytest.param(
            {"x.h5": A, "y.h5": B, "z.h5": C},
            f"features {C[:12]} as in z.h5, found features {A[:12]}, {B[:12]}",
            id="one-more",
        ),
    ],
)
def test_a_table_is_made_from_all_of_the_files_and_no_other(files, message):
    table = Identity("t.tsv", files={"features": [A, B], "genome": [C]})
    if message is None:
        table.check_made_from("features", files)
        return
    with pytest.raises(MismatchError) as raised:
        table.check_made_from("features", files)
    assert str(raised.value) == f"t.tsv: expected {message}"


def test_a_table_that_says_nothing_of_a_role_is_refused():
    with pytest.raises(MismatchError, match=r"expected features aaa.*, found no features$"):
        Identity("t.tsv").check_made_from("features", {"x.h5": A})
