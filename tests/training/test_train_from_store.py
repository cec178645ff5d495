import json
import re

import pytest
from typer.testing import CliRunner

from genointerp.cli.main import app
from genointerp.command.build.train import train as train_from_store
from genointerp.core.errors import ConfigError, MismatchError, StorageError
from genointerp.sae.dictionary import Dictionary
from genointerp.training.train import Grid
from tests.dictionaries import metadata_of
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
    loaded = Dictionary.load(tmp_path / "sae")
    assert (loaded.header.model, loaded.header.site) == ("toy", "blocks.1")
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


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_finished_dictionary_is_trained_again_and_not_replaced_by_another(
    activations, config, tmp_path
):
    arguments = ["train", str(activations), "--config", str(config), "--out", str(tmp_path / "sae")]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    first = content(tmp_path / "sae")
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert content(tmp_path / "sae") == first
    refused = CliRunner().invoke(app, [*arguments, "--seed", "4"])
    message = r"sae: expected nothing, or the same result, in its place; .* \(--force replaces it\)"
    assert re.search(message, str(refused.exception))
    assert content(tmp_path / "sae") == first
    assert not (tmp_path / "sae.checkpoint").exists()
    assert CliRunner().invoke(app, [*arguments, "--seed", "4", "--force"]).exit_code == 0
    assert content(tmp_path / "sae") != first


def test_a_training_whose_tokens_follow_the_data_is_the_same_twice(activations, config, tmp_path):
    config.write_text(CONFIG.replace("n_tokens: 640", "max_passes: 2"))
    first, second = (
        train_from_store([activations], tmp_path / "sae", config=config) for _ in range(2)
    )
    assert first == second


def test_a_folder_of_other_files_is_no_place_for_a_dictionary(activations, config, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("precious")
    with pytest.raises(StorageError, match=r"mine: expected nothing, or the same result"):
        train_from_store([activations], tmp_path / "mine", config=config)
    assert content(tmp_path / "mine") == {"notes.txt": b"precious"}


def test_the_command_trains_and_says_what_it_got(activations, config, tmp_path):
    out = tmp_path / "sae"
    arguments = ["train", str(activations), "--config", str(config), "--out", str(out)]
    result = CliRunner().invoke(app, [*arguments, "--seed", "3"])
    assert result.exit_code == 0, result.output
    assert f"-> {out}" in result.stdout
    assert result.stdout.startswith("fvu=")


SLOW = (
    CONFIG.replace("topk", "batch_topk")
    + """
slow_parts: [{step: 1, half: 2, n_features: 4, k: 1}, {step: 3, half: 2, n_features: 4, k: 1}]
"""
)


def test_slow_parts_come_before_the_features_of_the_rest(activations, config, tmp_path):
    config.write_text(SLOW)
    ((folder, log),) = train_from_store([activations], tmp_path / "sae", config=config)
    loaded = Dictionary.load(folder)
    assert loaded.sae.W_dec.shape == (4 + 4 + 12, 8)
    assert metadata_of(loaded)["parts"].count("slow part") == 2
    assert "slow_parts:" in (folder / "train_config.yaml").read_text()
    assert log.n_tokens == 3 * 640
    assert not (tmp_path / "sae.checkpoint").exists()


def test_slow_parts_and_a_grid_are_refused(activations, config, tmp_path):
    config.write_text(SLOW)
    with pytest.raises(ConfigError, match="slow_parts: expected one dictionary, not a grid"):
        train_from_store([activations], tmp_path / "sae", config=config, grid=Grid(k=(1, 2)))


def test_slow_parts_of_what_is_no_part_of_anything_are_refused(activations, config, tmp_path):
    config.write_text(SLOW.replace("batch_topk", "topk"))
    with pytest.raises(ConfigError, match="for a dictionary in parts, found 'topk'"):
        train_from_store([activations], tmp_path / "sae", config=config)
    config.write_text(SLOW.replace("step: 3", "step: 0"))
    with pytest.raises(ConfigError, match="slow part: step: expected at least 1, found 0"):
        train_from_store([activations], tmp_path / "sae", config=config)
