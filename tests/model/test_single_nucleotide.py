import numpy as np
import pytest
import torch

from genointerp.core.errors import InputError, SchemaError, UnknownNameError
from genointerp.model.edits import add, replace
from genointerp.model.hyena.folder import save_model
from genointerp.model.hyena.network import HyenaConfig, StripedHyena, initialise
from genointerp.model.protocol import Edit
from genointerp.model.registry import MODELS, load_model

CONFIG = HyenaConfig(
    vocab_size=8,
    d_model=16,
    d_mlp=24,
    mixers=("SE", "MR", "LI", "ATT"),
    n_heads=2,
    n_filter_groups=4,
)
SHIPPED = [name for name, entry in MODELS.items() if entry.source == "shipped"]


@pytest.fixture
def network():
    made = StripedHyena(CONFIG)
    initialise(made, torch.Generator().manual_seed(0))
    return made


@pytest.fixture
def folder(network, tmp_path):
    place = tmp_path / "tiny"
    save_model(network, place, name="tiny", context=64, default_site="blocks.2", licence="MIT")
    return place


@pytest.fixture
def model(folder):
    return load_model(str(folder))


def tokens_of(batch, length, seed=0):
    return torch.randint(0, 4, (batch, length), generator=torch.Generator().manual_seed(seed))


def gathered(chunks):
    """Join the activations of chunks, which must follow on one another."""
    parts, start = {}, 0
    for chunk in chunks:
        assert chunk.start == start
        for site, x in chunk.activations.items():
            parts.setdefault(site, []).append(x)
        start += x.shape[1]
    return {site: torch.cat(xs, dim=1) for site, xs in parts.items()}


def relative_error(found, expected):
    return float((found - expected).norm() / expected.norm())


def test_the_spec_says_what_the_model_is(model):
    spec = model.spec
    assert spec.sites == ("blocks.0", "blocks.1", "blocks.2", "blocks.3")
    assert (spec.reads, spec.chunked, spec.bases_per_token) == ("left", True, 1)
    assert (spec.dtype, spec.licence, spec.d_site) == ("float32", "MIT", 16)
    assert spec.attention_backend == "torch-sdpa-cpu"


def test_early_exit_gives_the_values_of_the_whole_pass(model):
    tokens = tokens_of(2, 30)
    everything = model.run(tokens, capture=list(model.spec.sites))
    for site in model.spec.sites:
        assert torch.equal(model.run(tokens, capture=[site])[site], everything[site])


def test_nothing_above_the_site_is_computed(model):
    ran = []
    handle = model.network.blocks[3].register_forward_hook(lambda *_: ran.append(3))
    model.run(tokens_of(1, 8), capture=["blocks.1"])
    list(model.prefill(tokens_of(1, 8), chunk=3, capture=["blocks.1"]))
    handle.remove()
    assert ran == []


def test_a_block_adds_its_mixer_and_its_mlp_to_the_stream(model):
    sites = ["blocks.0", "blocks.1.mixer", "blocks.1.mlp", "blocks.1"]
    found = model.run(tokens_of(2, 30), capture=sites)
    total = found["blocks.0"] + found["blocks.1.mixer"] + found["blocks.1.mlp"]
    assert torch.allclose(total, found["blocks.1"], atol=1e-6)


@pytest.mark.parametrize("chunk", [1, 3, 39, 150, 151])
def test_chunks_equal_one_pass_at_every_site(model, chunk):
    tokens = tokens_of(2, 150)
    sites = ["blocks.0.mixer", "blocks.1", "blocks.2", "blocks.2.mlp", "blocks.3"]
    whole = model.run(tokens, capture=sites)
    found = gathered(model.prefill(tokens, chunk=chunk, capture=sites))
    assert set(found) == set(sites)
    for site in sites:
        assert relative_error(found[site], whole[site]) <= 1e-5


def test_chunks_of_the_shipped_model_equal_one_pass(phix174):
    model = load_model("nano")
    tokens = torch.from_numpy(model.tokenize(phix174.sequence).ids)[None, :1000]
    site = model.spec.default_site
    found = gathered(model.prefill(tokens, chunk=339, capture=[site]))[site]
    assert relative_error(found, model.run(tokens, capture=[site])[site]) <= 1e-5


def test_an_edit_of_a_range_is_the_same_in_chunks_and_in_one_pass(model):
    tokens = tokens_of(1, 100)
    edits = [
        add("blocks.0", torch.ones(16), start=35, end=62),
        replace("blocks.1.mixer", torch.arange(160.0).view(10, 16) / 80, start=55, end=65),
    ]
    whole = model.run(tokens, capture=["blocks.3"], edits=edits)["blocks.3"]
    chunks = model.prefill(tokens, chunk=20, capture=["blocks.3"], edits=edits)
    found = gathered(chunks)["blocks.3"]
    assert relative_error(found, whole) <= 1e-5
    clean = model.run(tokens, capture=["blocks.3"])["blocks.3"]
    assert torch.allclose(whole[:, :35], clean[:, :35], atol=1e-5)
    assert not torch.allclose(whole[:, 35:], clean[:, 35:], atol=1e-2)


def test_two_readings_at_once_do_not_meet(model):
    tokens = tokens_of(1, 60)
    first = model.prefill(tokens, chunk=20, capture=["blocks.3"])
    second = model.prefill(tokens.flip(1), chunk=30, capture=["blocks.3"])
    pieces = [next(first), next(second), next(first), next(second), next(first)]
    found = gathered(pieces[::2])["blocks.3"]
    whole = model.run(tokens, capture=["blocks.3"])["blocks.3"]
    assert relative_error(found, whole) <= 1e-5


