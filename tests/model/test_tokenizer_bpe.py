import json
import sys

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from genointerp.core.errors import ConfigError, InputError, SchemaError, SequenceError
from genointerp.model.tokenizer.bpe import BpeTokenizer, read_bpe
from tests.tiny_tokenizers import as_bases, random_text, train_bpe

pytest.importorskip("tokenizers", reason='needs pip install "genointerp[transformers]"')

TRAINED = train_bpe(unknown="[UNK]")
PLAIN = BpeTokenizer("bpe", TRAINED, "[UNK]")


def boundaries(tokenizer, text):
    return {0, *tokenizer.encode(as_bases(text)).end.tolist()}


def between(tokenizer, text, first, last, shift=0):
    spans = tokenizer.encode(as_bases(text))
    inside = (spans.start + shift >= first) & (spans.end + shift <= last)
    return list(
        zip(spans.ids[inside].tolist(), (spans.start[inside] + shift).tolist(), strict=True)
    )


def test_tokens_and_offsets_are_those_of_the_library():
    text = random_text(2_000)
    found, expected = PLAIN.encode(as_bases(text)), TRAINED.encode(text, add_special_tokens=False)
    assert found.ids.tolist() == expected.ids
    assert list(zip(found.start.tolist(), found.end.tolist(), strict=True)) == expected.offsets
    assert max(found.end - found.start) > 3


# The lengths make windows with long and short heads; the few letters make repeats likely.
@given(
    text=st.text("ACGT", min_size=30, max_size=200) | st.text("AC", min_size=30, max_size=200),
    start=st.integers(0, 100),
    cut=st.integers(0, 40),
)
def test_between_two_boundaries_that_windows_share_their_tokens_are_the_same(text, start, cut):
    assume(start + cut < len(text))
    window = text[start : len(text) - cut]
    shared = boundaries(PLAIN, text) & {start + b for b in boundaries(PLAIN, window)}
    if len(shared) > 1:
        first, last = min(shared), max(shared)
        assert between(PLAIN, text, first, last) == between(PLAIN, window, first, last, start)


def test_a_warm_up_resynchronises_merges_on_varied_sequence():
    text = random_text(4_000, seed=1)
    whole = boundaries(PLAIN, text)
    delays = []
    for start in range(1_000, 2_000, 7):
        window = text[start : start + 500]
        shared = sorted(whole & {start + b for b in boundaries(PLAIN, window)} - {start})
        delays.append(shared[0] - start)
        first, last = shared[0], shared[-1]
        assert between(PLAIN, text, first, last) == between(PLAIN, window, first, last, start)
        assert last >= start + 500 - 64
    assert max(delays) <= 64
    assert np.mean(delays) < 16


def test_a_run_of_one_base_may_keep_windows_apart_to_its_end():
    run, rest = "A" * 401, random_text(300, seed=2)
    whole = boundaries(PLAIN, run + rest)
    shifted = {1 + b for b in boundaries(PLAIN, run[1:] + rest)}
    longest = max(len(token) for token in TRAINED.get_vocab() if set(token) == {"A"})
    shared = sorted(whole & shifted)
    assert longest > 1
    assert not [b for b in shared if 0 < b < 401 - 2 * longest]
    assert [b for b in shared if b > 401]


def test_bases_that_the_library_passes_over_in_silence_are_unknown_tokens():
    silent = train_bpe()
    text = "ACGTTNNACGTTRAC"
    assert TRAINED.encode(text).offsets[-2][1] == 15
    # without an unknown token the library's own offsets end before the sequence does
    assert max(end for _, end in silent.encode(text).offsets) == 12
    spans = BpeTokenizer("bpe", silent, "[UNK]").encode(as_bases(text))
    unknown = spans.ids == silent.token_to_id("[UNK]")
    assert spans.start[unknown].tolist() == [5, 6, 12]
    assert (spans.end - spans.start)[unknown].tolist() == [1, 1, 1]
    pieces = [
        silent.encode(piece, add_special_tokens=False).ids for piece in ("ACGTT", "ACGTT", "AC")
    ]
    assert spans.ids[~unknown].tolist() == [i for piece in pieces for i in piece]


def test_without_an_unknown_token_such_a_base_is_an_error():
    with pytest.raises(SequenceError, match=r"bpe: expected bases .* found 'N' at offset 4"):
        BpeTokenizer("bpe", train_bpe()).encode(as_bases("ACGTNA"))


def test_a_mark_of_a_words_beginning_covers_no_base():
    tokenizer = BpeTokenizer("bytes", train_bpe(byte_level=True, mark=True))
    spans = tokenizer.encode(as_bases("ACGTT"))
    assert tokenizer.tokenizer.id_to_token(int(spans.ids[0])) == "Ġ"
    assert (spans.start[0], spans.end[0], spans.start[1]) == (-1, -1, 0)


