"""Render tables that arrive piece by piece as text, for people or for other programs."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from genointerp.core.files import atomic_path
from genointerp.core.provenance import Provenance
from genointerp.core.text import clean_field
from genointerp.feature.locus_files import describe_bed
from genointerp.genome.interval import GenomicInterval, split_at_origin
from genointerp.store.hdf5 import writing
from genointerp.store.table.schema.column import TableSchema
from genointerp.store.table.table import (
    check_table_path,
    records,
    render_table,
    text_for_people,
    write_table,
)

FrameFormat = Literal["table", "tsv", "csv", "json", "bed"]

ContigLengths = Mapping[tuple[str, str], int]
"""Length in bp of each contig, by genome and seqid."""


def render_frames(
    frames: Iterable[pd.DataFrame], format: FrameFormat, lengths: ContigLengths
) -> Iterator[str]:
    """Yield the text of each table as it arrives; joined, the texts are one of that format.

    Parameters
    ----------
    lengths
        Length of each contig; needed for ``bed``, in which an interval that spans an origin becomes
        two lines.
    """
    if format == "json":
        yield from _json(frames)
        return
    for number, frame in enumerate(frames):
        if format == "bed":
            yield "".join(f"{line}\n" for line in bed_lines(frame, lengths))
        elif format in ("tsv", "csv"):
            text = render_table(frame, format)
            yield text.partition("\n")[2] if number else text
        else:
            yield "\n" + text_for_people(frame) if number else render_table(frame, "table")


def write_frames(
    frames: Iterable[pd.DataFrame],
    out: Path,
    schema: TableSchema,
    provenance: Provenance,
    lengths: ContigLengths,
) -> pd.DataFrame:
    """Join tables, write the result by its suffix, that of a table or .bed, and return it."""
    if out.suffix != ".bed":
        check_table_path(out)
    table = pd.concat(list(frames), ignore_index=True)
    if out.suffix != ".bed":
        write_table(table, out, schema, provenance)
        return table
    with writing(out), atomic_path(out) as temporary:
        with temporary.open("w", newline="", encoding="utf-8") as handle:
            handle.writelines(f"{line}\n" for line in bed_lines(table, lengths))
        describe_bed(
            out,
            temporary,
            {"provenance": json.loads(provenance.as_json())},
            name="f/ and the index of the feature",
            score="share of the bases read on which the feature fires, in thousandths",
            regions=True,
        )
    return table


def bed_lines(frame: pd.DataFrame, lengths: ContigLengths) -> Iterator[str]:
    """Yield lines of BED6 with three more columns: largest and mean activation, and region.

    The score is ``covered_share`` in thousandths.
    """
    for row in frame.to_dict(orient="records"):
        interval = GenomicInterval(row["seqid"], int(row["start"]), int(row["end"]), row["strand"])
        score = min(1000, round(1000 * row["covered_share"]))
        region = clean_field(row["region"])
        numbers = f"{row['max_activation']:.6g}\t{row['mean_activation']:.6g}\t{region}"
        for part in split_at_origin(interval, lengths[row["genome"], interval.seqid]):
            place = f"{part.seqid}\t{part.start}\t{part.end}"
            yield f"{place}\tf/{row['feature']}\t{score}\t{row['strand']}\t{numbers}"


def _json(frames: Iterable[pd.DataFrame]) -> Iterator[str]:
    begun = False
    for frame in frames:
        rows = [_indented(record) for record in records(frame)]
        if rows:
            yield (",\n" if begun else "[\n") + ",\n".join(rows)
            begun = True
    yield "\n]\n" if begun else "[]\n"


def _indented(record: dict[Any, Any]) -> str:
    return "\n".join(f"  {line}" for line in json.dumps(record, indent=2).splitlines())
