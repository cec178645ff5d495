"""Tables of intervals to and from pyranges, which is an optional package.

Both count bases from 0 and leave the end out, so that coordinates go over as they are; columns have
other names (``seqid, start, end, strand`` are ``Chromosome, Start, End, Strand``) and all others
keep theirs. Two things differ. pyranges orders rows by contig and strand. And where any row has the
strand ``.`` it takes all of them for ranges without a strand, though each keeps its own.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from genointerp.core.errors import InputError
from genointerp.genome.interval import GenomicInterval

if TYPE_CHECKING:
    from pyranges import PyRanges

_NAMES = {"seqid": "Chromosome", "start": "Start", "end": "End", "strand": "Strand"}
_OURS = {theirs: ours for ours, theirs in _NAMES.items()}


def to_pyranges(
    intervals: pd.DataFrame | Iterable[GenomicInterval],
    lengths: Mapping[str, int] | None = None,
) -> "PyRanges":
    """Return intervals as pyranges.

    Parameters
    ----------
    intervals
        A table with ``seqid, start, end`` (0-based, half-open, in bp), such as an answer of
        `query` or `top`; or intervals.
    lengths
        Length of each contig in bp. pyranges knows no circular contig: with the lengths, a row that
        goes on at the origin becomes two, which share everything else. Without them its end stays
        beyond the contig.

    Raises
    ------
    InputError
        If pyranges is not installed, or the table has no intervals.

    Examples
    --------
    >>> ranges = to_pyranges([GenomicInterval("c", 8, 12, "+")], {"c": 10})
    >>> ranges.df[["Chromosome", "Start", "End", "Strand"]].to_numpy().tolist()
    [['c', 8, 10, '+'], ['c', 0, 2, '+']]
    """
    try:
        from pyranges import PyRanges
    except ImportError as error:
        expected = 'the package pyranges (pip install "genointerp[pyranges]")'
        raise InputError("pyranges", expected, "none") from error
    table = _table(intervals)
    missing = [name for name in ("seqid", "start", "end") if name not in table]
    if missing:
        expected = "a table with the columns seqid, start and end"
        raise InputError("intervals", expected, f"none named {missing[0]}")
    if lengths is not None:
        table = _split_at_origin(table, lengths)
    return PyRanges(table.rename(columns=_NAMES).reset_index(drop=True))


def from_pyranges(ranges: "PyRanges") -> pd.DataFrame:
    """Return pyranges as a table with the names of this package, a row for each range.

    ``strand`` is ``.`` where the ranges have none; other columns keep their names.

    Examples
    --------
    >>> table = pd.DataFrame({"seqid": ["c"], "start": [4], "end": [9], "strand": ["-"]})
    >>> from_pyranges(to_pyranges(table)).equals(table)
    True
    """
    table: pd.DataFrame = ranges.df.rename(columns=_OURS)
    for name in _NAMES:
        if name not in table:
            table[name] = "." if name == "strand" else pd.Series(dtype="int64")
    table = table.astype({"seqid": "str", "start": "int64", "end": "int64", "strand": "str"})
    return table[[*_NAMES, *(name for name in table if name not in _NAMES)]]


def _table(intervals: pd.DataFrame | Iterable[GenomicInterval]) -> pd.DataFrame:
    if isinstance(intervals, pd.DataFrame):
        return intervals
    rows = [(one.seqid, one.start, one.end, one.strand) for one in intervals]
    return pd.DataFrame(rows, columns=list(_NAMES))


def _split_at_origin(table: pd.DataFrame, lengths: Mapping[str, int]) -> pd.DataFrame:
    """Return the table with each row that goes on at the origin as two, one behind the other."""
    length = table["seqid"].map(dict(lengths)).to_numpy()
    turned = (table["end"] > length).to_numpy()
    if not turned.any():
        return table
    before = table.assign(end=table["end"].where(~turned, length))
    behind = table[turned].assign(start=0, end=table["end"][turned] - length[turned])
    both = pd.concat([before, behind])
    return both.sort_index(kind="stable").astype({"start": "int64", "end": "int64"})
