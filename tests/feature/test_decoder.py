import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from genointerp.core.errors import MismatchError
from genointerp.feature.decoder import dictionary_sha256, read_other_decoders, read_own_decoder
from tests.plant import contigs_of, make_store, silence


def dictionary(folder, rows, **changes):
    folder.mkdir()
    save_file({"W_dec": rows.astype(np.float32)}, folder / "sae_weights.safetensors")
    origin = {"model": "toy", "model_sha256": "m", "site": "blocks.1", **changes}
    metadata = {**origin, "weights_sha256": "", "sae": {}}
    (folder / "cfg.json").write_text(json.dumps({"d_in": 3, "metadata": metadata}))
    return folder


@pytest.fixture
def own(tmp_path):
    return dictionary(tmp_path / "own", np.eye(2, 3))


@pytest.fixture
def store(tmp_path, own):
    path = tmp_path / "f.h5"
    return make_store(path, silence(9, 2), contigs_of(c=9), sae_sha256=dictionary_sha256(own))


def test_directions_are_those_of_the_dictionary_of_the_features(own, store, tmp_path):
    assert read_own_decoder(own, store).tolist() == np.eye(2, 3).tolist()
    other = dictionary(tmp_path / "other", np.ones((2, 3)))
    with pytest.raises(MismatchError, match=r"other: expected dictionary \w+ as in .*f\.h5, found"):
        read_own_decoder(other, store)


def test_another_dictionary_may_have_another_size(own, store, tmp_path):
    other = dictionary(tmp_path / "other", np.ones((5, 3)))
    (found,) = read_other_decoders([other], own, store)
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
    other = dictionary(tmp_path / "other", np.ones((2, 3)), **changes)
    if message is None:
        assert len(read_other_decoders([other], own, store)) == 1
        return
    with pytest.raises(MismatchError, match=message):
        read_other_decoders([other], own, store)
