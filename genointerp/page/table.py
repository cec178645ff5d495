"""Tables of the page, with each number as in its file and as formatted for people."""

import math
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from genointerp.genome.interval import GenomicInterval
from genointerp.page.browser import Loci
from genointerp.panel.style import visible_text
from genointerp.store.table.table import PLACES

LOCUS_COLUMNS = ("top_region", "region", "locus")
MAX_LETTERS = 60
"""Most letters of a sequence that the page shows; the file has all of it."""


class Links(NamedTuple):
    """Targets of clicks on cells.

    Parameters
    ----------
    loci
        Positions of regions in the browser.
    pages
        Features that have a section.
    genome
        Genome that the rows lie on, if no column states it.
    """

    loci: Loci
    pages: Collection[int] = ()
    genome: str | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table.

    Parameters
    ----------
    text
        Value formatted for people.
    exact
        Value as in the file, by which rows are sorted.
    title
        Text shown when the mouse rests on the cell.
    locus
        Place to which a click on the cell moves the browser.
    page
        Feature whose section opens on a click on the cell.
    """

    text: str
    exact: str
    locus: str | None = None
    is_number: bool = False
    page: int | None = None
    title: str = ""


@dataclass(frozen=True)
class PageTable:
    """A table of the page.

    Parameters
    ----------
    source
        File of the table, relative to the run directory.
    n_rows
        Number of rows in the file; the page may show only the first of them.
    """

    title: str
    source: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    n_rows: int
    note: str = ""


def page_table(
    frame: pd.DataFrame,
    *,
    title: str,
    source: str,
    links: Links,
    limit: int = 1000,
    n_rows: int | None = None,
    note: str = "",
) -> PageTable:
    """Return the first rows of a frame as a table of the page.

    Positions are 0-based and half-open in the file but 1-based and closed on the page, as the
    header of their column states.

    Parameters
    ----------
    n_rows
        Number of rows in the file, if the frame is only a part of it.
    """
    places = PLACES if "start" in frame else {}
    columns = tuple(
        f"{places[name][0]} (1-based)" if name in places else name
        for name in map(str, frame.columns)
    )
    rows = tuple(_row(row, links) for row in frame.head(limit).to_dict("records"))
    return PageTable(title, source, columns, rows, len(frame) if n_rows is None else n_rows, note)


def format_value(value: object) -> str:
    """Format a value for people: three digits, thousands separated, empty if undefined.

    Examples
    --------
    >>> format_value(0.123456), format_value(1234567), format_value(float("nan"))
    ('0.123', '1,234,567', '')
    """
    if value is None or value is pd.NA:
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{int(value):,}"
    if isinstance(value, float | np.floating):
        return "" if math.isnan(value) else f"{float(value):.3g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(format_value(item) for item in value)
    return visible_text(str(value))


def _row(row: dict[Hashable, Any], links: Links) -> tuple[Cell, ...]:
    cells = [_cell(value, str(name), links) for name, value in row.items()]
    if "start" in row:
        names = [str(name) for name in row]
        cells = [_place(cell, name) for cell, name in zip(cells, names, strict=True)]
    genome = row.get("genome", links.genome)
    if genome is not None and {"seqid", "start", "end"} <= row.keys():
        place = GenomicInterval(row["seqid"], int(row["start"]), int(row["end"]))
        index = list(row).index("start")
        cells[index] = replace(cells[index], locus=links.loci.place(genome, place))
    return tuple(cells)


def _place(cell: Cell, name: str) -> Cell:
    """Return a cell of a column of positions as 1-based and closed; other cells unchanged."""
    shift = PLACES[name][1] if name in PLACES else 0
    if not shift or not cell.exact:
        return cell
    title = f"{name} {cell.exact} in the file, which is 0-based"
    return replace(cell, text=format_value(int(cell.exact) + shift), title=title)


def _cell(value: object, column: str, links: Links) -> Cell:
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    text = str(value) if column in ("feature", "rank") and is_number else format_value(value)
    exact = "" if text == "" else visible_text(str(value))
    if column == "sequence" and len(text) > MAX_LETTERS:
        text = f"{text[:MAX_LETTERS]}\N{HORIZONTAL ELLIPSIS}"
    locus = links.loci.find(text) if column in LOCUS_COLUMNS and text else None
    is_page = column == "feature" and isinstance(value, int) and value in links.pages
    title = exact if exact != text else ""
    return Cell(text, exact, locus, is_number, int(str(value)) if is_page else None, title)
