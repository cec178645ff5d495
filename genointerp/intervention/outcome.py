"""What came of a canvas, and the lines of the files that hold designs. Torch-free."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from genointerp.core.provenance import Provenance
from genointerp.feature.locus_files import escaped_seqid, escaped_value
from genointerp.intervention.canvas import Canvas

_LINE = 80


class Outcome(NamedTuple):
    """What a model did under a canvas.

    Parameters
    ----------
    canvas
        The canvas with its units.
    summary
        Table in the schema ``STEERING`` or ``PAINTING``, with a row for each condition and place.
    rows
        Table in the schema ``STEERED_BASES`` or ``DESIGNS``, with a row for each base or design.
    """

    canvas: Canvas
    summary: pd.DataFrame
    rows: pd.DataFrame


def fasta_lines(designs: pd.DataFrame) -> Iterator[str]:
    """Yield the designs, 5' to 3' on their strand; the region in the header is 1-based, closed."""
    for row in designs.to_dict("records"):
        place = f"{row['seqid']}:{row['start'] + 1}-{row['end']}({row['strand']})"
        yield f">{row['design']} {place} log_p={row['log_p']:.9g}"
        text = row["sequence"]
        yield from (text[first : first + _LINE] for first in range(0, len(text), _LINE))


def gff3_lines(
    designs: pd.DataFrame, lengths: Mapping[str, int], provenance: Provenance
) -> Iterator[str]:
    """Yield the place of each design; the score is its log probability, unpainted."""
    yield "##gff-version 3"
    for seqid in dict.fromkeys(designs["seqid"]):
        yield f"##sequence-region {escaped_seqid(seqid)} 1 {lengths[seqid]}"
    yield f"# {provenance.as_json()}"
    for row in designs.to_dict("records"):
        name, condition = escaped_value(row["design"]), escaped_value(row["condition"])
        attributes = f"ID={name};condition={condition};dose={row['dose']:g}"
        yield (
            f"{escaped_seqid(row['seqid'])}\tgenointerp\tsequence_feature\t{row['start'] + 1}\t"
            f"{row['end']}\t{row['log_p']:.9g}\t{row['strand']}\t.\t{attributes}"
        )