def test_word_ids_are_the_tokens_of_bases_alone():
    names = {i: token for token, i in TRAINED.get_vocab().items()}
    words = [names[i] for i in PLAIN.word_ids.tolist()]
    assert set("ACGT") < set(words)
    assert len(words) == 80 - 4
    assert (PLAIN.bases_per_token, dict(PLAIN.base_ids)) == (0, {})


def wordpiece(limit, letters):
    from tokenizers import Tokenizer, models

    vocab = {token: i for i, token in enumerate(["[UNK]", *letters, *("##" + x for x in letters)])}
    return Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=limit))


def test_a_tokenizer_that_gives_up_on_long_words_is_refused():
    expected = "x: expected a tokenizer with tokens for long words of A, C, G and T"
    with pytest.raises(SchemaError, match=expected):
        BpeTokenizer("x", wordpiece(100, "ACGT"), "[UNK]")


def test_lower_case_vocabularies_are_read_in_lower_case():
    tokenizer = BpeTokenizer("x", wordpiece(1_000, "acgt"), "[UNK]")
    spans = tokenizer.encode(as_bases("ACGTA"))
    assert spans.ids.tolist() == [1, 6, 7, 8, 5]
    assert tokenizer.word_ids.tolist() == list(range(1, 9))


def test_tokens_that_begin_a_text_are_not_for_its_inside():
    from tokenizers import Tokenizer, models, pre_tokenizers

    pieces = BpeTokenizer("x", wordpiece(1_000, "acgt"), "[UNK]")
    assert pieces.spelling == {5: b"A", 6: b"C", 7: b"G", 8: b"T"}
    vocab = {token: i for i, token in enumerate(["A", "C", "G", "T", "Ġ", "ĠA"])}
    marked = Tokenizer(models.BPE(vocab, [("Ġ", "A")]))
    marked.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer = BpeTokenizer("x", marked)
    assert tokenizer.encode(as_bases("AAC")).ids.tolist() == [5, 0, 1]
    assert tokenizer.word_ids.tolist() == [0, 1, 2, 3, 5]
    assert tokenizer.spelling == {0: b"A", 1: b"C", 2: b"G", 3: b"T"}


def test_a_token_that_hides_bases_is_an_error():
    from tokenizers import normalizers

    tokenizer = train_bpe(unknown="[UNK]")
    tokenizer.normalizer = normalizers.Replace("TATAAT", "")
    with pytest.raises(
        SchemaError, match="tokens that tile the sequence, found a gap or an overlap"
    ):
        BpeTokenizer("x", tokenizer, "[UNK]").encode(as_bases("ACGTTATAATACG"))


def test_a_file_says_which_special_tokens_surround_a_sequence(tmp_path):
    TRAINED.save(str(tmp_path / "tokenizer.json"))
    tokenizer = read_bpe(tmp_path / "tokenizer.json")
    assert (tokenizer.before, tokenizer.after) == (("[CLS]",), ("[SEP]",))
    assert (tokenizer.unknown, tokenizer.mask_id) == ("[UNK]", TRAINED.token_to_id("[MASK]"))
    assert tokenizer.encode(as_bases("ACGT")).ids.tolist() == TRAINED.encode("ACGT").ids


def test_truncation_and_padding_of_the_file_are_not_applied(tmp_path):
    short = train_bpe(unknown="[UNK]")
    short.enable_truncation(5)
    short.enable_padding(length=900)
    short.save(str(tmp_path / "tokenizer.json"))
    spans = read_bpe(tmp_path / "tokenizer.json").encode(as_bases("ACGTT" * 20))
    assert spans.end.max() == 100
    assert (spans.start == -1).sum() == 2


@pytest.mark.parametrize(
    ("text", "found"),
    [pytest.param("{", "Expecting", id="no-json"), pytest.param("{}", "Model missing", id="empty")],
)
def test_a_file_that_is_none_is_an_error_of_the_file(tmp_path, text, found):
    path = tmp_path / "tokenizer.json"
    path.write_text(text)
    with pytest.raises(
        SchemaError, match=f"json: expected a file of the tokenizers library, .*{found}"
    ):
        read_bpe(path)


def test_a_tokenizer_of_other_letters_is_refused(tmp_path):
    words = json.loads(TRAINED.to_str())
    words["model"] = {"type": "BPE", "vocab": {"x": 0}, "merges": [], "unk_token": None}
    words["added_tokens"], words["post_processor"] = [], None
    (tmp_path / "tokenizer.json").write_text(json.dumps(words))
    with pytest.raises(SchemaError, match="expected tokens for A, C, G and T, found none"):
        read_bpe(tmp_path / "tokenizer.json")


def test_a_special_token_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match="the special token '<s>', found none"):
        BpeTokenizer("x", TRAINED, before=("<s>",))


def test_without_the_library_the_error_says_what_to_install(tmp_path, monkeypatch):
    TRAINED.save(str(tmp_path / "tokenizer.json"))
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(InputError, match=r'pip install "genointerp\[transformers\]"'):
        read_bpe(tmp_path / "tokenizer.json")
