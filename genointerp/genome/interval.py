"""The one coordinate type, and the one place where samtools-style regions are converted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from genointerp.core.errors import CoordinateError

Strand = Literal["+", "-", "."]

_RANGE = re.compile(r"(?P<seqid>.+):(?P<first>[0-9][0-9,]*)(?:-(?P<last>[0-9][0-9,]*))?")


@dataclass(frozen=True, slots=True, order=True)
class GenomicInterval:
    """The bases ``[start, end)`` of one contig.

    Parameters
    ----------
    seqid
        Name of the contig, as in column 1 of a GFF3 file.
    start, end
        0-based, half-open, forward strand, in bp. ``start == end`` is an empty interval.
    strand
        ``"."`` where the strand is unknown or meaningless.

    Raises
    ------
    CoordinateError
        If ``start`` is negative or lies beyond ``end``.
    """

    seqid: str
    start: int
    end: int
    strand: Strand = "."

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise CoordinateError(
                self.seqid, "0 <= start <= end", f"start={self.start}, end={self.end}"
            )

    @property
    def length(self) -> int:
        """Number of bases."""
        return self.end - self.start

    def intersection(self, other: "GenomicInterval") -> "GenomicInterval | None":
        """Return the common bases, on this interval's strand; None where there are none."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        if self.seqid != other.seqid or start >= end:
            return None
        return GenomicInterval(self.seqid, start, end, self.strand)


def parse_region(region: str, lengths: Mapping[str, int]) -> GenomicInterval:
    """Parse a samtools-style region, whose coordinates are 1-based and closed.

    Parameters
    ----------
    region
        ``seqid``, ``seqid:first`` (that one base) or ``seqid:first-last``, with commas or
        without. A name that is a contig's in full is that contig, even where it holds a colon.
    lengths
        Length of each contig in bp.

    Raises
    ------
    CoordinateError
        If the region cannot be parsed, names no contig of ``lengths`` or leaves its contig.

    Examples
    --------
    >>> parse_region("chrI:1-1,000", {"chrI": 5000})
    GenomicInterval(seqid='chrI', start=0, end=1000, strand='.')
    >>> parse_region("chrI", {"chrI": 5000}).length
    5000
    """
    if region in lengths:
        return GenomicInterval(region, 0, lengths[region])
    match = _RANGE.fullmatch(region)
    if match is None or match["seqid"] not in lengths:
        expected = f"a region of {_names(lengths)}, like 'chrI:1-1,000'"
        raise CoordinateError("region", expected, repr(region))
    seqid, length = match["seqid"], lengths[match["seqid"]]
    first = int(match["first"].replace(",", ""))
    last = int((match["last"] or match["first"]).replace(",", ""))
    if not 1 <= first <= last <= length:
        expected = f"1 <= first <= last <= {length} on {seqid}"
        raise CoordinateError(region, expected, f"first={first}, last={last}")
    return GenomicInterval(seqid, first - 1, last)


def format_region(interval: GenomicInterval) -> str:
    """Return the 1-based closed region that samtools and genome browsers understand.

    Examples
    --------
    >>> format_region(GenomicInterval("chrI", 0, 1000))
    'chrI:1-1,000'
    """
    return f"{interval.seqid}:{interval.start + 1:,}-{interval.end:,}"


def _names(lengths: Mapping[str, int]) -> str:
    names = list(lengths)
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
