"""Byte-pair encodings, or any other tokenizer of a ``tokenizer.json``, with exact offsets.

Where merges fall depends on the bases around, in principle without limit. But no merge crosses a
boundary between tokens, so between two boundaries that two windows share, their tokens are the
same. In a run of one base, or in a short repeat, that began before the window, two windows may
share no boundary until the run ends, since merges there are counted from its first base.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64, UInt8

from genointerp.core.errors import InputError, SchemaError
from genointerp.core.files import read_text
from genointerp.genome.letters import IUPAC
from genointerp.model.protocol import TokenSpans
from genointerp.model.tokenizer.base import check_phase, check_specials, refuse_base, surround

UNKNOWN_TOKENS = ("<unk>", "[UNK]", "<oov>", "<UNK>")
MASK_TOKENS = ("<mask>", "[MASK]", "<MASK>")
# these mark the beginning (byte-level, SentencePiece) or continuation (WordPiece) of a word
_MARKS = re.compile("^(Ġ|▁|##)")


@dataclass(frozen=True, eq=False)
class BpeTokenizer:
    """Tokens of varying length, found by the ``tokenizers`` library.

    Parameters
    ----------
    tokenizer
        A ``tokenizers.Tokenizer``, without truncation and padding.
    unknown
        Token for a base that the tokenizer would silently drop, one for each; the stretches between
        such bases are encoded one by one. If it is None, such a base is an error.
    before, after
        Special tokens around every sequence.
    mask
        The mask token, if there is one.

    Raises
    ------
    SchemaError
        If the tokenizer knows the four bases neither in upper nor in lower case.
    """

    name: str
    tokenizer: Any
    unknown: str | None = None
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    mask: str | None = None
    bases_per_token: int = field(default=0, init=False)
    base_ids: Mapping[bytes, int] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        tokens = (*self.before, *self.after, self.unknown, self.mask)
        check_specials(self.name, self._vocab, tokens)
        if not (self._reads("ACGT" * 100) or self._lower):
            expected = "a tokenizer with tokens for long words of A, C, G and T"
            raise SchemaError(self.name, expected, "unknown tokens")

    @cached_property
    def _vocab(self) -> dict[str, int]:
        return dict(self.tokenizer.get_vocab())

    @property
    def vocab_size(self) -> int:
        """One more than the greatest id."""
        return max(self._vocab.values()) + 1

    @property
    def mask_id(self) -> int | None:
        """Id of the mask token, if there is one."""
        return None if self.mask is None else self._vocab[self.mask]

    @cached_property
    def word_ids(self) -> Int64[np.ndarray, " word"]:
        """Ids of the tokens that consist only of A, C, G and T, ascending."""
        letters = "acgt" if self._lower else "ACGT"
        spelt = {i: _MARKS.sub("", token) for token, i in self._vocab.items()}
        return np.array(sorted(i for i, s in spelt.items() if s and not s.strip(letters)), np.int64)

    @cached_property
    def spelling(self) -> Mapping[int, bytes]:
        """Bases of the tokens that continue a text, without those marked as its beginning.

        If tokens that continue a text are marked (WordPiece), only those count.
        """
        text = {i: token for token, i in self._vocab.items()}
        words = {i: text[i] for i in self.word_ids.tolist()}
        mark = "##" if any(word.startswith("##") for word in words.values()) else ""
        return {
            i: word.removeprefix(mark).upper().encode()
            for i, word in words.items()
            if "".join(_MARKS.findall(word)) == mark
        }

    @cached_property
    def _lower(self) -> bool:
        return not self._reads("ACGT" * 100) and self._reads("acgt" * 100)

    @cached_property
    def _passed_over(self) -> str:
        # A tokenizer without an unknown token drops what it does not know, merges across the gap
        # and shifts every later offset, so it must never get such bases.
        letters = [letter.lower() if self._lower else letter for letter in IUPAC]
        return "".join(x for x in letters if not self._covering(x))

    def _find(self, text: str) -> Any:  # noqa: ANN401 (a tokenizers.Encoding)
        return self.tokenizer.encode(text, add_special_tokens=False)

    def _covering(self, text: str) -> set[int]:
        return {i for i, start, _ in self._read_rows(text, 0) if start >= 0}

    def _reads(self, text: str) -> bool:
        found = self._covering(text)
        unknown = {self._vocab[token] for token in UNKNOWN_TOKENS if token in self._vocab}
        return bool(found) and unknown.isdisjoint(found)

    def encode(self, sequence: UInt8[np.ndarray, " bp"], *, phase: int = 0) -> TokenSpans:
        """Return the tokens of a sequence, between the special tokens."""
        check_phase(phase, 1)
        text = sequence.tobytes().decode("ascii")
        rows = list(self._rows(text.lower() if self._lower else text, sequence))
        ids, start, end = np.array(rows, np.int64).reshape(-1, 3).T
        _check_tiling(self.name, start[start >= 0], end[end >= 0], len(sequence))
        return surround(TokenSpans(ids, start, end), self._vocab, self.before, self.after)

    def _rows(
        self, text: str, sequence: UInt8[np.ndarray, " bp"]
    ) -> Iterator[tuple[int, int, int]]:
        passed = re.escape(self._passed_over)
        pattern = f"(?P<read>[^{passed}]+)|." if passed else "(?P<read>.+)"
        for piece in re.finditer(pattern, text):
            at = piece.start()
            if piece["read"]:
                yield from self._read_rows(piece["read"], at)
            elif self.unknown is None:
                refuse_base(self.name, sequence, at)
            else:
                yield self._vocab[self.unknown], at, at + 1

    def _read_rows(self, text: str, at: int) -> Iterator[tuple[int, int, int]]:
        found = self._find(text)
        for i, token, (start, end) in zip(found.ids, found.tokens, found.offsets, strict=True):
            # a mark without bases covers none, even if its offsets say otherwise
            covers = _MARKS.sub("", token) != "" and end > start
            yield (i, at + start, at + end) if covers else (i, -1, -1)


def _check_tiling(
    name: str, start: Int64[np.ndarray, " token"], end: Int64[np.ndarray, " token"], length: int
) -> None:
    joints = np.append(start, length) != np.append(0, end)
    if joints.any():
        found = f"a gap or an overlap at offset {np.append(0, end)[joints.argmax()]}"
        raise SchemaError(name, "tokens that tile the sequence", found)


def read_bpe(path: Path) -> BpeTokenizer:
    """Read a ``tokenizer.json``, and find the special tokens that it puts around a sequence.

    Truncation and padding are switched off, even if the file asks for them.

    Raises
    ------
    InputError
        If the ``tokenizers`` library is not installed.
    SchemaError
        If the file is not one of that library, or has no tokens for A, C, G and T.
    """
    text = read_text(path, error=SchemaError)
    tokenizer = _parse(text, path)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    vocab = tokenizer.get_vocab()
    probe = tokenizer.encode("ACGT", add_special_tokens=True)
    real = [i for i, special in enumerate(probe.special_tokens_mask) if not special]
    if not real:
        raise SchemaError(str(path), "tokens for A, C, G and T", "none")
    return BpeTokenizer(
        name=str(path),
        tokenizer=tokenizer,
        unknown=first_of(UNKNOWN_TOKENS, vocab),
        before=tuple(probe.tokens[: real[0]]),
        after=tuple(probe.tokens[real[-1] + 1 :]),
        mask=first_of(MASK_TOKENS, vocab),
    )


def first_of(tokens: tuple[str, ...], vocab: Mapping[str, int]) -> str | None:
    """Return the first of these tokens that a vocabulary has, or None."""
    return next((token for token in tokens if token in vocab), None)


def _parse(text: str, path: Path) -> Any:  # noqa: ANN401 (a tokenizers.Tokenizer)
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        expected = 'the tokenizers library (pip install "genointerp[transformers]")'
        raise InputError(str(path), expected, "none") from error
    try:
        json.loads(text)
        return Tokenizer.from_str(text)
    except Exception as error:  # the library raises no narrower class
        raise SchemaError(str(path), "a file of the tokenizers library", str(error)) from error
