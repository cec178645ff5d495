import math
from dataclasses import replace as with_changes

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from genointerp.core.errors import ConfigError, InputError, UnknownNameError
from genointerp.model.edits import replace
from genointerp.model.generation import SamplingConfig, generate
from genointerp.model.protocol import Edit, Symbols
from tests.model_kinds import make_hyena, make_transformers
from tests.tiny_tokenizers import as_bases, random_text
from tests.toy_model import ToyDnaModel

TOY = ToyDnaModel()
GREEDY = SamplingConfig(temperature=0.0)


def thinking(*logits):
    """An edit that makes the toy model expect the same of every base."""
    return replace("blocks.0", torch.tensor([*logits, 0.0, 0.0, 0.0, 0.0]))


def text_of(found):
    return found.bases.tobytes().decode()


def test_the_toy_model_repeats_the_last_base():
    (found,) = generate(TOY, [as_bases("ACG")], "NNN", config=GREEDY)
    assert text_of(found) == "GGG"
    assert found.tokens.ids.tolist() == [0, 1, 2, 2, 2, 2]
    assert found.tokens.start.tolist() == [0, 1, 2, 3, 4, 5]
    assert found.tokens.end.tolist() == [1, 2, 3, 4, 5, 6]
    assert found.first == 3
    np.testing.assert_allclose(found.log_p, math.log(math.e / (math.e + 3)), atol=1e-6)
    assert found.log_q.tolist() == [0.0] * 3


def test_the_state_after_a_token_decides_the_next_one():
    to_t = torch.tensor([0.0, 0, 0, 9, 0, 0, 0, 0])
    for token, expected in ((0, "TTTT"), (1, "ATTT"), (3, "AAAT"), (4, "AAAA")):
        edits = [replace("blocks.0", to_t, start=token, end=token + 1)]
        (found,) = generate(TOY, [as_bases("A")], "NNNN", config=GREEDY, edits=edits)
        assert text_of(found) == expected


def test_of_equally_probable_bases_the_greedy_one_is_the_first():
    (found,) = generate(TOY, [as_bases("A")], "NKN", config=GREEDY, edits=[thinking(0, 1, 1, 1)])
    assert text_of(found) == "CGC"


P = np.array([0.4, 0.3, 0.2, 0.1])


@pytest.mark.parametrize(
    ("config", "letter", "expected"),
    [
        pytest.param({}, "N", P, id="as it is"),
        pytest.param({"temperature": 0.5}, "N", P**2 / (P**2).sum(), id="cold"),
        pytest.param({"temperature": 2.0, "top_k": 3}, "N", P[:3] ** 0.5, id="hot, three"),
        # the two most probable of those that fit, not those of the two that do
        pytest.param({"top_k": 2}, "B", np.array([0, 0.3, 0.2]), id="template before top_k"),
        pytest.param({}, "K", np.array([0, 0, 0.2, 0.1]), id="template"),
    ],
)
def test_bases_are_as_frequent_as_they_are_probable(config, letter, expected):
    q = np.zeros(4)
    q[: len(expected)] = expected / expected.sum()
    edits = [thinking(*np.log(P))]
    prompts = [as_bases("A")] * 400
    found = generate(
        TOY, prompts, letter * 5, config=SamplingConfig(**config), edits=edits, batch=400
    )
    base = np.concatenate([row.tokens.ids[1:] for row in found])
    counts = np.bincount(base, minlength=4)
    assert counts[q == 0].sum() == 0
    assert chisquare(counts[q > 0], 2000 * q[q > 0]).pvalue > 0.01
    log_q, log_p = (np.concatenate([getattr(row, x) for row in found]) for x in ("log_q", "log_p"))
    np.testing.assert_allclose(log_q, np.log(q[base]), atol=1e-6)
    np.testing.assert_allclose(log_p, np.log(P[base]), atol=1e-6)


@pytest.fixture(scope="module")
def hyena():
    return make_hyena(None)


def test_a_sequence_depends_on_the_seed_and_its_own_stream(hyena):
    prompts = [as_bases(random_text(length, length)) for length in (7, 9, 7, 7, 9)]
    # hot, since the tiny model all but repeats its last base
    hot = SamplingConfig(temperature=5.0)
    found = [text_of(x) for x in generate(hyena, prompts, "N" * 16, config=hot, seed=3)]
    for batch in (1, 2):
        again = generate(hyena, prompts, "N" * 16, config=hot, seed=3, batch=batch)
        assert [text_of(x) for x in again] == found
    # the first sequences are the same when fewer are written, and begin alike when they are shorter
    fewer = [text_of(x) for x in generate(hyena, prompts[:2], "N" * 9, config=hot, seed=3)]
    assert fewer == [text[:9] for text in found[:2]]
    assert prompts[0].tolist() == prompts[2].tolist() == prompts[3].tolist()
    assert len(set(found)) == 5
    assert [
        text_of(x) for x in generate(hyena, prompts[:1], "N" * 16, config=hot, seed=4)
    ] != found[:1]


