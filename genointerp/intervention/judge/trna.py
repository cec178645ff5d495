"""Signs of a transfer RNA in a design that is one from its first base to its last."""

import re
from typing import NamedTuple

_T_LOOP = re.compile("GTTC[AG]A[ACGT][CT]C")
_D_LOOP = re.compile("[ACGT]{11,14}A[AG][CT][ACGT]{0,4}GG[ACGT]{1,3}A")
_PAIRS = {"AT", "TA", "GC", "CG", "GT", "TG"}
N_PAIRS = 7
"""Pairs of an acceptor stem."""


class TrnaSigns(NamedTuple):
    """What a design has of a transfer RNA.

    Parameters
    ----------
    t_loop
        Whether the consensus of the T arm occurs, ``GTTCRANYC``.
    d_loop
        Whether that of the D loop occurs where it belongs, ``ARY GG A`` from base 12 to 15 on.
    cca
        Whether it ends in CCA.
    acceptor_pairs
        Pairs among the seven first bases and those before the last four, G with T counted.
    """

    t_loop: bool
    d_loop: bool
    cca: bool
    acceptor_pairs: int


def trna_signs(design: str) -> TrnaSigns:
    """Look for the signs of a transfer RNA.

    Examples
    --------
    >>> trna_signs(
    ...     "GGGGCTATAGCTCAGCTGGGAGAGCGCCTGCTTTGCACGCAGGAGGTCTGCGGTTCGATCCCGCATAGCTCCACCA"
    ... )
    TrnaSigns(t_loop=True, d_loop=True, cca=True, acceptor_pairs=7)
    """
    behind = len(design) - 5
    pairs = sum(design[i] + design[behind - i] in _PAIRS for i in range(min(N_PAIRS, behind // 2)))
    return TrnaSigns(
        _T_LOOP.search(design) is not None,
        _D_LOOP.match(design) is not None,
        design.endswith("CCA"),
        pairs,
    )
