"""A contig as a circle: its elements outside, features in rings inside."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from genointerp.core.errors import InputError
from genointerp.genome.runs import runs_of
from genointerp.panel.style import (
    FONT_SIZE,
    GREY,
    NOT_READ,
    STRAND_COLORS,
    current_axes,
    family_patches,
    not_read_patch,
    plain_text,
    type_color,
)

MAX_RINGS = 12
_GENES = {"+": (0.93, 1.0), "-": (0.85, 0.92)}
_UNSTRANDED = (0.85, 1.0)
_INNER, _OUTER = 0.28, 0.82
_LINEAR_SHARE = 0.97  # of the circle, for a contig that is none
_TITLE = "from the outside: elements of +,\nof \N{MINUS SIGN}, then features:"
_READ_ON = {
    "+": "outwards: read on +",
    "-": "inwards: read on \N{MINUS SIGN}",
}
_STEP = np.pi / 180  # an arc is drawn in pieces of one degree

Polygon = Float[np.ndarray, "vertex 2"]


class Ring(NamedTuple):
    """A feature along a whole contig.

    Parameters
    ----------
    bin_bp
        Length of a bin; the last may be shorter.
    plus, minus
        The greatest activation of each bin, read on either strand.
    plus_is_read, minus_is_read
        Whether any base of a bin was read on either strand.
    """

    label: str
    bin_bp: int
    plus: Float[np.ndarray, " bin"]
    minus: Float[np.ndarray, " bin"]
    plus_is_read: Bool[np.ndarray, " bin"]
    minus_is_read: Bool[np.ndarray, " bin"]


def plot_circle(
    elements: pd.DataFrame,
    rings: Sequence[Ring],
    *,
    length: int,
    seqid: str = "",
    circular: bool = True,
    legend: Literal["right", "below"] = "right",
    ax: Axes | None = None,
) -> Axes:
    """Draw a contig clockwise from the top.

    The elements of ``+`` lie outermost, then those of ``-``; then a ring for each feature:
    outwards what was read on ``+``, inwards what was read on ``-``, each ring scaled to its own
    maximum. Bins that were not read are grey. The legend lies beside the circle.

    Parameters
    ----------
    elements
        Columns ``start``, ``end``, ``strand`` and ``type``, of this contig.
    length
        Of the contig, in bp.
    circular
        Whether the circle closes.
    legend
        Side of the circle on which the legend is.
    ax
        With a polar projection.

    Raises
    ------
    InputError
        If the axes are not polar, or there are too many rings to see.
    """
    ax = current_axes(ax)
    if ax.name != "polar":
        raise InputError("ax", "polar axes", ax.name)
    if len(rings) > MAX_RINGS:
        raise InputError("rings", f"at most {MAX_RINGS}", str(len(rings)))
    turn = 2 * np.pi * (1.0 if circular else _LINEAR_SHARE) / max(length, 1)
    _prepare(ax, length, turn)
    _draw_elements(elements, turn, ax)
    depth = (_OUTER - _INNER) / max(len(rings), 1)
    handles: list[Line2D | Patch] = []
    for index, ring in enumerate(rings):
        middle = _OUTER - (index + 0.5) * depth
        _draw_ring(ring, middle, 0.45 * depth, length, turn, ax)
        handles.append(Line2D([], [], linestyle="", label=plain_text(f"{index + 1}. {ring.label}")))
    handles += [Patch(facecolor=STRAND_COLORS[one], label=said) for one, said in _READ_ON.items()]
    ax.text(
        0,
        0,
        f"{plain_text(seqid)}\n{length:,} bp",
        ha="center",
        va="center",
        fontsize=FONT_SIZE + 1,
    )
    ax.legend(
        handles=[*handles, *family_patches(elements["type"]), not_read_patch()],
        title=_TITLE,
        title_fontsize=FONT_SIZE,
        alignment="left",
        fontsize=FONT_SIZE,
        frameon=False,
        loc="center left" if legend == "right" else "upper center",
        bbox_to_anchor=(1.12, 0.5) if legend == "right" else (0.5, -0.1),
    )
    return ax


def _prepare(ax: Axes, length: int, turn: float) -> None:
    # both are methods of polar axes, which matplotlib types as plain ones
    ax.set_theta_zero_location("N")  # type: ignore[attr-defined]
    ax.set_theta_direction(-1)  # type: ignore[attr-defined]
    ax.set_ylim(0, 1.0)
    ax.set_yticks([])
    ticks = [tick for tick in MaxNLocator(10).tick_values(0, length) if 0 <= tick < 0.98 * length]
    unit, name = (1e6, "Mb") if length >= 1e6 else (1e3, "kb")
    ax.set_xticks([tick * turn for tick in ticks], [f"{tick / unit:g} {name}" for tick in ticks])
    ax.tick_params(axis="x", labelsize=FONT_SIZE, pad=5)
    ax.grid(visible=False)
    ax.spines["polar"].set_visible(False)


def _draw_elements(elements: pd.DataFrame, turn: float, ax: Axes) -> None:
    polygons, colors = [], []
    # the commonest first, so that a tRNA is not hidden below its neighbours
    order = elements["type"].map(elements["type"].value_counts())
    for row in elements.loc[order.sort_values(ascending=False, kind="stable").index].to_dict(
        "records"
    ):
        low, high = _GENES.get(str(row["strand"]), _UNSTRANDED)
        polygons.append(_arc(row["start"] * turn, row["end"] * turn, low, high))
        colors.append(type_color(str(row["type"])))
    ax.add_collection(
        PolyCollection(polygons, facecolors=colors, edgecolors=colors, linewidths=0.25)
    )


def _draw_ring(ring: Ring, middle: float, half: float, length: int, turn: float, ax: Axes) -> None:
    n_bins = len(ring.plus)
    edges = np.minimum(np.arange(n_bins + 1) * ring.bin_bp, length) * turn
    top = float(max(ring.plus.max(initial=0), ring.minus.max(initial=0))) or 1.0
    unread = [
        _arc(edges[first], edges[last], low, high)
        for is_read, low, high in (
            (ring.plus_is_read, middle, middle + half),
            (ring.minus_is_read, middle - half, middle),
        )
        for first, last in runs_of(~is_read).tolist()
    ]
    bars, colors = [], []
    for values, sign, strand in ((ring.plus, 1, "+"), (ring.minus, -1, "-")):
        for index in np.flatnonzero(values > 0).tolist():
            tip = middle + sign * half * float(values[index]) / top
            low, high = sorted((middle, tip))
            bars.append(_arc(edges[index], edges[index + 1], low, high))
            colors.append(STRAND_COLORS[strand])
    ax.add_collection(PolyCollection(unread, facecolors=NOT_READ["facecolor"], linewidths=0))
    ax.add_collection(PolyCollection(bars, facecolors=colors, edgecolors=colors, linewidths=0.1))
    ax.plot(np.linspace(0, edges[-1], 361), np.full(361, middle), color=GREY, linewidth=0.3)


def _arc(start: float, end: float, low: float, high: float) -> Polygon:
    """Return the corners of a stretch of a ring, with enough between them to look round."""
    angle = np.linspace(start, end, max(int((end - start) / _STEP), 1) + 1)
    outer = np.column_stack([angle, np.full(len(angle), high)])
    inner = np.column_stack([angle[::-1], np.full(len(angle), low)])
    return np.concatenate([outer, inner])
