"""Templates: IUPAC letters that restrict which words of a model may be written at each place."""

import numpy as np
from jaxtyping import Bool, UInt8

from genointerp.core.errors import InputError
from genointerp.genome.letters import BASES, IUPAC, normalise_sequence
from genointerp.model.protocol import Generates

_BITS = np.zeros(256, np.uint8)
for _letter, _bases in IUPAC.items():
    _BITS[ord(_letter)] = sum(1 << BASES.index(base) for base in _bases)
_ANYTHING = 255
"""Padding of words to one length, and of the template after its end; any letter agrees with it."""


class Template:
    """Letters that words of a model, laid end to end, must spell.

    Parameters
    ----------
    letters
        IUPAC letter for each base, in upper or lower case.

    Raises
    ------
    SequenceError
        If a letter is not an IUPAC code.
    InputError
        If there are no letters, or if no words can spell all of them.
    """

    def __init__(self, letters: str, model: Generates) -> None:
        normal = normalise_sequence(letters.encode(), where="template")
        if not len(normal):
            raise InputError("template", "a letter for each base to write", "none")
        width, spelling = model.spec.bases_per_token, model.symbols.spelling
        if width > 1 and len(normal) % width:
            expected = f"a multiple of {width} letters, as long as the words of {model.spec.name}"
            raise InputError("template", expected, str(len(normal)))
        self.n_bases = len(normal)
        self.length = np.array([len(word) for word in spelling])
        longest = int(self.length.max())
        self._letters = np.full(self.n_bases + longest, _ANYTHING, np.uint8)
        self._letters[: self.n_bases] = _BITS[normal]
        self._words = np.array([_padded_bits(word, longest) for word in spelling])
        # from which places can words, laid end to end, reach exactly the last letter?
        self._leads_on = np.zeros(self.n_bases + longest + 1, bool)
        self._leads_on[self.n_bases] = True
        for place in reversed(range(self.n_bases)):
            self._leads_on[place] = self.fits(place).any()
        if not self._leads_on[0]:
            expected = f"letters that words of {model.spec.name} spell from end to end"
            found = f"no word that fits at letter {self._furthest() + 1}"
            raise InputError("template", expected, found)

    def fits(self, place: int) -> Bool[np.ndarray, " symbol"]:
        """Say which symbols may be written after ``place`` bases so that the rest can be spelt too.

        After the last base all symbols fit, since what follows is cut off.
        """
        if place == self.n_bases:
            return np.ones(len(self.length), bool)
        fits: Bool[np.ndarray, " symbol"] = (
            self._agrees(place) & self._leads_on[place + self.length]
        )
        return fits

    def most_words(self) -> int:
        """Return the most words that may be needed."""
        return self.n_bases // int(self.length[self.length > 0].min())

    def _agrees(self, place: int) -> Bool[np.ndarray, " symbol"]:
        letters = self._letters[place : place + self._words.shape[1]]
        inside = (self.length > 0) & (self.length <= self.n_bases - place)
        agrees: Bool[np.ndarray, " symbol"] = inside & ((letters & self._words) != 0).all(axis=1)
        return agrees

    def _furthest(self) -> int:
        """Return how many letters, from the first on, can be spelt."""
        reached = np.zeros(self.n_bases + 1, bool)
        reached[0] = True
        for place in range(self.n_bases):
            if reached[place]:
                reached[place + self.length[self._agrees(place)]] = True
        return int(reached.nonzero()[0][-1])


def _padded_bits(word: bytes, length: int) -> UInt8[np.ndarray, " base"]:
    bits = np.full(length, _ANYTHING, np.uint8)
    bits[: len(word)] = _BITS[np.frombuffer(word, np.uint8)]
    return bits
