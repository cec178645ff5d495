"""Tables of the page, with each number as in its file and as formatted for people."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np
import pandas as pd

from genointerp.genome.interval import GenomicInterval
from genointerp.page.browser import Loci
from genointerp.page.references import Reference, References, contig_reference
from genointerp.panel.style import visible_text
from genointerp.store.table.families import FAMILY
from genointerp.store.table.schema.association import ASSOCIATIONS, BEST_PER_CONCEPT
from genointerp.store.table.schema.candidate import BACKTEST, CANDIDATES
from genointerp.store.table.schema.column import TableSchema
from genointerp.store.table.schema.feature import FEATURE_SUMMARY, TOP_LOCI
from genointerp.store.table.schema.label import LABEL_SCORES, LABELS
from genointerp.store.table.table import PLACES

REGION_COLUMNS = ("top_region", "region", "locus")
MAX_LETTERS = 60
"""Most letters of a sequence that the page shows; the file has all of it."""


MAIN: Mapping[str, tuple[str, ...]] = {
    BEST_PER_CONCEPT.format: (
        "concept", "orientation", "feature", "f1", "precision", "recall", "recall_element",
        "auroc", "null_f1", "q_value", "f1_always_on", "n_elements",
    ),
    CANDIDATES.format: (
        "rank", "feature", "score", "density", "n_loci", "best_concept", "best_f1", "unexplained",
        "loss_effect", "pattern", "matched_in", "match_r", "match_twin_r", "match_excess", "flags",
        "top_region", "label",
    ),
    FEATURE_SUMMARY.format: (
        "feature", "density", "max_activation", "best_concept", "orientation", "precision",
        "recall", "f1", "auroc", "null_f1", "f1_always_on", "q_value", *FAMILY, "label",
    ),
    ASSOCIATIONS.format: (
        "feature", "concept", "orientation", "f1", "precision", "recall", "auroc", "null_f1",
        "q_value", "n_elements", "n_concept_bp", "threshold",
    ),
    TOP_LOCI.format: (
        "rank", "genome", "seqid", "start", "end", "strand", "max_activation", "sequence",
        "element", "element_type", "product", "distance", "orientation",
    ),
    LABELS.format: (
        "feature", "label", "kind", "explanation", "confidence", "source", "author", "date",
    ),
    LABEL_SCORES.format: (
        "feature", "source", "label", "f1", "f1_low", "f1_high", "auroc", "null_f1", "q_value",
        "f1_always_on", "shuffled_f1", "shuffled_auroc",
    ),
    BACKTEST.format: (
        "class", "n_elements", "n_class_features", "best_feature", "best_f1", "rank_first",
        "rank_best", "recall_50", "expected_rank_first", "p_value", "probe_auroc", "verdict",
        "use",
    ),
}  # fmt: skip
"""Columns that are shown at first, by format; of other formats, all columns are."""


class Links(NamedTuple):
    """Targets of clicks on cells.

    Parameters
    ----------
    loci
        Positions of regions in the browser; None if the page has no browser.
    pages
        Address of the page or section of each feature that has one.
    genome
        Genome that the rows lie on, if no column states it.
    references
        References of the elements that rows name; None if there are none.
    base
        Path of the run directory relative to the page: empty, or ending in a slash.
    beside
        Folder of the tables next to the page, whose files are addressed relative to the page.
    up
        Path from the page to the folder that holds ``beside``: empty, or ending in a slash.
    is_alone
        Whether the page may be anywhere without the run, so that it does not link to its files.
    """

    loci: Loci | None
    pages: Mapping[int, str] = MappingProxyType({})
    genome: str | None = None
    references: References | None = None
    base: str = ""
    beside: str = ""
    up: str = ""
    is_alone: bool = False

    def find(self, region: str, genome: str | None = None) -> str | None:
        """Return the place of a region in the browser, as `Loci.find`."""
        return None if self.loci is None else self.loci.find(region, genome)

    def place(self, genome: str, interval: GenomicInterval) -> str | None:
        """Return the place of an interval in the browser, as `Loci.place`."""
        return None if self.loci is None else self.loci.place(genome, interval)

    def href(self, source: str) -> str:
        """Return the address of a file relative to the page; empty if it has no link to it."""
        if self.beside and source.startswith(f"{self.beside}/"):
            return quote(f"{self.up}{source}")
        return "" if self.is_alone else quote(f"{self.base}{source}")


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
        Text shown when the mouse rests on the cell; if it is empty, that is the exact value.
    references
        Pages of databases that describe what the cell names.
    locus
        Place to which a click on the cell moves the browser.
    page
        Address of the page or section of a feature, which opens on a click on the cell.
    """

    text: str
    exact: str
    locus: str | None = None
    is_number: bool = False
    page: str | None = None
    title: str = ""
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column.

    Parameters
    ----------
    name
        Name of the column in the file.
    text
        Name of the column for people.
    title
        Meaning of the column from its schema; empty if there is none.
    is_main
        Whether the column is shown at first.
    """

    name: str
    text: str
    title: str = ""
    is_main: bool = True


@dataclass(frozen=True)
class PageTable:
    """A table of the page.

    Parameters
    ----------
    source
        File of the table, relative to the run directory.
    href
        Address of the file, relative to the page; empty if the page does not link to it.
    n_rows
        Number of rows; the page may show only the first of them.
    """

    title: str
    source: str
    href: str
    columns: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    n_rows: int
    note: str = ""


def page_table(
    frame: pd.DataFrame,
    *,
    title: str,
    source: str,
    links: Links,
    schema: TableSchema | None = None,
    limit: int = 1000,
    note: str = "",
) -> PageTable:
    """Return the first rows of a frame as a table of the page.

    Positions are 0-based and half-open in the file but 1-based and closed on the page, as the
    header of their column states.

    Parameters
    ----------
    schema
        Schema of the frame, which gives the tooltips of the header and the `MAIN` columns.
    """
    places = PLACES if "start" in frame else {}
    main = MAIN.get(schema.format, ()) if schema else ()
    meanings = {one.name: one.meaning for one in schema.columns} if schema else {}
    columns = tuple(
        Head(
            name,
            f"{places[name][0]} (1-based)" if name in places else name.replace("_", " "),
            meanings.get(name, ""),
            not main or name in main,
        )
        for name in map(str, frame.columns)
    )
    rows = tuple(_row(row, links) for row in frame.head(limit).to_dict("records"))
    return PageTable(title, source, links.href(source), columns, rows, len(frame), note)


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
        names = [str(name) for name in row]
        index = names.index("start")
        cells[index] = replace(cells[index], locus=links.place(genome, place))
        contig = contig_reference(place.seqid, place.start, place.end)
        index = names.index("seqid")
        cells[index] = replace(cells[index], references=() if contig is None else (contig,))
        if links.references is not None and {"element", "element_type"} <= row.keys():
            known = links.references.of(str(genome), row["element_type"], row["element"])
            index = names.index("element")
            cells[index] = replace(cells[index], references=known)
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
    is_name = column in ("feature", "rank") and isinstance(value, int)
    text = str(value) if is_name else format_value(value)
    exact = "" if text == "" else visible_text(str(value))
    if column == "sequence" and len(text) > MAX_LETTERS:
        text = f"{text[:MAX_LETTERS]}\N{HORIZONTAL ELLIPSIS}"
    locus = links.find(text) if column in REGION_COLUMNS and text else None
    page = links.pages.get(value) if column == "feature" and isinstance(value, int) else None
    return Cell(text, exact, locus, is_number, page)
