import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.errors import ConfigError
from genointerp.model.tokenizer.kmer import KmerTokenizer, carbon_vocabulary, words
from tests.tiny_tokenizers import (
    as_bases,
    generator,
    nucleotide_transformer,
    numbered,
    random_text,
)

BASES = st.text("ACGTN", min_size=1, max_size=80)


def spelled(tokenizer, text, phase=0):
    """Tokens as (vocabulary spelling, bases covered)."""
    name = {i: token for token, i in tokenizer.vocab.items()}
    spans = tokenizer.encode(as_bases(text), phase=phase)
    return [
        (name[i], text[s:e] if s >= 0 else None)
        for i, s, e in zip(*(part.tolist() for part in spans), strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "phase", "expected"),
    [
        pytest.param("ACGTTG", 0, ["ACG", "TTG"], id="full-words"),
        pytest.param("ACGTT", 0, ["ACG", "T", "T"], id="remainder"),
        pytest.param("ACGTTGA", 1, ["A", "C", "GTT", "G", "A"], id="two-bases-before-the-grid"),
        pytest.param("ACGTTGA", 2, ["A", "CGT", "TGA"], id="one-base-before-the-grid"),
        pytest.param("ACNTTGACG", 0, ["A", "C", "N", "TTG", "ACG"], id="N-does-not-move-the-grid"),
        pytest.param("CA", 0, ["C", "A"], id="shorter-than-a-word"),
    ],
)
def test_words_lie_on_the_grid_and_single_bases_fill_the_rest(text, phase, expected):
    found = spelled(nucleotide_transformer(), text, phase)
    assert found == [("<cls>", None), *((token, token) for token in expected)]


def test_after_a_restart_words_follow_the_ambiguity_code():
    found = spelled(nucleotide_transformer(restart=True), "TACGTNACGTTG")
    assert [bases for _, bases in found[1:]] == ["TAC", "G", "T", "N", "ACG", "TTG"]


def test_the_phase_of_a_restarting_grid_is_that_of_its_first_stretch():
    found = spelled(nucleotide_transformer(restart=True), "TACGTNACG", phase=2)
    assert [bases for _, bases in found[1:]] == ["T", "ACG", "T", "N", "ACG"]


@pytest.mark.parametrize(
    ("text", "phase", "expected"),
    [
        pytest.param("ACGTTGAC", 0, [("ACG",) * 2, ("TTG",) * 2, ("<oov>", "AC")], id="remainder"),
        pytest.param("ACACG", 1, [("<oov>", "AC"), ("ACG",) * 2], id="partial-word-at-the-head"),
        pytest.param("ANGTTG", 0, [("<oov>", "ANG"), ("TTG",) * 2], id="word-with-N"),
        pytest.param("NNNNNN", 0, [("<oov>", "NNN"), ("<oov>", "NNN")], id="one-for-each-cell"),
    ],
)
def test_without_single_bases_a_cell_is_one_unknown_token(text, phase, expected):
    assert spelled(generator(), text, phase) == [("<s>", None), *expected]


def test_codes_that_the_vocabulary_lacks_share_an_unknown_token_within_a_cell():
    found = spelled(nucleotide_transformer(), "ARYNRYCCC")
    expected = [("A", "A"), ("<unk>", "RY"), ("N", "N"), ("<unk>", "RY"), ("CCC", "CCC")]
    assert found[1:] == expected


@given(text=BASES, start=st.integers(0, 40))
def test_windows_on_one_grid_agree_on_every_word_that_both_hold(text, start):
    start = min(start, len(text) - 1)
    for tokenizer in (nucleotide_transformer(), generator()):
        whole = tokenizer.encode(as_bases(text))
        part = tokenizer.encode(as_bases(text[start:]), phase=start % 3)
        edge = start + (-start) % 3
        late = whole.start >= edge
        same = part.start + start >= edge
        same &= part.start >= 0
        assert whole.ids[late].tolist() == part.ids[same].tolist()
        assert whole.start[late].tolist() == (part.start[same] + start).tolist()


@given(text=BASES, phase=st.integers(0, 2))
def test_every_cell_that_could_be_a_word_is_one(text, phase):
    spans = nucleotide_transformer().encode(as_bases(text), phase=phase)
    found = {
        (s, e) for s, e in zip(spans.start.tolist(), spans.end.tolist(), strict=True) if e - s > 1
    }
    expected = {
        (s, s + 3)
        for s in range(-phase % 3, len(text) - 2, 3)
        if set(text[s : s + 3]) <= set("ACGT")
    }
    assert found == expected


def test_ids_are_those_of_the_vocabulary_for_every_word():
    tokenizer = nucleotide_transformer(2)
    for word in words("ACGT", 2):
        assert tokenizer.encode(as_bases(word)).ids.tolist() == [3, tokenizer.vocab[word]]


def test_words_and_single_bases_are_dna_words_and_n_is_not():
    tokenizer = nucleotide_transformer(1 + 1)
    expected = [i for token, i in tokenizer.vocab.items() if not token.strip("ACGT")]
    assert tokenizer.word_ids.tolist() == expected
    assert len(expected) == 20
    # what is written behind a word is a word: single bases would leave the grid
    assert sorted(tokenizer.spelling.values()) == sorted(x.encode() for x in words("ACGT", 2))
    assert dict(tokenizer.base_ids) == {}
    assert tokenizer.mask_id == 2


def test_carbon_numbers_its_words_after_the_text_vocabulary():
    vocab = carbon_vocabulary()
    # the id of CCCCCC is stated in the authors' tokenizer; as text the same letters are 91,443
    assert (vocab["<dna>"], vocab["CCCCCC"], len(vocab)) == (151_669, 154_402, 4_099)
    tokenizer = KmerTokenizer("carbon", vocab, 6, "<oov>", ("<dna>",))
    spans = tokenizer.encode(as_bases("AAAAAACCCCCCG"))
    assert spans.ids.tolist() == [151_669, 151_672, 154_402, 151_671]
    assert spans.start.tolist() == [-1, 0, 6, 12]


def test_a_vocabulary_without_a_word_is_refused():
    vocab = numbered("<unk>", *words("ACGT", 2)[:-1])
    with pytest.raises(ConfigError, match="x: expected all 16 words of 2, found no TT"):
        KmerTokenizer("x", vocab, 2, "<unk>")


def test_a_long_sequence_is_read_in_a_moment():
    text = random_text(200_000, letters="ACGT")
    spans = nucleotide_transformer(6).encode(as_bases(text), phase=5)
    assert len(spans.ids) == 1 + 1 + 199_999 // 6 + 199_999 % 6
    assert np.array_equal(spans.start[1:], np.append(0, spans.end[1:-1]))
