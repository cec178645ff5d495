"""Each family against transformers' own forward pass, on tiny random weights."""

import pytest
import torch
from torch import nn

from genointerp.core.errors import InputError, UnknownNameError
from genointerp.model.protocol import DnaModel, Edit
from genointerp.model.registry import load_model
from tests.tiny_tokenizers import as_bases, random_text
from tests.tiny_transformers import CAUSAL, MASKED, WINDOW, save_tiny

transformers = pytest.importorskip(
    "transformers", reason='needs pip install "genointerp[transformers]"'
)
LAST = "blocks.3"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {}

    def folder(family):
        if family not in made:
            made[family] = save_tiny(family, tmp_path_factory.mktemp(family))
        return made[family]

    return folder


@pytest.fixture(scope="module", params=CAUSAL)
def causal(request, folders):
    return load_model(str(folders(request.param)))


@pytest.fixture(scope="module", params=MASKED)
def masked(request, folders):
    return load_model(str(folders(request.param)))


@pytest.fixture(scope="module", params=[*CAUSAL, *MASKED])
def family(request):
    return request.param


@pytest.fixture(scope="module")
def model(family, folders):
    return load_model(str(folders(family)))


def tokens_of(model, bases=150, batch=2):
    """Windows of equally many tokens, whatever merges make of them."""
    rows = [model.tokenize(as_bases(random_text(bases, seed=i))).ids for i in range(batch)]
    shortest = min(map(len, rows))
    return torch.stack([torch.from_numpy(row[:shortest]) for row in rows])


def reference(folder, family):
    kind = "AutoModelForCausalLM" if family in CAUSAL else "AutoModelForMaskedLM"
    # the slow kernel that only multiplies and sums: none of those that are tested
    auto = getattr(transformers, kind)
    return auto.from_pretrained(folder, attn_implementation="eager").eval()


def close(found, expected):
    assert found.shape == expected.shape
    assert float((found - expected).abs().max() / expected.abs().max()) < 1e-5


@torch.no_grad()
def test_the_residual_stream_is_that_of_transformers(family, folders, model):
    tokens = tokens_of(model)
    network = reference(folders(family), family)
    out = network(tokens, output_hidden_states=True, use_cache=False)
    found = model.run(tokens, capture=model.spec.sites)
    assert list(model.spec.sites) == ["blocks.0", "blocks.1", "blocks.2", "blocks.3"]
    for index in range(3):
        close(found[f"blocks.{index}"], out.hidden_states[index + 1])
    # transformers gives the last one only behind the final norm
    trunk = network.base_model
    norm = {
        "esm": lambda: trunk.encoder.emb_layer_norm_after,
        "modernbert": lambda: trunk.final_norm,
    }.get(family.partition("-")[0], lambda: trunk.norm)()
    close(norm(found[LAST]), out.hidden_states[-1])
    assert not torch.allclose(found[LAST], out.hidden_states[-1], atol=0.1)


def test_mixer_and_mlp_are_what_a_block_adds_to_the_stream(model):
    tokens = tokens_of(model)
    parts = ["blocks.1", "blocks.2.mixer", "blocks.2.mlp"]
    found = model.run(tokens, capture=[*parts, "blocks.2"])
    close(sum(found[part] for part in parts), found["blocks.2"])
    assert min(float(found[part].abs().max()) for part in parts) > 0.1


def test_a_model_is_of_the_protocol(family, model):
    assert isinstance(model, DnaModel)
    spec = model.spec
    assert (spec.reads, spec.chunked) == (("left", True) if family in CAUSAL else ("both", False))
    assert (spec.default_site, spec.d_site, spec.dtype) == ("blocks.2", 32, "float32")
    assert spec.attention_backend == "torch-sdpa-cpu"


@pytest.mark.parametrize(
    ("family", "bases_per_token", "context", "before", "after"),
    [
        ("llama", 3, 1536, 1, 0),
        ("mistral", 0, 512, 1, 1),
        ("mixtral", 1, 512, 1, 0),
        ("esm", 3, 384, 1, 0),
    ],
)
def test_tokens_and_context_are_those_of_the_tokenizer(
    folders, family, bases_per_token, context, before, after
):
    model = load_model(str(folders(family)))
    assert (model.spec.bases_per_token, model.spec.context) == (bases_per_token, context)
    start = model.tokenize(as_bases("ACGTTGCAAGCT")).start
    assert (start[:before] == -1).all()
    assert (start[len(start) - after :] == -1).all()
    assert (start == -1).sum() == before + after


def test_special_tokens_have_activations_as_others_have(model):
    ids = model.tokenize(as_bases(random_text(30))).ids
    found = model.run(torch.from_numpy(ids)[None], capture=["blocks.0"])["blocks.0"]
    assert found.shape == (1, len(ids), 32)


