"""The letters of DNA: codes of the four bases, the other strand, ambiguity codes, normal spelling.

Sequences are upper-case ASCII. Lower case (soft masking) is upper-cased and U becomes T; IUPAC
ambiguity codes are kept as they are, and each model says how it reads them; any other letter is an
error that names contig and offset. The **code** of a base is 0 for A, 1 for C, 2 for G, 3 for T
and 4 for whatever is none of them, so that 3 - code is the code of the paired base.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from genointerp.core.errors import SequenceError

BASES = "ACGT"
"""The four bases in the order of their codes."""

UNKNOWN = len(BASES)
"""Code of a letter that is not A, C, G or T."""

IUPAC: Mapping[str, str] = MappingProxyType(
    {
        **{base: base for base in BASES},
        **{"R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC"},
        **{"B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": BASES},
    }
)
"""The bases that each letter of a sequence allows, in the order of their codes."""


def normalise_sequence(sequence: bytes, *, where: str) -> UInt8[np.ndarray, " bp"]:
    """Return a sequence as upper-case ASCII under this module's policy.

    Raises
    ------
    SequenceError
        Naming the first letter that is no IUPAC nucleotide code.
    """
    letters = np.frombuffer(sequence, dtype=np.uint8)
    normal = _NORMAL[letters]
    if not normal.all():
        offset = int(np.flatnonzero(normal == 0)[0])
        raise SequenceError(
            f"{where}: base {offset + 1}", "an IUPAC nucleotide code", repr(chr(letters[offset]))
        )
    return normal


def reverse_complement(sequence: UInt8[np.ndarray, " bp"]) -> UInt8[np.ndarray, " bp"]:
    """Return the other strand, read 5' to 3'; ambiguity codes are complemented too."""
    return np.take(_PAIRED, sequence[::-1])


def reverse_complement_codes(codes: UInt8[np.ndarray, " bp"]) -> UInt8[np.ndarray, " bp"]:
    """Return the codes of the other strand, read 5' to 3'; an unknown base stays unknown."""
    return np.take(_PAIRED_CODE, codes[::-1])


def base_codes(sequence: UInt8[np.ndarray, " bp"]) -> UInt8[np.ndarray, " bp"]:
    """Return the code of each base of an upper-case sequence.

    Examples
    --------
    >>> base_codes(np.frombuffer(b"ACGTNR", np.uint8)).tolist()
    [0, 1, 2, 3, 4, 4]
    """
    return np.take(_CODE, sequence)


def base_letters(codes: UInt8[np.ndarray, " bp"]) -> UInt8[np.ndarray, " bp"]:
    """Return the sequence that has these codes, N where a base is unknown."""
    return np.take(_LETTER, codes)


def known_bases(sequence: UInt8[np.ndarray, " bp"]) -> Bool[np.ndarray, " bp"]:
    """Return which letters of an upper-case sequence are A, C, G or T."""
    return base_codes(sequence) < UNKNOWN


def count_bases(sequence: UInt8[np.ndarray, " bp"]) -> Int64[np.ndarray, "4"]:
    """Count A, C, G and T in an upper-case sequence; other letters are left out.

    Examples
    --------
    >>> count_bases(np.frombuffer(b"GATTACAN", np.uint8)).tolist()
    [3, 1, 1, 2]
    """
    return np.bincount(base_codes(sequence), minlength=UNKNOWN + 1)[:UNKNOWN].astype(np.int64)


def count_columns(aligned: UInt8[np.ndarray, "sequence column"]) -> Int64[np.ndarray, "column 4"]:
    """Count A, C, G and T in each column of aligned upper-case sequences."""
    return np.stack([(aligned == ord(base)).sum(axis=0) for base in BASES], axis=1)


def unknown_sequence(length: int) -> UInt8[np.ndarray, " bp"]:
    """Return a sequence of N."""
    return np.full(length, ord("N"), dtype=np.uint8)


def _table(entries: Mapping[str, str]) -> UInt8[np.ndarray, " 256"]:
    table = np.zeros(256, dtype=np.uint8)
    for letter, entry in entries.items():
        table[ord(letter)] = ord(entry)
    return table


_PAIR = dict(zip(BASES, reversed(BASES), strict=True))
_LETTER_OF = {frozenset(allowed): letter for letter, allowed in IUPAC.items()}
_PAIRED = _table(
    {
        letter: _LETTER_OF[frozenset(_PAIR[base] for base in allowed)]
        for letter, allowed in IUPAC.items()
    }
)
_PAIRED_CODE = np.array([3, 2, 1, 0, UNKNOWN], dtype=np.uint8)
_NORMAL = _table(
    {letter: letter for letter in IUPAC}
    | {letter.lower(): letter for letter in IUPAC}
    | {"U": "T", "u": "T"}
)
_LETTER = np.frombuffer(f"{BASES}N".encode(), dtype=np.uint8)
_CODE = np.full(256, UNKNOWN, dtype=np.uint8)
_CODE[_LETTER] = np.arange(len(_LETTER))
