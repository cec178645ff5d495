"""Profiles against a loop over the elements."""

import numpy as np
import pandas as pd
import pytest

from genointerp.annotation.concepts import Concept, ConceptElements
from genointerp.core.errors import InputError
from genointerp.intervention.profile import measure_profile
from tests.stores import dense_features, write_features

COLUMNS = ["concept", "seqid", "start", "end", "strand", "element", "id", "part", "frame"]


@pytest.fixture
def store(tmp_path):
    return write_features(tmp_path / "f.h5", dense_features())


def elements_of(*rows):
    table = pd.DataFrame(
        [("x", *row, number, str(number), 0, -1) for number, row in enumerate(rows)],
        columns=COLUMNS,
    )
    return ConceptElements(table, {"x": Concept("", ("x",))})


def test_a_profile_is_the_mean_course_from_the_base_before_on(store):
    (seqid, *_), dense = store.lengths, dense_features()
    rows = [(seqid, 10, 14, "+"), (seqid, 30, 34, "-"), (seqid, 40, 42, "+"), (seqid, 0, 4, "+")]
    profile = measure_profile(store, elements_of(*rows), "x")
    # the short one is another length, and nothing is read before the last
    expected = (dense["+"][9:14] + dense["-"][30:35][::-1]) / 2
    np.testing.assert_allclose(profile.course, expected[:, list(profile.features)], rtol=1e-6)
    assert profile.features == tuple(np.flatnonzero((expected > 0).any(0)))


def test_without_an_element_in_one_piece_there_is_no_profile(store):
    (seqid, *_) = store.lengths
    with pytest.raises(InputError, match="profile of x: expected an element of x in one piece"):
        measure_profile(store, elements_of((seqid, 0, 4, "+"), (seqid, 5, 9, ".")), "x")
