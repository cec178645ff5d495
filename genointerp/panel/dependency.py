"""A dependency map as a matrix, with the elements of an annotation along its side."""

import numpy as np
import pandas as pd
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from genointerp.genome.interval import GenomicInterval
from genointerp.panel.style import (
    FONT_SIZE,
    NOT_READ,
    SEQUENTIAL,
    current_axes,
    hide_frame,
    type_color,
)

_TOP = 0.995
"""Quantile of the values that gets the last colour: a few neighbours exceed all others."""


def dependency_matrix(
    table: pd.DataFrame, interval: GenomicInterval, *, length: int, above_control: bool = False
) -> Float64[np.ndarray, "base base"]:
    """Return a map as a matrix: rows are replaced bases, columns affected ones, both forward.

    Bases that were read on ``+`` fill the part above the diagonal, those on ``-`` the part below.

    Parameters
    ----------
    interval
        The bases of the map; around the origin of a circular contig the end is beyond its length.
    length
        Length of the contig.
    above_control
        Whether pairs that do not exceed the control are 0.
    """
    matrix = np.full((interval.length, interval.length), np.nan)
    places = [
        (table[name].to_numpy() - interval.start) % length for name in ("replaced", "affected")
    ]
    value = table["dependency"].to_numpy()
    if above_control:
        value = np.where(value > table["shuffled"].to_numpy(), value, 0.0)
    matrix[places[0], places[1]] = value
    return matrix


def plot_dependency(
    matrix: Float64[np.ndarray, "base base"],
    interval: GenomicInterval,
    *,
    length: int,
    ax: Axes | None = None,
) -> AxesImage:
    """Draw a map; return the image, for a colour bar.

    Parameters
    ----------
    matrix
        As `dependency_matrix` makes it.
    length
        Length of the contig: the base after it is labelled as the first.
    """
    ax = current_axes(ax)
    ax.set_facecolor(NOT_READ["facecolor"])
    known = matrix[~np.isnan(matrix)]
    top = float(np.quantile(known, _TOP)) if len(known) else 1.0
    first, last = interval.start + 0.5, interval.end + 0.5
    image = ax.imshow(
        matrix,
        cmap=SEQUENTIAL,
        vmin=0,
        vmax=top or 1.0,
        extent=(first, last, last, first),
        interpolation="none",
        aspect="equal",
    )
    shown = FuncFormatter(lambda base, _: f"{int(base) - length * (base > length):,}")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
        axis.set_major_formatter(shown)
    ax.tick_params(labelsize=FONT_SIZE)
    ax.set_xlabel("base whose prediction changes (bp)", fontsize=FONT_SIZE + 1)
    ax.set_ylabel("base that is replaced (bp)", fontsize=FONT_SIZE + 1)
    return image


def plot_elements_beside(
    elements: pd.DataFrame, interval: GenomicInterval, *, ax: Axes | None = None
) -> Axes:
    """Draw elements as upright bars along the rows of a map: ``+`` on the left, ``-`` on the right.

    Parameters
    ----------
    elements
        Columns ``start``, ``end``, ``strand`` and ``type``.
    """
    ax = current_axes(ax)
    for row in elements.to_dict("records"):
        x, width = (0.5 * (row["strand"] == "-"), 0.45) if row["strand"] in "+-" else (0.0, 0.95)
        corner, height = (x, row["start"] + 0.5), row["end"] - row["start"]
        color = type_color(str(row["type"]))
        ax.add_patch(Rectangle(corner, width, height, facecolor=color, edgecolor="0.25", lw=0.4))
    ax.set(xlim=(0, 1), ylim=(interval.end + 0.5, interval.start + 0.5), xticks=[])
    ax.tick_params(left=False, labelleft=False)
    hide_frame(ax)
    return ax