@pytest.mark.parametrize("site", ["blocks.1", "blocks.1.mixer", "blocks.1.mlp"])
def test_nothing_above_the_last_site_is_computed(model, site):
    tokens = tokens_of(model)
    expected = model.run(tokens, capture=[site, LAST])[site]

    def fail(_module, _inputs):
        raise AssertionError("computed")

    above = model._sites["blocks.2"]
    handle = above.register_forward_pre_hook(fail)
    try:
        found = model.run(tokens, capture=[site])[site]
    finally:
        handle.remove()
    assert torch.equal(found, expected)


def test_blocks_above_a_site_need_not_be_loaded(family, folders, model):
    tokens = tokens_of(model)
    low = load_model(str(folders(family)), up_to="blocks.1")
    for site in ("blocks.0", "blocks.1", "blocks.1.mlp"):
        assert torch.equal(
            low.run(tokens, capture=[site])[site], model.run(tokens, capture=[site])[site]
        )
    assert low.spec.sites == ("blocks.0", "blocks.1")
    assert low.spec.default_site == "blocks.1"
    assert low.spec.sha256 == model.spec.sha256
    weights = [sum(w.numel() for w in m.loaded.network.parameters()) for m in (low, model)]
    assert weights[0] < 0.7 * weights[1]
    with pytest.raises(UnknownNameError, match=r"blocks\.2"):
        low.run(tokens, capture=["blocks.2"])


def test_a_model_without_its_upper_blocks_has_no_likelihood(folders):
    low = load_model(str(folders("llama")), up_to="blocks.1.mixer")
    with pytest.raises(InputError, match=r"expected a whole model, found .* blocks\.1\.mixer"):
        low.log_probs(tokens_of(low))


def pieces(model, tokens, chunk, capture, edits=()):
    found = list(model.prefill(tokens, chunk=chunk, capture=capture, edits=edits))
    assert [piece.start for piece in found] == list(range(0, tokens.shape[1], chunk))
    return {site: torch.cat([piece.activations[site] for piece in found], 1) for site in capture}


@pytest.mark.parametrize("chunk", [1, 7, 20, 1000])
def test_chunks_are_one_pass(causal, chunk):
    tokens = tokens_of(causal)
    assert tokens.shape[1] > 3 * WINDOW
    capture = ["blocks.0", "blocks.2.mixer", "blocks.2.mlp", LAST]
    found = pieces(causal, tokens, chunk, capture)
    for site, expected in causal.run(tokens, capture=capture).items():
        close(found[site], expected)


@pytest.mark.parametrize("chunk", [1, 7, 20])
def test_edits_fall_on_the_same_tokens_in_chunks(causal, chunk):
    tokens = tokens_of(causal)
    edits = [
        Edit("blocks.0.mixer", torch.zeros_like, start=5, end=12),
        Edit("blocks.1", lambda x: x + 1, start=9),
    ]
    found = pieces(causal, tokens, chunk, ["blocks.1", LAST], edits)
    for site, expected in causal.run(tokens, capture=["blocks.1", LAST], edits=edits).items():
        close(found[site], expected)
    untouched = causal.run(tokens, capture=[LAST])[LAST]
    close(found[LAST][:, :5], untouched[:, :5])
    assert not torch.allclose(found[LAST][:, 5:], untouched[:, 5:], atol=1e-3)


@pytest.mark.parametrize("chunk", [None, 1, 5, 20])
@pytest.mark.parametrize("family", ["mistral", "qwen3"])
def test_a_token_sees_no_further_back_than_the_sliding_window(folders, family, chunk):
    model = load_model(str(folders(family)))
    tokens = tokens_of(model)

    def first_block(ids):
        if chunk is None:
            return model.run(ids, capture=["blocks.0"])["blocks.0"]
        return pieces(model, ids, chunk, ["blocks.0"])["blocks.0"]

    changed = tokens.clone()
    changed[:, 10] = torch.where(tokens[:, 10] == 4, 5, 4)
    differs = (first_block(tokens) - first_block(changed)).abs().amax((0, 2)) > 1e-6
    assert differs.nonzero()[:, 0].tolist() == list(range(10, 10 + WINDOW))


@torch.no_grad()
def test_probabilities_are_those_of_transformers_over_dna_alone(causal, folders, request):
    family = request.node.callspec.params["causal"]
    tokens = tokens_of(causal)
    logits = reference(folders(family), family)(tokens, use_cache=False).logits
    words = causal.loaded.tokenizer.word_ids.tolist()
    expected = logits[:, :-1, words].log_softmax(-1)
    found = causal.log_probs(tokens)
    assert found.shape == (2, tokens.shape[1] - 1)
    for i in range(tokens.shape[1] - 1):
        for row in range(2):
            if int(tokens[row, i + 1]) in words:
                wanted = expected[row, i, words.index(int(tokens[row, i + 1]))]
                close(found[row, i], wanted)
            else:
                assert found[row, i].isnan()
    assert not found[:, : tokens.shape[1] - 3].isnan().any()


def test_special_and_unknown_tokens_have_no_probability(folders):
    model = load_model(str(folders("mixtral")))
    ids = torch.from_numpy(model.tokenize(as_bases("ACNGT")).ids)[None]
    assert ids.tolist() == [[1, 3, 4, 7, 5, 6]]
    assert model.log_probs(ids)[0].isnan().tolist() == [False, False, True, False, False]


