"""Precision-recall curves."""

from collections.abc import Hashable
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.typing import LineStyleType

from genointerp.core.errors import InputError
from genointerp.panel.style import (
    FONT_SIZE,
    LIGHT,
    current_axes,
    family,
    hide_frame,
    plain_text,
    type_color,
)

_PAIR = ["feature", "concept", "orientation"]
_LEVELS = (0.2, 0.4, 0.6, 0.8)
_STYLES: tuple[LineStyleType, ...] = (
    "-", "--", ":", "-.", (0, (8, 2)), (0, (1, 3)), (0, (4, 1, 1, 1, 1, 1))
)  # fmt: skip
_MARKERS = ("o", "^", "s", "D", "v", "P", "X")
MAX_OF_COLOR = len(_STYLES) * len(_MARKERS)
"""Number of curves of one colour that differ in style or marker."""


def plot_precision_recall(
    curves: pd.DataFrame, *, legend: Literal["right", "below"] = "right", ax: Axes | None = None
) -> Axes:
    """Draw the curve of each (feature, concept, orientation), over lines of equal F1.

    A curve has the colour of its concept's family, and a style of its own. A mark is at the
    threshold that fit chose, a short line at the right is the base rate of the concept: the
    precision of a detector that always fires.

    Parameters
    ----------
    curves
        Columns ``feature, concept, orientation, threshold, chosen, precision, recall`` and
        ``base_rate``; thresholds rise within a curve. Curves come in the order of the table.
    legend
        Side of the axes on which the legend is.

    Raises
    ------
    InputError
        If there are more curves of one colour than can be told apart.
    """
    pairs = list(curves.groupby(_PAIR, sort=False))
    ranks = _ranks([str(pair[1]) for pair, _ in pairs])
    ax = current_axes(ax)
    _draw_equal_f1(ax)
    for rank, (pair, curve) in zip(ranks, pairs, strict=True):
        turn, style = divmod(rank, len(_STYLES))
        color = type_color(str(pair[1]))
        ax.plot(
            curve["recall"],
            curve["precision"],
            color=color,
            linestyle=_STYLES[style],
            linewidth=1.4,
            marker=_MARKERS[(style + turn) % len(_MARKERS)],
            markevery=np.flatnonzero(curve["chosen"] == 1).tolist(),
            markersize=4.5,
            label=_name(pair),
        )
        ax.plot([1.0, 1.04], [curve["base_rate"].iloc[0]] * 2, color=color, clip_on=False)
    ax.set(xlim=(0, 1), ylim=(0, 1.02))
    ax.set_xlabel("recall (share of the concept's bases)", fontsize=FONT_SIZE + 1)
    ax.set_ylabel("precision (share of detected bases)", fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    marks = [
        Line2D(
            [],
            [],
            color="0.3",
            marker="o",
            markersize=4,
            linestyle="",
            label="marks: chosen on fit",
        ),
        Line2D([], [], color="0.3", linewidth=1.5, label="base rate (at the right edge)"),
    ]
    handles, _ = ax.get_legend_handles_labels()
    ax.legend(
        handles=[*handles, *marks],
        fontsize=FONT_SIZE,
        frameon=False,
        loc="upper left",
        bbox_to_anchor=(1.05, 1.0) if legend == "right" else (0.0, -0.2),
    )
    hide_frame(ax, keep=("left", "bottom"))
    return ax


def _ranks(concepts: list[str]) -> list[int]:
    """Return for each curve how many before it have its colour."""
    families = [family(name) for name in concepts]
    ranks = [families[:index].count(name) for index, name in enumerate(families)]
    if max([*ranks, 0]) >= MAX_OF_COLOR:
        raise InputError("curves", f"at most {MAX_OF_COLOR} of one colour", "more")
    return ranks


def _draw_equal_f1(ax: Axes) -> None:
    for level in _LEVELS:
        recall = np.linspace(level / (2 - level), 1, 60)
        precision = level * recall / (2 * recall - level)
        ax.plot(recall, precision, color=LIGHT, linewidth=0.8, zorder=0)
        ax.text(
            0.99,
            level / (2 - level),
            f"F1 {level:g}",
            ha="right",
            va="center",
            fontsize=FONT_SIZE - 1,
            color="0.45",
            zorder=0,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )


def _name(pair: tuple[Hashable, ...]) -> str:
    feature, concept, orientation = pair
    return plain_text(f"f/{feature} {concept} ({orientation})")
