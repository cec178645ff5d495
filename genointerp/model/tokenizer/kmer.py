"""Words of k bases on an explicit grid, as in Nucleotide Transformer, GENERator and Carbon.

Published tokenizers start their grid at the first base of their input, so the words of two windows
of one contig disagree unless the windows start on the same grid. Here the caller states where on
the grid a sequence starts, and a base that is in no word (N) does not move the words after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from genointerp.core.errors import ConfigError
from genointerp.genome.letters import BASES, IUPAC, UNKNOWN, base_codes
from genointerp.model.protocol import TokenSpans
from genointerp.model.tokenizer.base import check_phase, check_specials, surround


@dataclass(frozen=True, eq=False)
class KmerTokenizer:
    """Words of ``k`` bases; other bases are read one by one, if the vocabulary has such tokens.

    A partial word (at an end of the sequence) and a word with an ambiguity code become tokens of
    one base. Neighbouring bases of such a word for which there is no token share one unknown
    token; so if the vocabulary has no single bases, the whole word is one unknown token.

    Parameters
    ----------
    vocab
        Ids of all ``4**k`` words, of single bases if there are any, and of special tokens.
    unknown
        Token for bases that the vocabulary lacks.
    before, after
        Special tokens around every sequence.
    mask
        The mask token, if there is one.
    restart
        Whether the grid starts again after each stretch of ambiguity codes, as in the published
        tokenizer of Nucleotide Transformer. Windows of one contig then agree only if they contain
        the same ambiguity codes.

    Raises
    ------
    ConfigError
        If the vocabulary lacks a word or one of the special tokens.
    """

    name: str
    vocab: Mapping[str, int]
    k: int
    unknown: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    mask: str | None = None
    restart: bool = False
    base_ids: Mapping[bytes, int] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        check_specials(self.name, self.vocab, (*self.before, *self.after, self.unknown, self.mask))
        missing = next((word for word in words(BASES, self.k) if word not in self.vocab), None)
        if missing is not None:
            raise ConfigError(self.name, f"all {4**self.k} words of {self.k}", f"no {missing}")

    @property
    def vocab_size(self) -> int:
        """One more than the greatest id."""
        return max(self.vocab.values()) + 1

    @property
    def bases_per_token(self) -> int:
        """Length of a word."""
        return self.k

    @property
    def mask_id(self) -> int | None:
        """Id of the mask token, if there is one."""
        return None if self.mask is None else self.vocab[self.mask]

    @cached_property
    def word_ids(self) -> Int64[np.ndarray, " word"]:
        """Ids of the words, and of single bases if there are any, ascending."""
        single = self._single[list(BASES.encode())]
        return np.unique(np.concatenate([self._word, single[single >= 0]]))

    @cached_property
    def spelling(self) -> Mapping[int, bytes]:
        """The word of each id; single bases are left out, since words after them leave the grid."""
        return {self.vocab[word]: word.encode() for word in words("ACGT", self.k)}

    @cached_property
    def _word(self) -> Int64[np.ndarray, " word"]:
        # in the order of their digits: A 0, C 1, G 2, T 3; the first base is the most significant
        return np.array([self.vocab[word] for word in words(BASES, self.k)], np.int64)

    @cached_property
    def _single(self) -> Int64[np.ndarray, " 256"]:
        table = np.full(256, -1, np.int64)
        for letter in IUPAC:
            table[ord(letter)] = self.vocab.get(letter, -1)
        return table

    def encode(self, sequence: UInt8[np.ndarray, " bp"], *, phase: int = 0) -> TokenSpans:
        """Return the words on the grid of ``phase``, and shorter tokens where there is no word."""
        check_phase(phase, self.k)
        code, single = base_codes(sequence), self._single[sequence]
        begins = self._cell_begins(code, phase)
        word_start = self._word_starts(code, begins)
        loose = np.ones(len(sequence), bool)
        loose[(word_start[:, None] + np.arange(self.k)).ravel()] = False
        known = single >= 0
        # a token begins at a base that has its own token, and at the base after it
        begins |= loose & (known | np.append(False, known)[:-1])
        start = np.flatnonzero(begins)
        ids = np.where(known, single, self.vocab[self.unknown])[start]
        ids[np.searchsorted(start, word_start)] = self._words_at(code, word_start)
        spans = TokenSpans(ids, start, np.append(start, len(sequence))[1:])
        return surround(spans, self.vocab, self.before, self.after)

    def _cell_begins(self, code: UInt8[np.ndarray, " bp"], phase: int) -> Bool[np.ndarray, " bp"]:
        index = np.arange(len(code))
        if not self.restart:
            fixed: Bool[np.ndarray, " bp"] = (index == 0) | ((index + phase) % self.k == 0)
            return fixed
        clear = code != UNKNOWN
        begins: Bool[np.ndarray, " bp"] = (index == 0) | (clear != np.append(False, clear)[:-1])
        run_start = np.maximum.accumulate(np.where(begins, index, 0))
        offset = index - run_start + np.where(run_start == 0, phase, 0)
        begins |= clear & (offset % self.k == 0)
        return begins

    def _word_starts(
        self, code: UInt8[np.ndarray, " bp"], begins: Bool[np.ndarray, " bp"]
    ) -> Int64[np.ndarray, " word"]:
        start = np.flatnonzero(begins)
        end = np.append(start, len(code))[1:]
        ambiguous = np.append(0, np.cumsum(code == UNKNOWN))
        full = (end - start == self.k) & (ambiguous[start] == ambiguous[end])
        return np.asarray(start[full], np.int64)

    def _words_at(
        self, code: UInt8[np.ndarray, " bp"], start: Int64[np.ndarray, " word"]
    ) -> Int64[np.ndarray, " word"]:
        digits = code[start[:, None] + np.arange(self.k)]
        return np.asarray(self._word[digits @ 4 ** np.arange(self.k)[::-1]])


def words(letters: str, k: int) -> list[str]:
    """Return all words of ``k`` letters, the last letter changing fastest.

    Examples
    --------
    >>> words("AC", 2)
    ['AA', 'AC', 'CA', 'CC']
    """
    return ["".join(word) for word in product(letters, repeat=k)]


def carbon_vocabulary() -> dict[str, int]:
    """Return the DNA part of Carbon's vocabulary: three tags and the 6-mers, letters as A T C G.

    Notes
    -----
    Its ids follow the 151,669 tokens of Qwen3's text vocabulary. The word CCCCCC is in both, with
    id 91,443 as text and 154,402 as DNA: looked up by its spelling, it would be taken for text.
    """
    tokens = ["<dna>", "</dna>", "<oov>", *words("ATCG", 6)]
    return {token: 151_669 + i for i, token in enumerate(tokens)}