def test_a_reading_that_is_left_early_leaves_nothing_behind(model):
    tokens = tokens_of(1, 40)
    clean = model.log_probs(tokens)
    reading = model.prefill(
        tokens, chunk=10, capture=["blocks.2"], edits=[Edit("blocks.0", torch.zeros_like)]
    )
    next(reading)
    assert torch.equal(model.log_probs(tokens), clean)
    assert not torch.is_inference_mode_enabled()


def test_blocks_above_the_site_keep_no_keys(model, monkeypatch):
    states = []
    make = model.network.states
    monkeypatch.setattr(model.network, "states", lambda n: states.append(make(n)) or states[-1])
    list(model.prefill(tokens_of(1, 40), chunk=10, capture=["blocks.2"]))
    assert states[0][3].n_tokens == 0
    list(model.prefill(tokens_of(1, 40), chunk=10, capture=["blocks.3.mixer"]))
    assert states[1][3].n_tokens == 40


@pytest.mark.parametrize("chunk", [0, -1])
def test_a_chunk_holds_at_least_a_token(model, chunk):
    with pytest.raises(InputError, match=f"chunk: expected at least 1 token, found {chunk}"):
        model.prefill(tokens_of(1, 4), chunk=chunk, capture=["blocks.0"])


def test_an_edit_changes_what_follows_and_leaves_the_model_as_found(model):
    tokens = tokens_of(1, 20)
    clean = model.log_probs(tokens)
    edited = model.log_probs(tokens, edits=[Edit("blocks.1", torch.zeros_like)])
    assert not torch.allclose(clean, edited)
    assert torch.equal(model.log_probs(tokens), clean)


def test_the_model_is_left_as_found_when_an_edit_fails(model):
    def fail(_x):
        raise RuntimeError("no")

    tokens = tokens_of(1, 20)
    clean = model.log_probs(tokens)
    with pytest.raises(RuntimeError, match="no"):
        model.log_probs(tokens, edits=[Edit("blocks.0", fail)])
    assert torch.equal(model.log_probs(tokens), clean)


def test_log_probs_are_a_distribution_over_four_bases(model):
    prefix = tokens_of(1, 10)
    total = 0.0
    for base in range(4):
        last = torch.full((1, 1), base)
        total += float(model.log_probs(torch.cat([prefix, last], dim=1))[0, -1].exp())
    assert total == pytest.approx(1.0, abs=1e-5)


def test_log_probs_of_an_unknown_base_are_nan(model):
    tokens = tokens_of(1, 10)
    tokens[0, 5] = 4
    assert torch.isnan(model.log_probs(tokens))[0].tolist() == [i == 4 for i in range(9)]


@pytest.mark.parametrize("method", ["run", "prefill"])
def test_an_unknown_site_names_those_that_there_are(model, method):
    options = {"chunk": 2} if method == "prefill" else {}
    with pytest.raises(UnknownNameError, match=r"blocks\.0.*blocks\.1.*found 'blocks\.9'"):
        getattr(model, method)(tokens_of(1, 4), capture=["blocks.9"], **options)


def test_a_model_may_be_loaded_in_half_precision_and_without_its_last_blocks(folder):
    whole = load_model(str(folder), dtype="bfloat16")
    part = load_model(str(folder), dtype="bfloat16", up_to="blocks.1")
    assert (part.spec.dtype, part.spec.sites) == ("bfloat16", ("blocks.0", "blocks.1"))
    assert part.spec.default_site == "blocks.1"
    found = part.run(tokens_of(1, 9), capture=["blocks.1"])["blocks.1"]
    assert torch.equal(found, whole.run(tokens_of(1, 9), capture=["blocks.1"])["blocks.1"])
    with pytest.raises(InputError, match=r"log_probs: expected .* all 4 blocks"):
        part.log_probs(tokens_of(1, 9))


def test_weights_of_another_network_are_refused(folder):
    path = folder / "config.json"
    path.write_text(path.read_text().replace('"LI"', '"MR"'))
    with pytest.raises(SchemaError, match="parameters of the configured network"):
        load_model(str(folder))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_model_is_better_than_chance_on_real_dna(name, phix174):
    model = load_model(name)
    tokens = torch.from_numpy(model.tokenize(phix174.sequence).ids)[None, :1024]
    bits = -float(model.log_probs(tokens).mean()) / np.log(2)
    assert 1.0 < bits < 2.0


@pytest.mark.parametrize("first", [0, 9, 30])
@pytest.mark.parametrize("site", ["blocks.0", "blocks.1", "blocks.2", "blocks.3"])
def test_going_on_from_a_block_is_the_whole_run_with_its_output_replaced(model, site, first):
    tokens = tokens_of(1, 30).expand(3, -1)
    x = model.run(tokens, capture=[site])[site].clone()
    x[:, first:] += torch.randn(x[:, first:].shape, generator=torch.Generator().manual_seed(1))
    expected = model.log_probs(tokens, edits=[replace(site, x)])
    found = model.log_probs_from(site, x, tokens, first=first)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_a_model_goes_on_from_blocks_alone(model):
    x, tokens = torch.zeros(1, 4, 16), tokens_of(1, 4)
    with pytest.raises(UnknownNameError, match=r"one of blocks.0, .*found 'blocks.0.mlp'"):
        model.log_probs_from("blocks.0.mlp", x, tokens)


def test_a_model_without_its_last_blocks_cannot_go_on(folder):
    short = load_model(str(folder), up_to="blocks.1")
    with pytest.raises(InputError, match="a model loaded with all 4 blocks"):
        short.log_probs_from("blocks.0", torch.zeros(1, 4, 16), tokens_of(1, 4))
