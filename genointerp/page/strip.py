"""Drawings of loci: activation read on + upward and on - downward, above the genes around them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from genointerp.feature.specimen import Specimen
from genointerp.figure.source.elements import gene_table
from genointerp.genome.interval import GenomicInterval
from genointerp.page.activation import Activations
from genointerp.page.browser import Loci, with_flanks
from genointerp.panel.style import type_color, visible_text

WIDTH, HALF = 700.0, 36.0
"""Width of a drawing, and height of either strand in it."""

MAX_COLUMNS = 350
"""Most columns of a drawing; each shows the greatest activation of its bases."""

MAX_GENES = 12
"""Most genes in a drawing, the longest ones."""

LETTER = 6.5
"""Width of a letter of a gene's name."""


class Block(NamedTuple):
    """A gene, or bases that were not read, along the drawing."""

    x: float
    width: float
    strand: str
    color: str
    label: str
    text: str


class Strip(NamedTuple):
    """The drawing of one locus.

    Parameters
    ----------
    text
        The locus, 1-based and closed.
    first, last
        Ends of the drawing, 1-based and closed.
    locus
        Place of the locus in the browser; None if it is not shown there.
    plus, minus
        Outlines of the activations, as SVG paths.
    mark
        Where the locus is: x and width.
    """

    rank: int
    text: str
    what: str
    first: str
    last: str
    locus: str | None
    plus: str
    minus: str
    mark: tuple[float, float]
    genes: tuple[Block, ...]
    unread: tuple[Block, ...]


def genes_by_contig(specimens: Sequence[Specimen]) -> dict[tuple[str, str], pd.DataFrame]:
    """Return the elements that are drawn as genes, by genome and contig."""
    return {
        (specimen.name, str(seqid)): table
        for specimen in specimens
        for seqid, table in gene_table(specimen.needs("annotation")).groupby("seqid", sort=False)
    }


def strips(
    specimens: Sequence[Specimen],
    activations: Activations,
    loci: pd.DataFrame,
    genes: Mapping[tuple[str, str], pd.DataFrame],
    places: Loci,
) -> tuple[Strip, ...]:
    """Return a drawing of each locus with flanks on either side.

    Parameters
    ----------
    loci
        Loci of the feature, in the schema ``TOP_LOCI``.
    genes
        From `genes_by_contig`.
    places
        Positions in the browser.
    """
    by_name = {specimen.name: specimen for specimen in specimens}
    return tuple(
        _strip(by_name[locus["genome"]], activations, locus, genes, places)
        for locus in loci.to_dict("records")
    )


def _strip(
    specimen: Specimen,
    activations: Activations,
    row: Mapping[object, object],
    genes: Mapping[tuple[str, str], pd.DataFrame],
    places: Loci,
) -> Strip:
    locus = GenomicInterval(str(row["seqid"]), int(str(row["start"])), int(str(row["end"])))
    shown = with_flanks(locus, specimen.features.lengths[locus.seqid])
    values = activations.values(specimen, shown)
    limit = activations.highest or 1.0
    unread = [
        block for strand, side in zip("+-", values, strict=True) for block in _unread(side, strand)
    ]
    name = str(row.get("element", ""))
    return Strip(
        rank=int(str(row["rank"])),
        text=f"{locus.seqid}:{locus.start + 1:,}-{locus.end:,}({row['strand']})",
        what=visible_text(name),
        first=f"{shown.start + 1:,}",
        last=f"{shown.end:,}",
        locus=places.place(specimen.name, locus),
        plus=_outline(values.plus / limit, HALF, -HALF),
        minus=_outline(values.minus / limit, HALF, HALF),
        mark=_scaled(locus.start, locus.end, shown),
        genes=_genes(genes.get((specimen.name, locus.seqid)), shown),
        unread=tuple(unread),
    )


def _outline(share: np.ndarray, zero: float, height: float) -> str:
    """Return the outline of shares of the scale, at most `MAX_COLUMNS` of them, as an SVG path."""
    n = len(share)
    first = np.unique(np.arange(min(n, MAX_COLUMNS)) * n // min(n, MAX_COLUMNS))
    columns = np.round(zero + height * np.maximum.reduceat(np.nan_to_num(share), first), 1)
    x = np.round(WIDTH * np.append(first, n) / n, 1)
    heads = np.flatnonzero(np.diff(columns, prepend=np.nan) != 0)
    ends = x[np.append(heads[1:], len(columns))]
    steps = [f"V{level:g}H{end:g}" for level, end in zip(columns[heads], ends, strict=True)]
    return f"M0 {zero:g}{''.join(steps)}V{zero:g}Z"


def _scaled(start: int, end: int, shown: GenomicInterval) -> tuple[float, float]:
    scale = WIDTH / shown.length
    low, high = max(start, shown.start), min(end, shown.end)
    return round((low - shown.start) * scale, 1), round(max((high - low) * scale, 1.0), 1)


def _genes(table: pd.DataFrame | None, shown: GenomicInterval) -> tuple[Block, ...]:
    if table is None:
        return ()
    near = table[(table["end"] > shown.start) & (table["start"] < shown.end)]
    near = near.assign(size=near["end"] - near["start"])
    near = near.sort_values("size", ascending=False, kind="stable").head(MAX_GENES)
    blocks = []
    for row in near.to_dict("records"):
        x, width = _scaled(int(row["start"]), int(row["end"]), shown)
        label = visible_text(row["label"] or row["type"])
        kept = label if len(label) * LETTER <= width else ""
        place = f"{row['start'] + 1:,}-{row['end']:,}({row['strand']})"
        text = " ".join(filter(None, [label, row["type"], visible_text(row["product"]), place]))
        blocks.append(Block(x, width, row["strand"], type_color(row["type"]), kept, text))
    return tuple(blocks)


def _unread(side: np.ndarray, strand: str) -> list[Block]:
    edges = np.flatnonzero(np.diff(np.isnan(side).astype(np.int8), prepend=0, append=0))
    scale = WIDTH / len(side)
    return [
        Block(
            round(start * scale, 1),
            round((end - start) * scale, 1),
            strand,
            "",
            "",
            f"{end - start:,} bases not read on {strand}",
        )
        for start, end in edges.reshape(-1, 2).tolist()
    ]
