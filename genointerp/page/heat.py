"""Sequences at the strongest loci of a feature, each base with its activation as a colour."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.letters import reverse_complement
from genointerp.page.activation import Activations
from genointerp.page.browser import Loci

HALF = 40
"""Number of bases on either side of the peak."""

N_LEVELS = 8
"""Number of colours of bases on which the feature fires."""

NOT_READ = -1
OUTSIDE = "\N{MIDDLE DOT}"
"""Written instead of a base beyond the end of a contig."""


class HeatRun(NamedTuple):
    """Bases of one colour: 0 if silent, 1 to `N_LEVELS` by activation, `NOT_READ`."""

    bases: str
    level: int
    is_peak: bool = False


class HeatRow(NamedTuple):
    """The sequence around the peak of one locus, 5' to 3' on the reading strand.

    Parameters
    ----------
    text
        Place of the sequence, 1-based and closed.
    locus
        Place of the locus in the browser; None if it is not shown there.
    """

    rank: int
    text: str
    locus: str | None
    runs: tuple[HeatRun, ...]


def heat_rows(
    specimens: Sequence[Specimen], activations: Activations, loci: pd.DataFrame, places: Loci
) -> tuple[HeatRow, ...]:
    """Return a row for each locus, with the peaks below each other.

    Parameters
    ----------
    loci
        Loci of the feature, in the schema ``TOP_LOCI``.
    places
        Positions in the browser.
    """
    by_name = {specimen.name: specimen for specimen in specimens}
    rows = []
    for locus in loci.to_dict("records"):
        specimen, strand, peak = by_name[locus["genome"]], locus["strand"], int(locus["peak"])
        length = specimen.features.lengths[locus["seqid"]]
        start, end = max(peak - HALF, 0), min(peak + HALF + 1, length)
        place = GenomicInterval(locus["seqid"], start, end)
        values = activations.values(specimen, place)
        bases = specimen.needs("sequence")[place.seqid].sequence[start:end]
        own = values.plus if strand == "+" else values.minus[::-1]
        bases = bases if strand == "+" else reverse_complement(bases)
        before, behind = start - (peak - HALF), peak + HALF + 1 - end
        if strand == "-":
            before, behind = behind, before
        # the peak has the same column in all rows
        levels = np.full(2 * HALF + 1, NOT_READ)
        levels[before : before + len(own)] = heat_levels(own, activations.highest)
        text = f"{OUTSIDE * before}{bases.tobytes().decode()}{OUTSIDE * behind}"
        whole = GenomicInterval(locus["seqid"], int(locus["start"]), int(locus["end"]))
        where = f"{place.seqid}:{start + 1:,}-{end:,}({strand})"
        found = places.place(specimen.name, whole)
        rows.append(HeatRow(int(locus["rank"]), where, found, _runs(text, levels)))
    return tuple(rows)


def heat_levels(values: np.ndarray, highest: float) -> np.ndarray:
    """Return the colour of each activation: in equal steps up to the highest one.

    Examples
    --------
    >>> heat_levels(np.array([0.0, 0.1, 4.0, 8.0, np.nan]), 8.0).tolist()
    [0, 1, 4, 8, -1]
    """
    steps = np.ceil(np.nan_to_num(values) / (highest or 1.0) * N_LEVELS)
    levels = np.clip(steps, 0, N_LEVELS).astype(np.int64)
    return np.where(np.isnan(values), NOT_READ, levels)


def _runs(letters: str, levels: np.ndarray) -> tuple[HeatRun, ...]:
    """Join neighbours of one colour; the peak stands alone."""
    columns = zip(letters, levels.tolist(), range(len(letters)), strict=True)
    runs = []
    for (level, is_peak), group in itertools.groupby(columns, lambda one: (one[1], one[2] == HALF)):
        runs.append(HeatRun("".join(letter for letter, *_ in group), level, is_peak))
    return tuple(runs)
