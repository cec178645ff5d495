import hashlib
import sys
from types import ModuleType

import numpy as np
import pytest
import torch

from genointerp.core.errors import InputError, SchemaError
from genointerp.model.hyena.evo2 import EVO2, Evo2Preset, load_preset, warn_of_fp8
from genointerp.model.hyena.network import HyenaConfig, StripedHyena, rotary_frequencies
from genointerp.model.hyena.vortex_checkpoint import make_network, read_checkpoint
from genointerp.model.load_options import LoadOptions
from genointerp.model.registry import MODELS, load_model
from tests.damaged import PICKLES, write_damaged
from tests.model.vtx_reference import load_reference, on_cpu, write_checkpoint

ALL_KINDS = ("SE", "MR", "LI", "ATT", "SE", "MR", "LI", "ATT")


def tiny(*, mixers=ALL_KINDS, d_model=32, n_heads=2, groups=8, base=1e4, scale=1.0):
    return HyenaConfig(
        vocab_size=512,
        d_model=d_model,
        d_mlp=48,
        mixers=mixers,
        n_heads=n_heads,
        n_filter_groups=groups,
        rotary_base=base,
        rotary_scale=scale,
    )


CONFIGS = [
    pytest.param(tiny(), id="8k"),
    pytest.param(tiny(scale=32.0, d_model=24, n_heads=3, groups=24), id="262k"),
    pytest.param(tiny(base=1e6, scale=128.0, mixers=ALL_KINDS[::-1], groups=2), id="1M"),
]


def load(path, config, **options):
    preset = Evo2Preset(config, 64, "blocks.2", needs_fp8=False)
    return load_preset("tiny", preset, LoadOptions(checkpoint=path, **options))


@pytest.fixture
def folder(tmp_path):
    write_checkpoint(tmp_path / "tiny.pt", tiny())
    return tmp_path


def tensors(network):
    return [*network.named_parameters(), *network.named_buffers()]


def tokens_of(length, seed=0):
    letters = np.random.default_rng(seed).choice(np.frombuffer(b"ACGTN", np.uint8), (1, length))
    return torch.from_numpy(letters.astype(np.int64))


def relative_error(found, expected):
    return float((found.float() - expected.float()).norm() / expected.float().norm())


def reference_streams(reference, tokens):
    """Return the input and output of every block, and the logits."""
    streams, handles = [], []
    for block in reference.blocks:
        hook = block.register_forward_hook(lambda _m, args, out: streams.append((args[0], out[0])))
        handles.append(hook)
    with on_cpu(), torch.no_grad():
        logits = reference(tokens)[0]
    for handle in handles:
        handle.remove()
    return streams, logits


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("length", [1, 2, 150, 300])
def test_every_block_and_the_whole_equal_vtx(config, length, tmp_path):
    write_checkpoint(tmp_path / "tiny.pt", config)
    model = load(tmp_path, config, dtype="float32")
    reference = load_reference(tmp_path / "tiny.pt", config)
    tokens = tokens_of(length)
    streams, logits = reference_streams(reference, tokens)
    found = model.run(tokens, capture=model.spec.sites)
    for i, (before, after) in enumerate(streams):
        with torch.no_grad():
            assert relative_error(model.network.blocks[i](before), after) <= 1e-5
        assert relative_error(found[f"blocks.{i}"], after) <= 1e-5
    with torch.no_grad():
        assert relative_error(model.network(tokens), logits) <= 1e-5


@pytest.mark.parametrize("config", CONFIGS)
def test_mixers_round_where_vtx_does_in_half_precision(config, tmp_path):
    # the last linear map is left out: torch's own on a CPU depends on the layout of its input
    write_checkpoint(tmp_path / "tiny.pt", config)
    model = load(tmp_path, config, dtype="bfloat16")
    reference = load_reference(tmp_path / "tiny.pt", config, dtype=torch.bfloat16)
    streams = reference_streams(reference, tokens_of(300))[0]
    for i, kind in enumerate(config.mixers):
        ours, theirs, x = model.network.blocks[i], reference.blocks[i], streams[i][0]
        with torch.no_grad(), on_cpu():
            if kind == "ATT":
                found, expected = ours(x), theirs(x)[0]
            else:
                found = ours.mixer.filter(ours.mixer.projections(ours.pre_norm(x)))
                expected = theirs.filter(theirs.proj_norm(x))[0]
        assert found.dtype == expected.dtype == torch.bfloat16
        assert relative_error(found, expected) <= 1e-4, kind


