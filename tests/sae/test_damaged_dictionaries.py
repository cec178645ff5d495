"""Dictionaries that are damaged, edited or made up: one line, at once, and no silent change."""

import json
import warnings
import zipfile
from collections import OrderedDict

import pytest
import torch
from safetensors.torch import load_file, save_file

from genointerp.core.errors import GenointerpError, InputError, SchemaError
from genointerp.core.parsing import MOST_DEPTH, parse_json
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.checkpoint import CHECKPOINT, restore_checkpoint
from genointerp.sae.config import TrainConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.formats.registry import FORMATS
from genointerp.sae.header import read_directions
from genointerp.sae.io import save_sae
from genointerp.sae.step import Trainer
from genointerp.sae.train import train_sae
from genointerp.tensor import files as tensor_files
from tests.mutations import DEEP, flipped, make_pipe, odd_json
from tests.sae.formats.test_formats import METADATA, SaeConfig, make, rows
from tests.sae.sources import array_source, sparse_rows

N_FLIPS = 150
TRAINING = TrainConfig(
    sae=SaeConfig("batch_topk", n_features=12, k=2), n_tokens=640, batch_tokens=64,
    checkpoint_every=4, log_every=2, warmup_steps=1, eval_rows=64, moment_rows=256,
    threshold_batches=1,
)  # fmt: skip


def assert_one_line(error):
    assert "\n" not in str(error)
    assert len(str(error)) < 1000, str(error)[:2000]


