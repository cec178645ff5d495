import numpy as np
import pytest

from genointerp.candidate.evidence.directions import describe_directions
from genointerp.core.errors import MismatchError

RNG = np.random.default_rng(0)


def test_cosines_equal_a_loop_over_pairs():
    rows, other = RNG.normal(size=(7, 5)), RNG.normal(size=(9, 5))
    found = describe_directions(rows, [other])

    def cosine(a, b):
        return a @ b / np.linalg.norm(a) / np.linalg.norm(b)

    for i, row in enumerate(rows):
        assert found["stability"][i] == pytest.approx(max(cosine(row, it) for it in other))
        others = [cosine(row, rows[j]) for j in range(7) if j != i]
        assert found["split_cosine"][i] == pytest.approx(max(others))


def test_a_direction_found_again_is_above_the_null_and_a_random_one_is_not():
    rows = RNG.normal(size=(200, 64))
    other = RNG.normal(size=(200, 64))
    other[:100] = rows[:100] + RNG.normal(0, 0.2, size=(100, 64))
    found = describe_directions(rows, [other])
    null = found["stability_null"][0]
    assert (found["stability"][:100] > max(null, 0.9)).all()
    assert (found["stability"][100:] <= null).mean() > 0.95


def test_without_another_dictionary_stability_is_undefined():
    found = describe_directions(RNG.normal(size=(3, 4)))
    assert found[["stability", "stability_null"]].isna().all(axis=None)


def test_directions_of_another_width_are_refused():
    with pytest.raises(MismatchError, match="expected directions 4 wide, found 5"):
        describe_directions(np.eye(4), [np.eye(5)])
