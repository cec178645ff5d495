"""Motifs that must not occur in what a model writes."""

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, UInt8

from genointerp.core.errors import InputError
from genointerp.genome.letters import IUPAC, normalise_sequence, reverse_complement
from genointerp.model.protocol import Symbols


class Forbidden:
    """Motifs that are avoided, on either strand.

    Parameters
    ----------
    motifs
        Motifs in IUPAC letters.
    symbols
        Symbols of the model.

    Raises
    ------
    SequenceError
        If a letter is not an IUPAC code.
    InputError
        If a motif is empty.
    """

    def __init__(self, motifs: Sequence[str], symbols: Symbols) -> None:
        self._spelling = symbols.spelling
        self._motifs: list[tuple[re.Pattern[bytes], int]] = []
        for motif in motifs:
            letters = normalise_sequence(motif.encode(), where=f"motif {motif}")
            if not len(letters):
                raise InputError("avoid", "a motif of one letter or more", "none")
            for strand in (letters, reverse_complement(letters)):
                # a motif may overlap itself
                pattern = re.compile(b"(?=" + _pattern(strand) + b")")
                self._motifs.append((pattern, len(letters)))
        self._longest = max((length for _, length in self._motifs), default=1)

    def allows(self, before: bytes) -> Bool[np.ndarray, " symbol"]:
        """Say which symbols complete no motif after the bases ``before``.

        A motif that begins in these bases and ends in the symbol counts.
        """
        if not self._motifs:
            return np.ones(len(self._spelling), np.bool_)
        tail = before[max(0, len(before) - self._longest + 1) :]
        return np.array([not self._occurs(tail, word) for word in self._spelling], np.bool_)

    def _occurs(self, tail: bytes, word: bytes) -> bool:
        text = tail + word
        # what ends inside the tail is not the word's doing
        return any(
            found.start() + length > len(tail)
            for motif, length in self._motifs
            for found in motif.finditer(text)
        )


def _pattern(letters: UInt8[np.ndarray, " bp"]) -> bytes:
    return b"".join(f"[{IUPAC[chr(letter)]}]".encode() for letter in letters)
