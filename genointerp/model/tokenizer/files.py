"""Tokenizers from the files in the folder of a model; no code of the folder is run."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from genointerp.core.errors import SchemaError, SequenceError
from genointerp.core.files import read_json_object, read_text
from genointerp.genome.letters import BASES, IUPAC
from genointerp.model.presets import TokenizerSettings
from genointerp.model.tokenizer.base import DnaTokenizer, SingleNucleotideTokenizer, evo_tokenizer
from genointerp.model.tokenizer.bpe import (
    MASK_TOKENS,
    UNKNOWN_TOKENS,
    BpeTokenizer,
    first_of,
    read_bpe,
)
from genointerp.model.tokenizer.kmer import KmerTokenizer, carbon_vocabulary

HYENA_VOCABULARY = {
    token: i
    for i, token in enumerate(
        ["[CLS]", "[SEP]", "[BOS]", "[MASK]", "[PAD]", "[RESERVED]", "[UNK]", *BASES, "N"]
    )
}
_CONFIG, _FAST = "tokenizer_config.json", "tokenizer.json"


def from_pretrained_folder(folder: Path) -> DnaTokenizer:
    """Build the tokenizer of a model folder from its files.

    Raises
    ------
    SchemaError
        If the files do not say how bases become tokens, or contradict themselves.
    """
    return build_tokenizer(recognise(folder), folder)


def recognise(folder: Path) -> TokenizerSettings:
    """Find the settings of the tokenizer of a model folder.

    Raises
    ------
    SchemaError
        If its files do not determine them.
    """
    path = folder / _CONFIG
    config = read_json_object(path, error=SchemaError) if path.is_file() else {}
    kind = str(config.get("tokenizer_class") or "").removesuffix("Fast")
    if kind in ("EsmTokenizer", "DNAKmerTokenizer"):
        return _words_of(folder, config, kind)
    if kind in _KNOWN:
        return _KNOWN[kind]
    if (folder / _FAST).is_file():
        tokenizer = read_bpe(folder / _FAST)
        single = _letter_ids(tokenizer) is not None
        return TokenizerSettings(
            kind="single-nucleotide" if single else "bpe",
            k=int(single),
            before=tokenizer.before or _asked_for(config, "bos"),
            after=tokenizer.after or _asked_for(config, "eos"),
        )
    known = ", ".join(["EsmTokenizer", "DNAKmerTokenizer", *_KNOWN])
    expected = f"{_FAST}, or a {_CONFIG} whose tokenizer_class is one of {known}"
    raise SchemaError(str(folder), expected, kind or "neither")


def build_tokenizer(settings: TokenizerSettings, folder: Path) -> DnaTokenizer:
    """Build a tokenizer with these settings, and the vocabulary in ``folder`` if they need one.

    Raises
    ------
    SchemaError
        If the folder has no such vocabulary.
    ConfigError
        If the vocabulary lacks a token that the settings name.
    """
    if settings.vocabulary == "ascii":
        return evo_tokenizer()
    if settings.kind == "kmer":
        return _kmer(settings, folder)
    if settings.kind == "bpe":
        tokenizer = read_bpe(folder / _FAST)
        before, after = settings.before or tokenizer.before, settings.after or tokenizer.after
        return replace(tokenizer, before=before, after=after)
    if settings.vocabulary == "hyena" or not (folder / _FAST).is_file():
        return _single(str(folder), _vocabulary(settings, folder), settings)
    return _single_of_fast(read_bpe(folder / _FAST), settings)


def _single_of_fast(
    tokenizer: BpeTokenizer, settings: TokenizerSettings
) -> SingleNucleotideTokenizer:
    letters = _letter_ids(tokenizer)
    if letters is None:
        raise SchemaError(tokenizer.name, "one token for each base", "longer tokens")
    vocab = tokenizer.tokenizer.get_vocab()
    others = {token: i for token, i in vocab.items() if token.upper() not in {*IUPAC, "U"}}
    before, after = _around(tokenizer)
    surrounded = replace(settings, before=settings.before or before, after=settings.after or after)
    return _single(tokenizer.name, {**others, **letters}, surrounded)


def _kmer(settings: TokenizerSettings, folder: Path) -> KmerTokenizer:
    carbon = settings.vocabulary == "carbon"
    vocab = carbon_vocabulary() if carbon else _vocabulary(settings, folder)
    unknown = first_of(UNKNOWN_TOKENS, vocab)
    if unknown is None:
        raise SchemaError(str(folder), f"one of {', '.join(UNKNOWN_TOKENS)}", "none")
    return KmerTokenizer(
        name=str(folder),
        vocab=vocab,
        k=settings.k,
        unknown=unknown,
        before=settings.before,
        after=settings.after,
        mask=first_of(MASK_TOKENS, vocab),
        restart=settings.restart,
    )


def _single(
    name: str, vocab: Mapping[str, int], settings: TokenizerSettings
) -> SingleNucleotideTokenizer:
    unknown, mask = first_of(UNKNOWN_TOKENS, vocab), first_of(MASK_TOKENS, vocab)
    return SingleNucleotideTokenizer(name, vocab, unknown, settings.before, settings.after, mask)


def _words_of(folder: Path, config: Mapping[str, Any], kind: str) -> TokenizerSettings:
    vocab = _vocabulary(TokenizerSettings("kmer"), folder)
    k = max((len(token) for token in vocab if not token.strip(BASES)), default=0)
    if kind == "DNAKmerTokenizer":
        return TokenizerSettings("kmer", k=k, before=("<s>",))
    # the default end token of the library is <eos>, which Nucleotide Transformer does not have
    end = _content(config.get("eos_token", "<eos>"))
    after = (end,) if end is not None and end in vocab else ()
    one = TokenizerSettings("single-nucleotide", k=1, before=("<cls>",), after=after)
    return one if k == 1 else replace(one, kind="kmer", k=k)


_KNOWN = {
    "HybridDNATokenizer": TokenizerSettings("kmer", k=6, before=("<dna>",), vocabulary="carbon"),
    "CharLevelTokenizer": TokenizerSettings("char", vocabulary="ascii"),
    "ByteTokenizer": TokenizerSettings("char", vocabulary="ascii"),
    "HyenaDNATokenizer": TokenizerSettings("single-nucleotide", vocabulary="hyena"),
    "CaduceusTokenizer": TokenizerSettings("single-nucleotide", vocabulary="hyena"),
}


def _vocabulary(settings: TokenizerSettings, folder: Path) -> dict[str, int]:
    if settings.vocabulary == "hyena":
        return HYENA_VOCABULARY
    if (folder / "vocab.txt").is_file():
        lines = read_text(folder / "vocab.txt", error=SchemaError).splitlines()
        return {line.strip(): i for i, line in enumerate(lines)}
    if (folder / "vocab.json").is_file():
        vocab = read_json_object(folder / "vocab.json", error=SchemaError)
        if all(isinstance(i, int) for i in vocab.values()):
            return vocab
        raise SchemaError(str(folder / "vocab.json"), "tokens and their ids", "other values")
    raise SchemaError(str(folder), "a vocabulary (vocab.txt or vocab.json)", "none")


def _asked_for(config: Mapping[str, Any], which: str) -> tuple[str, ...]:
    """Return the begin or end token that the configuration adds to those of the fast tokenizer."""
    token = _content(config.get(f"{which}_token"))
    return (token,) if config.get(f"add_{which}_token") is True and token else ()


def _content(token: Any) -> str | None:  # noqa: ANN401 (JSON)
    # added tokens are written as strings, or as mappings with flags
    return token.get("content") if isinstance(token, dict) else token


def _letter_ids(tokenizer: BpeTokenizer) -> dict[str, int] | None:
    """Return the id of each letter, if every base is a token regardless of its neighbours."""
    unknown = tokenizer.unknown and tokenizer.tokenizer.token_to_id(tokenizer.unknown)
    found = {letter: _base_ids(tokenizer, letter) for letter in IUPAC}
    each = {letter: ids[0] for letter, ids in found.items() if len(ids) == 1}
    text = "ACGTTGCAACCGGTTTAGC"
    if not set(text) <= set(each) or _base_ids(tokenizer, text) != [each[x] for x in text]:
        return None
    return {letter: i for letter, i in each.items() if i != unknown}


def _base_ids(tokenizer: BpeTokenizer, text: str) -> list[int]:
    try:
        spans = tokenizer.encode(np.frombuffer(text.encode(), np.uint8))
    except SequenceError:
        return []
    return [int(i) for i in spans.ids[spans.start >= 0]]


def _around(tokenizer: BpeTokenizer) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the tokens before and after the bases, including a mark that covers no base."""
    spans = tokenizer.encode(np.frombuffer(BASES.encode(), np.uint8))
    tokens = [tokenizer.tokenizer.id_to_token(int(i)) for i in spans.ids]
    covers = np.flatnonzero(spans.start >= 0)
    return tuple(tokens[: covers[0]]), tuple(tokens[covers[-1] + 1 :])
