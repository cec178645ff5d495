"""What other dictionaries find too, as evidence of a candidate."""

import numpy as np
import pandas as pd
import pytest

from genointerp.candidate.evidence.given import (
    Given,
    GivenFiles,
    OtherDictionary,
    read_own_matches,
    summarise_matches,
)
from genointerp.core.errors import MismatchError
from genointerp.core.provenance import Provenance
from genointerp.store.table.schema.candidate import MATCHED
from genointerp.store.table.schema.matching import MATCHES
from genointerp.store.table.table import write_table
from tests.plant import contigs_of, make_store, silence


def matches(side="a", **changes):
    columns = {"side": side, "feature": [0, 1, 2], "decile": [1, 10, 0], "is_matched": [1, 0, 0]}
    columns |= {"r": [0.9, 0.3, np.nan], "residual_partner_r": [0.8, 0.1, np.nan]}
    columns |= {"twin_r": [0.2, 0.2, np.nan]} | changes
    zero = {c.name: "" if c.kind == "string" else 0 for c in MATCHES.columns}
    return pd.DataFrame({**zero, **columns}, index=range(3))


def test_several_dictionaries_are_averaged_over_those_that_could_match():
    second = matches(is_matched=[1, 1, 0], r=[0.7, 0.8, np.nan], decile=[1, 10, 1])
    found = summarise_matches([OtherDictionary("one", matches()), OtherDictionary("two", second)])
    assert found["n_dictionaries"].to_dict() == {0: 2, 1: 2, 2: 1}
    assert found["matched_share"].to_dict() == {0: 1, 1: 0.5, 2: 0}
    assert found.loc[0, "match_r"] == pytest.approx(0.8)
    assert found.loc[1, "match_twin_r"] == pytest.approx(0.2)
    assert found["matched_in"].fillna("").to_dict() == {0: "one, two", 1: "two", 2: ""}
    # of 0.9 and 0.7, each less 0.2
    assert found.loc[0, "match_excess"] == pytest.approx(0.6)


def test_the_excess_is_over_the_dictionaries_that_have_a_twin():
    other = matches(r=[0.5, 0.5, np.nan], twin_r=np.nan)
    found = summarise_matches([OtherDictionary("one", matches()), OtherDictionary("two", other)])
    assert found.loc[0, "match_r"] == pytest.approx(0.7)
    assert found.loc[0, "match_excess"] == pytest.approx(0.7)
    assert found["matched_in"].to_dict()[0] == "one, two"


def test_evidence_is_nan_for_features_that_nobody_matched():
    evidence = pd.DataFrame({"feature": [0, 2, 9]})
    found = Given(matches=[OtherDictionary("one", matches())]).add_matches(evidence)
    assert found["matched_share"].tolist()[0] == 1
    assert found["matched_in"].tolist() == ["one", "", ""]
    assert found.loc[1:, MATCHED[:-1]].isna().all(axis=None)
    nothing = Given().add_matches(evidence)
    assert nothing[MATCHED[:-1]].isna().all(axis=None)
    assert nothing["matched_in"].tolist() == [""] * 3


def test_the_side_of_a_table_is_told_by_the_features_that_it_was_made_from(tmp_path):
    store = make_store(tmp_path / "own.h5", silence(100, 3), contigs_of(c=100))
    both = pd.concat([matches("a"), matches("b", is_matched=[0, 0, 1])])
    path = tmp_path / "matches.tsv"
    inputs = {"features-x-a": "0" * 64, "features-own-b": store.sha256}
    write_table(both, path, MATCHES, Provenance({}, inputs))
    # any genome of the dictionary may have been matched
    first = make_store(tmp_path / "first.h5", silence(80, 3), contigs_of(c=80))
    found = read_own_matches(path, [first, store])
    assert found.name == "matches"
    assert found.rows["is_matched"].tolist() == [0, 0, 1]
    of_run = tmp_path / "match" / "other_seed" / "matches.tsv"
    write_table(both, of_run, MATCHES, Provenance({}, inputs))
    assert read_own_matches(of_run, [store]).name == "other_seed"
    given = GivenFiles(matches=[path]).read([store])
    assert len(given.matches) == 1
    assert "matches-0" in GivenFiles(matches=[path]).digests()
    other = make_store(tmp_path / "other.h5", silence(90, 3), contigs_of(c=90))
    with pytest.raises(MismatchError, match="matches of other features"):
        read_own_matches(path, [other])
