import json

import pytest
from typer.testing import CliRunner

from genointerp.activation.train_from_store import train_from_store
from genointerp.cli.main import app
from genointerp.core.errors import ConfigError, MismatchError, StorageError
from genointerp.sae.io import load_sae
from tests.sae.sources import sparse_rows
from tests.stores import activation_header, write_activations

CONFIG = """
reading: {skip_first: 0}
sae: {architecture: topk, n_features: 12, k: 2}
n_tokens: 640
batch_tokens: 64
"""


@pytest.fixture
def activations(tmp_path):
    write_activations(tmp_path / "activations.h5", sparse_rows(320, d_in=8))
    return tmp_path / "activations.h5"


@pytest.fixture
def config(tmp_path):
    (tmp_path / "sae.yaml").write_text(CONFIG)
    return tmp_path / "sae.yaml"


def test_a_dictionary_names_the_model_and_site_of_its_activations(activations, config, tmp_path):
    ((folder, log),) = train_from_store([activations], tmp_path / "sae", config=config, seed=5)
    assert folder == tmp_path / "sae"
    loaded = load_sae(tmp_path / "sae")
    assert (loaded.metadata["model"], loaded.metadata["site"]) == ("toy", "blocks.1")
    assert loaded.sae.W_dec.shape == (12, 8)
    assert json.loads((tmp_path / "sae" / "log.json").read_text())["fvu"] == log.fvu
    assert "seed: 5" in (tmp_path / "sae" / "train_config.yaml").read_text()
    assert not (tmp_path / "sae.checkpoint").exists()


def test_activations_of_two_sites_are_refused_before_training(activations, config, tmp_path):
    header = activation_header(8, site="blocks.2")
    write_activations(tmp_path / "other.h5", sparse_rows(320, d_in=8), header=header)
    with pytest.raises(MismatchError):
        train_from_store([activations, tmp_path / "other.h5"], tmp_path / "sae", config=config)
    assert not (tmp_path / "sae").exists()


def test_an_unknown_setting_names_the_nearest(activations, config, tmp_path):
    config.write_text("batch_token: 64")
    with pytest.raises(ConfigError, match="did you mean 'batch_tokens'"):
        train_from_store([activations], tmp_path / "sae", config=config)


def test_a_place_that_cannot_be_written_is_told_before_training(activations, tmp_path):
    (tmp_path / "file").write_text("precious")
    with pytest.raises(StorageError, match=r"file/cfg\.json: expected a writable place"):
        train_from_store([activations], tmp_path / "file")
    assert (tmp_path / "file").read_text() == "precious"


def test_the_command_trains_and_says_what_it_got(activations, config, tmp_path):
    out = tmp_path / "sae"
    arguments = ["train", str(activations), "--config", str(config), "--out", str(out)]
    result = CliRunner().invoke(app, [*arguments, "--seed", "3"])
    assert result.exit_code == 0, result.output
    assert f"-> {out}" in result.stdout
    assert result.stdout.startswith("fvu=")