def test_weights_are_bfloat16_but_for_what_the_published_code_keeps_in_float32(folder):
    model = load(folder, tiny())
    dtypes = {name.rpartition(".")[2]: x.dtype for name, x in tensors(model.network)}
    wide = {name for name, dtype in dtypes.items() if dtype == torch.float32}
    assert wide == {"log_poles", "residues", "inv_freq"}
    assert model.spec.dtype == "bfloat16"


def test_rotary_frequencies_are_those_of_the_file(folder):
    # published ones are rounded, those of the formula are not
    found = load(folder, tiny()).network.blocks[3].mixer.inv_freq
    weights = torch.load(folder / "tiny.pt", weights_only=False)
    assert torch.equal(found, weights["blocks.3.inner_mha_cls.rotary_emb.inv_freq"])
    assert not torch.equal(found, rotary_frequencies(tiny()))


def test_a_checkpoint_in_pieces_is_joined(folder):
    whole = (folder / "tiny.pt").read_bytes()
    (folder / "tiny.pt").unlink()
    size = len(whole) // 11
    # more than ten, so that the order of names is not that of numbers
    for number in range(12):
        piece = whole[number * size : (number + 1) * size]
        (folder / f"tiny.pt.part{number}").write_bytes(piece)
    model = load(folder, tiny())
    assert (folder / "tiny.pt").read_bytes() == whole
    assert model.spec.sha256 == hashlib.sha256(whole).hexdigest()


def test_a_missing_piece_is_named(folder):
    for number in (0, 1, 3):
        (folder / f"tiny.pt.part{number}").write_bytes(b"")
    (folder / "tiny.pt").unlink()
    with pytest.raises(SchemaError, match=r"pieces from tiny\.pt\.part0 on, found no part2"):
        load(folder, tiny())
    assert not (folder / "tiny.pt").exists()


def test_a_folder_without_weights_is_refused(tmp_path):
    with pytest.raises(SchemaError, match=r"expected tiny\.pt, or its pieces .* found neither"):
        load(tmp_path, tiny())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"norm.scale": None}, "found no norm.scale$", id="missing"),
        pytest.param({"blocks.0.filter.x": torch.ones(1)}, "also blocks.0.filter.x$", id="odd"),
        pytest.param(
            {"blocks.1.filter.h": torch.ones(8, 1, 7)},
            r"blocks.1.filter.h of shape \(8, 1, 7\) instead of \(8, 1, 128\)",
            id="shape",
        ),
        pytest.param({"blocks.1.filter.h": "text"}, "tensors, found blocks.1.filter.h", id="kind"),
        pytest.param({7: torch.ones(1), "x": torch.ones(1)}, "also 7, x$", id="number"),
    ],
)
def test_weights_of_another_network_are_refused_by_name(folder, change, message):
    weights = torch.load(folder / "tiny.pt", weights_only=False) | change
    torch.save({key: x for key, x in weights.items() if x is not None}, folder / "tiny.pt")
    with pytest.raises(SchemaError, match=message):
        load(folder, tiny())


class Malicious:
    def __reduce__(self):
        return (exec, ("raise SystemExit",))


@pytest.mark.parametrize("content", [Malicious(), [1, 2]], ids=["code", "list"])
def test_what_is_no_dict_of_tensors_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "tiny.pt")
    with pytest.raises(SchemaError, match=r"tiny\.pt: expected"):
        load(tmp_path, tiny())


@pytest.mark.parametrize("length", [0, 3, 100, 5000, -1])
def test_a_part_of_a_file_is_refused(folder, length):
    path = folder / "tiny.pt"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(SchemaError, match="weights that torch saved"):
        load(folder, tiny())


