import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.errors import SchemaError
from genointerp.model.presets import TokenizerSettings
from genointerp.model.tokenizer.base import CharTokenizer, SingleNucleotideTokenizer
from genointerp.model.tokenizer.bpe import BpeTokenizer
from genointerp.model.tokenizer.files import build_tokenizer, from_pretrained_folder
from genointerp.model.tokenizer.kmer import words
from tests.tiny_tokenizers import as_bases, nucleotide_transformer, numbered, train_bpe

pytest.importorskip("tokenizers", reason='needs pip install "genointerp[transformers]"')

NT = ["<unk>", "<pad>", "<mask>", "<cls>", *words("ATCG", 3), *"ATCGN"]
GENERATOR = ["<oov>", "<s>", "</s>", "<pad>", "<mask>", *words("ATCG", 3)]


def write(folder, *, config=None, vocab=None, fast=None):
    if config is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    if vocab is not None:
        (folder / "vocab.txt").write_text("\n".join(vocab) + "\n")
    if fast is not None:
        fast.save(str(folder / "tokenizer.json"))
    return folder


def ids(tokenizer, text):
    return tokenizer.encode(as_bases(text)).ids.tolist()


def letters(vocab, before=()):
    """A fast tokenizer of one base a token, as a lower-casing character model has it."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    specials = [(token, vocab[token]) for token in before]
    if before:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=" ".join([*before, "$A"]), special_tokens=specials
        )
    return tokenizer


def test_nucleotide_transformer_is_known_by_its_class(tmp_path):
    config = {"tokenizer_class": "EsmTokenizer", "eos_token": None}
    tokenizer = from_pretrained_folder(write(tmp_path, config=config, vocab=NT))
    assert (tokenizer.bases_per_token, tokenizer.mask_id) == (3, 2)
    assert ids(tokenizer, "ACGN") == [3, 4 + words("ATCG", 3).index("ACG"), len(NT) - 1]


def test_a_default_end_token_that_the_vocabulary_lacks_is_not_added(tmp_path):
    config = {"tokenizer_class": "EsmTokenizer"}
    without = ids(from_pretrained_folder(write(tmp_path, config=config, vocab=NT)), "ACG")
    ended = ids(from_pretrained_folder(write(tmp_path, vocab=[*NT, "<eos>"])), "ACG")
    assert ended == [*without, len(NT)]


def test_generator_is_known_by_its_class(tmp_path):
    config = {"tokenizer_class": "DNAKmerTokenizer", "k": 3}
    tokenizer = from_pretrained_folder(write(tmp_path, config=config, vocab=GENERATOR))
    assert ids(tokenizer, "ACGTT") == [1, 5 + words("ATCG", 3).index("ACG"), 0]


def test_a_vocabulary_may_be_json(tmp_path):
    write(tmp_path, config={"tokenizer_class": "DNAKmerTokenizer"})
    (tmp_path / "vocab.json").write_text(json.dumps(numbered(*GENERATOR)))
    assert ids(from_pretrained_folder(tmp_path), "AAA") == [1, 5]


def test_words_of_one_base_are_single_nucleotides(tmp_path):
    config = {"tokenizer_class": "EsmTokenizer", "eos_token": {"content": "<eos>"}}
    vocab = ["<unk>", "<pad>", "<mask>", "<cls>", "<eos>", *"ATCGN"]
    tokenizer = from_pretrained_folder(write(tmp_path, config=config, vocab=vocab))
    assert isinstance(tokenizer, SingleNucleotideTokenizer)
    assert ids(tokenizer, "ANR") == [3, 5, 9, 0, 4]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("HybridDNATokenizer", [151_669, 151_672, 151_671], id="carbon"),
        pytest.param("CharLevelTokenizer", [65] * 6 + [78], id="evo"),
        pytest.param("HyenaDNATokenizer", [7] * 6 + [11], id="hyena"),
        pytest.param("CaduceusTokenizer", [7] * 6 + [11], id="caduceus"),
    ],
)
def test_tokenizers_of_remote_code_are_known_without_running_it(tmp_path, name, expected):
    write(tmp_path, config={"tokenizer_class": name})
    assert ids(from_pretrained_folder(tmp_path), "AAAAAAN") == expected


def test_a_fast_tokenizer_of_merges_keeps_its_special_tokens(tmp_path):
    trained = train_bpe(unknown="[UNK]")
    tokenizer = from_pretrained_folder(write(tmp_path, fast=trained))
    assert isinstance(tokenizer, BpeTokenizer)
    assert ids(tokenizer, "ACGTTACNAC") == trained.encode("ACGTTACNAC").ids


def test_a_fast_tokenizer_of_letters_reads_one_base_a_token(tmp_path):
    vocab = numbered("[PAD]", "[UNK]", "[BOS]", *"acgt")
    fast = letters(vocab, before=("[BOS]",))
    tokenizer = from_pretrained_folder(write(tmp_path, fast=fast))
    assert isinstance(tokenizer, SingleNucleotideTokenizer)
    assert ids(tokenizer, "GATNTACA") == fast.encode("GATNTACA").ids
    assert dict(tokenizer.base_ids) == {b"A": 3, b"C": 4, b"G": 5, b"T": 6}


def test_a_lone_mark_of_a_words_beginning_is_kept_before_the_bases(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers

    fast = Tokenizer(models.BPE({"[UNK]": 0, "\u2581": 1, "A": 2, "C": 3, "G": 4, "T": 5}, []))
    fast.pre_tokenizer = pre_tokenizers.Metaspace()
    spans = from_pretrained_folder(write(tmp_path, fast=fast)).encode(as_bases("GAN"))
    assert spans.ids.tolist() == [1, 4, 2, 0]
    assert spans.start.tolist() == [-1, 0, 1, 2]
    assert fast.encode("GA").ids == [1, 4, 2]


@pytest.mark.parametrize("asked", [True, False])
def test_a_begin_token_may_be_asked_for_by_the_configuration(tmp_path, asked):
    config = {"add_bos_token": asked, "bos_token": {"content": "[BOS]"}}
    vocab = numbered("[PAD]", "[UNK]", "[BOS]", *"acgt")
    tokenizer = from_pretrained_folder(write(tmp_path, config=config, fast=letters(vocab)))
    assert ids(tokenizer, "A") == ([2, 3] if asked else [3])


def test_settings_that_name_special_tokens_go_before_the_file(tmp_path):
    settings = TokenizerSettings("bpe", k=0, before=("[MASK]",))
    tokenizer = build_tokenizer(settings, write(tmp_path, fast=train_bpe()))
    assert tokenizer.encode(as_bases("A")).ids[[0, 2]].tolist() == [3, 2]


def test_merges_are_never_read_from_a_mere_list_of_tokens(tmp_path):
    write(tmp_path, vocab=["[UNK]", *"ACGTN"])
    with pytest.raises(SchemaError, match=r"tokenizer\.json: expected "):
        build_tokenizer(TokenizerSettings("bpe", k=0), tmp_path)


def test_settings_of_bytes_need_no_file(tmp_path):
    built = build_tokenizer(TokenizerSettings("char", vocabulary="ascii"), tmp_path)
    assert isinstance(built, CharTokenizer)


def test_merges_are_not_taken_for_single_nucleotides(tmp_path):
    write(tmp_path, fast=train_bpe())
    with pytest.raises(SchemaError, match="expected one token for each base, found longer tokens"):
        build_tokenizer(TokenizerSettings("single-nucleotide"), tmp_path)


@pytest.mark.parametrize(
    ("config", "vocab", "message"),
    [
        pytest.param(None, None, r"expected tokenizer.json, or a .*, found neither", id="nothing"),
        pytest.param(
            {"tokenizer_class": "BertTokenizer"},
            ["[UNK]", *words("ACGT", 3)],
            "is one of EsmTokenizer, .*CaduceusTokenizer, found BertTokenizer",
            id="overlapping-words",
        ),
        pytest.param(
            {"tokenizer_class": "EsmTokenizer"}, None, r"\(vocab.txt or vocab.json\)", id="no-vocab"
        ),
        pytest.param(
            {"tokenizer_class": "DNAKmerTokenizer"},
            ["<s>", *words("ACGT", 3)],
            "expected one of <unk>, .*, found none",
            id="no-unknown",
        ),
        pytest.param(
            [], None, "tokenizer_config.json: expected a JSON object, found list", id="list"
        ),
    ],
)
def test_a_folder_that_does_not_tell_is_refused(tmp_path, config, vocab, message):
    with pytest.raises(SchemaError, match=message):
        from_pretrained_folder(write(tmp_path, config=config, vocab=vocab))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("{", "expected JSON, found Expecting", id="broken"),
        pytest.param('{"A": "0"}', "expected tokens and their ids, found other values", id="ids"),
    ],
)
def test_a_vocabulary_that_is_none_is_an_error_of_the_file(tmp_path, text, message):
    write(tmp_path, config={"tokenizer_class": "DNAKmerTokenizer"})
    (tmp_path / "vocab.json").write_text(text)
    with pytest.raises(SchemaError, match=rf"vocab\.json: {message}"):
        from_pretrained_folder(tmp_path)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    transformers = pytest.importorskip("transformers", reason="needs transformers")
    folder = write(tmp_path_factory.mktemp("nt"), vocab=NT)
    return transformers.EsmTokenizer(str(folder / "vocab.txt"), eos_token=None)


@given(text=st.text("ACGT", min_size=1, max_size=100))
def test_words_are_those_of_the_published_class_where_all_bases_are_known(published, text):
    assert ids(nucleotide_transformer(), text) == published(text)["input_ids"]


@given(text=st.text("ACGTNR", min_size=1, max_size=100))
def test_a_restarting_grid_is_that_of_the_published_class_for_any_sequence(published, text):
    found = nucleotide_transformer(restart=True).encode(as_bases(text))
    assert found.ids.tolist() == published(text)["input_ids"]
    assert np.array_equal(found.start[2:], found.end[1:-1])
