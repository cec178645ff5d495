"""The order in which the rows of one element are read, which GFF3 does not say.

Files follow several habits: rows in the order of coordinates whatever the strand, rows in the order
in which they are read, and either of them over the origin of a circular contig. Where two habits
explain one order of rows, the phases of a coding sequence may fit only one.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from genointerp.annotation.gff3.row import Row

_PART = re.compile(r"([0-9]{1,9})(?:/[0-9]{1,9})?")


def in_reading_order(rows: Sequence[Row], *, length: int, circular: bool) -> list[Row]:
    """Return the rows of one element, 5' to 3'.

    Parameters
    ----------
    length, circular
        Of their contig, in bp.

    Notes
    -----
    1. By their ``part`` attribute (``part=1/2``), where each row has one.
    2. Else of the orders that are possible the first whose phases follow from one another and
       which begins in phase 0. Where none does, the first possible one; so too where an end is
       said to be missing, if its phases follow from one another.

    Possible are, on one strand, the order along the strand and that of the file. Along the strand a
    gene on a circular contig begins behind its widest gap, so that it may span the origin. The
    order along the strand comes first where the file merely lists the coordinates, upward or
    downward; where the rows of the file are in any other order, somebody put them so, and that
    order comes first. So does it where two rows on the forward strand stand downward, which go
    over an origin that nobody declared, and where trans-splicing is stated. Last come the order
    from behind the widest gap, on any contig, and that against the strand: an origin that nobody
    declared may lie between two rows.

    On two strands (trans-splicing) the order of the file comes first, then the order in which each
    run of rows of one strand is along the strand, then either of them from its end.
    """
    rows = list(rows)
    if len(rows) == 1:
        return rows
    parts = [_PART.fullmatch(",".join(row.attributes.get("part", ()))) for row in rows]
    if all(parts):
        keys = [int(part[1]) for part in parts if part]
        return [row for _, row in sorted(zip(keys, rows, strict=True), key=lambda pair: pair[0])]
    if len({row.strand for row in rows}) > 1:
        runs = _runs_along_strand(rows)
        orders = [rows, runs, rows[::-1], runs[::-1]]
    else:
        orders = _orders(rows, length=length, circular=circular)
    first = orders[0]
    fitting = [order for order in orders if _fits(order)]
    if first in fitting and _is_partial(rows):
        return first
    return next(filter(_starts, fitting), first)


def _orders(rows: list[Row], *, length: int, circular: bool) -> list[list[Row]]:
    upward = sorted(rows, key=lambda row: (row.first, row.last))
    minus = rows[0].strand == "-"
    turned = _behind_widest_gap(upward, length)
    over_origin = turned[::-1] if minus else turned
    along = over_origin if circular else upward[::-1] if minus else upward
    is_downward = rows in (upward[::-1], along[::-1])
    is_listed = rows == upward or (is_downward and (minus or len(rows) > 2))
    listed_first = is_listed and not _is_trans_spliced(rows)
    return [*([along, rows] if listed_first else [rows, along]), over_origin, along[::-1]]


def _behind_widest_gap(upward: list[Row], length: int) -> list[Row]:
    last = upward[-1].last
    # the gap before each row; that before the first goes over the origin
    gaps = [upward[0].first + length - last]
    gaps += [row.first - before.last for before, row in pairwise(upward)]
    start = gaps.index(max(gaps))
    return upward[start:] + upward[:start]


def _runs_along_strand(rows: list[Row]) -> list[Row]:
    ordered: list[Row] = []
    run: list[Row] = []
    for row in [*rows, None]:
        if run and (row is None or row.strand != run[0].strand):
            ordered += sorted(run, key=lambda row: row.first, reverse=run[0].strand == "-")
            run = []
        if row is not None:
            run.append(row)
    return ordered


def _is_trans_spliced(rows: list[Row]) -> bool:
    said = rows[0].attributes
    return "trans_splicing" in said or "trans-splicing" in said.get("exception", ())


def _is_partial(rows: list[Row]) -> bool:
    said = (
        value.lower()
        for row in rows
        for name in ("start_range", "end_range", "partial", "truncated")
        for value in row.attributes.get(name, ())
    )
    return any(value not in ("false", "no", "0", "00") for value in said)


def _fits(rows: list[Row]) -> bool:
    return all(
        row.phase < 0 or before.phase < 0 or (before.phase - before.length) % 3 == row.phase
        for before, row in pairwise(rows)
    )


def _starts(rows: list[Row]) -> bool:
    return rows[0].phase == 0
