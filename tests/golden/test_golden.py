"""phiX174 through the whole chain; ``python -m scripts.make_golden`` where a change is meant."""

import json

import pytest

from tests.golden.chain import GOLDEN, make_golden


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_golden(tmp_path_factory.mktemp("golden"))


@pytest.mark.parametrize("name", ["phix174.json", "phix174_associations.tsv", "phix174_query.tsv"])
def test_the_chain_gives_what_it_gave(made, name):
    assert made[name].splitlines() == (GOLDEN / name).read_text().splitlines()


def test_every_golden_file_is_compared(made):
    assert sorted(made) == sorted(path.name for path in GOLDEN.iterdir())


def test_the_golden_counts_are_those_of_the_sequence(phix174):
    firing = json.loads((GOLDEN / "phix174.json").read_text())["firing"]
    n_bases = [int((phix174.sequence == ord(base)).sum()) for base in "ACGT"]
    assert firing["+"][:4] == n_bases
    assert firing["-"][:4] == n_bases[::-1]
    # GC share and runs are the same on either strand of a circle; the last feature is always on
    assert firing["+"][4:] == firing["-"][4:]
    assert firing["+"][7] == phix174.length
