"""Gradients by hand on a linear toy, and what refuses to give any."""

import pytest
import torch

from genointerp.core.errors import InputError
from genointerp.model.edits import add, clamp
from genointerp.model.hyena.single_nucleotide import SingleNucleotideModel
from genointerp.model.protocol import EMBEDDING, Edit, SiteActivations
from genointerp.model.registry import load_model
from tests.tiny_tokenizers import as_bases
from tests.toy_model import ToyDnaModel

MODEL = ToyDnaModel()
TOKENS = torch.from_numpy(MODEL.tokenize(as_bases("ACGTTGCAAC")).ids)[None]


def gradient(y, *inputs):
    return torch.autograd.grad(y, inputs)


def test_the_gradient_of_a_logit_is_1_at_the_base_that_it_repeats():
    traced = MODEL.trace(TOKENS, capture=[EMBEDDING, "blocks.0"])
    # logits of T behind token 4, which is T: 1 for the one-hot of T there, 0 for all else
    at_base, at_site = gradient(
        traced.logits[0, 4, 3], traced.activations[EMBEDDING], traced.activations["blocks.0"]
    )
    expected = torch.zeros(1, 10, 4)
    expected[0, 4, 3] = 1
    assert torch.equal(at_base, expected)
    assert torch.equal(at_site[..., :4], expected)
    assert not at_site[..., 4:].any()


def test_the_gradient_of_a_mean_over_8_bases_is_an_eighth_at_each():
    traced = MODEL.trace(TOKENS, capture=[EMBEDDING, "blocks.0"], logits=False)
    (found,) = gradient(traced.activations["blocks.0"][0, 8, 4], traced.activations[EMBEDDING])
    expected = torch.zeros(1, 10, 4)
    # the GC share behind base 8 is of bases 1 to 8, and the same for a C and a G
    expected[0, 1:9, 1:3] = 1 / 8
    assert torch.equal(found, expected)


def test_edits_scale_gradients_and_cut_them():
    edits = [Edit("blocks.0.mixer", lambda x: 3 * x), clamp("blocks.0", torch.eye(8)[0], 2.0)]
    traced = MODEL.trace(TOKENS, capture=[EMBEDDING, "blocks.0"], edits=edits)
    x = traced.activations["blocks.0"]
    (share,) = torch.autograd.grad(x[0, 9, 4], traced.activations[EMBEDDING], retain_graph=True)
    assert share[0, 2:, 1].tolist() == [3 / 8] * 8
    # what is clamped does not depend on the base any more
    (clamped,) = gradient(x[0, :, 0].sum(), traced.activations[EMBEDDING])
    assert not clamped.any()
    assert x[0, :, 0].tolist() == [2.0] * 10


def test_a_pass_from_a_mixture_of_two_sequences_gives_the_mixture_of_their_values():
    other = TOKENS.flip(1)
    first, second = (
        MODEL.trace(tokens, capture=[EMBEDDING], logits=False).activations[EMBEDDING].detach()
        for tokens in (TOKENS, other)
    )
    mixed = SiteActivations(EMBEDDING, 0.25 * first + 0.75 * second)
    found = MODEL.trace(TOKENS, begin=mixed).logits
    expected = 0.25 * MODEL.trace(TOKENS).logits + 0.75 * MODEL.trace(other).logits
    assert torch.equal(found, expected)


def test_an_edit_that_was_used_without_gradients_may_be_used_with_them():
    edit = clamp("blocks.0", torch.ones(8), 1.0)
    push = add("blocks.0", torch.ones(8))
    plain = MODEL.run(TOKENS, capture=["blocks.0"], edits=[edit, push])["blocks.0"]
    traced = MODEL.trace(TOKENS, capture=[EMBEDDING, "blocks.0"], edits=[edit, push])
    assert torch.equal(traced.activations["blocks.0"], plain)
    (found,) = gradient(
        traced.activations["blocks.0"].square().sum(), traced.activations[EMBEDDING]
    )
    assert found.any()


def test_half_precision_has_no_gradients():
    half = load_model("nano", dtype="bfloat16")
    message = "gradients: expected a model loaded with dtype float32; .*, found nano in bfloat16"
    with pytest.raises(InputError, match=message):
        half.trace(TOKENS)


def test_a_model_without_its_last_blocks_has_activations_in_the_graph_but_no_logits():
    whole, short = load_model("nano"), load_model("nano", up_to="blocks.1")
    assert isinstance(short, SingleNucleotideModel)
    expected = whole.trace(TOKENS, capture=["blocks.1"], logits=False).activations["blocks.1"]
    found = short.trace(TOKENS, capture=["blocks.1"], logits=False).activations["blocks.1"]
    assert torch.equal(found, expected)
    with pytest.raises(InputError, match="expected a model loaded with all 7 blocks"):
        short.trace(TOKENS)


def test_only_the_blocks_above_the_beginning_run(monkeypatch):
    model = load_model("nano")
    x = model.run(TOKENS, capture=["blocks.4"])["blocks.4"]
    ran = []
    for i, block in enumerate(model.network.blocks):
        forward = block.forward
        monkeypatch.setattr(
            block, "forward", lambda *a, i=i, forward=forward: ran.append(i) or forward(*a)
        )
    model.trace(TOKENS, begin=SiteActivations("blocks.4", x))
    assert ran == [5, 6]
