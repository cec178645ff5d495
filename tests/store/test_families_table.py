"""The family of each feature, joined to other tables of features."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.errors import MismatchError, SchemaError
from genointerp.core.provenance import Provenance
from genointerp.store.table.families import (
    members_in_order,
    read_families,
    steps_of,
    with_families,
)
from genointerp.store.table.schema.circuit import CIRCUIT_MEMBERS
from genointerp.store.table.table import write_table
from tests.plant import contigs_of, make_store, silence

CYCLE = "cycle 1: codon phases (sense)"


def members():
    """0 and 3 are followed by 1; 2 and 4 fire together."""
    rows = [(0, 1, CYCLE, 1, 0), (1, 1, CYCLE, 2, 1), (2, 2, "set 2", 1, 0)]
    rows += [(3, 1, CYCLE, 1, 0), (4, 2, "set 2", 1, 0)]
    return pd.DataFrame([(*row, "", "") for row in rows], columns=CIRCUIT_MEMBERS.names)


@pytest.fixture
def store(tmp_path):
    dense = silence(100, 6)
    dense["+"][10:13, [0, 5]] = [2, 1]
    return make_store(tmp_path / "f.h5", dense, contigs_of(c=100))


def write(path, sae):
    write_table(
        members(), path, CIRCUIT_MEMBERS, Provenance({}, {} if sae is None else {"sae": sae})
    )
    return path


def test_each_feature_of_a_family_has_its_members_in_order(store, tmp_path):
    path = write(tmp_path / "members.tsv", store.header.sae_sha256)
    families = read_families(path, store)
    table = with_families(pd.DataFrame({"feature": [5, 1, 4]}), families)
    assert table.to_dict("list") == {
        "feature": [5, 1, 4],
        "circuit": ["", CYCLE, "set 2"],
        "members": ["", "0+3 > 1", "2+4"],
    }


def test_without_families_a_table_is_unchanged():
    table = pd.DataFrame({"feature": [5, 1]})
    assert with_families(table, None) is table


@pytest.mark.parametrize(("sae", "found"), [("0" * 64, "dictionary 0000"), (None, "no dictionary")])
def test_a_table_of_another_dictionary_is_refused(store, tmp_path, sae, found):
    path = write(tmp_path / "members.tsv", sae)
    with pytest.raises(MismatchError, match=rf"members\.tsv: expected dictionary .*{found}"):
        read_families(path, store)


def test_a_feature_of_two_families_is_refused(store, tmp_path):
    path, record = tmp_path / "members.tsv", Provenance({}, {"sae": store.header.sae_sha256})
    twice = pd.concat([members(), members().tail(1)], ignore_index=True)
    write_table(twice, path, CIRCUIT_MEMBERS, record)
    with pytest.raises(SchemaError, match=r"feature: expected each feature once, found 4 twice"):
        read_families(path, store)


@given(st.dictionaries(st.integers(0, 99), st.integers(0, 5), min_size=1))
def test_members_are_read_back_as_the_steps_that_they_were(position):
    steps = {}
    for feature in sorted(position):
        steps.setdefault(position[feature], []).append(feature)
    assert steps_of(members_in_order(position)) == [steps[at] for at in sorted(steps)]