@pytest.mark.parametrize(("error", "pickled"), PICKLES.values(), ids=PICKLES)
def test_a_damaged_file_is_refused_whatever_torch_says_of_it(tmp_path, error, pickled):
    path = write_damaged(tmp_path / "tiny.pt", pickled)
    with pytest.raises(error):
        torch.load(path, mmap=True, weights_only=True)
    with pytest.raises(SchemaError, match=r"tiny\.pt: expected weights that torch saved, found .+"):
        load(tmp_path, tiny())


def test_state_of_transformer_engine_is_not_needed_to_read_the_weights(folder, monkeypatch):
    recipe = ModuleType("transformer_engine.common.recipe")

    class DelayedScaling:
        __module__ = recipe.__name__

    DelayedScaling.__qualname__ = "DelayedScaling"
    recipe.DelayedScaling = DelayedScaling
    weights = torch.load(folder / "tiny.pt", weights_only=False)
    scaling = DelayedScaling()
    scaling.margin = 0
    weights["blocks.0.projections._extra_state"] = {"recipe": scaling}
    with monkeypatch.context() as patch:
        for name in ("transformer_engine", "transformer_engine.common", recipe.__name__):
            patch.setitem(sys.modules, name, recipe)
        torch.save(weights, folder / "tiny.pt")
    assert load(folder, tiny()).spec.name == "tiny"


def test_blocks_above_the_last_site_are_left_out(folder):
    whole, part = load(folder, tiny()), load(folder, tiny(), up_to="blocks.4.mlp")
    assert part.spec.sites == tuple(f"blocks.{i}" for i in range(5))
    tokens = tokens_of(50)
    site = "blocks.4.mlp"
    found = part.run(tokens, capture=[site])[site]
    assert torch.equal(found, whole.run(tokens, capture=[site])[site])
    with pytest.raises(InputError, match=r"all 8 blocks, found only blocks\.0 to blocks\.4"):
        part.log_probs(tokens)


def test_float16_is_refused(folder):
    with pytest.raises(InputError, match="dtype: expected bfloat16 or float32, found float16"):
        load(folder, tiny(), dtype="float16")


def test_blocks_are_spread_and_activations_follow_them(tmp_path):
    # meta stands for a second device: what it computes has no values, but a place
    config = tiny(mixers=("LI", "SE", "MR", "SE"))
    write_checkpoint(tmp_path / "tiny.pt", config)
    weights = read_checkpoint(tmp_path / "tiny.pt")
    network = make_network(
        config,
        weights,
        devices=[torch.device("cpu"), torch.device("meta")],
        dtype=torch.float32,
        last_block=3,
        where="here",
    )
    places = [{x.device.type for x in block.parameters()} for block in network.blocks]
    assert places == [{"cpu"}] * 2 + [{"meta"}] * 2
    assert {x.device.type for name, x in tensors(network) if "blocks" not in name} == {"cpu"}
    assert network.stream(tokens_of(9)).device.type == "meta"
    assert weights == {}


@pytest.mark.gpu
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_a_network_on_two_devices_gives_the_same(folder):
    tokens = tokens_of(200)
    site = "blocks.7"
    one, two = (load(folder, tiny(), device=d) for d in ("cuda:0", "cuda:0,cuda:1"))
    found = two.run(tokens, capture=[site])[site].cpu()
    assert torch.equal(found, one.run(tokens, capture=[site])[site].cpu())
    assert torch.equal(two.log_probs(tokens).cpu(), one.log_probs(tokens).cpu())


@pytest.mark.parametrize(
    ("name", "n_parameters", "attention"),
    [
        ("evo2_1b_base", 1_107_989_760, [3, 10, 17, 24]),
        ("evo2_7b_base", 6_481_059_584, [3, 10, 17, 24, 31]),
        ("evo2_7b_262k", 6_481_059_584, [3, 10, 17, 24, 31]),
        ("evo2_7b", 6_581_722_880, [3, 10, 17, 24, 31]),
        ("evo2_20b", 19_738_780_160, [3, 10, 17]),
        ("evo2_40b_base", 40_331_142_144, [3, 10, 17, 24, 31, 35, 42, 49]),
        ("evo2_40b", 41_117_574_144, [3, 10, 17, 24, 31, 35, 42, 49]),
    ],
)
def test_published_shapes(name, n_parameters, attention):
    config = EVO2[name].network
    with torch.device("meta"):
        network = StripedHyena(config)
    assert sum(x.numel() for x in network.parameters()) == n_parameters
    assert [i for i, mixer in enumerate(config.mixers) if mixer == "ATT"] == attention
    assert int(EVO2[name].default_site.removeprefix("blocks.")) < len(config.mixers)