def tries(read):
    """Return what a reader gives, or None where it refuses in one line; whatever else fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return read()
        except GenointerpError as error:
            assert_one_line(error)
            return None


def is_ours(folder, expected):
    found = tries(lambda: Dictionary.load(folder))
    if found is None:
        return
    assert torch.equal(found.sae.encode(rows()), expected.sae.encode(rows()))
    assert found.sae.config.architecture == expected.sae.config.architecture
    for name in ("model", "model_sha256", "site"):
        assert isinstance(getattr(found.header, name), str)


@pytest.fixture(params=["batch_topk", "matryoshka_batch_topk", "gated", "transcoder"])
def ours(request, tmp_path):
    save_sae(make(request.param), tmp_path / "sae", {**METADATA, "feature_names": {"tRNA": 3}})
    return tmp_path / "sae"


def test_no_entry_of_a_configuration_of_ours_ends_in_a_traceback(ours):
    expected, path = Dictionary.load(ours), ours / "cfg.json"
    for _, text in odd_json(path.read_text()):
        path.write_text(text)
        is_ours(ours, expected)


@pytest.mark.parametrize("name", ["cfg.json", "sae_weights.safetensors"])
def test_flipped_bytes_of_a_dictionary_of_ours_are_refused_or_change_nothing(ours, name):
    expected, path = Dictionary.load(ours), ours / name
    content = path.read_bytes()
    for seed in range(N_FLIPS):
        path.write_bytes(flipped(content, seed, n_bytes=1 + seed % 3))
        is_ours(ours, expected)
        if name != "cfg.json":
            tries(lambda: read_directions(ours))


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_no_file_of_another_library_ends_in_a_traceback(tmp_path, name):
    for architecture in ("topk", "relu"):
        folder = tmp_path / architecture
        if name == "sparsify" and architecture != "topk":
            continue
        FORMATS[name].write(make(architecture), folder, METADATA)
        for path in sorted(folder.iterdir()):
            content = path.read_bytes()
            for seed in range(N_FLIPS // 2):
                path.write_bytes(flipped(content, seed, n_bytes=1 + seed % 3))
                tries(lambda: FORMATS[name].read(folder))  # noqa: B023 - called at once
            if path.suffix == ".json":
                for _, text in odd_json(content.decode()):
                    path.write_text(text)
                    tries(lambda: FORMATS[name].read(folder))  # noqa: B023 - called at once
            path.write_bytes(content)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """The state of a training that was stopped midway, and how to go on from it."""
    folder = tmp_path_factory.mktemp("checkpoint")

    class StoppedError(Exception):
        pass

    def stop(number, record):
        if record["step"] == 6:
            raise StoppedError

    data = (
        sparse_rows(n_rows=1024) if "n_rows" in sparse_rows.__code__.co_varnames else sparse_rows()
    )
    source = array_source(data[0] if isinstance(data, tuple) else data)
    with pytest.raises(StoppedError):
        train_sae(source, TRAINING, metadata=METADATA, listen=stop, checkpoint_dir=folder)
    state = torch.load(folder / CHECKPOINT, weights_only=True)

    def restore(path):
        sae = make_sae(TRAINING.sae, source.d_in)
        trainer = Trainer(sae, TRAINING, variance=1.0)
        progressed = restore_checkpoint(path, [trainer], identity=state["identity"])
        return trainer, progressed

    return folder / CHECKPOINT, restore


def same_state(found, expected):
    (trainer, progressed), (other, other_progressed) = found, expected
    assert progressed == other_progressed
    a, b = trainer.state_dict(), other.state_dict()
    assert all(torch.equal(a["sae"][name], b["sae"][name]) for name in b["sae"])
    assert torch.equal(a["silent_tokens"], b["silent_tokens"])
    assert a["step"] == b["step"]


def test_flipped_bytes_of_a_checkpoint_are_refused_or_change_nothing(checkpoint, tmp_path):
    path, restore = checkpoint
    expected, content = restore(path.parent), path.read_bytes()
    for seed in range(N_FLIPS):
        (tmp_path / CHECKPOINT).write_bytes(flipped(content, seed, n_bytes=1 + seed % 3))
        found = tries(lambda: restore(tmp_path))
        if found is not None:
            same_state(found, expected)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("identity", 3),
        ("identity", "[" * 100_000),
        ("trainers", {}),
        ("trainers", []),
        ("trainers", [3]),
        ("trainers", [{"sae": {}, "adam": {}, "silent_tokens": torch.zeros(12), "step": 1}]),
        ("position", [0, 0]),
        ("position", [0, -1, 0]),
        ("position", [0, "1", 0]),
        ("records", "[" * 100_000),
        ("records", "{}"),
        ("records", "[]"),
        ("records", "[[3]]"),
    ],
)
def test_parts_of_a_checkpoint_that_do_not_fit_are_refused(checkpoint, tmp_path, key, value):
    path, restore = checkpoint
    state = torch.load(path, weights_only=True)
    torch.save(state | {key: value}, tmp_path / CHECKPOINT)
    with pytest.raises(InputError) as caught:
        restore(tmp_path)
    assert_one_line(caught.value)


@pytest.mark.parametrize("change", ["moments", "silent", "step", "text"])
def test_a_state_of_a_dictionary_of_another_size_is_refused(checkpoint, tmp_path, change):
    path, restore = checkpoint
    state = torch.load(path, weights_only=True)
    own = state["trainers"][0]
    if change == "moments":
        own["adam"]["state"][0]["exp_avg"] = torch.zeros(1)
    elif change == "silent":
        own["silent_tokens"] = torch.zeros(1)
    else:
        own["step"] = 10**11 if change == "step" else "6"
    torch.save(state, tmp_path / CHECKPOINT)
    with pytest.raises(SchemaError, match="expected the state of this training"):
        restore(tmp_path)


SIZES = {
    "n_features": lambda cfg: cfg["metadata"]["sae"].update(n_features=10**11),
    "d_in": lambda cfg: cfg.update(d_in=10**11),
    "widths": lambda cfg: cfg["metadata"]["sae"].update(widths=[10**11]),
    "k": lambda cfg: cfg["metadata"]["sae"].update(k=10**11),
    "nothing": lambda cfg: cfg["metadata"]["sae"].clear(),
}


@pytest.mark.parametrize("change", SIZES.values(), ids=SIZES)
def test_sizes_that_are_not_those_of_the_weights_ask_for_no_memory(tmp_path, change):
    save_sae(make("batch_topk"), tmp_path / "sae", METADATA)
    path = tmp_path / "sae/cfg.json"
    cfg = json.loads(path.read_text())
    change(cfg)
    path.write_text(json.dumps(cfg))
    with pytest.raises(SchemaError) as caught:
        Dictionary.load(tmp_path / "sae")
    assert_one_line(caught.value)


def test_a_name_of_a_feature_that_is_a_number_is_refused(tmp_path):
    save_sae(make("topk"), tmp_path / "sae", {**METADATA, "feature_names": {"3": 7}})
    with pytest.raises(SchemaError, match=r"expected names that are no numbers of features"):
        Dictionary.load(tmp_path / "sae")


@pytest.mark.parametrize("text", [DEEP, '{"a":' * 100_000, f'{{"a": {"9" * 5000}}}'])
def test_json_that_is_too_deep_or_too_long_a_number_is_refused(tmp_path, text):
    save_sae(make("topk"), tmp_path / "sae", METADATA)
    (tmp_path / "sae/cfg.json").write_text(text)
    with pytest.raises(SchemaError, match=r"cfg.json: expected JSON") as caught:
        Dictionary.load(tmp_path / "sae")
    assert_one_line(caught.value)


def test_json_of_as_many_levels_as_are_allowed_is_read():
    fine = "[" * MOST_DEPTH + "]" * MOST_DEPTH
    assert parse_json(fine, where="x", error=InputError)[0]
    with pytest.raises(InputError, match=f"at most {MOST_DEPTH} deep, found a deeper one"):
        parse_json(f"[{fine}]", where="x", error=InputError)


@pytest.mark.parametrize("name", ["cfg.json", "sae_weights.safetensors"])
def test_a_pipe_in_the_place_of_a_file_is_refused_at_once(tmp_path, name):
    save_sae(make("topk"), tmp_path / "sae", METADATA)
    make_pipe(tmp_path / "sae" / name)
    for read in (Dictionary.load, FORMATS["saelens"].read):
        with pytest.raises(InputError, match="found a pipe"):
            read(tmp_path / "sae")


def zeros(*shape):
    return torch.zeros(shape)


ODD_TENSORS = {
    "sparse": lambda: zeros(32, 6).to_sparse(),
    "compressed-rows": lambda: zeros(32, 6).to_sparse_csr(),
    "meta": lambda: torch.empty(32, 6, device="meta"),
    "complex": lambda: torch.zeros(32, 6, dtype=torch.complex64),
    "repeated": lambda: torch.zeros(1).expand(10**6, 10**6),
}


@pytest.mark.parametrize("make_odd", ODD_TENSORS.values(), ids=ODD_TENSORS)
def test_tensors_that_are_not_dense_or_not_there_are_refused(tmp_path, make_odd):
    FORMATS["dictionary_learning"].write(make("relu"), tmp_path, METADATA)
    state = torch.load(tmp_path / "ae.pt", weights_only=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(state | {"encoder.weight": make_odd()}, tmp_path / "ae.pt")
        with pytest.raises(SchemaError, match=r"encoder.weight: expected a dense tensor|saved by"):
            FORMATS["dictionary_learning"].read(tmp_path)


@pytest.mark.parametrize(
    "state",
    [[1, 2], {"encoder.weight": 3}, OrderedDict(), "text", None],
    ids=["list", "number", "nothing", "text", "none"],
)
def test_a_state_that_is_no_mapping_of_tensors_is_refused(tmp_path, state):
    FORMATS["dictionary_learning"].write(make("relu"), tmp_path, METADATA)
    torch.save(state, tmp_path / "ae.pt")
    with pytest.raises(SchemaError, match=r"expected (tensors by name|a tensor)"):
        FORMATS["dictionary_learning"].read(tmp_path)


def test_an_archive_that_unpacks_to_more_than_its_bytes_is_refused(tmp_path):
    path = tmp_path / "ae.pt"
    torch.save({"a": zeros(1 << 20)}, path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    with pytest.raises(SchemaError, match=r"saved by torch, uncompressed, found .* packed into"):
        tensor_files.read_state(path)


def test_what_a_file_would_run_is_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return print, ("run",)

    torch.save({"a": Bomb()}, tmp_path / "ae.pt")
    with pytest.raises(SchemaError, match="expected weights saved by torch, found Unpickl"):
        tensor_files.read_state(tmp_path / "ae.pt")


def test_weights_of_whole_numbers_or_other_types_are_refused_by_our_own_reader(tmp_path):
    save_sae(make("topk"), tmp_path / "sae", METADATA)
    path = tmp_path / "sae/sae_weights.safetensors"
    tensors = load_file(path)
    save_file({**tensors, "W_dec": tensors["W_dec"].int()}, path)
    with pytest.raises(SchemaError, match="W_dec: expected finite numbers, found int32"):
        read_directions(tmp_path / "sae")