def test_edited_and_clean_sequences_use_the_same_random_numbers(hyena):
    prompts = [as_bases("ACGTAC")] * 4
    nothing = [Edit("blocks.3", lambda x: x)]
    late = [replace("blocks.3", torch.ones(16), start=12)]
    clean, same, edited = (
        [text_of(x) for x in generate(hyena, prompts, "N" * 20, edits=edits)]
        for edits in ((), nothing, late)
    )
    assert same == clean
    # token 12 decides the base after it: 6 of the prompt, then 7
    assert [text[:7] for text in edited] == [text[:7] for text in clean]
    assert edited != clean


def test_a_prompt_is_read_in_pieces(hyena, monkeypatch):
    prompt = as_bases(random_text(50))
    whole = generate(hyena, [prompt], "N" * 9)
    monkeypatch.setattr("genointerp.model.continuation._PIECE", 8)
    pieces = generate(hyena, [prompt], "N" * 9)
    assert text_of(pieces[0]) == text_of(whole[0])
    np.testing.assert_allclose(pieces[0].log_p, whole[0].log_p, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("family", ["llama", "mistral", "qwen3"])
def test_a_sequence_may_be_empty_where_a_token_begins_it(family, tmp_path_factory):
    model = make_transformers(family, tmp_path_factory)
    found = generate(model, [as_bases(""), as_bases("ACG")], "N" * 12)
    # what stands before the bases, and nothing that ends a sequence
    assert found[0].tokens.ids[: found[0].first].tolist() == [1]
    assert found[1].tokens.ids[0] == 1
    assert found[0].tokens.start[:2].tolist() == [-1, 0]
    assert all(x.tokens.end[-1] == len(x.bases) + n for x, n in zip(found, (0, 3), strict=True))


def test_a_prompt_that_cannot_be_continued_is_refused(tmp_path_factory):
    with pytest.raises(InputError, match=r"prompt 1: expected one base or more, .* found none"):
        generate(TOY, [as_bases("A"), as_bases("")], "N")
    words = make_transformers("llama", tmp_path_factory)
    with pytest.raises(InputError, match=r"prompt 0: expected a multiple of 3 bases, .* found 4"):
        generate(words, [as_bases("ACGT")], "NNN")


def test_nothing_is_written_without_prompts():
    assert generate(TOY, [], "N") == []


def test_what_has_no_probability_is_not_written():
    def without_c(x):
        return x.index_fill(2, torch.tensor([1]), -math.inf)

    def broken(x):
        return torch.full_like(x, math.nan)

    (found,) = generate(TOY, [as_bases("A")], "N" * 50, edits=[Edit("blocks.0", without_c)])
    assert "C" not in text_of(found)
    none, nan = "a probability above 0 .* none", "finite probabilities, found nan"
    for function, letter, message in ((without_c, "C", none), (broken, "N", nan)):
        with pytest.raises(InputError, match=f"generation: expected .*{message}"):
            generate(TOY, [as_bases("A")], letter, edits=[Edit("blocks.0", function)])


def test_a_temperature_near_0_is_greedy():
    cold = SamplingConfig(temperature=1e-300)
    (found,) = generate(TOY, [as_bases("ACG")], "NNN", config=cold)
    assert text_of(found) == "GGG"


@pytest.mark.parametrize("temperature", [-1.0, math.nan, math.inf])
def test_a_temperature_is_a_finite_number(temperature):
    with pytest.raises(ConfigError, match="sampling: temperature: expected a finite temperature"):
        SamplingConfig(temperature=temperature)


def test_sizes_are_1_or_more():
    with pytest.raises(ConfigError, match="sampling: top_k: expected 1 or more, or None, found 0"):
        SamplingConfig(top_k=0)
    with pytest.raises(InputError, match="batch: expected at least 1 sequence, found 0"):
        generate(TOY, [as_bases("A")], "N", batch=0)


def test_an_edit_at_no_site_is_refused():
    with pytest.raises(UnknownNameError, match=r"blocks\.9"):
        generate(TOY, [as_bases("A")], "N", edits=[Edit("blocks.9", torch.neg)])


def test_a_template_of_words_restricts_their_letters():
    class Words(ToyDnaModel):
        symbols = Symbols(np.arange(4), (b"AC", b"GT", b"A", b""))
        spec = with_changes(ToyDnaModel.spec, bases_per_token=0)

    edits = [thinking(0.0, 0.0, 0.0, 9.0)]
    found = generate(Words(), [as_bases("A")] * 20, "RNW", edits=edits)
    # rows of few words wait for the others; the last symbol spells nothing, however probable
    words = {"ACA": 2, "AGT": 2, "GTA": 2, "AAA": 3}
    assert {text_of(x): len(x.log_p) for x in found} == words
