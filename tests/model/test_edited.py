"""Edited models: exactly the edit, a folder that loads as any model, and back bit by bit."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from genointerp.core.errors import InputError, MismatchError, SchemaError
from genointerp.core.provenance import Provenance
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.windows import Window
from genointerp.model.edited.changes import (
    Changes,
    Splices,
    WeightChange,
    changed,
    network_of,
)
from genointerp.model.edited.folder import (
    CHANGES,
    PARENT,
    RECORD,
    parent_files,
    read_record,
    restore_parent,
    write_edited,
)
from genointerp.model.edits import FeatureReader
from genointerp.model.hyena.evo2 import EVO2, Evo2Preset
from genointerp.model.hyena.folder import save_model
from genointerp.model.hyena.network import HyenaConfig, StripedHyena, initialise
from genointerp.model.load_options import LoadOptions
from genointerp.model.protocol import Generates, SiteActivations
from genointerp.model.registry import load_model, model_files
from genointerp.reading.tokens import WindowTokens
from tests.model.vtx_reference import write_checkpoint
from tests.tiny_transformers import CAUSAL, MASKED, save_tiny
from tests.toy_model import ToyDnaModel

SITE = "blocks.1"
SHAPE = HyenaConfig(
    vocab_size=8,
    d_model=16,
    d_mlp=24,
    mixers=("SE", "MR", "LI", "ATT"),
    n_heads=2,
    n_filter_groups=4,
    medium_taps=13,
)


def save_hyena(folder):
    network = StripedHyena(SHAPE)
    initialise(network, torch.Generator().manual_seed(0))
    save_model(network, folder, name="tiny", context=64, default_site=SITE, licence="MIT")
    return folder


def splices(width, *, gain=0.0, value=0.0):
    """One feature that fires on about half of the tokens."""
    draw = torch.Generator().manual_seed(1)
    read, direction = torch.randn(2, 1, width, generator=draw)
    one = FeatureReader(read, torch.zeros(1), torch.tensor([0.01]), direction)
    return Splices(one, torch.tensor([gain]), torch.tensor([value]))


def edited(folder, name, changes):
    parent = load_model(name)
    recipe = Provenance({"method": "adapter"}, {"model": parent.spec.sha256})
    write_edited(folder, parent, model_files(name, LoadOptions()), changes, recipe)
    return load_model(str(folder))


WINDOW = Window(GenomicInterval("c", 0, 48, "+"), 0)
BASES = np.random.default_rng(0).choice(list(b"ACGT"), (2, 48)).astype(np.uint8)


def tokens_of(model):
    return torch.from_numpy(np.stack([model.tokenize(row).ids for row in BASES]))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    name = str(save_hyena(folder / "model"))
    parent, changes = load_model(name), Changes(SITE, splices(16))
    model = edited(folder / "edited", name, changes)
    return SimpleNamespace(
        parent=parent, model=model, changes=changes, folder=folder / "edited", own=folder / "model"
    )


@pytest.fixture(scope="module", params=[*CAUSAL, *MASKED])
def family(request, tmp_path_factory):
    pytest.importorskip("transformers", reason='needs pip install "genointerp[transformers]"')
    folder = tmp_path_factory.mktemp(request.param)
    name = str(save_tiny(request.param, folder / "model"))
    changes = Changes(SITE, splices(32, gain=2.0, value=1.0))
    model = edited(folder / "edited", name, changes)
    return SimpleNamespace(parent=load_model(name), model=model, changes=changes)


def same(found, expected):
    return torch.equal(found, expected)


def test_a_splice_gives_each_feature_another_amount():
    x = torch.tensor([[[2.0, 1.0], [0.5, 1.0]]])
    one = FeatureReader(
        torch.tensor([[1.0, 0.0]]), torch.tensor([-1.0]), torch.tensor([0.0]), torch.eye(2)[1:]
    )
    change = Splices(one, torch.tensor([3.0]), torch.tensor([0.5])).at("s").function
    # f is 2 - 1 = 1, and 0 as .5 - 1 is below the threshold: 2 f + .5 is added
    assert change(x).tolist() == [[[2.0, 3.5], [0.5, 1.5]]]


def test_an_adapter_is_the_edit_of_activations_bit_by_bit(tiny):
    tokens, edit = tokens_of(tiny.parent), tiny.changes.splices.at(SITE)
    expected = tiny.parent.next_log_probs(tokens, edits=[edit])
    assert same(tiny.model.next_log_probs(tokens), expected)
    assert not same(tiny.parent.next_log_probs(tokens), expected)
    sites = [SITE, "blocks.3"]
    for site, x in tiny.parent.run(tokens, capture=sites, edits=[edit]).items():
        assert same(tiny.model.run(tokens, capture=sites)[site], x)


def test_an_adapter_acts_in_chunks_and_in_generation(tiny):
    tokens, edit = tokens_of(tiny.parent), tiny.changes.splices.at(SITE)
    chunks = [
        [
            one.activations["blocks.3"]
            for one in model.prefill(tokens, chunk=7, capture=["blocks.3"], edits=edits)
        ]
        for model, edits in ((tiny.model, ()), (tiny.parent, [edit]))
    ]
    assert all(same(a, b) for a, b in zip(*chunks, strict=True))
    assert isinstance(tiny.model, Generates)
    one, other = tiny.model.continuation(48), tiny.parent.continuation(48, edits=[edit])
    for token in range(6):
        piece = tokens[:, token : token + 1]
        assert same(one.read(piece), other.read(piece))


def test_activations_that_are_given_at_its_site_come_after_it(tiny):
    tokens, edit = tokens_of(tiny.parent), tiny.changes.splices.at(SITE)
    x = tiny.model.run(tokens, capture=[SITE])[SITE]
    expected = tiny.model.log_probs(tokens)
    torch.testing.assert_close(tiny.model.log_probs_from(SITE, x, tokens), expected)
    traced = tiny.model.trace(tokens, capture=[SITE], begin=SiteActivations(SITE, x))
    torch.testing.assert_close(
        traced.logits.log_softmax(-1)[:, :-1], tiny.model.next_log_probs(tokens)
    )
    clean = tiny.parent.trace(tokens, capture=[SITE], edits=[edit])
    assert same(tiny.model.trace(tokens, capture=[SITE]).logits, clean.logits)


def test_an_adapter_leaves_special_tokens_as_they_are(family):
    read = WindowTokens(WINDOW, family.parent.tokenize(BASES[0]))
    tokens = torch.from_numpy(read.spans.ids)[None]
    edit = family.changes.splices.at(SITE)
    edit = replace(edit, start=read.real.start, end=read.real.stop)
    expected = family.parent.run(tokens, capture=["blocks.3"], edits=[edit])["blocks.3"]
    assert same(family.model.run(tokens, capture=["blocks.3"])["blocks.3"], expected)
    clean = family.parent.run(tokens, capture=["blocks.3"])["blocks.3"]
    assert not same(expected, clean)


def test_an_edited_model_has_a_name_and_a_sha256_of_its_own(tiny):
    spec, parent = tiny.model.spec, tiny.parent.spec
    assert spec.name == f"tiny-edit-{spec.sha256[:8]}"
    assert spec.sha256 != parent.sha256
    assert (spec.parent, spec.parent_sha256) == (parent.name, parent.sha256)
    values = json.loads((tiny.folder / RECORD).read_text())
    assert (values["name"], values["sha256"]) == (spec.name, spec.sha256)
    assert values["provenance"]["inputs"] == {"model": parent.sha256}


def test_its_sha256_depends_on_parent_site_and_changes(tiny):
    record = read_record(tiny.folder)
    others = [
        replace(record, **{name: "x"}) for name in ("parent_sha256", "site", "changes_sha256")
    ]
    assert len({record.sha256, *(one.sha256 for one in others)}) == 4


def test_the_parent_comes_back_bit_by_bit(tiny, tmp_path):
    restore_parent(tiny.folder, tmp_path / "back")
    for path in tiny.own.iterdir():
        assert (tmp_path / "back" / path.name).read_bytes() == path.read_bytes()
    assert load_model(str(tmp_path / "back")).spec == tiny.parent.spec


def test_an_edited_model_can_be_edited(tiny, tmp_path):
    again = Changes("blocks.2", splices(16, gain=2.0))
    model = edited(tmp_path / "twice", str(tiny.folder), again)
    assert model.spec.parent == tiny.model.spec.name
    tokens = tokens_of(model)
    edits = [tiny.changes.splices.at(SITE), again.splices.at("blocks.2")]
    assert same(model.log_probs(tokens), tiny.parent.log_probs(tokens, edits=edits))
    restore_parent(tmp_path / "twice", tmp_path / "once")
    assert load_model(str(tmp_path / "once")).spec == tiny.model.spec


def test_changed_weights_write_something_else(tiny, tmp_path):
    draw = torch.Generator().manual_seed(2)
    left, right = torch.randn(16, 1, generator=draw), torch.randn(24, 1, generator=draw)
    name = "blocks.1.mlp.l3.weight"
    changes = Changes(SITE, weights={name: WeightChange(left, right)})
    model = edited(tmp_path / "edited", str(tiny.own), changes)
    before, after = (network_of(it).get_parameter(name) for it in (tiny.parent, model))
    torch.testing.assert_close(after - before, left @ right.T)
    with changed(tiny.parent, changes.weights):
        assert same(network_of(tiny.parent).get_parameter(name), after)
    assert same(network_of(tiny.parent).get_parameter(name), before)
    assert load_model(str(tmp_path / "edited"), up_to="blocks.0").spec.sites == ("blocks.0",)


def test_weights_that_are_tied_to_the_embedding_are_refused(tiny, tmp_path):
    wrong = WeightChange(torch.ones(8, 1), torch.ones(16, 1))
    changes = Changes(SITE, weights={"embedding_layer.weight": wrong})
    with pytest.raises(SchemaError, match="not tied to the embedding"):
        edited(tmp_path / "edited", str(tiny.own), changes)


def test_a_model_without_a_known_network_is_refused(tiny, tmp_path):
    with pytest.raises(InputError, match=r"edit: expected a StripedHyena 2.*found toy"):
        write_edited(tmp_path, ToyDnaModel(), {}, tiny.changes, Provenance({}, {}))


def test_an_edit_of_a_published_checkpoint_names_it_and_does_not_copy_it(tmp_path, monkeypatch):
    shape = replace(SHAPE, vocab_size=512, medium_taps=128)
    write_checkpoint(tmp_path / "evo2_7b.pt", shape)
    preset = Evo2Preset(shape, 64, SITE, needs_fp8=False)
    monkeypatch.setitem(EVO2, "evo2_7b", preset)
    weights = {"checkpoint": tmp_path, "dtype": "float32"}
    parent, changes = load_model("evo2_7b", **weights), Changes(SITE, splices(16))
    assert model_files("evo2_7b", LoadOptions()) is None
    folder = tmp_path / "edited"
    write_edited(folder, parent, None, changes, Provenance({}, {}))
    assert not (folder / PARENT).exists()
    model = load_model(str(folder), **weights)
    assert (model.spec.parent, model.spec.parent_sha256) == ("evo2_7b", parent.spec.sha256)
    tokens = tokens_of(parent)
    edits = [changes.splices.at(SITE)]
    assert same(model.next_log_probs(tokens), parent.next_log_probs(tokens, edits=edits))
    with pytest.raises(InputError, match=r"undo: expected .* an edit of evo2_7b as published"):
        restore_parent(folder, tmp_path / "back")
    twice = parent_files(folder)
    assert sorted(twice) == [RECORD, CHANGES]
    write_checkpoint(tmp_path / "evo2_7b.pt", shape, seed=1)
    with pytest.raises(MismatchError, match="expected model evo2_7b with weights"):
        load_model(str(folder), **weights)


def test_options_that_an_edited_model_cannot_have_are_refused(tiny):
    for option, value in (("checkpoint", "x"), ("revision", "x"), ("random_weights", 1)):
        with pytest.raises(InputError, match=option):
            load_model(str(tiny.folder), **{option: value})
    with pytest.raises(InputError, match="of_parent: expected the folder of an edited model"):
        load_model(str(tiny.own), of_parent=True)


def test_damage_is_told(tiny, tmp_path):
    shutil.copytree(tiny.folder, tmp_path / "edited")
    data = bytearray((tmp_path / "edited" / CHANGES).read_bytes())
    data[-1] ^= 1
    (tmp_path / "edited" / CHANGES).write_bytes(data)
    with pytest.raises(SchemaError, match="expected changes of sha256"):
        load_model(str(tmp_path / "edited"))
    shutil.copyfile(tiny.folder / CHANGES, tmp_path / "edited" / CHANGES)
    weights = bytearray((tmp_path / "edited" / PARENT / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "edited" / PARENT / "model.safetensors").write_bytes(weights)
    with pytest.raises(MismatchError, match="expected model tiny with weights"):
        load_model(str(tmp_path / "edited"))


def test_a_record_that_was_changed_by_hand_is_told(tiny, tmp_path):
    shutil.copytree(tiny.folder, tmp_path / "edited")
    path = tmp_path / "edited" / RECORD
    values = json.loads(path.read_text())
    path.write_text(json.dumps(values | {"site": "blocks.2"}))
    with pytest.raises(SchemaError, match=r"edit\.json: name: expected tiny-edit-\w{8}, as"):
        load_model(str(tmp_path / "edited"))
    path.write_text(json.dumps(values | {"format-version": 9}))
    with pytest.raises(SchemaError, match="expected genointerp::edited-model of version 1"):
        load_model(str(tmp_path / "edited"))


def test_a_folder_that_was_moved_is_the_same_model(tiny, tmp_path):
    shutil.copytree(tiny.folder, tmp_path / "elsewhere" / "moved")
    moved = load_model(str(tmp_path / "elsewhere" / "moved"))
    assert moved.spec == tiny.model.spec
    tokens = tokens_of(moved)
    assert same(moved.next_log_probs(tokens), tiny.model.next_log_probs(tokens))


@pytest.mark.parametrize("missing", [CHANGES, PARENT])
def test_a_part_that_is_missing_is_told_and_nothing_is_written(tiny, tmp_path, missing):
    shutil.copytree(tiny.folder, tmp_path / "edited", ignore=shutil.ignore_patterns(missing))
    with pytest.raises(SchemaError, match=missing):
        load_model(str(tmp_path / "edited"))
    with pytest.raises(SchemaError, match=missing):
        restore_parent(tmp_path / "edited", tmp_path / "back")
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize(
    ("tensors", "expected"),
    [
        ({"splice.read": torch.ones(1, 4)}, "the tensors read, direction"),
        ({"left.w": torch.ones(1, 4)}, "tensors splice"),
        ({"left.w": torch.ones(1, 4), "right.w": torch.ones(1, 3)}, "two finite matrices"),
        ({"other": torch.ones(1)}, "tensors splice"),
    ],
)
def test_changes_of_other_tensors_are_refused(tensors, expected):
    with pytest.raises(SchemaError, match=expected):
        Changes.of(SITE, tensors, where="edits")
