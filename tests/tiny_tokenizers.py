"""Tiny vocabularies of every kind, for tests."""

import numpy as np

from genointerp.model.tokenizer.base import SingleNucleotideTokenizer, evo_tokenizer, nano_tokenizer
from genointerp.model.tokenizer.bpe import BpeTokenizer
from genointerp.model.tokenizer.kmer import KmerTokenizer, words


def as_bases(text):
    return np.frombuffer(text.encode(), np.uint8)


def random_text(length, seed=0, letters="ACGT"):
    return "".join(np.random.default_rng(seed).choice(list(letters), length))


def numbered(*tokens):
    return {token: i for i, token in enumerate(tokens)}


def train_bpe(*, unknown=None, byte_level=False, mark=False, vocab_size=80):
    """A ``tokenizers.Tokenizer`` of merges learnt from random bases with planted words."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

    corpus = ["TATAAT".join([random_text(20, 10 * i + j) for j in range(10)]) for i in range(20)]
    tokenizer = Tokenizer(models.BPE(unk_token=unknown))
    alphabet = []
    if byte_level:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=mark)
        alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size + len(alphabet),
        special_tokens=["[UNK]", "[CLS]", "[SEP]", "[MASK]"],
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    if not byte_level:
        specials = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=specials
        )
    return tokenizer


def nucleotide_transformer(k=3, *, restart=False):
    """Specials, words, then single bases with N, in the order of the published ``vocab.txt``."""
    tokens = numbered("<unk>", "<pad>", "<mask>", "<cls>", *words("ATCG", k), *"ATCGN")
    name = f"nt-{k}"
    return KmerTokenizer(name, tokens, k, "<unk>", ("<cls>",), (), "<mask>", restart)


def generator(k=3):
    """Specials and words; no single bases."""
    tokens = numbered("<oov>", "<s>", "</s>", "<pad>", "<mask>", *words("ATCG", k))
    return KmerTokenizer(f"generator-{k}", tokens, k, "<oov>", ("<s>",))


def every_kind():
    """One tokenizer of each kind, by name."""
    lower = numbered("[PAD]", "[UNK]", "[BOS]", *"acgt")
    upper = numbered("<s>", "</s>", "<unk>", *"ACGUN")
    surrounded = {"before": ("[CLS]",), "after": ("[SEP]",), "unknown": "[UNK]"}
    return {
        "nano": nano_tokenizer(),
        "evo": evo_tokenizer(),
        "lower-case": SingleNucleotideTokenizer("lower", lower, "[UNK]", ("[BOS]",)),
        "rna": SingleNucleotideTokenizer("rna", upper, "<unk>", ("<s>",), ("</s>",)),
        "nucleotide-transformer": nucleotide_transformer(),
        "nucleotide-transformer-6": nucleotide_transformer(6),
        "restarting": nucleotide_transformer(restart=True),
        "generator": generator(),
        "bpe": BpeTokenizer("bpe", train_bpe(unknown="[UNK]"), **surrounded),
        "bpe-without-unknown": BpeTokenizer("bpe", train_bpe(), **surrounded),
        "bpe-of-bytes": BpeTokenizer("bpe", train_bpe(byte_level=True), unknown="[UNK]"),
        "bpe-with-marks": BpeTokenizer("bpe", train_bpe(byte_level=True, mark=True)),
    }
