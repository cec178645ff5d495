"""Training curves of a dictionary."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter

from genointerp.core.errors import InputError
from genointerp.panel.style import BLUE, FONT_SIZE, GREY, current_axes, hide_frame, plain_text

LABELS = {
    "loss": "loss",
    "fvu": "FVU",
    "l0": "L0 (features per base)",
    "dead_share": "dead features (share)",
    "aux_loss": "auxiliary loss",
    "learning_rate": "learning rate",
}
"""What each known column of the metrics means; others are labelled with their name."""

_SHADES = ("white", "0.92")
_FALLS: dict[str, Any] = {"color": GREY, "linestyle": ":", "linewidth": 0.9}


def plot_training(
    metrics: pd.DataFrame, column: str, *, x: str = "step", ax: Axes | None = None
) -> Axes:
    """Draw one column of the training metrics, each part of the training by itself.

    Every second part is shaded; a dotted line is where the learning rate begins to fall.

    Parameters
    ----------
    metrics
        A row for each logged step; rows where the column is undefined are left out.
    x
        Column of the horizontal axis.

    Raises
    ------
    InputError
        If the table lacks one of the columns.
    """
    for name in (column, x):
        if name not in metrics:
            raise InputError("metrics", f"a column {name!r}", ", ".join(map(str, metrics)))
    ax = current_axes(ax)
    shown = metrics[[x, column]].dropna()
    spans = training_parts(metrics, x)
    _draw_parts(spans, ax)
    marker = "." if len(shown) < 30 else ""
    for span in spans:
        own = shown[(shown[x] > span.start) & (shown[x] <= span.end)]
        ax.plot(own[x], own[column], color=BLUE, linewidth=1, marker=marker)
    if column.endswith("_share"):
        ax.set_ylim(0, max(0.05, 1.05 * float(shown[column].max())))
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.set_xlabel("training step" if x == "step" else x.replace("_", " "), fontsize=FONT_SIZE + 1)
    ax.set_ylabel(LABELS.get(column, column.replace("_", " ")), fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    hide_frame(ax, keep=("left", "bottom"))
    return ax


class TrainingPart(NamedTuple):
    """Steps of one part of a training: after ``start``, up to ``end``.

    Parameters
    ----------
    falls
        Last logged step before the learning rate falls; None if it does not, or is unknown.
    """

    start: float
    end: float
    falls: float | None


def training_parts(metrics: pd.DataFrame, x: str = "step") -> list[TrainingPart]:
    """Return the parts of a training in their order: one, unless the metrics have several."""
    numbers = metrics["part"] if "part" in metrics else pd.Series(0, index=metrics.index)
    parts: list[TrainingPart] = []
    for _, rows in metrics.groupby(numbers, sort=True):
        start = parts[-1].end if parts else -math.inf
        parts.append(TrainingPart(start, float(rows[x].max()), _falls(rows, x)))
    return parts


def part_handles(parts: Sequence[TrainingPart], names: Sequence[str] = ()) -> list[Artist]:
    """Return the legend of what `plot_training` marks, with what each part is, if it is known."""
    handles: list[Artist] = []
    for index in range(len(parts) if len(parts) > 1 else 0):
        name = f": {names[index]}" if len(names) == len(parts) else ""
        label = plain_text(f"part {index + 1}{name}")
        handles.append(Patch(facecolor=_SHADES[index % 2], edgecolor="0.6", lw=0.5, label=label))
    if any(part.falls is not None for part in parts):
        handles.append(Line2D([], [], **_FALLS, label="the learning rate begins to fall"))
    return handles


def _falls(rows: pd.DataFrame, x: str) -> float | None:
    if "learning_rate" not in rows or rows["learning_rate"].isna().all():
        return None
    top = rows.loc[rows["learning_rate"] == rows["learning_rate"].max(), x].max()
    return float(top) if top < rows[x].max() else None


def _draw_parts(parts: Sequence[TrainingPart], ax: Axes) -> None:
    for index, part in enumerate(parts):
        if index % 2:
            ax.axvspan(part.start, part.end, color=_SHADES[1], linewidth=0, zorder=0)
        if part.falls is not None:
            ax.axvline(part.falls, **_FALLS, zorder=1)
