import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from genointerp.core.errors import SchemaError, UnknownNameError
from genointerp.sae.header import read_directions, read_header, read_scale
from tests.dictionaries import write_directions


def test_a_header_says_what_a_dictionary_was_made_from(tmp_path):
    sha256 = write_directions(tmp_path, np.eye(3, 4), feature_names={"tRNA": 2})
    header = read_header(tmp_path)
    assert (header.model, header.model_sha256, header.site) == ("toy", "m", "blocks.1")
    assert (header.d_in, header.n_features, header.sha256) == (4, 3, sha256)
    assert header.config.architecture == "topk"
    assert header.feature_names == {"tRNA": 2}
    assert header.identity.dictionary_sha256 == sha256
    header.check_feature(2)
    with pytest.raises(UnknownNameError, match="expected a feature from 0 to 2, found 3"):
        header.check_feature(3)


def test_the_seed_is_that_of_the_training_where_there_was_one(tmp_path):
    write_directions(tmp_path, np.eye(3, 4))
    assert read_header(tmp_path).seed is None
    (tmp_path / "train_config.yaml").write_text("seed: 7\n")
    assert read_header(tmp_path).seed == 7


def test_a_header_is_refused_where_the_weights_are_others(tmp_path):
    write_directions(tmp_path, np.eye(3, 4))
    save_file({"W_dec": np.ones((3, 4), np.float32)}, tmp_path / "sae_weights.safetensors")
    with pytest.raises(SchemaError, match=r"expected weights of sha256 \w{12}, found \w{12}"):
        read_header(tmp_path)
    (tmp_path / "sae_weights.safetensors").unlink()
    with pytest.raises(SchemaError, match=r"expected a file sae_weights\.safetensors, found none"):
        read_header(tmp_path)


def test_a_reason_for_one_model_that_is_no_text_is_refused(tmp_path):
    write_directions(tmp_path, np.eye(3, 4), only_there=3)
    with pytest.raises(SchemaError, match=r"metadata\.only_there: expected a text, found 3"):
        read_header(tmp_path)


def test_a_scale_that_was_not_measured_is_none_and_null_is_nan(tmp_path):
    assert read_scale(tmp_path) is None
    (tmp_path / "scale.json").write_text("[1.5, null]")
    np.testing.assert_array_equal(read_scale(tmp_path), [1.5, np.nan])


@pytest.mark.parametrize("values", [{"a": 1}, [1.0, "b"], [-1.0], [0.0], [float("inf")], [True]])
def test_scales_that_are_no_numbers_above_0_are_refused(tmp_path, values):
    (tmp_path / "scale.json").write_text(json.dumps(values))
    with pytest.raises(SchemaError, match=r"scale\.json: expected "):
        read_scale(tmp_path)


def test_the_rows_of_a_decoder_are_read_and_what_is_none_is_refused(tmp_path):
    with pytest.raises(SchemaError, match=r"expected a file sae_weights\.safetensors, found none"):
        read_directions(tmp_path)
    path = tmp_path / "sae_weights.safetensors"
    save_file({"W_dec": np.arange(6, dtype=np.float32).reshape(3, 2)}, path)
    np.testing.assert_array_equal(read_directions(tmp_path), [[0, 1], [2, 3], [4, 5]])
    save_file({"W_dec": np.zeros(3, np.float32)}, path)
    with pytest.raises(SchemaError, match=r"W_dec: expected a row for each feature, found shape"):
        read_directions(tmp_path)
    path.write_bytes(b"none")
    with pytest.raises(SchemaError, match="expected safetensors"):
        read_directions(tmp_path)
