"""Tokenizers of single bases, and the protocol of every tokenizer.

A model reads tokens, and biology has bases, so the span of bases of every token is known. The
tokenizers here read one base for each token; words of k bases are in
:mod:`genointerp.model.tokenizer.kmer`, merges of varying length in
:mod:`genointerp.model.tokenizer.bpe`, and
:mod:`genointerp.model.tokenizer.files` builds any of them from the files of a model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int64, UInt8

from genointerp.core.errors import ConfigError, SequenceError
from genointerp.genome.letters import BASES, IUPAC, UNKNOWN, base_codes
from genointerp.model.protocol import TokenSpans


@runtime_checkable
class DnaTokenizer(Protocol):
    """The interface of every tokenizer; sequences are upper-case ASCII, as in a `Genome`."""

    @property
    def name(self) -> str:
        """Origin of the vocabulary, for messages."""
        ...

    @property
    def vocab_size(self) -> int:
        """One more than the greatest id; the embedding of a model may have more rows than that."""
        ...

    @property
    def bases_per_token(self) -> int:
        """Bases of a token; 0 if it varies."""
        ...

    @property
    def base_ids(self) -> Mapping[bytes, int]:
        """Ids of A, C, G and T if tokens are bases; empty otherwise."""
        ...

    @property
    def word_ids(self) -> Int64[np.ndarray, " word"]:
        """Ids of the tokens that consist only of A, C, G and T, ascending."""
        ...

    @property
    def spelling(self) -> Mapping[int, bytes]:
        """Upper-case bases of each token that may follow another inside a sequence."""
        ...

    @property
    def mask_id(self) -> int | None:
        """Id of the mask token; None if the model was trained without one."""
        ...

    def encode(self, sequence: UInt8[np.ndarray, " bp"], *, phase: int = 0) -> TokenSpans:
        """Return the tokens of a sequence.

        Parameters
        ----------
        phase
            Number of bases of the first word that are before the sequence; 0 if the sequence begins
            with a word. It is always 0 except for k-mers.

        Raises
        ------
        ConfigError
            If the phase is not possible.
        SequenceError
            If the vocabulary has no token for a base, not even an unknown one.
        """
        ...


@dataclass(frozen=True, eq=False)
class CharTokenizer:
    """One token for each base, by a table over all bytes; there are no special tokens.

    Parameters
    ----------
    table
        Id of each byte.
    """

    name: str
    table: Int64[np.ndarray, " 256"]
    vocab_size: int
    bases_per_token: int = field(default=1, init=False)
    mask_id: None = field(default=None, init=False)

    @cached_property
    def base_ids(self) -> Mapping[bytes, int]:
        """Ids of A, C, G and T."""
        return {bytes([base]): int(self.table[base]) for base in BASES.encode()}

    @cached_property
    def word_ids(self) -> Int64[np.ndarray, " word"]:
        """The ids of the four bases, ascending."""
        return np.sort(np.array(list(self.base_ids.values()), np.int64))

    @cached_property
    def spelling(self) -> Mapping[int, bytes]:
        """The base that each of the four ids stands for."""
        return {i: base for base, i in self.base_ids.items()}

    def encode(self, sequence: UInt8[np.ndarray, " bp"], *, phase: int = 0) -> TokenSpans:
        """Return one token for each base."""
        check_phase(phase, 1)
        start = np.arange(len(sequence), dtype=np.int64)
        return TokenSpans(self.table[sequence], start, start + 1)


def nano_tokenizer() -> CharTokenizer:
    """Return the tokenizer of the shipped models: A 0, C 1, G 2, T 3, any other code 4."""
    table = base_codes(np.arange(256, dtype=np.uint8)).astype(np.int64)
    return CharTokenizer("nano", table, vocab_size=UNKNOWN + 1)


def evo_tokenizer() -> CharTokenizer:
    """Return the tokenizer of Evo 1 and Evo 2, whose id is the byte, in a vocabulary of 512."""
    return CharTokenizer("evo", np.arange(256, dtype=np.int64), vocab_size=512)


@dataclass(frozen=True, eq=False)
class SingleNucleotideTokenizer:
    """One token for each base, by a vocabulary, between special tokens.

    Parameters
    ----------
    vocab
        Ids of bases, in upper or lower case, and of special tokens.
    unknown
        Token for codes that the vocabulary lacks. If it is None, such a code is an error.
    before, after
        Special tokens around every sequence.
    mask
        The mask token, if there is one.

    Raises
    ------
    ConfigError
        If the vocabulary lacks a base or one of the special tokens.
    """

    name: str
    vocab: Mapping[str, int]
    unknown: str | None = None
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    mask: str | None = None
    bases_per_token: int = field(default=1, init=False)

    def __post_init__(self) -> None:
        check_specials(self.name, self.vocab, (*self.before, *self.after, self.unknown, self.mask))
        for base in BASES:
            if _spelling(base, self.vocab) is None:
                raise ConfigError(self.name, f"a vocabulary with {base!r}", "none")

    @property
    def vocab_size(self) -> int:
        """One more than the greatest id."""
        return max(self.vocab.values()) + 1

    @property
    def mask_id(self) -> int | None:
        """Id of the mask token, if there is one."""
        return None if self.mask is None else self.vocab[self.mask]

    @cached_property
    def base_ids(self) -> Mapping[bytes, int]:
        """Ids of A, C, G and T."""
        return {bytes([base]): int(self._table[base]) for base in BASES.encode()}

    @cached_property
    def word_ids(self) -> Int64[np.ndarray, " word"]:
        """The ids of the four bases, ascending."""
        return np.sort(np.array(list(self.base_ids.values()), np.int64))

    @cached_property
    def spelling(self) -> Mapping[int, bytes]:
        """The base that each of the four ids stands for."""
        return {i: base for base, i in self.base_ids.items()}

    @cached_property
    def _table(self) -> Int64[np.ndarray, " 256"]:
        table = np.full(256, -1 if self.unknown is None else self.vocab[self.unknown], np.int64)
        for letter in IUPAC:
            spelling = _spelling(letter, self.vocab)
            if spelling is not None:
                table[ord(letter)] = self.vocab[spelling]
        return table

    def encode(self, sequence: UInt8[np.ndarray, " bp"], *, phase: int = 0) -> TokenSpans:
        """Return one token for each base, between the special tokens."""
        check_phase(phase, 1)
        ids = self._table[sequence]
        if self.unknown is None and (ids < 0).any():
            refuse_base(self.name, sequence, int((ids < 0).argmax()))
        start = np.arange(len(sequence), dtype=np.int64)
        spans = TokenSpans(ids, start, start + 1)
        return surround(spans, self.vocab, self.before, self.after)


def _spelling(letter: str, vocab: Mapping[str, int]) -> str | None:
    # vocabularies are in upper or lower case, and those of RNA models have U
    spellings = [letter, letter.lower(), *(["U", "u"] if letter == "T" else [])]
    return next((spelling for spelling in spellings if spelling in vocab), None)


def surround(
    spans: TokenSpans, vocab: Mapping[str, int], before: tuple[str, ...], after: tuple[str, ...]
) -> TokenSpans:
    """Put tokens between special tokens, which cover no base."""
    head, tail = (np.array([vocab[token] for token in side], np.int64) for side in (before, after))
    nowhere = np.full(len(before), -1, np.int64), np.full(len(after), -1, np.int64)
    return TokenSpans(
        np.concatenate([head, spans.ids, tail]),
        np.concatenate([nowhere[0], spans.start, nowhere[1]]),
        np.concatenate([nowhere[0], spans.end, nowhere[1]]),
    )


def check_phase(phase: int, k: int) -> None:
    """Refuse a phase that is not possible for words of ``k`` bases.

    Raises
    ------
    ConfigError
        If it is not in ``[0, k)``.
    """
    if not 0 <= phase < k:
        raise ConfigError("phase", f"0 <= phase < {k}", str(phase))


def check_specials(name: str, vocab: Mapping[str, int], tokens: tuple[str | None, ...]) -> None:
    """Refuse special tokens that the vocabulary lacks.

    Raises
    ------
    ConfigError
        If one is missing.
    """
    for token in tokens:
        if token is not None and token not in vocab:
            raise ConfigError(name, f"a vocabulary with the special token {token!r}", "none")


def refuse_base(name: str, sequence: UInt8[np.ndarray, " bp"], index: int) -> None:
    """Refuse a base for which there is no token.

    Raises
    ------
    SequenceError
        Always.
    """
    found = f"{chr(sequence[index])!r} at offset {index}"
    raise SequenceError(name, "bases that the vocabulary has a token for", found)
