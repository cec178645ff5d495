"""Folders of a model that are damaged or made up: one line, at once."""

import json
import warnings

import pytest
import torch
from safetensors.torch import load_file, save_file

from genointerp.core.errors import GenointerpError, InputError, SchemaError
from genointerp.model.hyena.folder import load_folder, save_model
from genointerp.model.hyena.network import HyenaConfig, StripedHyena, initialise
from genointerp.model.load_options import LoadOptions
from tests.mutations import DEEP, flipped, make_pipe, odd_json

NETWORK = HyenaConfig(
    vocab_size=512, d_model=8, d_mlp=12, mixers=("SE", "MR", "LI", "ATT"), n_heads=2,
    n_filter_groups=4, medium_taps=5, n_poles=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    network = StripedHyena(NETWORK)
    initialise(network, torch.Generator().manual_seed(0))
    save_model(network, folder, name="tiny", context=64, default_site="blocks.1")
    return folder


@pytest.fixture
def folder(made, tmp_path):
    for path in made.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def assert_one_line(error):
    assert "\n" not in str(error)
    assert len(str(error)) < 1500


def tries(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return load_folder(folder, LoadOptions())
        except GenointerpError as error:
            assert_one_line(error)
            return None


def test_the_folder_is_read_as_it_was_made(folder):
    assert tries(folder).spec.sites == ("blocks.0", "blocks.1", "blocks.2", "blocks.3")


def test_no_entry_of_a_configuration_ends_in_a_traceback(folder):
    path = folder / "config.json"
    for _, text in odd_json(path.read_text()):
        path.write_text(text)
        tries(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_flipped_bytes_end_in_no_traceback(folder, name):
    path = folder / name
    content = path.read_bytes()
    for seed in range(100):
        path.write_bytes(flipped(content, seed, n_bytes=1 + seed % 3))
        tries(folder)


@pytest.mark.parametrize(
    "name",
    ["vocab_size", "d_model", "d_mlp", "n_heads", "n_filter_groups", "medium_taps", "n_poles"],
)
@pytest.mark.parametrize("size", [10**11, 10**30, 0, -8])
def test_sizes_that_are_not_those_of_the_weights_ask_for_no_memory(folder, name, size):
    path = folder / "config.json"
    values = json.loads(path.read_text())
    values["network"][name] = size
    path.write_text(json.dumps(values))
    with pytest.raises(InputError):
        load_folder(folder, LoadOptions())
    assert tries(folder) is None


@pytest.mark.parametrize("n_blocks", [0, 2000])
def test_no_blocks_and_thousands_are_refused(folder, n_blocks):
    path = folder / "config.json"
    values = json.loads(path.read_text())
    values["network"]["mixers"] = ["SE"] * n_blocks
    path.write_text(json.dumps(values))
    with pytest.raises(InputError, match="blocks, found"):
        load_folder(folder, LoadOptions())


def test_deep_json_and_a_pipe_are_refused_at_once(folder):
    (folder / "config.json").write_text(DEEP)
    with pytest.raises(SchemaError, match="deep, found a deeper one"):
        load_folder(folder, LoadOptions())
    make_pipe(folder / "config.json")
    assert tries(folder) is None


def test_weights_that_are_not_finite_are_refused(folder):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    name = next(iter(tensors))
    tensors[name].view(-1)[0] = float("nan")
    save_file(tensors, path)
    with pytest.raises(SchemaError, match="expected finite values, found NaN or infinity"):
        load_folder(folder, LoadOptions())
