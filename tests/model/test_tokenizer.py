import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.errors import ConfigError, SequenceError
from genointerp.genome.letters import IUPAC
from genointerp.model.tokenizer.base import (
    DnaTokenizer,
    SingleNucleotideTokenizer,
    evo_tokenizer,
    nano_tokenizer,
)
from tests.tiny_tokenizers import as_bases, every_kind, numbered

pytest.importorskip("tokenizers", reason='needs pip install "genointerp[transformers]"')

KINDS = every_kind()
PHASED = [
    (name, phase) for name, kind in KINDS.items() for phase in range(kind.bases_per_token or 1)
]
# long stretches of bases with few ambiguity codes, as genomes have them, and any mixture
SEQUENCES = st.text("".join(IUPAC), max_size=300) | st.lists(
    st.text("ACGT", max_size=60) | st.sampled_from(["N", "NNNNNNN", "R", "NRYN", "AAAAAAAAAAAA"]),
    max_size=12,
).map(lambda parts: "".join(parts)[:300])


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_a_tokenizer(name):
    assert isinstance(KINDS[name], DnaTokenizer)


@pytest.mark.parametrize(("name", "phase"), PHASED)
@given(text=SEQUENCES)
def test_spans_tile_the_sequence_in_order(name, phase, text):
    spans = KINDS[name].encode(as_bases(text), phase=phase)
    covers = spans.start >= 0
    assert (covers == (spans.end >= 0)).all()
    start, end = spans.start[covers], spans.end[covers]
    assert (end > start).all()
    assert "".join(text[s:e] for s, e in zip(start, end, strict=True)) == text
    assert [0, *end] == [*start, len(text)]


@pytest.mark.parametrize(("name", "phase"), PHASED)
@given(text=SEQUENCES)
def test_ids_are_in_range_and_words_spell_their_bases(name, phase, text):
    tokenizer = KINDS[name]
    spans = tokenizer.encode(as_bases(text), phase=phase)
    assert spans.ids.dtype == spans.start.dtype == spans.end.dtype == np.int64
    assert ((spans.ids >= 0) & (spans.ids < tokenizer.vocab_size)).all()
    spelling = {}
    word_ids = set(tokenizer.word_ids.tolist())
    for i, start, end in zip(*(part.tolist() for part in spans), strict=True):
        if i in word_ids:
            assert set(text[start:end]) <= set("ACGT")
            assert spelling.setdefault(i, text[start:end]) == text[start:end]


@pytest.mark.parametrize("name", KINDS)
def test_an_empty_sequence_has_special_tokens_only(name):
    spans = KINDS[name].encode(as_bases(""))
    assert (spans.start == -1).all()
    assert (spans.end == -1).all()


@pytest.mark.parametrize("name", KINDS)
def test_a_tokenizer_can_be_pickled(name):
    bases = as_bases("ACGTTGCANACGATTAGC")
    there = pickle.loads(pickle.dumps(KINDS[name]))
    assert all(map(np.array_equal, KINDS[name].encode(bases), there.encode(bases)))


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("beyond", [-1, 0])
def test_a_phase_that_words_do_not_have_is_refused(name, beyond):
    phase = beyond if beyond < 0 else (KINDS[name].bases_per_token or 1)
    with pytest.raises(ConfigError, match=rf"phase: expected 0 <= phase < \d, found {phase}"):
        KINDS[name].encode(as_bases("ACGT"), phase=phase)


@pytest.mark.parametrize("name", KINDS)
@given(text=st.text("ACGT", min_size=6, max_size=60))
def test_what_follows_inside_a_sequence_has_its_spelling(name, text):
    tokenizer, text = KINDS[name], text[: len(text) // 6 * 6]
    spans = tokenizer.encode(as_bases(text))
    assert set(tokenizer.spelling) <= set(tokenizer.word_ids.tolist())
    for i, start, end in zip(*(part.tolist() for part in spans), strict=True):
        if start > 0:
            assert tokenizer.spelling[i].decode() == text[start:end]


def test_nano_numbers_the_bases_and_has_one_id_for_all_else():
    assert nano_tokenizer().encode(as_bases("ACGTNR")).ids.tolist() == [0, 1, 2, 3, 4, 4]


def test_evo_reads_bytes():
    evo = evo_tokenizer()
    assert evo.encode(as_bases("ACGTN")).ids.tolist() == [65, 67, 71, 84, 78]
    assert dict(evo.base_ids) == {b"A": 65, b"C": 67, b"G": 71, b"T": 84}
    assert (evo.vocab_size, evo.word_ids.tolist()) == (512, [65, 67, 71, 84])


def test_single_nucleotides_stand_between_special_tokens():
    vocab = numbered("[PAD]", "[UNK]", "[BOS]", "[EOS]", *"acgt")
    tokenizer = SingleNucleotideTokenizer("x", vocab, "[UNK]", ("[BOS]",), ("[EOS]",))
    spans = tokenizer.encode(as_bases("GANT"))
    assert spans.ids.tolist() == [2, 6, 4, 1, 7, 3]
    assert spans.start.tolist() == [-1, 0, 1, 2, 3, -1]
    assert spans.end.tolist() == [-1, 1, 2, 3, 4, -1]


def test_a_vocabulary_with_n_tells_it_from_other_codes():
    vocab = numbered("<unk>", *"ACGTN", "<mask>")
    tokenizer = SingleNucleotideTokenizer("x", vocab, "<unk>", mask="<mask>")
    assert tokenizer.encode(as_bases("NRY")).ids.tolist() == [5, 0, 0]
    assert (tokenizer.mask_id, nano_tokenizer().mask_id) == (6, None)


def test_rna_vocabularies_read_t_as_u():
    assert KINDS["rna"].encode(as_bases("T")).ids.tolist() == [0, 6, 1]


def test_a_code_without_any_token_is_an_error_that_says_where():
    tokenizer = SingleNucleotideTokenizer("tiny", numbered(*"ACGT"))
    with pytest.raises(SequenceError, match=r"tiny: expected bases .* found 'N' at offset 2"):
        tokenizer.encode(as_bases("ACNN"))


@pytest.mark.parametrize(
    ("vocab", "message"),
    [
        pytest.param("ACG", "a vocabulary with 'T', found none", id="base"),
        pytest.param("ACGT", r"the special token '\[BOS\]', found none", id="special"),
    ],
)
def test_a_vocabulary_that_lacks_something_is_refused(vocab, message):
    with pytest.raises(ConfigError, match=message):
        SingleNucleotideTokenizer(
            "x", numbered("[UNK]", *vocab), "[UNK]", ("[BOS]",) * (len(vocab) - 3)
        )
