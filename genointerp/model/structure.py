"""Pairs of bases that a model is made to write: a structure in dots and brackets."""

import numpy as np
from jaxtyping import Bool

from genointerp.core.errors import InputError
from genointerp.model.protocol import Symbols

_PARTNERS = {b"A": b"T", b"C": b"G", b"G": b"CT", b"T": b"AG"}
"""Letters that pair with each, G with T (U) counted."""


class Structure:
    """Which bases are to pair.

    Parameters
    ----------
    text
        A dot for each base that may be any, and brackets around what lies between two that pair;
        no pairs at all where it is empty.
    n_bases
        Number of bases to write.
    symbols
        Symbols of the model.

    Raises
    ------
    InputError
        If the text has another length, brackets without a partner or other letters, or the tokens
        of the model are not bases.
    """

    def __init__(self, text: str, n_bases: int, symbols: Symbols) -> None:
        self._spelling = symbols.spelling
        self._partner: dict[int, int] = {}
        if not text:
            return
        if len(text) != n_bases:
            expected = f"{n_bases} dots and brackets, one for each base"
            raise InputError("structure", expected, str(len(text)))
        if any(len(word) != 1 for word in symbols.spelling):
            raise InputError("structure", "a model whose tokens are bases", "words of several")
        open_: list[int] = []
        for place, letter in enumerate(text):
            if letter == "(":
                open_.append(place)
            elif letter == ")" and open_:
                self._partner[place] = open_.pop()
            elif letter != ".":
                expected = "dots, and brackets that have a partner"
                raise InputError(f"structure: base {place + 1}", expected, letter)
        if open_:
            expected = "brackets that have a partner"
            raise InputError(f"structure: base {open_[-1] + 1}", expected, "(")

    def allows(self, written: bytes) -> Bool[np.ndarray, " symbol"]:
        """Say which symbols pair with their partner in what was written, if they have one."""
        if len(written) not in self._partner:
            return np.ones(len(self._spelling), np.bool_)
        first = self._partner[len(written)]
        partners = _PARTNERS[written[first : first + 1]]
        return np.array([word in partners for word in self._spelling], np.bool_)