def test_long_filters_of_the_7b_are_where_they_were_published():
    # published as hcl_layer_idxs, hcm_layer_idxs and hcs_layer_idxs of evo2-7b-1m.yml
    kinds = {
        "LI": [2, 6, 9, 13, 16, 20, 23, 27, 30],
        "MR": [1, 5, 8, 12, 15, 19, 22, 26, 29],
        "SE": [0, 4, 7, 11, 14, 18, 21, 25, 28],
    }
    mixers = EVO2["evo2_7b"].network.mixers
    for kind, blocks in kinds.items():
        assert [i for i, mixer in enumerate(mixers) if mixer == kind] == blocks


def test_every_published_model_is_registered():
    for name, preset in EVO2.items():
        entry = MODELS[name]
        assert (entry.context, entry.source) == (preset.context, f"arcinstitute/{name}")
        assert entry.licence == "Apache-2.0"


def test_the_two_long_7b_differ():
    short, long = EVO2["evo2_7b_262k"].network, EVO2["evo2_7b"].network
    assert (short.d_mlp, short.rotary_scale) == (11_008, 32)
    assert (long.d_mlp, long.rotary_scale) == (11_264, 128)


def test_fp8_is_told_once_and_only_where_it_matters(folder, caplog):
    warn_of_fp8.cache_clear()
    load(folder, tiny())
    assert caplog.messages == []
    for _ in range(2):
        load_preset(
            "tiny",
            Evo2Preset(tiny(), 64, "blocks.2", needs_fp8=True),
            LoadOptions(checkpoint=folder),
        )
    assert len(caplog.messages) == 1
    assert "tiny: its authors run the input projections" in caplog.messages[0]


def test_without_the_client_of_the_hub_the_way_by_hand_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    expected = r"pip install .*transformers.*hf download arcinstitute/evo2_7b .*not installed"
    with pytest.raises(InputError, match=expected):
        load_model("evo2_7b")


def test_weights_of_the_hub_are_found_with_their_commit_and_digest(folder, monkeypatch):
    digest, commit = "ab" * 32, "c" * 40
    (folder / "blobs").mkdir()
    blob = (folder / "tiny.pt").rename(folder / "blobs" / digest)
    snapshot = folder / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (snapshot / "tiny.pt").symlink_to(blob)
    hub = ModuleType("huggingface_hub")
    asked = []
    hub.snapshot_download = lambda *a, **k: asked.append((a, k)) or str(snapshot)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    preset = Evo2Preset(tiny(), 64, "blocks.2", needs_fp8=False)
    model = load_preset("tiny", preset, LoadOptions(revision="v1"))
    assert (model.spec.sha256, model.spec.revision) == (digest, commit)
    assert asked == [
        (("arcinstitute/tiny",), {"revision": "v1", "allow_patterns": ["tiny.pt", "tiny.pt.part*"]})
    ]


def test_an_unreachable_hub_is_told_in_one_line(monkeypatch):
    def fail(*_, **__):
        raise OSError("no network\nand much more")

    hub = ModuleType("huggingface_hub")
    hub.snapshot_download = fail
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    with pytest.raises(InputError, match=r"found no network$"):
        load_model("evo2_7b")


def test_tokens_of_evo2_are_bytes_and_probabilities_are_of_the_four_bases(folder):
    model = load(folder, tiny(), dtype="float32")
    assert model.tokenize(np.frombuffer(b"ACGTN", np.uint8)).ids.tolist() == [65, 67, 71, 84, 78]
    prefix = tokens_of(10)
    total = 0.0
    for base in b"ACGT":
        tokens = torch.cat([prefix, torch.full((1, 1), base)], dim=1)
        total += float(model.log_probs(tokens)[0, -1].exp())
    assert total == pytest.approx(1.0, abs=1e-5)
    unknown = torch.tensor([list(b"ACNRT")])
    assert model.log_probs(unknown)[0].isnan().tolist() == [False, True, True, False]
