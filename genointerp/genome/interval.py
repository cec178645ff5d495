"""The one coordinate type, and the one place where samtools-style regions are converted."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from genointerp.core.errors import CoordinateError
from genointerp.core.nearest import hinted

Strand = Literal["+", "-", "."]

_NUMBER = "[0-9][0-9,]{0,29}"  # no genome is longer, and Python refuses to read 5,000 digits
_RANGE = re.compile(
    rf"(?:\{{(?P<braced>.+)\}}|(?P<seqid>.+)):"
    rf"(?:(?P<first>{_NUMBER})(?:-(?P<last>{_NUMBER})?)?|-(?P<until>{_NUMBER}))",
    re.DOTALL,
)


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


def parse_region(
    region: str, lengths: Mapping[str, int], *, circular: Collection[str] = ()
) -> GenomicInterval:
    """Parse a samtools-style region, whose coordinates are 1-based and closed.

    Parameters
    ----------
    region
        ``seqid``; ``seqid:first-last``; ``seqid:first`` or ``seqid:first-``, from there to the
        end of the contig; ``seqid:-last``, from its first base. Commas are allowed. A text that
        is the name of a contig in full is that contig, even where it holds a colon; a name may
        stand in braces, as in ``{HLA}:1-50``.
    lengths
        Length of each contig in bp.
    circular
        Contigs on which a region may span the origin, written with ``last`` before ``first`` or,
        as in GFF3, beyond the length. Its ``end`` is then beyond the length: `split_at_origin`.

    Raises
    ------
    CoordinateError
        If the region cannot be parsed, names no contig of ``lengths`` or leaves its contig.

    Examples
    --------
    >>> parse_region("chrI:1-1,000", {"chrI": 5000})
    GenomicInterval(seqid='chrI', start=0, end=1000, strand='.')
    >>> parse_region("chrI:4,001", {"chrI": 5000})
    GenomicInterval(seqid='chrI', start=4000, end=5000, strand='.')
    >>> parse_region("chrI", {"chrI": 5000}).length
    5000
    >>> parse_region("chrI:4,991-10", {"chrI": 5000}, circular={"chrI"})
    GenomicInterval(seqid='chrI', start=4990, end=5010, strand='.')
    """
    for name in (region, region[1:-1] if region[:1] + region[-1:] == "{}" else region):
        if name in lengths:
            return GenomicInterval(name, 0, lengths[name])
    match = _RANGE.fullmatch(region)
    seqid = "" if match is None else match["braced"] or match["seqid"]
    if match is None or seqid not in lengths:
        expected = f"a region of {_names(lengths)}, like 'chrI:1-1,000'"
        found = f"{_shown(region)}{hinted(seqid or region, lengths)}"
        raise CoordinateError("region", expected, found)
    length = lengths[seqid]
    first, last = _bounds(match, length)
    wrapped = last + length if 1 <= last < first else last
    if seqid in circular and 1 <= first <= length < wrapped < first + length:
        return GenomicInterval(seqid, first - 1, wrapped)
    if not 1 <= first <= last <= length:
        expected = f"1 <= first <= last <= {length} on {seqid}"
        raise CoordinateError(region, expected, f"first={first}, last={last}")
    return GenomicInterval(seqid, first - 1, last)


def has_coordinates(region: str) -> bool:
    """Say whether a text ends like a region with coordinates, whatever contig it names.

    Examples
    --------
    >>> has_coordinates("chrI:5-9"), has_coordinates("chrI:5"), has_coordinates("dnaA")
    (True, True, False)
    """
    return _RANGE.fullmatch(region) is not None


def split_at_origin(interval: GenomicInterval, length: int) -> tuple[GenomicInterval, ...]:
    """Return the parts of an interval on either side of the origin, in forward order.

    Parameters
    ----------
    interval
        Its end may lie beyond the contig by less than a turn; it then goes on at the origin.
    length
        Of the contig in bp.

    Examples
    --------
    >>> [(part.start, part.end) for part in split_at_origin(GenomicInterval("c", 8, 12), 10)]
    [(8, 10), (0, 2)]
    """
    if interval.end <= length:
        return (interval,)
    seqid, strand = interval.seqid, interval.strand
    if interval.start >= length:
        return (GenomicInterval(seqid, interval.start - length, interval.end - length, strand),)
    return (
        GenomicInterval(seqid, interval.start, length, strand),
        GenomicInterval(seqid, 0, interval.end - length, strand),
    )


def format_region(interval: GenomicInterval) -> str:
    """Return the 1-based closed region that samtools and genome browsers understand.

    Examples
    --------
    >>> format_region(GenomicInterval("chrI", 0, 1000))
    'chrI:1-1,000'
    """
    return f"{interval.seqid}:{interval.start + 1:,}-{interval.end:,}"


def _bounds(match: re.Match[str], length: int) -> tuple[int, int]:
    first = 1 if match["first"] is None else _number(match["first"])
    text = match["last"] or match["until"]
    return first, length if text is None else _number(text)


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def _shown(region: str) -> str:
    return repr(region if len(region) <= 60 else f"{region[:57]}...")


def _names(lengths: Mapping[str, int]) -> str:
    names = list(lengths)
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
