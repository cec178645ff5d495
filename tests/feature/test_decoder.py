import numpy as np
import pytest

from genointerp.core.errors import MismatchError
from genointerp.feature.decoder import read_other_directions, read_own_directions
from tests.dictionaries import write_directions
from tests.plant import contigs_of, make_store, silence


@pytest.fixture
def own(tmp_path):
    write_directions(tmp_path / "own", np.eye(2, 3))
    return tmp_path / "own"


@pytest.fixture
def store(tmp_path):
    sha256 = write_directions(tmp_path / "own", np.eye(2, 3))
    return make_store(tmp_path / "f.h5", silence(9, 2), contigs_of(c=9), sae_sha256=sha256)


def other_of(tmp_path, rows, **changes):
    write_directions(tmp_path / "other", rows, **changes)
    return tmp_path / "other"


def test_directions_are_those_of_the_dictionary_of_the_features(own, store, tmp_path):
    assert read_own_directions(own, store).tolist() == np.eye(2, 3).tolist()
    other = other_of(tmp_path, np.ones((2, 3)))
    with pytest.raises(MismatchError, match=r"other: expected dictionary \w+ as in .*f\.h5, found"):
        read_own_directions(other, store)


def test_another_dictionary_may_have_another_size(own, store, tmp_path):
    (found,) = read_other_directions([other_of(tmp_path, np.ones((5, 3)))], own, store)
    assert found.shape == (5, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_sha256": "", "model": "toy"}, None),
        ({"model_sha256": "", "model": "joy"}, "other: expected model toy as in"),
        ({"model_sha256": "n"}, "other: expected model toy with weights m as in"),
        ({"site": "blocks.2"}, "other: expected site blocks.1 as in"),
    ],
    ids=["name-alone", "another-name", "other-weights", "site"],
)
def test_weights_without_a_sha256_are_known_by_their_name(own, store, tmp_path, changes, message):
    other = other_of(tmp_path, np.ones((2, 3)), **changes)
    if message is None:
        assert len(read_other_directions([other], own, store)) == 1
        return
    with pytest.raises(MismatchError, match=message):
        read_other_directions([other], own, store)
