"""Histogram of the activations of one feature, counted exactly and drawn with a log axis."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from genointerp.page.activation import Activations
from genointerp.page.table import format_value
from genointerp.store.feature.store import STRANDS
from genointerp.store.table.schema.feature import HISTOGRAM

N_BINS = 30
"""Number of bins of equal width between 0 and the largest activation."""

WIDTH, HEIGHT, LEFT = 640.0, 70.0, 56.0
"""Size of the bars of one genome in the drawing, and room for the axis of counts."""


class Bar(NamedTuple):
    """One bin: its place in the drawing, and what it says."""

    x: float
    y: float
    width: float
    height: float
    text: str


class Panel(NamedTuple):
    """The bars of one genome, and the marks of its axis: height and text of each."""

    genome: str
    bars: tuple[Bar, ...]
    marks: tuple[tuple[float, str], ...]


def histogram(activations: Activations) -> pd.DataFrame:
    """Count the bases of each genome by activation, over both strands, in schema ``HISTOGRAM``.

    Bins have equal widths; the last one includes the largest activation. Bins without bases are
    left out.
    """
    edges = np.linspace(0.0, activations.highest or 1.0, N_BINS + 1)
    tables = []
    for genome in dict.fromkeys(name for name, _ in activations.tracks):
        n_bases = sum(
            np.histogram(activations.tracks[genome, strand].value.astype(np.float64), edges)[0]
            for strand in STRANDS
        )
        table = pd.DataFrame({"start": edges[:-1], "stop": edges[1:], "n_bases": n_bases})
        tables.append(table.assign(feature=activations.feature, genome=genome))
    every = pd.concat(tables, ignore_index=True)
    columns = {"start": "activation_from", "stop": "activation_to"}
    return every.rename(columns=columns)[HISTOGRAM.names].query("n_bases > 0")


def panels(table: pd.DataFrame) -> tuple[Panel, ...]:
    """Return the drawing of a histogram: a panel for each genome, all with the same axes."""
    if table.empty:
        return ()
    decades = max(int(np.ceil(np.log10(table["n_bases"].max() + 1))), 1)
    top = float(table["activation_to"].max())
    marks = tuple(
        (HEIGHT * (1 - _share(float(10**power), decades)), f"{10**power:,}")
        for power in range(decades + 1)
    )
    found = []
    for genome, own in table.groupby("genome", sort=False):
        bars = []
        for row in own.to_dict("records"):
            start, stop = row["activation_from"], row["activation_to"]
            height = HEIGHT * _share(float(row["n_bases"]), decades)
            said = f"{row['n_bases']:,} bases from {format_value(start)} to {format_value(stop)}"
            x = LEFT + WIDTH * start / top
            width = WIDTH * (stop - start) / top - 1
            bars.append(Bar(round(x, 1), round(HEIGHT - height, 1), width, round(height, 1), said))
        found.append(Panel(str(genome), tuple(bars), marks))
    return tuple(found)


def _share(n: float, decades: int) -> float:
    """Return the share of the axis at a count, where one base is a tenth of a decade above 0."""
    return float((np.log10(n) + 0.1) / (decades + 0.1))
