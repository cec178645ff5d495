"""A region of a genome: genes as arrows, concepts as blocks, features as tracks of both strands.

Ticks are 1-based, as in genome browsers; tables and arrays are 0-based and half-open.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle

from genointerp.core.errors import InputError
from genointerp.genome.interval import GenomicInterval, format_region
from genointerp.genome.letters import reverse_complement
from genointerp.genome.runs import runs_of
from genointerp.panel.style import (
    BASE_COLORS,
    FONT_SIZE,
    GREY,
    NOT_READ,
    STRAND_COLORS,
    axes_width,
    current_axes,
    hide_frame,
    plain_text,
    type_color,
    use_region_axis,
)

MAX_COLUMNS = 4000
"""Number of columns of a track at most; in longer regions each shows the greatest of its bases."""

_MAX_OUTLINED = 150  # more elements would be black with their outlines
_GENE_HEIGHT = 0.7
_LANE = 1.6  # a gene and the line of text above it
_CHARACTER = 0.62  # width of a character as a share of the font size


def plot_genes(
    elements: pd.DataFrame, interval: GenomicInterval, *, ax: Axes | None = None
) -> Axes:
    """Draw elements as arrows: the ``+`` strand above the line, the ``-`` strand below.

    Parameters
    ----------
    elements
        Columns ``start``, ``end``, ``strand``, ``type`` and ``label``; a row for each arrow.
    """
    ax = current_axes(ax)
    inside = _overlapping(elements, interval)
    lanes = {strand: _lanes(inside[_on(inside, strand)]) for strand in ("+", "-")}
    n_up, n_down = (max([*found, 0]) + 1 for found in lanes.values())
    for strand, direction in (("+", 1), ("-", -1)):
        rows = inside[_on(inside, strand)]
        _draw_strand(rows, lanes[strand], direction, interval, ax)
    ax.axhline(0, color=GREY, linewidth=0.6, zorder=0)
    ax.set_ylim(-n_down * _LANE - 0.3, n_up * _LANE + 0.3)
    ax.set_yticks([_LANE / 2, -_LANE / 2], ["+", "\N{MINUS SIGN}"], fontsize=FONT_SIZE + 2)
    ax.tick_params(axis="both", length=0)
    hide_frame(ax)
    use_region_axis(ax, interval, labelled=False)
    return ax


def plot_concepts(
    elements: pd.DataFrame, interval: GenomicInterval, *, ax: Axes | None = None
) -> Axes:
    """Draw a row of blocks for each concept: ``+`` in its upper half, ``-`` in its lower half.

    Parameters
    ----------
    elements
        Columns ``concept``, ``start``, ``end`` and ``strand``. Elements without a strand fill
        the row. Concepts come in the order of the table.
    """
    ax = current_axes(ax)
    inside = _overlapping(elements, interval)
    shown = set(inside["concept"])
    names = [name for name in dict.fromkeys(elements["concept"]) if name in shown]
    for level, name in enumerate(names):
        for row in inside[inside["concept"] == name].to_dict("records"):
            _draw_block(row, level, type_color(name), ax)
    ax.set_ylim(max(len(names), 1) - 0.5, -0.5)
    ax.set_yticks(range(len(names)), [plain_text(name) for name in names], fontsize=FONT_SIZE)
    ax.tick_params(axis="both", length=0)
    hide_frame(ax)
    use_region_axis(ax, interval, labelled=False)
    return ax


def plot_sequence(sequence: str, interval: GenomicInterval, *, ax: Axes | None = None) -> Axes:
    """Draw the bases of an interval, and below them those of the other strand.

    Parameters
    ----------
    sequence
        The forward strand, a letter for each base of the interval.

    Raises
    ------
    InputError
        If there is not one letter for each base.
    """
    if len(sequence) != interval.length:
        where = format_region(interval)
        raise InputError(where, f"{interval.length} bases", str(len(sequence)))
    ax = current_axes(ax)
    letters = np.frombuffer(sequence.encode("ascii"), dtype=np.uint8)
    # read upwards in place, as both strands are in a browser: not reversed
    other = reverse_complement(letters)[::-1].tobytes().decode()
    size = min(float(FONT_SIZE), axes_width(ax) / max(interval.length, 1) / _CHARACTER)
    for level, strand in ((0.5, sequence), (-0.5, other)):
        for base, letter in enumerate(strand, start=interval.start + 1):
            ax.text(
                base,
                level,
                letter,
                ha="center",
                va="center",
                fontsize=size,
                family="monospace",
                color=BASE_COLORS.get(letter, GREY),
                clip_on=True,
            )
    ax.set_ylim(-1.1, 1.1)
    ax.set_yticks([0.5, -0.5], ["+", "\N{MINUS SIGN}"], fontsize=FONT_SIZE + 2)
    ax.tick_params(axis="both", length=0)
    hide_frame(ax)
    use_region_axis(ax, interval, labelled=False)
    return ax


def plot_feature_track(
    plus: Float[np.ndarray, " bp"],
    minus: Float[np.ndarray, " bp"],
    interval: GenomicInterval,
    *,
    label: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the activation of one feature: read on ``+`` upwards, read on ``-`` downwards.

    Parameters
    ----------
    plus, minus
        A value for each base; NaN where it was not read, which is grey.

    Raises
    ------
    InputError
        If an array has not one value for each base of the interval.
    """
    for values in (plus, minus):
        if len(values) != interval.length:
            where = format_region(interval)
            raise InputError(where, f"{interval.length} values", str(len(values)))
    ax = current_axes(ax)
    width = -(-interval.length // MAX_COLUMNS)
    middles = interval.start + 0.5 + width * (np.arange(-(-interval.length // width)) + 0.5)
    # the first and the last column have their whole width only with their outer edges
    base = np.concatenate([middles[:1] - width / 2, middles, middles[-1:] + width / 2])
    highest = max(float(np.nan_to_num(values).max(initial=0)) for values in (plus, minus))
    top = highest or 1.0
    for values, sign, strand in ((plus, 1, "+"), (minus, -1, "-")):
        # rasterized: as a vector path it has a point for each base
        color = STRAND_COLORS[strand]
        if np.nan_to_num(values).any():
            column = sign * np.pad(_columns(values, width), 1, mode="edge")
            ax.fill_between(base, column, step="mid", color=color, linewidth=0.4, rasterized=True)
        for first, last in runs_of(np.isnan(values)).tolist():
            corner = (interval.start + first + 0.5, min(sign, 0) * 1.05 * top)
            ax.add_patch(Rectangle(corner, last - first, 1.05 * top, **NOT_READ))
    ax.axhline(0, color=GREY, linewidth=0.5)
    ax.set_ylim(-1.05 * top, 1.05 * top)
    ticks = {-top: f"{top:.2g}", 0: "0", top: f"{top:.2g}"} if highest else {0: "0"}
    ax.set_yticks(list(ticks), list(ticks.values()), fontsize=FONT_SIZE - 1)
    ax.set_ylabel(
        plain_text(label), rotation=0, ha="right", va="center", fontsize=FONT_SIZE, labelpad=8
    )
    if not highest and not all(np.isnan(values).all() for values in (plus, minus)):
        ax.text(
            0.01, 0.75, "does not fire here", fontsize=FONT_SIZE, color=GREY, transform=ax.transAxes
        )
    hide_frame(ax, keep=("left",))
    use_region_axis(ax, interval, labelled=False)
    ax.tick_params(axis="x", length=0)
    return ax


def _columns(values: Float[np.ndarray, " bp"], width: int) -> Float[np.ndarray, " column"]:
    """Return the greatest value of each stretch of ``width`` bases; NaN where none was read."""
    n_columns = -(-len(values) // width)
    padded = np.full(n_columns * width, np.nan)
    padded[: len(values)] = values
    highest: Float[np.ndarray, " column"] = np.fmax.reduce(padded.reshape(-1, width), axis=1)
    return highest


def _overlapping(elements: pd.DataFrame, interval: GenomicInterval) -> pd.DataFrame:
    inside = (elements["end"] > interval.start) & (elements["start"] < interval.end)
    if "seqid" in elements:
        inside &= elements["seqid"] == interval.seqid
    return elements[inside].sort_values("start", kind="stable")


def _on(elements: pd.DataFrame, strand: str) -> pd.Series:
    """Return the elements of a strand; those without a strand count as forward."""
    is_minus = elements["strand"] == "-"
    return is_minus if strand == "-" else ~is_minus


def _lanes(elements: pd.DataFrame) -> list[int]:
    """Give each element the first lane whose last element has ended."""
    ends: list[int] = []
    lanes = []
    for start, end in zip(elements["start"], elements["end"], strict=True):
        lane = next((i for i, last in enumerate(ends) if last <= start), len(ends))
        ends[lane : lane + 1] = [end]
        lanes.append(lane)
    return lanes


def _draw_strand(
    rows: pd.DataFrame, lanes: Sequence[int], direction: int, interval: GenomicInterval, ax: Axes
) -> None:
    free = [float(interval.start)] * (max([*lanes, 0]) + 1)
    per_character = _bp_per_character(interval, ax)
    head = 0.008 * interval.length
    line = 0.5 if len(rows) <= _MAX_OUTLINED else 0.0
    for row, lane in zip(rows.to_dict("records"), lanes, strict=True):
        start, end, label = int(row["start"]), int(row["end"]), str(row["label"])
        middle = direction * (0.15 + _GENE_HEIGHT / 2 + lane * _LANE)
        points = _arrow(start + 0.5, end + 0.5, middle, str(row["strand"]), head)
        color = type_color(str(row["type"]))
        ax.add_patch(Polygon(points, closed=True, facecolor=color, edgecolor="0.25", lw=line))
        center = (max(start, interval.start) + min(end, interval.end)) / 2
        half = per_character * len(label) / 2
        left = min(max(center - half, interval.start), interval.end - 2 * half)
        if not label or left < free[lane]:
            continue
        free[lane] = left + 2 * half + per_character
        _write_label(left + half + 0.5, middle, direction, label, ax)


def _write_label(x: float, middle: float, direction: int, label: str, ax: Axes) -> None:
    ax.text(
        x,
        middle + direction * (_GENE_HEIGHT / 2 + 0.12),
        plain_text(label),
        ha="center",
        va="bottom" if direction > 0 else "top",
        fontsize=FONT_SIZE,
        clip_on=True,
    )


def _arrow(
    start: float, end: float, middle: float, strand: str, head: float
) -> list[tuple[float, float]]:
    half = _GENE_HEIGHT / 2
    head = min(head, end - start) if strand in "+-" else 0.0
    if strand == "-":
        neck, tip, tail = start + head, start, end
    else:
        neck, tip, tail = end - head, end, start
    return [
        (tail, middle - half),
        (neck, middle - half),
        (tip, middle),
        (neck, middle + half),
        (tail, middle + half),
    ]


def _bp_per_character(interval: GenomicInterval, ax: Axes) -> float:
    return _CHARACTER * FONT_SIZE * interval.length / max(axes_width(ax), 1)


def _draw_block(row: Mapping[Hashable, Any], level: int, color: str, ax: Axes) -> None:
    top = level + 0.02 if row["strand"] == "-" else level - 0.36
    height = 0.34 if row["strand"] in ("+", "-") else 0.72
    corner, width = (row["start"] + 0.5, top), row["end"] - row["start"]
    ax.add_patch(Rectangle(corner, width, height, facecolor=color, edgecolor=color, lw=0.3))