def test_logits_in_pieces_are_logits_at_once(causal, monkeypatch):
    tokens = tokens_of(causal)
    expected = causal.log_probs(tokens)
    monkeypatch.setattr("genointerp.model.transformers.causal._LOGIT_TOKENS", 7)
    torch.testing.assert_close(causal.log_probs(tokens), expected, equal_nan=True)


def test_a_masked_token_depends_on_what_follows_it(masked):
    tokens = tokens_of(masked)
    changed = tokens.clone()
    changed[:, 12] = torch.where(tokens[:, 12] == 20, 21, 20)
    before, after = (masked.run(ids, capture=[LAST])[LAST] for ids in (tokens, changed))
    assert not torch.allclose(before[:, 11], after[:, 11], atol=1e-3)


def test_a_masked_model_has_neither_chunks_nor_a_likelihood(masked):
    tokens = tokens_of(masked)
    with pytest.raises(InputError, match="expected a model that reads from left to right"):
        masked.prefill(tokens, chunk=4, capture=[LAST])
    with pytest.raises(InputError, match="expected a model with a left-to-right likelihood"):
        masked.log_probs(tokens)


def test_more_tokens_than_positions_are_refused(folders):
    model = load_model(str(folders("esm")))
    tokens = torch.full((1, 128), 10)
    assert model.run(tokens, capture=["blocks.0"])["blocks.0"].shape == (1, 128, 32)
    with pytest.raises(InputError, match=r"at most the 128 tokens .*, found 129"):
        model.run(torch.full((1, 129), 10), capture=["blocks.0"])


def hooks_of(model):
    modules = model.loaded.network.modules()
    return sum(len(module._forward_hooks) for module in modules)


def test_an_edit_that_fails_leaves_the_model_as_it_was(model):
    def fail(x):
        raise KeyError("edit")

    tokens = tokens_of(model)
    before, hooks = model.run(tokens, capture=[LAST])[LAST], hooks_of(model)
    with pytest.raises(KeyError):
        model.run(tokens, capture=[LAST], edits=[Edit("blocks.1.mlp", fail)])
    if model.spec.chunked:
        chunks = model.prefill(tokens, chunk=5, capture=[LAST], edits=[Edit("blocks.0", fail, 7)])
        next(chunks)
        with pytest.raises(KeyError):
            next(chunks)
    assert hooks_of(model) == hooks == 0
    assert torch.equal(model.run(tokens, capture=[LAST])[LAST], before)


def test_between_chunks_the_model_is_free(causal):
    tokens = tokens_of(causal)
    expected = causal.run(tokens, capture=[LAST])[LAST]
    chunks = causal.prefill(
        tokens, chunk=9, capture=[LAST], edits=[Edit("blocks.0", torch.zeros_like)]
    )
    next(chunks)
    assert hooks_of(causal) == 0
    assert not torch.is_inference_mode_enabled()
    assert torch.equal(causal.run(tokens, capture=[LAST])[LAST], expected)


@pytest.mark.parametrize("call", ["run", "prefill"])
def test_an_unknown_site_is_named_at_the_call(causal, call):
    options = {"chunk": 4} if call == "prefill" else {}
    with pytest.raises(UnknownNameError, match=r"blocks\.99"):
        getattr(causal, call)(tokens_of(causal), capture=["blocks.99"], **options)


def test_a_chunk_holds_a_token_at_least(causal):
    with pytest.raises(InputError, match="chunk: expected at least 1 token, found 0"):
        causal.prefill(tokens_of(causal), chunk=0, capture=[LAST])


def test_weights_do_not_learn_and_dropout_is_off(model):
    assert not model.loaded.network.training
    assert not any(weight.requires_grad for weight in model.loaded.network.parameters())


def test_half_precision_is_close_to_full(family, folders, model):
    half = load_model(str(folders(family)), dtype="bfloat16")
    assert half.spec.dtype == "bfloat16"
    tokens = tokens_of(model)
    expected, found = (m.run(tokens, capture=["blocks.1"])["blocks.1"] for m in (model, half))
    assert found.dtype == torch.bfloat16
    error = (found.float() - expected).norm() / expected.norm()
    assert 0 < float(error) < 0.05


def test_windowed_attention_is_a_softmax_over_the_window():
    from genointerp.model.transformers.attention import windowed_attention

    generator = torch.Generator().manual_seed(0)
    query = torch.randn(1, 4, 9, 4, generator=generator)
    key, value = (torch.randn(1, 2, 13, 4, generator=generator) for _ in range(2))
    found = windowed_attention(query, key, value, window=5)
    key, value = (x[:, [0, 0, 1, 1]] for x in (key, value))
    for i in range(9):
        seen = slice(max(0, 4 + i - 4), 4 + i + 1)
        scores = (query[:, :, i : i + 1] @ key[:, :, seen].transpose(2, 3)) / 2
        close(found[:, :, i : i + 1], nn.functional.softmax(scores, -1) @ value[:, :, seen])
