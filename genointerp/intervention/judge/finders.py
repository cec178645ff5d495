"""Gene finders as judges of designs."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float64

from genointerp.annotation.finders.finding import FindConfig, Finding
from genointerp.annotation.finders.registry import finder_named, installed_finders

_log = logging.getLogger(__name__)

FINDERS = {"pyrodigal": "CDS", "pyaragorn": "tRNA", "pybarrnap": "rRNA"}
"""The finders that judge, and the type of what each is asked for."""
_MOST = 90_000
"""Bases that are given to a finder at once: a gene finder would learn from more, what was written
among them."""


def warn_of_absent_finders() -> None:
    """Log which finders are not installed."""
    if missing := sorted(FINDERS.keys() - set(installed_finders(list(FINDERS)))):
        _log.warning("not installed, so it judges no design: %s", ", ".join(missing))


class Found:
    """What finders see in designs, each searched by itself; NaN where one is not installed.

    Parameters
    ----------
    designs
        Upper-case bases of each design, of one length.
    """

    def __init__(self, designs: Sequence[str]) -> None:
        self._n, self._length = len(designs), len(designs[0])
        self._found: dict[str, list[Finding]] = {}
        for name in installed_finders(list(FINDERS)):
            self._found[name] = list(_search(name, designs))

    def has(self, finder: str) -> Float64[np.ndarray, " design"]:
        """Say for each design whether a finder sees what it is asked for: 1, or 0."""
        if finder not in self._found:
            return np.full(self._n, np.nan)
        own = np.zeros(self._n)
        own[[int(found.seqid) for found in self._found[finder]]] = 1
        return own

    def coding(self, frame: int | None) -> Float64[np.ndarray, " design"]:
        """Return the share of each design in genes of a frame; of the other strand where None.

        The frame of a gene is that of the first bases of its codons.
        """
        if "pyrodigal" not in self._found:
            return np.full(self._n, np.nan)
        covered = np.zeros((self._n, self._length), np.bool_)
        for found in self._found["pyrodigal"]:
            own = None if found.strand == "-" else found.start % 3
            if own == frame:
                covered[int(found.seqid), found.start : found.end] = True
        shares: Float64[np.ndarray, " design"] = covered.mean(1)
        return shares


def _search(name: str, designs: Sequence[str]) -> list[Finding]:
    """Return what a finder sees; the name of each contig is the number of the design."""
    found: list[Finding] = []
    at_once = max(1, _MOST // len(designs[0]))
    for first in range(0, len(designs), at_once):
        part: Mapping[str, str] = {
            str(number): bases
            for number, bases in enumerate(designs[first : first + at_once], first)
        }
        seen = finder_named(name).search(part, FindConfig())
        found += [it for it in seen if FINDERS[name] in it.type]
    return found
