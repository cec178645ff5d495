"""What is asked of the model as intervals, and its answers as JSON that a page shows."""

from typing import Any

import numpy as np
import pandas as pd

from genointerp.core.errors import CoordinateError, InputError
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval, Strand, format_region
from genointerp.server.asked import AskedPlace
from genointerp.store.table.schema.column import TableSchema


def asked_interval(
    asked: AskedPlace, specimen: Specimen, seqid: str, most: int, strand: Strand
) -> GenomicInterval:
    """Return a place as an interval of a genome, on a strand.

    Parameters
    ----------
    most
        Most bases that it may have.

    Raises
    ------
    CoordinateError
        If it is not inside the contig.
    InputError
        If it is longer.
    """
    length = specimen.features.lengths[seqid]
    if not 0 <= asked.start < asked.end <= length:
        expected = f"0 <= start < end <= {length}"
        raise CoordinateError(asked.chr, expected, f"start={asked.start}, end={asked.end}")
    place = GenomicInterval(seqid, asked.start, asked.end, strand)
    if place.length > most:
        raise InputError(format_region(place), f"at most {most} bases", str(place.length))
    return place


def plain(values: pd.Series) -> list[float | None]:
    """Return numbers as JSON has them, of which none is NaN or infinite."""
    return [float(f"{it:.4g}") if np.isfinite(it) else None for it in values]


def columns_of(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the columns of a table, whose numbers are those of `plain`."""
    return {
        str(name): plain(table[name]) if table[name].dtype.kind == "f" else table[name].tolist()
        for name in table
    }


def shown(table: pd.DataFrame, schema: TableSchema) -> dict[str, Any]:
    """Return a table as a page shows it: columns that hold anything, with what they mean."""
    texts = {column.name: column.meaning for column in schema.columns}
    columns = {
        name: values
        for name, values in columns_of(table).items()
        if any(value not in (None, "") for value in values)
    }
    heads = [{"name": name, "text": texts[name]} for name in columns]
    return {"columns": heads, "rows": [list(row) for row in zip(*columns.values(), strict=True)]}
