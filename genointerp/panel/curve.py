"""Precision-recall curves."""

from collections.abc import Hashable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from genointerp.core.errors import InputError
from genointerp.panel.style import (
    FONT_SIZE,
    LIGHT,
    LINE_PALETTE,
    current_axes,
    hide_frame,
    plain_text,
)

_PAIR = ["feature", "concept", "orientation"]
_LEVELS = (0.2, 0.4, 0.6, 0.8)
_STYLES = ("-", "--", ":")


def plot_precision_recall(curves: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the curve of each (feature, concept, orientation), over lines of equal F1.

    A dot marks the threshold that fit chose, a short line at the right the base rate of the
    concept: the precision of a detector that always fires.

    Parameters
    ----------
    curves
        Columns ``feature, concept, orientation, threshold, chosen, precision, recall`` and
        ``base_rate``; thresholds rise within a curve. Curves come in the order of the table.

    Raises
    ------
    InputError
        If there are more curves than can be told apart.
    """
    pairs = list(curves.groupby(_PAIR, sort=False))
    most = len(LINE_PALETTE) * len(_STYLES)
    if len(pairs) > most:
        raise InputError("curves", f"at most {most}", str(len(pairs)))
    ax = current_axes(ax)
    _draw_equal_f1(ax)
    for index, (pair, curve) in enumerate(pairs):
        color = LINE_PALETTE[index % len(LINE_PALETTE)]
        style = _STYLES[index // len(LINE_PALETTE)]
        ax.plot(
            curve["recall"],
            curve["precision"],
            color=color,
            linestyle=style,
            linewidth=1.2,
            label=_name(pair),
        )
        chosen = curve[curve["chosen"] == 1]
        ax.plot(chosen["recall"], chosen["precision"], "o", color=color, markersize=4)
        ax.plot([1.0, 1.04], [curve["base_rate"].iloc[0]] * 2, color=color, clip_on=False)
    ax.set(xlim=(0, 1), ylim=(0, 1.02))
    ax.set_xlabel("recall (share of the concept's bases)", fontsize=FONT_SIZE + 1)
    ax.set_ylabel("precision (share of detected bases)", fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    marks = [
        Line2D([], [], color="0.3", marker="o", markersize=4, linestyle="", label="chosen on fit"),
        Line2D([], [], color="0.3", linewidth=1.5, label="base rate (at the right edge)"),
    ]
    handles, _ = ax.get_legend_handles_labels()
    ax.legend(
        handles=[*handles, *marks],
        fontsize=FONT_SIZE,
        frameon=False,
        loc="upper left",
        bbox_to_anchor=(1.05, 1.0),
    )
    hide_frame(ax, keep=("left", "bottom"))
    return ax


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
