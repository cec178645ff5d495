"""Places that a question is about: one base, or a stretch, as people write them."""

import re

from genointerp.core.errors import CoordinateError
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval, parse_region

MOST_BASES = 1024
"""Longest stretch that can be asked for."""
_SINGLE = re.compile(r".+:[0-9][0-9,]*")


def parse_place(text: str, genome: Genome) -> GenomicInterval:
    """Read the place of a question: ``seqid:first-last``, or ``seqid:base`` for one base.

    Everything is as in `parse_region`, except that a single number is one base, where samtools
    reads all from there to the end of the contig.

    Raises
    ------
    CoordinateError
        If it is no region of the genome, or longer than :data:`MOST_BASES`.

    Examples
    --------
    >>> import numpy as np
    >>> from genointerp.genome.genome import Contig
    >>> genome = Genome([Contig("c", np.frombuffer(b"ACGT", np.uint8))])
    >>> parse_place("c:3", genome)
    GenomicInterval(seqid='c', start=2, end=3, strand='.')
    """
    single = _SINGLE.fullmatch(text) is not None and text not in genome
    region = f"{text}-{text.rsplit(':', 1)[1]}" if single else text
    found = parse_region(region, genome.lengths, circular=genome.circular)
    if found.length > MOST_BASES:
        expected = f"one base, or a stretch of at most {MOST_BASES:,}"
        raise CoordinateError(text, expected, f"{found.length:,} bases")
    return found
